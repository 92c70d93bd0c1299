"""The publisher as it runs takes in what the machine port has kept, through a kill, and writes what units are told."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from office.gallery.outcomes_file import FILE_NAME, OutcomesFile, decode_outcomes
from office.nodes.store import Store
from tests.office.breaches.conftest import NODE
from tests.office.publisher.test_publish_process import Program, publish
from tests.support.asking_town import TOWN
from tests.support.fleet_broker import wait_until
from wire.gallery_reports import BreachReport

pytestmark = pytest.mark.integration
__all__ = ["publish"]


def report(number: int) -> BreachReport:
    """About a case that the office does not know, so that nothing else need be there."""
    now_s = int(time.time())
    return BreachReport(id=f"{number:032x}", kind="breach", scheme=1, case=17, person=42, at_s=now_s, left="no")


def kept(path: Path, number: int) -> None:
    store = Store(path, TOWN)
    store.add_reports(NODE, 0, [report(number)], int(time.time()))
    store.close()


def told(office_file: Path) -> OutcomesFile:
    try:
        return decode_outcomes((office_file.parent / "snapshots" / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return OutcomesFile()


def test_reports_are_taken_in_once_by_the_publisher_as_it_runs(
    office_file: Path, publish: Callable[[], Program]
) -> None:
    nodes = office_file.parent / "nodes"
    (nodes / "state").mkdir(parents=True)
    (nodes / "nodes.toml").write_text("")
    port_file = nodes / "state" / "nodes.sqlite3"
    program = publish()
    program.fact("publishing", fault="", alarm="")
    kept(port_file, 1)

    assert 1 == program.fact("reports_taken")["reports"]
    program.stop(signal.SIGKILL)
    kept(port_file, 2)
    program = publish()
    assert 1 == program.fact("reports_taken")["reports"], "the first is in the database"
    wait_until(lambda: 2 == told(office_file).taken, "units are told")
    assert {f"{number:032x}" for number in (1, 2)} == {one.report for one in told(office_file).of(NODE).reports}
    assert 0o640 == (office_file.parent / "snapshots" / FILE_NAME).stat().st_mode & 0o777
    assert 0 == program.stop()
