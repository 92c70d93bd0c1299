from __future__ import annotations

import re
from datetime import date

import pytest
from django.test import Client

from office.accounts.models import Account, Scheme
from office.audit.models import AuditRow
from office.exclusions.models import Case
from office.members.models import Member, Premises, Spokesperson
from office.members.scope import premises_of
from office.people.models import Individual
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.members.conftest import MakePremises


@pytest.fixture
def browser(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """Of a co-ordinator of HART only."""
    return signed_in(co_ordinator)


def actions() -> list[tuple[str, str]]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", "schemes"))


def test_a_member_is_added_renamed_and_found_by_its_new_name(browser: Client, make_premises: MakePremises) -> None:
    browser.post("/members/add/", {"name": "Shops Ltd", f"joined-{HART}": "2025-03-01"})
    member = Member.objects.get()
    make_premises("Corner", HART, member="Shops Ltd")
    answer = browser.post(
        f"/members/{member.pk}/edit/", {"name": "Läden plc", f"joined-{HART}": "1/4/2025", "version": "1"}
    )

    assert answer.status_code == 302
    assert "Corner" in browser.get("/premises/?q=laden").content.decode()
    assert member.memberships.get().joined_on == date(2025, 4, 1)
    assert actions() == [("member.added", " 1 "), ("member.renamed", " 1 "), ("membership.set", " 1 ")]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": ""}, "Enter the member"),
        ({"name": "shops LTD"}, "Another member has this name already."),
        ({"name": "a\u202eb"}, "cannot be shown"),
        ({"name": "New", "joined-1": ""}, "Enter for at least one scheme"),
        ({"name": "New", "joined-1": "soon"}, "Enter a date"),
        ({"name": "New", "joined-1": "1066-10-14"}, "Enter a date from 1950"),
    ],
)
def test_a_member_is_refused_with_a_sentence(
    browser: Client, make_premises: MakePremises, typed: dict[str, str], says: str
) -> None:
    make_premises("Corner", HART, member="Shops Ltd")
    answer = browser.post("/members/add/", {"joined-1": "2025-03-01"} | typed)

    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert Member.objects.count() == 1


def test_a_name_taken_in_another_scheme_only_is_free(browser: Client, make_premises: MakePremises) -> None:
    make_premises("Red Lion", PUB_WATCH, member="Shops Ltd")

    assert browser.post("/members/add/", {"name": "Shops Ltd", "joined-1": "2025-03-01"}).status_code == 302


def test_another_scheme_cannot_be_joined(browser: Client) -> None:
    browser.post("/members/add/", {"name": "A", "joined-1": "2025-03-01", f"joined-{PUB_WATCH}": "2025-03-01"})

    assert [one.scheme_id for one in Member.objects.get().memberships.all()] == [HART]


def test_the_second_editor_of_a_member_is_told(browser: Client, make_premises: MakePremises) -> None:
    member = make_premises("Corner", HART, member="Shops Ltd").member
    typed = {"name": "First", "joined-1": "2026-01-05", "version": "1"}
    browser.post(f"/members/{member.pk}/edit/", typed)
    answer = browser.post(f"/members/{member.pk}/edit/", typed | {"name": "Second"})
    page = answer.content.decode()

    assert answer.status_code == 400
    assert "Saved now: First, in HART since 05 Jan 2026" in page
    assert 'value="Second"' in page
    assert 'name="version" value="2"' in page
    member.refresh_from_db()
    assert member.name == "First"


def test_ending_a_membership_takes_its_premises_out_of_the_scheme(browser: Client, make_premises: MakePremises) -> None:
    gone = make_premises("Corner", HART, member="Shops Ltd")
    stays = make_premises("Bar", HART, PUB_WATCH, member="Shops Ltd")
    asked = browser.get(f"/members/{gone.member_id}/hart/end/").content.decode()
    assert "Corner" in asked
    assert "Pub Watch" not in asked
    ended = browser.post(f"/members/{gone.member_id}/hart/end/", follow=True).content.decode()

    assert "2 premises left with it" in ended
    assert list(Premises.objects.all()) == [stays]
    assert [scheme.pk for scheme in stays.schemes.all()] == [PUB_WATCH]
    assert not premises_of(frozenset({HART})).exists()
    assert "Shops Ltd" not in browser.get("/members/").content.decode()
    assert "Shops Ltd" in browser.get("/members/?former=yes").content.decode()
    assert actions() == [("membership.ended", " 1 "), ("premises.left-scheme", " 1 "), ("premises.removed", " 1 ")]


def test_a_membership_of_another_scheme_cannot_be_ended(browser: Client, make_premises: MakePremises) -> None:
    shared = make_premises("Bar", HART, PUB_WATCH)

    assert browser.post(f"/members/{shared.member_id}/pubwatch/end/").status_code == 404
    assert browser.post(f"/members/{shared.member_id}/nowhere/end/").status_code == 404
    assert not shared.member.memberships.exclude(ended_on=None).exists()


def test_an_ended_membership_is_deleted_with_the_member(browser: Client, make_premises: MakePremises) -> None:
    shop = make_premises("Corner", HART)
    address = f"/members/{shop.member_id}/hart/delete/"
    assert browser.post(address).status_code == 404
    browser.post(f"/members/{shop.member_id}/hart/end/")
    browser.get(address)
    browser.post(address)

    assert not Member.objects.exists()


