"""Pages of breaches as co-ordinators and police use them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from office.accounts.models import Scheme
from office.audit.models import AuditRow
from office.breaches.forgetting import forget_unknown
from office.breaches.models import Breach
from office.config import load_configuration
from office.exclusions import acts
from office.exclusions.models import Case, LawDocument
from office.people.models import Individual
from office.staff.models import StaffMember
from tests.office.breaches.conftest import breach_of
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.support.office_program import write_config


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


@pytest.fixture
def police(make_person: MakePerson, signed_in: SignedIn) -> Client:
    return signed_in(make_person("pc", ("police", HART), name="Kit Lowe"))


def text(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def act(browser: Client, breach: Breach, kind: str, **typed: object) -> int:
    sent = {"kind": kind, "version": Breach.objects.get(pk=breach.pk).version, **typed}
    return browser.post(f"/breaches/{breach.pk}/act/", sent).status_code


def test_page_says_who_where_when_and_what_was_done(town: Town, cora: Client) -> None:
    breach = breach_of(town.case("served"), staff=4_242, incident="00000010-7")
    page = text(cora, f"/breaches/{breach.pk}/")

    for word in ("Nobody Atall", "Corner Shop", "Did not leave when asked", "member of staff 4242", "00000010-7"):
        assert word in page
    assert 302 == act(cora, breach, "police-informed", crime_reference="26*123456", closes="on")
    page = text(cora, f"/breaches/{breach.pk}/")
    for word in ("26*123456", f"{town.cora.name}, Co-ordinator", "Closed"):
        assert word in page
    assert "Write it down" not in page
    row = AuditRow.objects.get(action="breach.acted-on")
    assert (town.cora.name, str(breach.pk)) == (row.actor_name, row.subject_id)
    assert "26*123456" not in row.details


def test_police_deal_with_those_of_their_scheme(town: Town, police: Client) -> None:
    breach = breach_of(town.case("served"))

    assert "Nobody Atall" in text(police, "/breaches/")
    assert 302 == act(police, breach, "warned")
    assert ("in-hand", "Kit Lowe, Police") == (Breach.objects.get().state, Breach.objects.get().actions.get().by)


@pytest.mark.parametrize("role", ["co-ordinator", "police"])
def test_breach_of_another_scheme_does_not_exist(
    town: Town, make_person: MakePerson, signed_in: SignedIn, role: str
) -> None:
    breach = breach_of(town.case("served"))
    elsewhere = signed_in(make_person("else", (role, PUB_WATCH)))

    assert "Corner Shop" not in text(elsewhere, "/breaches/")
    text(elsewhere, f"/breaches/{breach.pk}/", 404)
    text(elsewhere, f"/breaches/{breach.pk}/portrait.jpg", 404)
    assert 404 == act(elsewhere, breach, "warned")
    assert 3 == AuditRow.objects.filter(action="breach.not-found").count()


def test_police_are_not_shown_who_it_is_while_that_is_contested(town: Town, police: Client, cora: Client) -> None:
    case = town.case("served")
    breach = breach_of(case)
    Case.objects.filter(pk=case.pk).update(is_restricted=True)

    for address in ("/breaches/", f"/breaches/{breach.pk}/"):
        assert "Nobody Atall" not in text(police, address)
        assert case.individual.reference in text(police, address)
        assert "Nobody Atall" in text(cora, address)
    text(police, f"/breaches/{breach.pk}/portrait.jpg", 404)


def is_named(browser: Client, breach: Breach) -> list[bool]:
    """On the list, and on the page of the breach."""
    return ["Nobody Atall" in text(browser, address) for address in ("/breaches/", f"/breaches/{breach.pk}/")]


@pytest.mark.parametrize("state", ["nominated", "voting", "rejected", "withdrawn", "revoked", "lapsed"])
def test_police_are_not_shown_who_was_never_excluded(town: Town, police: Client, cora: Client, state: str) -> None:
    case = town.case("voting" if state == "voting" else "nominated")
    Case.objects.filter(pk=case.pk).update(state=state)
    breach = breach_of(case)

    assert [False, False] == is_named(police, breach)
    assert [True, True] == is_named(cora, breach)


def test_police_are_shown_nobody_while_the_register_is_off(town: Town, police: Client, cora: Client) -> None:
    breach = breach_of(town.case("served"))
    before = is_named(police, breach)
    LawDocument.objects.all().delete()

    assert ([True, True], [False, False]) == (before, is_named(police, breach))
    assert [True, True] == is_named(cora, breach)
    text(police, f"/breaches/{breach.pk}/portrait.jpg", 404)
    assert 409 == police.get(f"/breaches/{breach.pk}/statement/").status_code


def test_names_on_a_list_cost_the_same_however_many_there_are(
    town: Town, police: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = town.case("served")
    breach_of(case)
    text(police, "/breaches/")  # Once a minute it is written down that a session was seen.
    with CaptureQueriesContext(connection) as one:
        text(police, "/breaches/")
    for _ in range(5):
        breach_of(case)

    with django_assert_max_num_queries(len(one)):
        text(police, "/breaches/")


def test_page_says_that_an_exclusion_was_revoked(town: Town, cora: Client) -> None:
    case = town.case("served")
    breach = breach_of(case)
    before = text(cora, f"/breaches/{breach.pk}/")
    acts.revoke(town.turn(case), "Wrong person.")

    assert "revoked on" not in before
    assert f": revoked on {timezone.localdate():%-d %b %Y}" in text(cora, f"/breaches/{breach.pk}/")


def test_audit_of_a_list_tells_each_scheme_of_its_own_alone(
    town: Town, make_person: MakePerson, signed_in: SignedIn, schemes: dict[int, Scheme]
) -> None:
    case = town.case("served")
    other = Individual.objects.create(scheme=schemes[PUB_WATCH], number=77, name="Pub Person")
    breach_of(case)
    breach_of(case, scheme=schemes[PUB_WATCH], case=None, reference=other.reference)
    text(signed_in(make_person("both", ("police", HART), ("police", PUB_WATCH))), "/breaches/")
    told = AuditRow.objects.filter(action="breaches.viewed")

    assert {
        (f" {HART} ", f'{{"individuals":["{case.individual.reference}"]}}'),
        (f" {PUB_WATCH} ", f'{{"individuals":["{other.reference}"]}}'),
    } == {(row.schemes, row.details) for row in told}


def test_what_is_missing_stands_beside_the_form_and_nothing_typed_is_lost(town: Town, cora: Client) -> None:
    breach = breach_of(town.case("served"))
    sent = {"kind": "police-informed", "version": 1, "crime_reference": " ", "closes": "on"}
    answer = cora.post(f"/breaches/{breach.pk}/act/", sent)
    page = answer.content.decode()

    assert 400 == answer.status_code
    assert 2 == page.count("Enter the crime or incident reference"), "on top, and beside its field"
    assert 'value="police-informed" ' in page
    assert 0 == breach.actions.count()
    assert 400 == act(cora, breach, "")


def test_who_acts_on_an_old_page_is_told_so(town: Town, cora: Client, police: Client) -> None:
    breach = breach_of(town.case("served"))
    act(police, breach, "warned")
    answer = cora.post(f"/breaches/{breach.pk}/act/", {"kind": "no-action", "version": 1, "closes": "on"})

    assert 409 == answer.status_code
    assert "Somebody else has written something down meanwhile" in answer.content.decode()
    assert ["warned"] == [one.kind for one in breach.actions.all()]


def test_extension_names_a_case_of_the_same_person_alone(town: Town, cora: Client) -> None:
    case, others = town.case("served"), town.case("nominated")
    breach = breach_of(case)

    assert 400 == act(cora, breach, "extended", extended=others.pk)
    assert 400 == act(cora, breach, "extended")
    assert 302 == act(cora, breach, "extended", extended=case.pk)
    assert case.reference in text(cora, f"/breaches/{breach.pk}/")


def test_case_that_is_voted_on_stands_beside_nobodys_name(town: Town, cora: Client, police: Client) -> None:
    case, other = town.case("served"), town.case("voting")
    Case.objects.filter(pk=other.pk).update(individual=case.individual)
    breach = breach_of(case)

    for browser in (cora, police):
        page = text(browser, f"/breaches/{breach.pk}/")
        assert f">{case.reference}</option>" in page
        assert f">{other.reference}</option>" not in page
    assert 400 == act(police, breach, "extended", extended=other.pk)
    Case.objects.filter(pk=case.pk).update(is_restricted=True)
    assert f">{case.reference}</option>" not in text(police, f"/breaches/{breach.pk}/")


def test_list_has_what_nobody_has_dealt_with_first_and_can_be_narrowed(town: Town, cora: Client) -> None:
    case, now = town.case("served"), timezone.now()
    closed = breach_of(case, state="closed", at=now)
    waiting = breach_of(case, at=now - timedelta(days=3))
    page, narrowed = text(cora, "/breaches/"), text(cora, "/breaches/?state=closed")

    assert page.index(f"/breaches/{waiting.pk}/") < page.index(f"/breaches/{closed.pk}/")
    assert f"/breaches/{waiting.pk}/" not in narrowed
    assert "Nobody has dealt with it" in text(cora, "/breaches/?state=none")
    assert f"/breaches/{closed.pk}/" in text(cora, f"/breaches/?q={case.individual.reference.lower()}")
    assert f"/breaches/{closed.pk}/" in text(cora, "/breaches/?q=corner+shop&state=closed")
    assert "No report is like this" in text(cora, "/breaches/?q=HART-9999")


def test_persons_and_cases_pages_list_their_breaches(town: Town, cora: Client, police: Client) -> None:
    case = town.case("served")
    breach = breach_of(case)

    for address in (f"/cases/{case.pk}/", f"/register/{case.individual_id}/"):
        assert f"/breaches/{breach.pk}/" in text(cora, address)
    assert f"/breaches/{breach.pk}/" in text(police, f"/register/{case.individual_id}/")


def test_members_and_other_roles_have_no_such_page(town: Town, make_person: MakePerson, signed_in: SignedIn) -> None:
    breach = breach_of(town.case("served"))
    for browser in (signed_in(town.contacts[0]), signed_in(make_person("cctv", ("cctv", HART)))):
        text(browser, "/breaches/", 404)
        text(browser, f"/breaches/{breach.pk}/", 404)
        assert "Breaches</a>" not in text(browser, "/")


def test_report_about_no_case_is_shown_and_goes_after_a_year(town: Town, cora: Client) -> None:
    case, now = town.case("served"), timezone.now()
    breach = breach_of(case, case=None)

    assert "There is no such case in HART" in text(cora, f"/breaches/{breach.pk}/")
    assert [0, 1] == [forget_unknown(now), forget_unknown(now + timedelta(days=366))]
    assert not Breach.objects.exists()


def test_reporter_is_named_to_who_deals_with_it_and_in_the_statement(town: Town, police: Client) -> None:
    StaffMember.objects.create(number=4_242, premises=town.premises[0], name="Alice Alder")
    breach = breach_of(town.case("served"), staff=4_242)

    for address in (f"/breaches/{breach.pk}/", f"/breaches/{breach.pk}/statement/"):
        assert "Alice Alder" in text(police, address)


def test_first_page_says_what_nobody_has_dealt_with(town: Town, cora: Client, police: Client) -> None:
    case = town.case("served")
    breach_of(case, state="closed")
    breach = breach_of(case)

    for browser in (cora, police):
        page = text(browser, "/")
        assert "1 report of a shop waits" in page
        assert f"/breaches/{breach.pk}/" in page


def test_alert_leads_to_the_control_room_that_the_office_knows(
    town: Town, cora: Client, settings: Settings, tmp_path: Path
) -> None:
    breach, quiet = breach_of(town.case("served"), incident="00000010-7"), breach_of(town.case("served"))
    known = load_configuration(write_config(tmp_path))
    settings.OFFICE = msgspec.structs.replace(known, central_url="https://watch.example.org")

    assert 'href="https://watch.example.org/"' in text(cora, f"/breaches/{breach.pk}/")
    assert 'href="https://watch.example.org/"' not in text(cora, f"/breaches/{quiet.pk}/")
