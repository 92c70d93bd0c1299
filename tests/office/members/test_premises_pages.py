from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from office.accounts.models import Account, RoleGrant, Scheme
from office.audit.models import AuditRow
from office.members import premises_views
from office.members.facts import ContactFacts
from office.members.forms import Draft, PremisesInput
from office.members.models import Membership, Premises, Spokesperson
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.members.conftest import MakePremises

JO = ContactFacts(name="Jo Patel", phone="01604 496 000", is_key_holder=True)


@pytest.fixture
def browser(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """Of a co-ordinator of HART only."""
    return signed_in(co_ordinator)


@pytest.fixture
def both(signed_in: SignedIn, make_person: MakePerson) -> Client:
    """Of a co-ordinator of both schemes."""
    return signed_in(make_person("bea", ("co-ordinator", HART), ("co-ordinator", PUB_WATCH), name="Bea Both"))


def typed(browser: Client, address: str) -> dict[str, str | list[str]]:
    """What the form at an address would post, untouched."""
    page = browser.get(address)
    assert page.status_code == 200
    return fields(page.content.decode())


def fields(page: str) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        named = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if "name" not in named or (named.get("type") in {"checkbox", "radio"} and not re.search(r"\bchecked\b", tag)):
            continue
        empty = "on" if named.get("type") == "checkbox" else ""
        name, text = named["name"], html.unescape(named.get("value", empty))
        if name in {"schemes", "differs"}:
            found[name] = [*found.get(name, []), text]
        else:
            found[name] = text
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL):
        found[name] = html.unescape(text)
    return found


def actions() -> list[str]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))


def test_premises_are_added_with_a_new_member(browser: Client) -> None:
    form = typed(browser, "/premises/add/")
    form |= {"name": "Corner Shop", "member": "Shops Ltd", "is_new_member": "on", "latitude": "52.24, -0.9"}
    form |= {"contacts-0-name": "Jo Patel", "contacts-0-phone": "01604 496 000", "contacts-0-is_key_holder": "on"}
    form |= {"when_going": "Back door\r\nDog"}
    answer = browser.post("/premises/add/", form, follow=True)

    assert answer.status_code == 200
    premises = Premises.objects.get()
    assert premises.facts().contacts == (JO,)
    assert (premises.latitude, premises.longitude, premises.when_going) == (52.24, -0.9, "Back door\nDog")
    assert [scheme.pk for scheme in premises.schemes.all()] == [HART]
    assert Membership.objects.get().scheme_id == HART
    assert actions() == ["member.added", "premises.added"]
    assert "Corner Shop was added." in answer.content.decode()


def test_an_error_stands_at_its_field_and_on_top_and_nothing_typed_is_lost(browser: Client) -> None:
    form = typed(browser, "/premises/add/")
    form |= {"name": "", "member": "Nobody Ltd", "latitude": "95", "longitude": "1", "when_going": "a dog"}
    form |= {"contacts-0-name": "", "contacts-0-phone": "01604 1", "contacts-1-name": "Kim"}
    answer = browser.post("/premises/add/", form)
    page = answer.content.decode()

    assert answer.status_code == 400
    assert page.count("Latitude must be between -90 and 90.") == 2
    assert page.count("Enter the contact&#x27;s name.") == 2
    again = fields(page)
    assert {name: again.get(name) for name in form if name != "csrfmiddlewaretoken"} == {
        name: text for name, text in form.items() if name != "csrfmiddlewaretoken"
    }
    assert not Premises.objects.exists()


def test_a_form_sent_twice_adds_one_premises(browser: Client) -> None:
    form = typed(browser, "/premises/add/") | {
        "name": "Corner",
        "place": "High St",
        "member": "B",
        "is_new_member": "on",
    }
    browser.post("/premises/add/", form)
    answer = browser.post("/premises/add/", form)

    assert "already has premises of that name there" in answer.content.decode()
    assert Premises.objects.count() == 1
    assert browser.post("/premises/add/", form | {"place": "Low St"}).status_code == 302


