"""Pages of who is excluded now, as readers use them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from office.accounts.access import rights_of
from office.accounts.models import Account, Scheme
from office.accounts.rules import Rights
from office.audit.models import AuditRow
from office.exclusions import acts, reading
from office.exclusions.models import Case, LawDocument, SchemeTerms
from office.exclusions.rules.law import DOCUMENT_KINDS
from office.exclusions.rules.life import IN_FORCE, TITLES
from office.exclusions.rules.period import day_of
from office.exclusions.rules.reach import READERS
from office.exclusions.terms import record_document
from office.members.facts import folded
from office.members.models import Premises
from office.people.intake_terms import Box
from office.people.models import Individual, Photograph
from office.people.photographs import add_photograph, keep_crop, show_photograph
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import taken

MakeCase = Callable[..., Case]


def today() -> date:
    return day_of(timezone.now())


@pytest.fixture
def excluded(town: Town) -> MakeCase:
    """``excluded("Jo Reed", …)``: a case in force, as fields say; quicker than a vote."""

    def make(
        name: str = "", individual: Individual | None = None, scheme: Scheme | None = None, **fields: object
    ) -> Case:
        scheme = scheme or town.hart
        number = Case.objects.count() + 1
        person = individual or Individual.objects.create(
            scheme=scheme, number=number, name=name, search_text=folded(name), address="9 Secret Lane"
        )
        given: dict[str, object] = {
            "state": "served",
            "category": "theft",
            "conduct": "Took three bottles.",
            "evidence": "Film of camera 4",
            "happened_on": today() - timedelta(days=60),
            "happened_at": "Market",
            "nominated_by": town.contacts[0],
            "nominating_member": town.members[0],
            "first_on": today() - timedelta(days=40),
            "last_on": today() + timedelta(days=80),
            **fields,
        }
        return Case.objects.create(scheme=scheme, number=number, individual=person, **given)

    return make


@pytest.fixture
def reader(town: Town, signed_in: SignedIn) -> Client:
    """A contact of the second member, who nominated nobody."""
    return signed_in(town.contacts[1])


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


def text(browser: Client, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def shown(browser: Client, query: str = "") -> list[str]:
    """References on the list, in its order."""
    return re.findall(r'class="code">([A-Z]+-\d+)<', text(browser, f"/register/?{query}"))


def references(*cases: Case) -> list[str]:
    return [case.individual.reference for case in cases]


def told(action: str) -> list[tuple[str, dict[str, object]]]:
    """Subjects and details of the audit's rows."""
    rows = AuditRow.objects.filter(action=action).order_by("sequence")
    return [(row.subject_name, json.loads(row.details)) for row in rows]


def pictured(town: Town, individual: Individual) -> Photograph:
    photograph = add_photograph(town.cora, individual, taken(), source="camera", taken_on=None)
    keep_crop(town.cora, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))
    photograph.refresh_from_db()
    show_photograph(town.cora, photograph)
    return photograph


def switch_on(scheme: Scheme, co_ordinator: Account) -> None:
    """What must be recorded before a scheme's register is on."""
    SchemeTerms.objects.create(scheme=scheme, responsible="1 Low Street", contact="office@example.org")
    for kind in DOCUMENT_KINDS:
        record_document(co_ordinator, scheme, kind, "1")


def test_list_answers_who_must_not_be_in_here_newest_first(reader: Client, excluded: MakeCase) -> None:
    older = excluded("Jo Reed")
    newest = excluded("Sam Vale", first_on=today() - timedelta(days=2))
    page = text(reader, "/register/")

    assert shown(reader) == references(newest, older)
    assert "Jo Reed" in page
    assert f"Banned until {older.last_on.day} {older.last_on:%b %Y}" in page  # type: ignore[union-attr]
    assert "All premises of HART" in page


