"""The member's contact keeps the list; a start code is shown once and never kept."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django import db
from django.test import Client
from django.utils import timezone

from office.accounts.access import acting
from office.accounts.models import Account, RoleGrant, Scheme
from office.app import _Housekeeping
from office.audit.journal import record
from office.audit.models import AuditRow
from office.config import load_configuration
from office.members.models import Premises, Spokesperson
from office.public_page import PublicPage
from office.staff import views
from office.staff.acts import tidy_staff
from office.staff.after_restore import void_start_codes
from office.staff.models import StaffMember
from office.staff.names import staff_names
from tests.office.conftest import HART, PUB_WATCH, SignedIn
from tests.office.members.conftest import MakePremises
from tests.support.office_program import write_config
from wire.gallery_staff import start_code_check

CODE = re.compile(r'<ul class="codes code"><li>([0-9A-Z-]{19})</li>')


@pytest.fixture
def browser(signed_in: SignedIn, contact: Account) -> Client:
    """Of the member's contact."""
    return signed_in(contact)


def add(browser: Client, shop: Premises, name: str = "Ann Example") -> str:
    """Adds somebody; returns their start code."""
    answer = browser.post(f"/premises/{shop.pk}/staff/add/", {"name": name})
    assert answer.status_code == 200, answer.content
    found = CODE.search(answer.content.decode())
    assert found is not None
    return found[1]


def person(name: str = "Ann Example") -> StaffMember:
    return StaffMember.objects.get(name=name)


def audit() -> list[str]:
    return list(AuditRow.objects.order_by("sequence").values_list("action", flat=True))


def test_contact_adds_a_person_and_is_shown_a_start_code_once(browser: Client, shop: Premises) -> None:
    code = add(browser, shop)
    ann = person()
    page = browser.get(f"/premises/{shop.pk}/staff/").content.decode()

    assert start_code_check(code) == ann.code_check
    assert code not in page
    assert "Ann Example" in page
    assert ["staff.added", "start-code.given"] == audit()
    assert 100_000_000 <= ann.number <= 999_999_999


def test_audit_knows_numbers_and_no_names(browser: Client, shop: Premises) -> None:
    code = add(browser, shop)
    browser.post(f"/premises/{shop.pk}/staff/{person().number}/take-off/")
    rows = " ".join(str(row) for row in AuditRow.objects.values_list("subject_name", "details", "schemes"))

    assert "Ann" not in rows
    assert code not in rows
    assert str(person().number) in rows
    assert 3 == AuditRow.objects.filter(schemes=f" {HART} ").count()


def test_name_is_corrected_and_the_person_stays_who_they_are(browser: Client, shop: Premises) -> None:
    add(browser, shop, "An Example")
    before = person("An Example")
    answer = browser.post(f"/premises/{shop.pk}/staff/{before.number}/correct/", {"name": "Ann Example"})
    after = person()

    assert answer.status_code == 302
    assert (before.number, before.code, before.code_check) == (after.number, after.code, after.code_check)


def test_two_of_one_name_are_refused_with_what_to_do(browser: Client, shop: Premises) -> None:
    add(browser, shop)
    add(browser, shop, "Zoe")
    twice = browser.post(f"/premises/{shop.pk}/staff/add/", {"name": "ANN  Example"})
    renamed = browser.post(f"/premises/{shop.pk}/staff/{person('Zoe').number}/correct/", {"name": "ann example"})

    assert [400, 400] == [twice.status_code, renamed.status_code]
    assert "tells them apart" in twice.content.decode()
    assert 2 == StaffMember.objects.count()


def test_new_start_code_ends_the_one_before(browser: Client, shop: Premises) -> None:
    first = add(browser, shop)
    before = person()
    asked = browser.get(f"/premises/{shop.pk}/staff/{before.number}/start-code/")
    answer = browser.post(f"/premises/{shop.pk}/staff/{before.number}/start-code/")
    after = person()

    assert "PIN ends at once" in asked.content.decode()
    found = CODE.search(answer.content.decode())
    assert found is not None
    assert first != found[1]
    assert start_code_check(found[1]) == after.code_check
    assert before.code < after.code


def test_person_who_is_taken_off_is_kept_as_long_as_the_view_log_and_no_longer(browser: Client, shop: Premises) -> None:
    add(browser, shop)
    browser.post(f"/premises/{shop.pk}/staff/{person().number}/take-off/")
    off = person()

    assert off.taken_off_at is not None
    assert "" == off.code_check
    assert "Nobody yet" in browser.get(f"/premises/{shop.pk}/staff/").content.decode()
    tidy_staff(off.taken_off_at + timedelta(days=120), 120)
    assert 1 == StaffMember.objects.count()
    tidy_staff(off.taken_off_at + timedelta(days=120, seconds=1), 120)
    assert 0 == StaffMember.objects.count()
    (said,) = AuditRow.objects.filter(action="staff.forgotten")
    assert (0, f" {HART} ", True) == (said.actor_account, said.schemes, str(off.number) in said.details)
    assert "Ann" not in f"{said.subject_name}{said.details}"


def test_staff_of_deleted_premises_are_off_and_forgotten_in_their_turn(browser: Client, shop: Premises) -> None:
    add(browser, shop)
    shop.delete()
    now = timezone.now()
    tidy_staff(now, 120)

    assert now == person().taken_off_at
    (said,) = AuditRow.objects.filter(action="staff.taken-off")
    assert (0, f" {HART} ", True) == (said.actor_account, said.schemes, str(person().number) in said.details)
    tidy_staff(now + timedelta(days=121), 120)
    assert 0 == StaffMember.objects.count()