@pytest.mark.parametrize(
    ("count", "says"),
    [("x", "The contacts did not arrive."), ("100000", "too many contacts"), ("17", "There are 17 contacts")],
)
def test_contacts_that_cannot_be_kept_are_told(browser: Client, count: str, says: str) -> None:
    form = typed(browser, "/premises/add/") | {"name": "A", "member": "B", "is_new_member": "on"}
    form |= {f"contacts-{index}-name": "Jo" for index in range(17)}
    answer = browser.post("/premises/add/", form | {"contacts-TOTAL_FORMS": count})

    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not Premises.objects.exists()


def test_an_unknown_member_is_not_added_unasked(browser: Client) -> None:
    form = typed(browser, "/premises/add/") | {"name": "Corner Shop", "member": "Shops Ltd"}
    answer = browser.post("/premises/add/", form)

    assert "No member has this name." in answer.content.decode()
    assert actions() == []


def test_anothers_scheme_is_refused(browser: Client) -> None:
    form = typed(browser, "/premises/add/") | {"name": "A", "member": "B", "is_new_member": "on"}
    answer = browser.post("/premises/add/", form | {"schemes": [str(HART), str(PUB_WATCH)]})

    assert "Choose only schemes that you co-ordinate." in answer.content.decode()
    assert not Premises.objects.exists()


def test_what_is_of_another_scheme_looks_like_what_does_not_exist(browser: Client, make_premises: MakePremises) -> None:
    pub = make_premises("Red Lion", PUB_WATCH)
    listed = browser.get("/premises/?q=lion").content.decode()
    assert "No premises match" in listed
    for path in ("premises/{}/", "premises/{}/edit/", "premises/{}/remove/"):
        there = browser.get("/" + path.format(pub.pk))
        nowhere = browser.get("/" + path.format(pub.pk + 1))
        assert there.status_code == nowhere.status_code == 404
        assert there.content == nowhere.content
        changed = browser.post("/" + path.format(pub.pk), {"name": "Mine now"})
        assert changed.status_code == browser.post("/" + path.format(pub.pk + 1)).status_code
        assert changed.status_code in {404, 405}
    assert browser.get(f"/members/{pub.member_id}/").status_code == 404
    assert Premises.objects.get().name == "Red Lion"


def test_of_a_shared_premises_each_sees_and_changes_only_their_scheme(
    browser: Client, make_premises: MakePremises
) -> None:
    shared = make_premises("Red Lion", HART, PUB_WATCH)
    for address in ("/premises/", f"/premises/{shared.pk}/", f"/premises/{shared.pk}/edit/", "/members/",
                    f"/members/{shared.member_id}/", f"/members/{shared.member_id}/edit/"):  # fmt: skip
        page = browser.get(address).content.decode()
        assert "Red Lion" in page
        assert "Pub Watch" not in page
    form = typed(browser, f"/premises/{shared.pk}/edit/") | {"place": "Square"}
    browser.post(f"/premises/{shared.pk}/edit/", form)
    browser.post(f"/premises/{shared.pk}/remove/")
    shared.refresh_from_db()

    assert shared.place == "Square"
    assert [scheme.pk for scheme in shared.schemes.all()] == [PUB_WATCH]
    assert browser.get(f"/premises/{shared.pk}/").status_code == 404
    assert list(AuditRow.objects.order_by("sequence").values_list("action", "schemes")) == [
        ("premises.changed", f" {HART} {PUB_WATCH} "),
        ("premises.left-scheme", f" {HART} "),
    ]


def test_only_who_co_ordinates_all_schemes_gives_a_premises_to_another_member(
    browser: Client, both: Client, make_premises: MakePremises
) -> None:
    shared = make_premises("Red Lion", HART, PUB_WATCH)
    make_premises("Bar", HART, member="Bars Ltd")
    address = f"/premises/{shared.pk}/edit/"
    refused = browser.post(address, typed(browser, address) | {"member": "Bars Ltd"})
    assert "Only someone who co-ordinates all schemes" in refused.content.decode()

    assert both.post(address, typed(both, address) | {"member": "bars ltd"}).status_code == 302
    shared.refresh_from_db()
    assert shared.member.name == "Bars Ltd"
    assert shared.member.memberships.count() == 2


