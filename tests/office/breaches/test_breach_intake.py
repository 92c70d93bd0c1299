"""Reports come from the port's file into the office's tables: each once, and none that was erased."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.utils import timezone

from office.accounts.access import in_turn
from office.audit.models import AuditRow
from office.breaches import intake
from office.breaches.intake import take_in
from office.breaches.models import Breach
from office.people.erasure import erase_case
from office.people.merging import put_together
from office.people.rights import erase_all
from office.people.rights_export import as_json, held
from tests.office.breaches.conftest import NODE, REPORTED_S, kept_at_port, report_of
from tests.office.exclusions.conftest import Town


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nodes.sqlite3"


def test_report_is_taken_in_with_who_where_and_when_and_is_in_the_audit(town: Town, path: Path) -> None:
    case, premises = town.case("served"), town.premises[0]
    kept_at_port(path, report_of(case), premises=premises.pk)

    assert (1, 1) == take_in(path)
    breach = Breach.objects.get()
    assert (case, premises, NODE, 4_242, "no") == (
        breach.case,
        breach.premises,
        breach.node,
        breach.staff,
        breach.left,
    )
    assert (case.individual.reference, f"{premises.name}, High Street") == (breach.reference, breach.place)
    assert town.members[0] == breach.member
    assert (REPORTED_S, REPORTED_S + 60) == (breach.at.timestamp(), breach.received_at.timestamp())
    row = AuditRow.objects.get(action="breach.reported")
    assert ("Watchlink itself", f" {case.scheme_id} ") == (row.actor_name, row.schemes)


def test_report_is_taken_in_once_however_often_it_is_read(town: Town, path: Path) -> None:
    case = town.case("served")
    kept_at_port(path, report_of(case))
    first, again = take_in(path), take_in(path)
    kept_at_port(path, report_of(case), report_of(case, 2))
    third = take_in(path)

    assert [(1, 1), (0, 1), (1, 2)] == [first, again, third]
    assert 2 == Breach.objects.count() == AuditRow.objects.filter(action="breach.reported").count()


def test_premises_that_are_not_of_the_scheme_are_not_named(town: Town, path: Path) -> None:
    case, premises = town.case("served"), town.premises[0]
    premises.schemes.clear()
    kept_at_port(path, report_of(case), premises=premises.pk)
    take_in(path)

    assert (None, "A unit that stands in no premises of the scheme") == (
        Breach.objects.get().premises,
        Breach.objects.get().place,
    )


def test_report_about_no_case_is_taken_in_and_says_so(town: Town, path: Path) -> None:
    case = town.case("served")
    kept_at_port(path, report_of(case, case=9_999), report_of(case, 2, scheme=7))
    take_in(path)

    assert [None] == [one.case for one in Breach.objects.all()], "and none of a scheme that is not there"


def test_report_of_an_erased_case_goes_with_it_and_does_not_come_back(town: Town, path: Path) -> None:
    case = town.case("served")
    kept_at_port(path, report_of(case))
    take_in(path)
    erase_case(case)
    gone = Breach.objects.count()
    take_in(path)

    assert [0, 0] == [gone, Breach.objects.count()]


def test_report_about_no_case_goes_with_whom_it_names_and_does_not_come_back(town: Town, path: Path) -> None:
    case, was = town.case("served"), town.individual("Somebody Else")
    bystander = town.individual("Third Person")
    kept_at_port(
        path,
        report_of(case, 1, case=9_999),
        report_of(case, 2, case=9_999, person=was.number),
        report_of(case, 3, case=9_999, person=bystander.number),
    )
    put_together(case.individual, was)
    before = take_in(path)
    told = as_json(held(case.individual, timezone.now())).decode()
    erase_all(town.cora, case.individual)

    assert ((3, 3), (0, 3)) == (before, take_in(path))
    assert [bystander.reference] == [one.reference for one in Breach.objects.all()]
    assert 2 == told.count("Reported by a shop, about a case that is not there")
    assert bystander.reference not in told


def test_report_waits_for_whoever_erases_and_is_looked_up_then(
    town: Town, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.case("served")
    kept_at_port(path, report_of(case), report_of(case, 2, case=9_999))

    @contextmanager
    def in_turn_after_another() -> Iterator[None]:
        with in_turn():
            erase_all(town.cora, case.individual)
        with in_turn():
            yield

    monkeypatch.setattr(intake, "in_turn", in_turn_after_another)

    assert (0, 2) == take_in(path)
    assert not Breach.objects.exists()


def test_times_of_a_broken_clock_are_kept_within_the_calendar(town: Town, path: Path) -> None:
    kept_at_port(path, report_of(town.case("served"), at_s=2**40, is_proven=False))
    take_in(path)

    assert 2096 == Breach.objects.get().at.year


def test_no_node_has_ever_asked(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        take_in(path)