def test_list_shows_cases_as_the_rule_says(town: Town, excluded: MakeCase) -> None:
    """Every state, day, age and approval: the query and the rule agree."""
    days = [(today(), today()), (today() + timedelta(days=1), today() + timedelta(days=9)), (None, None)]
    days.append((today() - timedelta(days=9), today() - timedelta(days=1)))
    ages = [(None, False), (None, True), (date(1990, 1, 1), True), (today() - timedelta(days=365 * 16), False)]
    cases = [
        excluded(state=state, first_on=first, last_on=last, is_restricted=hidden)
        for state, (first, last), hidden in product(TITLES, days, (False, True))
    ]
    for (born_on, believed), approver, may_show in product(ages, (None, town.deputy), (False, True)):
        one = excluded(minor_approved_by=approver, may_show_minor=may_show)
        Individual.objects.filter(pk=one.individual_id).update(born_on=born_on, is_believed_minor=believed)
        cases.append(Case.objects.get(pk=one.pk))

    for dpia in (False, True):
        SchemeTerms.objects.update(dpia_allows_minors=dpia)
        for account in (town.contacts[1], town.cora):
            registers = reading.open_to(rights_of(account))
            found = set(reading.cases_shown(registers))
            for case in cases:
                hides = reading.is_hidden(case, registers)
                period = case.period
                is_excluded = case.state in IN_FORCE and period is not None and period.first <= today() <= period.last
                assert (case in found) is (is_excluded and (not hides or account == town.cora)), (case, account)
    assert len(found) == 4 + 16  # the co-ordinator's: issued and served today, hidden or not; every age


