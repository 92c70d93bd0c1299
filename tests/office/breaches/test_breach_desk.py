"""The publisher's look at reports: taken in, told, and no fault of the one keeps the other away for long."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from office.accounts.access import rights_of
from office.breaches.acts import add_action
from office.breaches.desk import AGAIN_S, TOLD_WITHIN_S, BreachDesk
from office.breaches.models import Breach
from office.gallery.outcomes_file import FILE_NAME, decode_outcomes
from tests.office.breaches.conftest import NODE, kept_at_port, report_of
from tests.office.exclusions.conftest import Town


class Desk:
    """With the port's file in a folder, a clock, and a database that changes when the test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        self.port_file = folder / "state" / "nodes.sqlite3"
        (folder / "nodes.toml").write_text('state_dir = "state"\n')
        self.now_s, self.changes, self.taken = 0.0, 0, 0
        self.desk = BreachDesk(
            folder / "nodes.toml", folder, lambda: (self.changes,), self._took, clock_s=lambda: self.now_s
        )

    def _took(self, reports: int) -> None:
        self.taken += reports

    def look(self) -> None:
        """A while later."""
        self.now_s += max(TOLD_WITHIN_S, AGAIN_S)
        self.desk.look()

    def told(self) -> list[tuple[str, str]]:
        """What the unit would be told."""
        file = decode_outcomes((self.folder / FILE_NAME).read_bytes())
        return [(one.report, one.words) for one in file.of(NODE).reports]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_report_is_taken_in_once_and_its_outcome_is_told(town: Town, desk: Desk) -> None:
    case = town.case("served")
    kept_at_port(desk.port_file, report_of(case))
    desk.look()
    desk.look()
    (received,) = desk.told()
    breach = Breach.objects.get()
    add_action(town.cora, rights_of(town.cora), breach, "warned", version=1, closes=True)
    desk.changes += 1
    desk.look()

    assert 1 == desk.taken
    assert (breach.report, "The co-ordinator and the police have your report.") == received
    assert [(breach.report, "The person was warned.")] == desk.told()
    assert 1 == decode_outcomes((desk.folder / FILE_NAME).read_bytes()).taken


def test_nothing_is_written_while_nobody_reports(schemes: object, desk: Desk) -> None:
    (desk.folder / "nodes.toml").unlink()
    desk.look()

    assert not (desk.folder / FILE_NAME).exists()


def test_fault_is_told_once_and_tried_again(town: Town, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.port_file.write_bytes(b"no database")
    desk.look()
    desk.look()
    said = [record.getMessage() for record in caplog.records]
    desk.port_file.unlink()
    kept_at_port(desk.port_file, report_of(town.case("served")))
    desk.look()

    assert 1 == len(said)
    assert "reports of shops cannot be dealt with now" in said[0]
    assert 1 == desk.taken


def test_what_is_no_breach_is_asked_about_in_three_questions(
    town: Town, desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    kept_at_port(desk.port_file, report_of(town.case("served")))
    desk.look()
    desk.changes += 1
    with django_assert_num_queries(3):
        desk.look()
    with django_assert_num_queries(0):
        desk.look()


def test_damaged_file_of_outcomes_is_written_anew(town: Town, desk: Desk) -> None:
    kept_at_port(desk.port_file, report_of(town.case("served")))
    (desk.folder / FILE_NAME).write_bytes(b"{")
    desk.look()

    assert 1 == len(desk.told())