def test_removing_from_the_last_scheme_deletes_with_contacts(browser: Client, make_premises: MakePremises) -> None:
    shop = make_premises("Corner Shop", HART, contacts=[JO])
    page = browser.post(f"/premises/{shop.pk}/remove/", follow=True).content.decode()

    assert "Corner Shop was removed." in page
    assert not Premises.objects.exists()
    assert actions() == ["premises.removed"]
    assert "Jo Patel" not in "".join(AuditRow.objects.values_list("details", flat=True))


def test_saving_without_a_difference_changes_nothing(browser: Client, make_premises: MakePremises) -> None:
    shop = make_premises("Corner Shop", HART, contacts=[JO], address="1 High St\nTown", latitude=52.0, longitude=-0.1)
    address = f"/premises/{shop.pk}/edit/"

    assert browser.post(address, typed(browser, address)).status_code == 302
    assert actions() == []
    assert Premises.objects.get().version == 1


def test_the_second_editor_sees_both_versions_and_chooses(
    browser: Client, both: Client, make_premises: MakePremises
) -> None:
    shop = make_premises("Corner Shop", HART, contacts=[JO], place="High St", opening_hours="9-5", address="1")
    address = f"/premises/{shop.pk}/edit/"
    first, second = typed(both, address), typed(browser, address)
    both.post(address, first | {"opening_hours": "8-8", "place": "Market Sq", "contacts-0-phone": "0999"})
    conflict = browser.post(
        address, second | {"opening_hours": "24 hours", "when_going": "Dog", "latitude": "52", "longitude": "-1"}
    )
    page = conflict.content.decode()

    assert conflict.status_code == 409
    assert "Bea Both saved Corner Shop" in page
    asked = fields(page)
    assert asked["differs"] == ["place", "opening_hours", "when_going", "position", "contacts"]
    assert [asked.get(f"choice-{field}") for field in asked["differs"]] == ["saved", None, "mine", "mine", "saved"]

    again = browser.post(address, asked)
    assert again.status_code == 409
    assert "Choose one version of each field." in again.content.decode()

    saved = browser.post(address, asked | {"choice-opening_hours": "mine"})
    assert saved.status_code == 302
    facts = Premises.objects.get().facts()
    assert (facts.place, facts.opening_hours, facts.when_going) == ("Market Sq", "24 hours", "Dog")
    assert (facts.latitude, facts.longitude) == (52.0, -1.0)
    assert facts.contacts == (ContactFacts(name="Jo Patel", phone="0999", is_key_holder=True),)


def test_a_third_editor_in_between_is_not_overwritten(
    browser: Client, both: Client, make_premises: MakePremises
) -> None:
    shop = make_premises("Corner Shop", HART, place="A")
    address = f"/premises/{shop.pk}/edit/"
    mine = typed(browser, address) | {"place": "mine"}
    both.post(address, typed(both, address) | {"place": "B"})
    asked = fields(browser.post(address, mine).content.decode())
    both.post(address, typed(both, address) | {"address": "new"})

    answer = browser.post(address, asked | {"choice-place": "mine"})
    assert answer.status_code == 409
    again = fields(answer.content.decode())
    assert again["differs"] == ["place", "address"]
    assert [again[f"choice-{field}"] for field in again["differs"]] == ["mine", "saved"]
    assert browser.post(address, again).status_code == 302
    facts = Premises.objects.get().facts()
    assert (facts.place, facts.address) == ("mine", "new")


def test_two_editors_with_the_same_words_do_not_conflict(
    browser: Client, both: Client, make_premises: MakePremises
) -> None:
    shop = make_premises("Corner Shop", HART)
    address = f"/premises/{shop.pk}/edit/"
    mine = typed(browser, address) | {"place": "Same"}
    both.post(address, typed(both, address) | {"place": "Same"})

    assert browser.post(address, mine).status_code == 302


def test_a_forged_base_cannot_choose_anothers_scheme(
    browser: Client, both: Client, make_premises: MakePremises
) -> None:
    shop = make_premises("Corner Shop", HART)
    address = f"/premises/{shop.pk}/edit/"
    forged = '{"member":"Corner Shop Ltd","schemes":[1,2],"facts":{"name":"Corner Shop"}}'
    form = typed(browser, address) | {"base": forged, "differs": ["schemes"], "choice-schemes": "saved"}
    answer = browser.post(address, form)

    assert answer.status_code == 400
    assert [scheme.pk for scheme in shop.schemes.all()] == [HART]