@pytest.mark.parametrize(
    "born_on", [date(2008, 2, 28), date(2008, 2, 29), date(2008, 3, 1), date(2010, 2, 28), date(2010, 3, 1)]
)
@pytest.mark.parametrize(
    "day", [date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 28), date(2028, 2, 29), date(2028, 3, 1)]
)
def test_who_turns_18_is_no_minor_from_that_day(
    born_on: date, day: date, excluded: MakeCase, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = excluded("Young", first_on=date(2026, 1, 1), last_on=date(2028, 12, 31))
    Individual.objects.update(born_on=born_on)
    registers = reading.Open(reading.open_to(rights_of(town.cora)).schemes, {}, frozenset(), day)
    monkeypatch.setattr(timezone, "localdate", lambda: day)

    assert reading.cases_shown(registers).exists() is not acts.is_minor(Individual.objects.get(pk=case.individual_id))


@pytest.mark.parametrize("role", sorted(READERS - {"members-contact"}))
def test_list_is_for_readers_of_the_scheme(
    role: str, make_person: MakePerson, signed_in: SignedIn, excluded: MakeCase
) -> None:
    case = excluded("Jo Reed")
    here, elsewhere = signed_in(make_person("a", (role, HART))), signed_in(make_person("b", (role, PUB_WATCH)))

    assert shown(here) == references(case)
    assert "Excluded now</a>" in text(here, "/")
    assert shown(elsewhere) == []
    assert text(elsewhere, f"/register/{case.individual_id}/", 404)


def test_menu_knows_who_reads(town: Town) -> None:
    assert {
        role for role in [*READERS, "fleet-engineer"] if Rights(1, frozenset({(role, HART)})).reads_register
    } == READERS


def test_contact_who_speaks_for_nobody_reads_nobody(
    make_person: MakePerson, signed_in: SignedIn, excluded: MakeCase
) -> None:
    case = excluded("Jo Reed")
    contact = signed_in(make_person("new", ("members-contact", HART)))

    assert "You do not speak for a member yet" in text(contact, "/register/")
    assert text(contact, f"/register/{case.individual_id}/", 404)


def test_co_ordinator_sees_what_is_hidden_marked_so(reader: Client, cora: Client, excluded: MakeCase) -> None:
    contested, young = excluded("Jo Reed", is_restricted=True), excluded("Sam Vale")
    Individual.objects.filter(pk=young.individual_id).update(is_believed_minor=True)
    page = text(cora, "/register/")

    assert shown(reader) == []
    assert text(reader, f"/register/{contested.individual_id}/", 404)
    assert shown(cora) == references(young, contested)
    assert page.count('class="flag"') == 2
    assert "Hidden while it is looked into" in page
    assert "Under 18: not shown to readers" in text(cora, f"/register/{young.individual_id}/")


def test_register_that_is_off_shows_nobody(reader: Client, cora: Client, excluded: MakeCase) -> None:
    case = excluded("Jo Reed")
    LawDocument.objects.filter(kind="privacy-notice").delete()

    assert "the register is off. Ask the co-ordinator." in text(reader, "/register/")
    assert "until these documents are recorded: Privacy notice." in text(cora, "/register/")
    for browser in (reader, cora):
        assert shown(browser) == []
        assert text(browser, f"/register/{case.individual_id}/", 404)
        assert case.individual.reference not in text(browser, "/register/print/")


def test_list_costs_the_same_however_long_it_is(reader: Client, town: Town, excluded: MakeCase) -> None:
    for number in range(60):
        excluded(f"Person {number}", scope="listed").listed.set(town.premises[:2])
    reader.get("/register/")  # Once a minute it is written down that a session was seen.
    counts = []
    for last in (1, 60):
        Case.objects.filter(number__gt=last).update(state="expired")
        with CaptureQueriesContext(connection) as queries:
            reader.get("/register/")
        counts.append(len(queries))
        Case.objects.update(state="served")

    assert counts[0] == counts[1]
    assert len(shown(reader)) == 50
    assert len(shown(reader, "page=2")) == 10


def test_list_is_one_query_and_its_page_three(
    town: Town, excluded: MakeCase, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    excluded("Jo Reed", scope="listed").listed.set(town.premises)
    registers = reading.open_to(rights_of(town.cora))
    for words in ([], ["jo"]):
        with django_assert_num_queries(1):
            numbers = reading.numbers_of(reading.cases_shown(registers), words, registers)
    with django_assert_num_queries(3):
        assert [reading.where(one) for one in reading.rows_of(numbers)] == [[one.name for one in town.premises]]


def test_filters_are_words_of_the_address(reader: Client, town: Town, excluded: MakeCase) -> None:
    new = excluded("New", first_on=today() - timedelta(days=13))
    old = excluded("Old", first_on=today() - timedelta(days=14), last_on=today())
    echo = excluded("Echo", first_on=today() - timedelta(days=30), scope="listed", happened_on=date(2026, 1, 5))
    echo.listed.set([town.premises[0]])
    # Restores raise numbers: in some years they have ten digits.
    own = Premises.objects.create(pk=3_000_000_000, member=town.members[1], name="New Shop", place="High Street")
    own.schemes.add(town.hart)
    other = town.premises[0]

    assert shown(reader, "show=new") == references(new)
    assert shown(reader, "show=ending") == references(old)
    assert shown(reader, f"premises={own.pk}") == references(new, old)
    assert shown(reader, "day=2026-01-05") == references(echo)
    assert shown(reader, f"day={today()}") == references(old)
    not_understood = [f"premises={other.pk}", "scheme=pubwatch", "show=all", "day=31.02.", "day=2026-02-31"]
    for nonsense in (*not_understood, "premises=²", "premises=" + "9" * 20, "page=x"):
        assert len(shown(reader, nonsense)) == 3, nonsense


def test_premises_covered_are_those_of_the_scheme_now(
    cora: Client, town: Town, schemes: dict[int, Scheme], excluded: MakeCase
) -> None:
    echo, left = town.premises[0], town.premises[1]
    listed = excluded("Echo", scope="listed")
    listed.listed.set([echo, left])
    left.schemes.set([schemes[PUB_WATCH]])
    page = text(cora, f"/register/{listed.individual_id}/")

    assert shown(cora, f"premises={echo.pk}") == references(listed)
    assert f'<option value="{left.pk}"' not in text(cora, "/register/")
    assert left.name not in page
    assert echo.name in page


def test_who_is_excluded_from_premises_is_of_their_schemes(
    town: Town, schemes: dict[int, Scheme], make_person: MakePerson, signed_in: SignedIn, excluded: MakeCase
) -> None:
    switch_on(schemes[PUB_WATCH], make_person("otto", ("co-ordinator", PUB_WATCH)))
    here, there = excluded("Jo Reed"), excluded("Sam Vale", scheme=schemes[PUB_WATCH])
    both = signed_in(make_person("room", ("cctv", HART), ("cctv", PUB_WATCH)))

    assert shown(both) == references(there, here)
    assert shown(both, f"premises={town.premises[0].pk}") == references(here)
    assert shown(both, "scheme=pubwatch") == references(there)


@pytest.mark.parametrize("query", ["q=jonathon+reed", "q=hart-0001", "q=RED+coat", "q=caf%C3%A9", "q=0001"])
def test_search_by_name_reference_description_and_place(query: str, reader: Client, excluded: MakeCase) -> None:
    case = excluded("Jonathan Reed", happened_at="Cafe Lux")
    Individual.objects.update(description="Red coat")
    excluded("Nobody Else", happened_at="Park")

    assert shown(reader, query) == references(case)


def test_person_page_tells_a_reader_what_they_need_and_no_more(reader: Client, town: Town, excluded: MakeCase) -> None:
    case = excluded("Jo Reed", check_note="Till seen", necessity="Goes about")
    Individual.objects.update(description="Red coat", born_on=date(1990, 5, 1))
    page = text(reader, f"/register/{case.individual_id}/")

    for word in ("Jo Reed", case.individual.reference, "Red coat", "Theft", "Market", "Banned until"):
        assert word in page, word
    for secret in ("Secret Lane", "Film of camera", "1990", "Took three", "Till seen", "Goes about"):
        assert secret not in page, secret
    assert town.contacts[0].name not in page
    assert town.members[0].name not in page
    assert "/cases/" not in page.partition("<main")[2]


def test_person_page_leads_to_the_case_whom_it_is_open_to(cora: Client, excluded: MakeCase) -> None:
    case = excluded("Jo Reed")

    assert f'href="/cases/{case.pk}/"' in text(cora, f"/register/{case.individual_id}/")


def test_person_of_two_exclusions_has_one_page(reader: Client, excluded: MakeCase) -> None:
    first = excluded("Jo Reed")
    excluded(individual=first.individual, category="violence")
    excluded(individual=first.individual, category="drugs", state="revoked")
    page = text(reader, f"/register/{first.individual_id}/")

    assert ("Theft" in page, "Violence" in page, "Drugs" in page) == (True, True, False)


def test_photograph_is_marked_for_the_reader_and_logged(
    reader: Client, town: Town, excluded: MakeCase, signed_in: SignedIn, make_person: MakePerson
) -> None:
    case = excluded("Jo Reed")
    photograph = pictured(town, case.individual)
    address = f"/register/{case.individual_id}/small.jpg"
    answer = reader.get(address)

    assert f'src="{address}"' in text(reader, "/register/")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer.content != taken().whole.data
    assert [subject for subject, _ in told("photograph.viewed")] == [case.individual.reference]
    assert reader.get(f"/register/{case.individual_id}/whole.jpg").status_code == 404
    assert signed_in(make_person("b", ("pcso", PUB_WATCH))).get(address).status_code == 404
    Case.objects.update(is_restricted=True)
    assert reader.get(address).status_code == 404
    Case.objects.update(is_restricted=False)
    Photograph.objects.filter(pk=photograph.pk).update(is_shown=False)
    assert reader.get(address).status_code == 404
    assert "No photo" in text(reader, "/register/")


def test_each_page_seen_is_in_the_audit_of_its_scheme_by_references_alone(
    town: Town, schemes: dict[int, Scheme], make_person: MakePerson, signed_in: SignedIn, excluded: MakeCase
) -> None:
    here = excluded("Jo Reed")
    there = excluded("Sam Vale", scheme=schemes[PUB_WATCH])
    switch_on(schemes[PUB_WATCH], make_person("otto", ("co-ordinator", PUB_WATCH)))
    both = signed_in(make_person("pc", ("police", HART), ("police", PUB_WATCH)))
    both.get("/register/?q=reed&show=")
    both.get("/register/")
    both.get("/register/?q=nobody+of+this+name")
    both.get(f"/register/{there.individual_id}/")
    hart, other = (" 1 ", " 2 ")

    rows = AuditRow.objects.filter(action="register.viewed").order_by("sequence")
    assert [(row.schemes, json.loads(row.details)["individuals"]) for row in rows] == [
        (hart, references(here)),
        (hart, references(here)),
        (other, references(there)),
        (hart, []),
        (other, []),
        (other, references(there)),
    ]
    assert json.loads(rows[0].details)["filters"] == ["q"]
    assert not any("reed" in f"{row.details}{row.subject_name}".lower() for row in rows)


@pytest.mark.parametrize("address", ["", "small.jpg"])
def test_who_asks_for_what_is_not_theirs_gets_404_and_is_in_the_audit(
    address: str, reader: Client, schemes: dict[int, Scheme], excluded: MakeCase
) -> None:
    there, over = excluded("Sam Vale", scheme=schemes[PUB_WATCH]), excluded("Old", state="revoked")
    for number in (there.individual_id, over.individual_id, 9_999):
        assert reader.get(f"/register/{number}/{address}").status_code == 404

    assert [details for _, details in told("register.not-found")] == [
        {"number": number} for number in (there.individual_id, over.individual_id, 9_999)
    ]


def test_printed_list_names_its_reader_and_is_logged(reader: Client, town: Town, excluded: MakeCase) -> None:
    one, other = excluded("Jo Reed"), excluded("Sam Vale")
    pictured(town, one.individual)
    page = text(reader, "/register/print/?show=&q=")

    assert f"Printed for {town.contacts[1].name}, Member’s contact, {timezone.localtime():%-d %b %Y, %H:}" in page
    assert "<img" not in page
    assert "With photographs" in page
    assert (one.individual.reference in page, other.individual.reference in page) == (True, True)
    assert "<img" in text(reader, "/register/print/?photographs=yes")
    assert told("register.printed") == [
        ("HART", {"filters": [], "individuals": sorted(references(one, other)), "photographs": faces})
        for faces in (False, True)
    ]


def test_printed_list_names_nobody_whom_readers_do_not_see(cora: Client, excluded: MakeCase) -> None:
    contested, young = excluded("Jo Reed", is_restricted=True), excluded("Sam Vale")
    Individual.objects.filter(pk=young.individual_id).update(is_believed_minor=True)
    page = text(cora, "/register/print/?photographs=yes")

    assert [one for one in references(contested, young) if one in page] == []


def test_printed_list_says_how_many_it_leaves_out(
    reader: Client, excluded: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("office.exclusions.register_views.PRINT_ROWS_MAX", 2)
    for number in range(3):
        excluded(f"Person {number}")

    assert "1 more are not on this list" in text(reader, "/register/print/")


def test_names_are_shown_as_they_are(reader: Client, excluded: MakeCase) -> None:
    case = excluded('<script>"\N{RIGHT-TO-LEFT OVERRIDE}' + "x" * 100)

    for address in ("/register/", "/register/print/", f"/register/{case.individual_id}/"):
        page = text(reader, address)
        assert '<script>"' not in page
        assert "<bdi>&lt;script&gt;" in page
        assert " style=" not in page
