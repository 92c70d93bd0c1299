"""What co-ordinators do with people, and what they cannot."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from office.accounts.models import Account, Invitation, Notice, RoleGrant
from office.audit.models import AuditRow
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from wire.snapshots import RoleSlug

pytestmark = pytest.mark.django_db


def _roles(account: Account) -> set[tuple[str, int]]:
    return set(account.grants.values_list("role", "scheme_id"))


def _actions() -> list[str]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))


def test_the_list_shows_people_of_own_schemes_only(
    co_ordinator: Account, other_co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    make_person("both", ("pcso", HART), ("police", PUB_WATCH), name="Bo Both")

    page = signed_in(co_ordinator).get("/people/").content.decode()

    assert "Bo Both" in page
    assert "PCSO, HART" in page
    assert "Police, Pub Watch" not in page
    assert "Otto Pub" not in page


def test_the_list_is_searched_and_filtered(co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn) -> None:
    make_person("jo", ("pcso", HART), name="Jo Reed")
    browser = signed_in(co_ordinator)

    assert "Jo Reed" in browser.get("/people/?q=reed&role=pcso").content.decode()
    assert "Jo Reed" not in browser.get("/people/?q=reed&role=police").content.decode()
    assert "Nobody matches" in browser.get("/people/?q=zz").content.decode()
    assert "Jo Reed" in browser.get("/people/?q=re%00ed").content.decode(), "PostgreSQL refuses NUL"


@pytest.mark.parametrize("page", ["", "correct/", "end/", "lost-phone/"])
def test_a_person_of_another_scheme_looks_like_none(
    co_ordinator: Account, other_co_ordinator: Account, signed_in: SignedIn, page: str
) -> None:
    browser = signed_in(co_ordinator)

    there = browser.get(f"/people/{other_co_ordinator.pk}/{page}")
    nowhere = browser.get(f"/people/99999/{page}")

    assert there.status_code == nowhere.status_code == 404
    assert there.content == nowhere.content


@pytest.mark.parametrize(
    ("act", "sent"),
    [
        ("give-role", {"role": "pcso", "scheme": HART}),
        ("remove-role", {"role": "co-ordinator", "scheme": PUB_WATCH}),
        ("remove-role", {"role": "co-ordinator", "scheme": HART}),
        ("correct", {"name": "Other"}),
        ("end", {}),
        ("lost-phone", {}),
    ],
)
def test_nothing_is_done_to_a_person_of_another_scheme(
    co_ordinator: Account, other_co_ordinator: Account, signed_in: SignedIn, act: str, sent: dict[str, object]
) -> None:
    answer = signed_in(co_ordinator).post(f"/people/{other_co_ordinator.pk}/{act}/", sent)

    assert answer.status_code == 404
    assert _roles(other_co_ordinator) == {("co-ordinator", PUB_WATCH)}
    assert Account.objects.get(pk=other_co_ordinator.pk).name == "Otto Pub"
    assert Account.objects.get(pk=other_co_ordinator.pk).is_active


def test_only_co_ordinators_open_the_pages_of_people(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART), ("police", HART), ("fleet-engineer", HART))
    browser = signed_in(person)

    for path in ("/people/", "/people/invite/", f"/people/{person.pk}/", f"/people/{person.pk}/end/"):
        assert browser.get(path).status_code == 404
    assert browser.post(f"/people/{person.pk}/give-role/", {"role": "co-ordinator", "scheme": HART}).status_code == 404
    assert ("co-ordinator", HART) not in _roles(person)


def test_a_role_is_given_recorded_and_told(co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))

    signed_in(co_ordinator).post(f"/people/{person.pk}/give-role/", {"role": "cctv", "scheme": HART})

    assert _roles(person) == {("pcso", HART), ("cctv", HART)}
    assert _actions()[-1] == "role.given"
    assert "CCTV control room in HART" in signed_in(person).get("/").content.decode()


def test_a_role_in_another_scheme_is_not_given(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))

    answer = signed_in(co_ordinator).post(f"/people/{person.pk}/give-role/", {"role": "cctv", "scheme": PUB_WATCH})

    assert _roles(person) == {("pcso", HART)}
    assert "Select a valid choice" in answer.content.decode()


def test_fields_that_no_form_has_change_nothing(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    sent = {"role": "cctv", "scheme": HART, "is_staff": "1", "generation": "0", "username": "root", "name": "Root"}

    signed_in(co_ordinator).post(f"/people/{person.pk}/give-role/", sent)

    now = Account.objects.get(pk=person.pk)
    assert (now.username, now.name, now.generation, now.is_staff) == ("jo", "Jo", 1, False)


@pytest.mark.parametrize("role", ["co-ordinator", "cctv"])
def test_a_role_in_the_control_room_wants_the_second_factor_again(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, role: RoleSlug
) -> None:
    person = make_person("jo", ("pcso", HART))
    sent = {"role": role, "scheme": HART}

    late = signed_in(co_ordinator, second_factor_age_s=301).post(f"/people/{person.pk}/give-role/", sent)
    assert "Show second factor" in late.content.decode()
    assert _roles(person) == {("pcso", HART)}

    signed_in(co_ordinator, second_factor_age_s=250).post(f"/people/{person.pk}/give-role/", sent)
    assert (role, HART) in _roles(person)


def test_the_role_of_a_members_contact_wants_no_second_factor_again(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    sent = {"role": "members-contact", "scheme": HART}

    signed_in(co_ordinator, second_factor_age_s=301).post(f"/people/{person.pk}/give-role/", sent)

    assert ("members-contact", HART) in _roles(person)


def test_a_name_is_corrected_and_recorded(co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART), name="Jo Read")
    browser = signed_in(co_ordinator)
    assert 'value="Jo Read"' in browser.get(f"/people/{person.pk}/correct/").content.decode()

    refused = browser.post(f"/people/{person.pk}/correct/", {"name": "Jo Reed", "email": "no address"})
    assert 'value="Jo Reed"' in refused.content.decode()
    browser.post(f"/people/{person.pk}/correct/", {"name": "Jo Reed", "email": "jo@example.org", "username": "x"})

    now = Account.objects.get(pk=person.pk)
    assert (now.name, now.email, now.username) == ("Jo Reed", "jo@example.org", "jo")
    assert _actions()[-1] == "person.corrected"


@pytest.mark.parametrize("name", ["Watchlink itself", "W\u0430tchlink", "CENTRAL"])
def test_nobody_is_named_like_watchlink_itself(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, name: str
) -> None:
    person = make_person("jo", ("pcso", HART), name="Jo Reed")
    browser = signed_in(co_ordinator)
    pages = [
        browser.post("/people/invite/", {"name": name, "role": "pcso", "schemes": [HART]}),
        browser.post(f"/people/{person.pk}/correct/", {"name": name}),
    ]

    assert ["Enter the person’s own name." in page.content.decode() for page in pages] == [True, True]
    assert not Invitation.objects.exists()
    assert Account.objects.get(pk=person.pk).name == "Jo Reed"


def test_the_last_role_stays(co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))

    answer = signed_in(co_ordinator).post(
        f"/people/{person.pk}/remove-role/", {"role": "pcso", "scheme": HART}, follow=True
    )

    assert "only role" in answer.content.decode()
    assert _roles(person) == {("pcso", HART)}


def test_two_co_ordinators_cannot_both_remove_the_other(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    second = make_person("dee", ("co-ordinator", HART), ("pcso", HART))
    RoleGrant.objects.create(account=co_ordinator, role="pcso", scheme_id=HART)
    first_browser, second_browser = signed_in(co_ordinator), signed_in(second)
    sent = {"role": "co-ordinator", "scheme": HART}

    assert first_browser.post(f"/people/{second.pk}/remove-role/", sent).status_code == 302
    assert second_browser.post(f"/people/{co_ordinator.pk}/remove-role/", sent).status_code == 404

    assert _roles(co_ordinator) >= {("co-ordinator", HART)}
    answer = first_browser.post(f"/people/{co_ordinator.pk}/remove-role/", sent, follow=True)
    assert "only co-ordinator" in answer.content.decode()
    assert _roles(co_ordinator) >= {("co-ordinator", HART)}


def test_an_ended_account_is_out_at_once_and_for_good(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person, other = make_person("jo", ("co-ordinator", HART)), make_person("al", ("pcso", HART))
    boss = signed_in(co_ordinator)
    sent = {"name": "Ann Lee", "role": "pcso", "schemes": [HART]}
    helped = boss.post(f"/people/{person.pk}/lost-phone/", {"sets_password": "on"})
    Authenticator.objects.create(user=person, type="webauthn", data={"name": "Key"})
    browser = signed_in(Account.objects.get(pk=person.pk))
    pages = [
        browser.post(f"/people/{other.pk}/lost-phone/", {"sets_password": "on"}),
        browser.post("/people/invite/", sent),
        helped,
    ]
    links = [page.content.decode().split("http://localhost", 1)[1].split("<", 1)[0] for page in pages]
    assert [Client().get(link).status_code for link in links] == [200, 200, 200]

    assert boss.post(f"/people/{person.pk}/end/").status_code == 302

    now = Account.objects.get(pk=person.pk)
    assert not now.is_active
    assert now.generation > person.generation
    assert not now.has_usable_password()
    assert not Authenticator.objects.filter(user=person).exists()
    assert not now.recovery_links.exists()
    assert [Client().get(link).status_code for link in links] == [410, 410, 410]
    assert _roles(person) == set()
    assert browser.get("/").status_code == 302
    assert boss.get(f"/people/{person.pk}/").status_code == 404
    assert _actions()[-3:] == ["account.ended", "invitation.cancelled", "recovery-link.voided"]


def test_an_ended_person_does_not_come_back_by_another_invitation(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART), name="Jo Reed")
    Account.objects.filter(pk=person.pk).update(email="jo@example.org")
    boss = signed_in(co_ordinator)
    for name, email in (("J. Reed", "Jo@Example.org"), ("jo reed", ""), ("Ann Lee", "")):
        boss.post("/people/invite/", {"name": name, "email": email, "role": "pcso", "schemes": [HART]})

    page = boss.get(f"/people/{person.pk}/end/").content.decode()
    boss.post(f"/people/{person.pk}/end/")

    assert [one.name for one in Invitation.objects.filter(cancelled_at=None)] == ["Ann Lee"]
    assert _actions()[-3:] == ["account.ended", "invitation.cancelled", "invitation.cancelled"]
    assert "Ann Lee" in page
    assert "J. Reed" in page


def test_ending_an_account_leaves_invitations_of_other_schemes(
    co_ordinator: Account, other_co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART), name="Jo Reed")
    sent = {"name": "Jo Reed", "role": "pcso", "schemes": [PUB_WATCH]}
    signed_in(other_co_ordinator).post("/people/invite/", sent)
    boss = signed_in(co_ordinator)

    page = boss.get(f"/people/{person.pk}/end/").content.decode()
    boss.post(f"/people/{person.pk}/end/")

    assert Invitation.objects.filter(cancelled_at=None).exists()
    assert "invitation" not in page


def test_a_co_ordinator_who_cannot_sign_in_is_no_other_co_ordinator(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    make_person("ghost", ("co-ordinator", HART), has_second_factor=False)
    RoleGrant.objects.create(account=co_ordinator, role="pcso", scheme_id=HART)
    sent = {"role": "co-ordinator", "scheme": HART}

    page = signed_in(co_ordinator).post(f"/people/{co_ordinator.pk}/remove-role/", sent, follow=True)

    assert "only co-ordinator" in page.content.decode()
    assert ("co-ordinator", HART) in _roles(co_ordinator)


def test_ending_an_account_wants_the_second_factor_just_now(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    late = signed_in(co_ordinator, second_factor_age_s=301)

    assert late.post(f"/people/{person.pk}/end/")["Location"].startswith("/again/?next=")
    assert Account.objects.get(pk=person.pk).is_active


def test_an_account_of_two_schemes_is_ended_by_both_or_none(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART), ("pcso", PUB_WATCH))

    answer = signed_in(co_ordinator).post(f"/people/{person.pk}/end/", follow=True)

    assert "You cannot end this account" in answer.content.decode()
    assert Account.objects.get(pk=person.pk).is_active


@pytest.mark.parametrize("sent", [{}, {"sets_password": "on"}])
def test_nobody_of_two_schemes_is_locked_out_by_one(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn, sent: dict[str, str]
) -> None:
    person = make_person("jo", ("pcso", HART), ("co-ordinator", PUB_WATCH))

    answer = signed_in(co_ordinator).post(f"/people/{person.pk}/lost-phone/", sent)

    assert "the engineer at the office" in answer.content.decode()
    assert Authenticator.objects.filter(user=person).exists()
    assert Account.objects.get(pk=person.pk).generation == 1


def test_nobody_of_two_schemes_is_renamed_by_one(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART), ("co-ordinator", PUB_WATCH))
    browser = signed_in(co_ordinator)

    shown = browser.get(f"/people/{person.pk}/correct/").content.decode()
    sent = {"name": "Cora Hart", "email": "eve@example.org"}
    answer = browser.post(f"/people/{person.pk}/correct/", sent, follow=True)

    assert "You cannot correct this account" in shown
    assert "<form method" not in shown.split("<main", 1)[1]
    assert "You cannot correct this account" in answer.content.decode()
    now = Account.objects.get(pk=person.pk)
    assert (now.name, now.email) == ("Jo", "")


def test_correcting_wants_the_second_factor_just_now(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    late = signed_in(co_ordinator, second_factor_age_s=301)

    assert late.post(f"/people/{person.pk}/correct/", {"name": "Eve"})["Location"].startswith("/again/?next=")
    assert Account.objects.get(pk=person.pk).name == "Jo"


def test_lost_phone_voids_what_was_lost_and_tells_both(
    co_ordinator: Account, make_person: MakePerson, signed_in: SignedIn
) -> None:
    person = make_person("jo", ("pcso", HART))
    browser = signed_in(person)

    asks = signed_in(co_ordinator).get(f"/people/{person.pk}/lost-phone/").content.decode()
    page = signed_in(co_ordinator).post(f"/people/{person.pk}/lost-phone/", {}).content.decode()

    # A lost phone would go on counting as one that reaches them (C8).
    assert "<em>Your phones</em>" in asks
    assert "http://localhost/recover/" in page
    assert not Authenticator.objects.filter(user=person).exists()
    # Not to the page on which whoever has the phone could set up a second factor of their own.
    assert browser.get("/").headers.get("Location") == "/sign-in/"
    assert Notice.objects.filter(account=person, text__contains="removed your second factor").exists()
    assert Notice.objects.filter(account=co_ordinator, text__contains="Jo").exists()
    assert _actions()[-1] == "recovery-link.made"


def test_an_invitation_is_shown_once_and_can_be_cancelled(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    sent = {"name": "Ann Lee", "role": "pcso", "schemes": [HART]}

    page = browser.post("/people/invite/", sent).content.decode()
    link = page.split("http://localhost", 1)[1].split("<", 1)[0]
    invitation = Invitation.objects.get()

    assert "Ann Lee" in browser.get("/people/").content.decode()
    assert link.split("/")[2] not in browser.get("/people/").content.decode()
    assert Client().get(link).status_code == 200

    browser.post(f"/people/invitations/{invitation.pk}/cancel/")
    assert Client().get(link).status_code == 410


def test_an_invitation_to_another_scheme_is_refused_and_keeps_what_was_typed(
    co_ordinator: Account, signed_in: SignedIn
) -> None:
    sent = {"name": "Ann Lee", "role": "pcso", "schemes": [PUB_WATCH]}

    page = signed_in(co_ordinator).post("/people/invite/", sent).content.decode()

    assert not Invitation.objects.exists()
    assert 'value="Ann Lee"' in page
    assert "Please correct this first" in page


def test_a_name_with_direction_characters_is_refused(co_ordinator: Account, signed_in: SignedIn) -> None:
    sent = {"name": "Ann\u202eeeL", "role": "pcso", "schemes": [HART]}

    page = signed_in(co_ordinator).post("/people/invite/", sent).content.decode()

    assert "cannot be shown" in page
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("role", ["co-ordinator", "cctv"])
def test_inviting_to_the_control_room_asks_for_the_second_factor_and_keeps_what_was_typed(
    co_ordinator: Account, signed_in: SignedIn, role: RoleSlug
) -> None:
    browser = signed_in(co_ordinator, second_factor_age_s=301)
    sent = {"name": "Ann Lee", "role": role, "schemes": [HART]}

    asked = browser.post("/people/invite/", sent)["Location"]
    back = asked.partition("next=")[2].replace("%2F", "/").replace("%3F", "?").replace("%3D", "=").replace("%26", "&")
    page = browser.get(back.replace("%2B", "+")).content.decode()

    assert not Invitation.objects.exists()
    assert 'value="Ann Lee"' in page