def test_a_members_contact_sees_their_own_premises_read_only(
    signed_in: SignedIn, make_person: MakePerson, make_premises: MakePremises, schemes: dict[int, Scheme]
) -> None:
    shop = make_premises("Corner Shop", HART, member="Shops Ltd")
    bar = make_premises("Shop Bar", PUB_WATCH, member="Shops Ltd")
    make_premises("Other Shop", HART)
    contact = make_person("mel", ("members-contact", HART))
    Spokesperson.objects.create(member=shop.member, scheme=schemes[HART], account=contact)
    browser = signed_in(contact)
    listed = browser.get("/premises/").content.decode()

    assert "Corner Shop" in listed
    assert "Shop Bar" not in listed
    assert "Other Shop" not in listed
    assert "Edit" not in browser.get(f"/premises/{shop.pk}/").content.decode()
    assert browser.get(f"/premises/{bar.pk}/").status_code == 404
    for address in (f"/premises/{shop.pk}/edit/", f"/premises/{shop.pk}/remove/", "/premises/add/", "/members/",
                    f"/members/{shop.member_id}/", "/premises/export.csv", "/premises/import/"):  # fmt: skip
        assert browser.get(address).status_code == 404
        assert browser.post(address).status_code in {404, 405}


@pytest.mark.parametrize("role", ["cctv", "pcso", "duty-sergeant", "duty-officer", "police", "fleet-engineer"])
def test_other_roles_have_no_register(signed_in: SignedIn, make_person: MakePerson, role: str) -> None:
    browser = signed_in(make_person("pat", (role, HART)))

    assert {browser.get(address).status_code for address in ("/premises/", "/members/", "/premises/add/")} == {404}


@pytest.mark.parametrize("address", ["/premises/{}/edit/", "/premises/add/"])
def test_a_role_taken_while_the_request_is_under_way_counts(
    browser: Client,
    co_ordinator: Account,
    make_premises: MakePremises,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> None:
    shop = make_premises("Corner", HART)

    class Slow(PremisesInput):
        """Reads the form, and somebody takes the role meanwhile."""

        def read(self) -> Draft | None:
            RoleGrant.objects.filter(account=co_ordinator).delete()
            return super().read()

    form = typed(browser, address.format(shop.pk)) | {"name": "Late", "member": "Corner Ltd"}
    monkeypatch.setattr(premises_views, "PremisesInput", Slow)
    answer = browser.post(address.format(shop.pk), form)

    assert answer.status_code in {400, 404}
    assert [one.name for one in Premises.objects.all()] == ["Corner"]
    assert actions() == []


def test_an_account_ended_while_the_request_is_under_way_counts(
    browser: Client, co_ordinator: Account, make_premises: MakePremises, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = make_premises("Corner", HART)

    class Slow(PremisesInput):
        """Reads the form, and somebody ends the account meanwhile."""

        def read(self) -> Draft | None:
            Account.objects.filter(pk=co_ordinator.pk).update(is_active=False)
            return super().read()

    form = typed(browser, f"/premises/{shop.pk}/edit/") | {"name": "Late"}
    monkeypatch.setattr(premises_views, "PremisesInput", Slow)
    answer = browser.post(f"/premises/{shop.pk}/edit/", form)

    assert answer.status_code in {302, 401, 403}
    assert Premises.objects.get().name == "Corner"


def test_a_scheme_given_while_one_edits_does_not_end_a_membership(
    browser: Client,
    co_ordinator: Account,
    make_premises: MakePremises,
    schemes: dict[int, Scheme],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = make_premises("Bar", HART, PUB_WATCH)

    class Slow(PremisesInput):
        """Reads the form, and the person becomes co-ordinator of the other scheme meanwhile."""

        def read(self) -> Draft | None:
            RoleGrant.objects.create(account=co_ordinator, role="co-ordinator", scheme=schemes[PUB_WATCH])
            return super().read()

    address = f"/premises/{shared.pk}/edit/"
    form = typed(browser, address) | {"place": "Square"}
    monkeypatch.setattr(premises_views, "PremisesInput", Slow)
    assert browser.post(address, form).status_code == 302

    assert {scheme.pk for scheme in shared.schemes.all()} == {HART, PUB_WATCH}