def spokespeople() -> set[tuple[int, str]]:
    return set(Spokesperson.objects.values_list("scheme_id", "account__username"))


def test_people_are_chosen_among_members_contacts_of_own_schemes(
    browser: Client, make_person: MakePerson, make_premises: MakePremises
) -> None:
    member = make_premises("Corner", HART).member
    mel = make_person("mel", ("members-contact", HART))
    pat = make_person("pat", ("members-contact", PUB_WATCH), name="Patricia")
    address = f"/members/{member.pk}/people/"
    assert "Patricia" not in browser.get(address).content.decode()
    assert browser.post(address, {f"people-{HART}": [pat.pk]}).status_code == 400
    browser.post(address, {f"people-{HART}": [mel.pk]})
    assert spokespeople() == {(HART, "mel")}
    assert "Mel, in HART" in browser.get(f"/members/{member.pk}/").content.decode()
    assert re.search(rf'value="{mel.pk}"[^>]* checked', browser.get(address).content.decode())
    browser.post(address, {})

    assert spokespeople() == set()
    assert actions() == [("member.person-added", " 1 "), ("member.person-removed", " 1 ")]


def test_a_co_ordinator_gives_and_takes_sight_of_their_own_schemes_premises_only(
    browser: Client,
    other_co_ordinator: Account,
    signed_in: SignedIn,
    make_person: MakePerson,
    make_premises: MakePremises,
) -> None:
    shop, pub = (make_premises(name, number, member="Chain") for name, number in (("Shop", HART), ("Inn", PUB_WATCH)))
    contact = make_person("con", ("members-contact", HART), ("members-contact", PUB_WATCH))
    theirs, address = signed_in(contact), f"/members/{pub.member_id}/people/"
    both = {f"people-{HART}": [contact.pk], f"people-{PUB_WATCH}": [contact.pk]}

    def seen() -> list[str]:
        listed = theirs.get("/premises/").content.decode()
        shown = [one.name for one in (shop, pub) if theirs.get(f"/premises/{one.pk}/").status_code == 200]
        assert shown == [one.name for one in (shop, pub) if f"/premises/{one.pk}/" in listed]
        return shown

    browser.post(address, both)
    assert seen() == ["Shop"]
    signed_in(other_co_ordinator).post(address, both)
    assert seen() == ["Shop", "Inn"]
    browser.post(address, {})
    assert seen() == ["Inn"]
    assert actions() == [
        ("member.person-added", f" {HART} "),
        ("member.person-added", f" {PUB_WATCH} "),
        ("member.person-removed", f" {HART} "),
    ]


def test_a_members_contact_is_not_told_of_a_scheme_for_which_nobody_chose_them(
    signed_in: SignedIn, make_person: MakePerson, make_premises: MakePremises, schemes: dict[int, Scheme]
) -> None:
    bar = make_premises("Barley", HART, PUB_WATCH, member="Chain")
    contact = make_person("con", ("members-contact", HART), ("members-contact", PUB_WATCH))
    Spokesperson.objects.create(member=bar.member, scheme=schemes[HART], account=contact)
    theirs = signed_in(contact)

    assert "<td>HART</td>" in theirs.get("/premises/").content.decode()
    assert "Pub Watch" not in theirs.get(f"/premises/{bar.pk}/").content.decode()
    assert "Barley" in theirs.get("/premises/?scheme=hart").content.decode()
    assert "Barley" not in theirs.get("/premises/?scheme=pubwatch").content.decode()


def test_nobody_speaks_for_a_member_that_has_left(
    browser: Client, make_person: MakePerson, make_premises: MakePremises, schemes: dict[int, Scheme]
) -> None:
    member = make_premises("Bar", HART, PUB_WATCH).member
    contact = make_person("con", ("members-contact", HART), ("members-contact", PUB_WATCH), name="Constance")
    for scheme in schemes.values():
        Spokesperson.objects.create(member=member, scheme=scheme, account=contact)
    browser.post(f"/members/{member.pk}/hart/end/")

    assert spokespeople() == {(PUB_WATCH, "con")}
    assert ("member.person-removed", " 1 ") in actions()
    assert "Constance" not in browser.get(f"/members/{member.pk}/people/").content.decode()


def test_member_that_nominated_is_kept_with_a_sentence(
    browser: Client, make_premises: MakePremises, make_person: MakePerson, schemes: dict[int, Scheme]
) -> None:
    shop, mel = make_premises("Corner", HART), make_person("mel", ("members-contact", HART))
    Case.objects.create(
        scheme=schemes[HART],
        number=1,
        individual=Individual.objects.create(scheme=schemes[HART], number=1),
        category="theft",
        happened_on=date(2026, 1, 5),
        nominated_by=mel,
        nominating_member=shop.member,
    )
    browser.post(f"/members/{shop.member_id}/hart/end/")
    answer = browser.post(f"/members/{shop.member_id}/hart/delete/")

    assert answer.status_code == 409
    assert "nominated or voted in cases that are still kept" in answer.content.decode()
    assert Member.objects.get().memberships.exists()