@pytest.mark.parametrize(("days", "is_left"), [(5, True), (370, False), (5_000, True)])
def test_pages_forget_names_unless_their_clock_is_wrong(
    shop: Premises,
    co_ordinator: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    days: int,
    is_left: bool,
) -> None:
    StaffMember.objects.create(number=123_456_789, premises=shop, name="Ann", taken_off_at=timezone.now())
    record(co_ordinator, "account.made")
    later = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: later)
    # It is the test's connection.
    monkeypatch.setattr(db, "close_old_connections", lambda: None)
    if days < 5_000:
        record(co_ordinator, "account.made")

    _Housekeeping(load_configuration(write_config(tmp_path)), PublicPage()).look()

    assert is_left == StaffMember.objects.exists()


def test_names_are_read_by_the_schemes_own_also_once_the_premises_are_gone(browser: Client, shop: Premises) -> None:
    add(browser, shop)
    number = person().number
    of_others = staff_names([number], frozenset({PUB_WATCH}))
    before = staff_names([number, 1], frozenset({HART}))
    shop.delete()

    assert {} == of_others == staff_names([number], frozenset({PUB_WATCH}))
    assert {number: "Ann Example"} == before == staff_names([number], frozenset({HART, PUB_WATCH}))


def test_co_ordinator_sees_the_list_and_takes_off_but_lets_nobody_in(
    browser: Client, signed_in: SignedIn, co_ordinator: Account, shop: Premises
) -> None:
    add(browser, shop)
    theirs, number = signed_in(co_ordinator), person().number
    page = theirs.get(f"/premises/{shop.pk}/staff/").content.decode()

    assert "Ann Example" in page
    assert "Add a person" not in page
    for what in ("add/", f"{number}/correct/", f"{number}/start-code/"):
        assert 404 == theirs.post(f"/premises/{shop.pk}/staff/{what}", {"name": "Stolen"}).status_code
    assert 302 == theirs.post(f"/premises/{shop.pk}/staff/{number}/take-off/").status_code
    assert person().taken_off_at is not None


def test_contact_of_one_scheme_of_two_is_told_who_lets_people_in(
    browser: Client, shop: Premises, contact: Account, schemes: dict[int, Scheme]
) -> None:
    """Chosen by HART alone, they would let people into Pub Watch's gallery."""
    add(browser, shop)
    shop.schemes.add(PUB_WATCH)
    page, number = browser.get(f"/premises/{shop.pk}/staff/").content.decode(), person().number

    assert "chosen for Corner Shop Ltd in each of these schemes" in page
    assert "Add a person" not in page
    for what in ("add/", f"{number}/correct/", f"{number}/start-code/"):
        assert 404 == browser.post(f"/premises/{shop.pk}/staff/{what}", {"name": "Let In"}).status_code
    RoleGrant.objects.create(account=contact, role="members-contact", scheme=schemes[PUB_WATCH])
    Spokesperson.objects.create(member=shop.member, scheme=schemes[PUB_WATCH], account=contact)
    assert "in each of these schemes" not in browser.get(f"/premises/{shop.pk}/staff/").content.decode()
    add(browser, shop, "Let In")


def test_who_lets_somebody_in_shows_the_second_factor_again(
    browser: Client, signed_in: SignedIn, contact: Account, shop: Premises
) -> None:
    """A phone that lies about unlocked is not enough."""
    add(browser, shop)
    before, late = StaffMember.objects.values().get(), signed_in(contact, second_factor_age_s=301)
    for what in ("add/", f"{before['number']}/start-code/"):
        answer = late.post(f"/premises/{shop.pk}/staff/{what}", {"name": "Let In"})
        assert "/again/" in answer.headers["location"]

    assert before == StaffMember.objects.values().get()


@pytest.mark.parametrize("what", ["add/", "{}/correct/", "{}/start-code/", "{}/take-off/"], ids=range(4))
def test_contact_who_loses_the_role_meanwhile_does_nothing(
    browser: Client, shop: Premises, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Rights are read again in the transaction of the act."""

    def late(request: Any) -> Any:  # noqa: ANN401 - as the real one
        RoleGrant.objects.all().delete()
        return acting(request)

    add(browser, shop)
    before = StaffMember.objects.values().get()
    monkeypatch.setattr(views, "acting", late)
    answer = browser.post(f"/premises/{shop.pk}/staff/{what.format(before['number'])}", {"name": "Stolen"})

    assert 404 == answer.status_code
    assert before == StaffMember.objects.values().get()


def test_restore_voids_start_codes_and_says_whom_to_look_for(browser: Client, shop: Premises) -> None:
    """A unit has forgotten that the code was used, together with whom it was told to forget."""
    assert [] == void_start_codes()
    add(browser, shop)
    before = person()
    said = void_start_codes()

    assert (before.code, "") == (person().code, person().code_check)
    assert "ask the members’ contacts" in said[0]


def test_person_of_another_list_is_not_there(browser: Client, shop: Premises, make_premises: MakePremises) -> None:
    add(browser, shop)
    other = make_premises("Other Shop", HART)
    elsewhere = StaffMember.objects.create(number=123_456_789, premises=other, name="Bo")

    for what in ("correct/", "start-code/", "take-off/"):
        assert 404 == browser.post(f"/premises/{shop.pk}/staff/{elsewhere.number}/{what}").status_code
        assert 404 == browser.post(f"/premises/{other.pk}/staff/{elsewhere.number}/{what}").status_code
