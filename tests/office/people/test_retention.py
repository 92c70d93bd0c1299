from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.models import Case
from office.exclusions.voting import end_what_is_over
from office.people import retention
from office.people.models import Individual, Photograph, RightsRequest
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import photograph, request_of, today

Goes = Callable[[int], int]


@pytest.fixture
def goes(monkeypatch: pytest.MonkeyPatch) -> Goes:
    """``goes(27)``: erase what is due 27 days from now; people have worked with the office until then."""
    monkeypatch.setattr(retention, "is_held", lambda _: False)
    return lambda days: retention.erase_what_is_due(timezone.now() + timedelta(days=days))


def actions(of: str = "") -> list[str]:
    rows = AuditRow.objects.filter(actor_account=0, action__contains=f"{of}.").order_by("sequence")
    return [row.action for row in rows if row.action.endswith(("erased", "deleted", "removed"))]


def withdrawn(town: Town) -> Case:
    case = town.case("nominated")
    acts.withdraw(town.turn(case), "a mistake")
    return Case.objects.get(pk=case.pk)


def revoked(town: Town) -> Case:
    case = town.case("served")
    photograph(town, case.individual)
    acts.revoke(town.turn(case), "served long enough")
    return Case.objects.get(pk=case.pk)


def test_withdrawn_nomination_goes_after_28_days_with_the_person(town: Town, goes: Goes) -> None:
    withdrawn(town)
    assert goes(27) == 0
    assert goes(28) == 1

    assert (Individual.objects.get().name, Case.objects.get().conduct) == ("", "")
    assert actions() == ["individual.erased"]
    assert goes(28) == 0


def test_ended_exclusion_loses_its_photograph_after_28_days_and_the_rest_after_a_year(town: Town, goes: Goes) -> None:
    revoked(town)
    assert (goes(27), Photograph.objects.count()) == (0, 1)
    assert (goes(28), Photograph.objects.count()) == (1, 0)
    assert Individual.objects.get().name
    assert goes(364) == 0
    assert goes(366) == 1

    assert Individual.objects.get().name == ""
    assert actions() == ["photograph.removed", "individual.erased"]


def test_rejected_case_goes_while_another_of_the_person_stands(town: Town, goes: Goes) -> None:
    case = town.case("served")
    contact = town.contacts[1]
    other = acts.nominate(contact, town.turn(case, contact).rights, case.individual, town.members[1], town_nomination())
    acts.withdraw(town.turn(other), "a mistake")
    assert goes(28) == 1

    assert Case.objects.get(pk=other.pk).conduct == ""
    assert Case.objects.get(pk=case.pk).conduct
    assert Individual.objects.get().name
    assert actions() == ["case.erased"]


def test_nothing_goes_while_a_request_waits(town: Town, goes: Goes) -> None:
    request = request_of(town, withdrawn(town))
    assert goes(40) == 0
    request.done_on = today()
    request.save()

    assert goes(40) == 1


def test_settled_request_goes_after_24_months(town: Town, goes: Goes) -> None:
    RightsRequest.objects.filter(pk=request_of(town).pk).update(done_on=today())
    request_of(town)
    assert goes(729) == 0
    assert goes(732) == 1

    assert RightsRequest.objects.get().done_on is None
    assert actions("request") == ["request.deleted"]


def test_clock_that_is_far_ahead_erases_nothing(town: Town) -> None:
    withdrawn(town)

    assert retention.erase_what_is_due(timezone.now() + timedelta(days=40)) == 0
    assert Individual.objects.get().name


def test_clock_is_not_trusted_for_what_watchlink_did_by_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    withdrawn(town)
    town.case("served")
    ahead = timezone.now() + timedelta(days=400)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    assert end_what_is_over(ahead) == 1

    assert retention.erase_what_is_due(ahead) == 0
    assert Individual.objects.earliest("pk").name


def test_page_says_what_goes_and_when(town: Town, signed_in: SignedIn) -> None:
    withdrawn(town)
    revoked(town)
    page: Client = signed_in(town.cora)
    shown = page.get("/rights/retention/").content.decode()

    in_four_weeks = today() + timedelta(days=28)
    assert f"{in_four_weeks.day} {in_four_weeks:%b %Y}" in shown
    assert "Photographs" in shown
    assert "All texts of case 1" in shown
    assert "In the next 28 days: 3" in shown


def test_page_reads_no_texts_and_asks_as_often_for_many_as_for_one(
    town: Town, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Hundreds may go in a month: reading all that is written of them takes longer than a page may."""
    withdrawn(town)
    for _ in range(3):
        RightsRequest.objects.filter(pk=request_of(town, withdrawn(town)).pk).update(done_on=today())
    for _ in range(2):
        with django_assert_num_queries(5) as asked:
            planned = retention.planned(frozenset({1}), today())
        assert not [
            one["sql"] for one in asked.captured_queries if "conduct" in one["sql"] or "search_text" in one["sql"]
        ]
        revoked(town)

    assert len(planned) == 9


def town_nomination() -> acts.Nomination:
    return acts.Nomination("theft", "Took a bottle.", "Film.", today(), "Low Street")


def test_day_of_an_end_is_that_of_the_town(town: Town) -> None:
    """23:30 UTC in July is the next day here."""
    case = withdrawn(town)
    late = datetime.fromisoformat("2026-07-01T23:30:00+00:00")
    Case.objects.filter(pk=case.pk).update(over_at=late)
    Individual.objects.update(created_at=late)

    assert [row.goes_on.isoformat() for row in retention.planned(frozenset({1}), date(2026, 7, 2))] == [
        "2026-07-30",
        "2026-07-30",
    ]
