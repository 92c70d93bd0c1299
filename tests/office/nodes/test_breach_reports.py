"""Breach reports come to the port over real TLS: kept once, from the scheme's own nodes, and outcomes go back."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from office.gallery.outcomes_file import FILE_NAME, OutcomesFile, decode_outcomes, encode_outcomes
from office.nodes import reading
from office.nodes.reading import KeptReport
from office.nodes.rules.allowance import REPORTS_AT_ONCE
from office.nodes.store import Store
from tests.support.asking_town import HART, OTHER_SHOP, PUB, SHOP, TOWN, AskingTown, PortThread
from wire.gallery_paths import REPORTS_PATH
from wire.gallery_reports import REPORTS_MAX, BreachReport, Outcomes, ReportOutcome, ReportsTaken, encode_reports

REPORT = BreachReport(id="ab" * 16, kind="breach", scheme=HART, case=17, person=42, staff=4, at_s=1_800_000_000)
TOLD = ReportOutcome(report=REPORT.id, state="closed", words="Warned.", at_s=1_800_000_060)


def kept(port: PortThread) -> list[KeptReport]:
    with reading.look_at(port.town.folder / "nodes/state/nodes.sqlite3") as file:
        return file.reports()


def test_report_is_kept_with_who_sent_it_and_once(port: PortThread) -> None:
    first = port.unit().reports(REPORT)
    again = port.unit().reports(REPORT, replace(REPORT, id="cd" * 16))

    assert ReportsTaken(committed=(REPORT.id,)) == first
    assert ReportsTaken(committed=(REPORT.id, "cd" * 16)) == again
    assert [(SHOP, 1, REPORT.id), (SHOP, 1, "cd" * 16)] == [
        (one.node, one.premises, one.report.id) for one in kept(port)
    ]
    assert REPORT == kept(port)[0].report
    assert [1, 2] == [fact["committed"] for fact in port.facts("reports kept")]


def test_report_of_a_scheme_that_the_node_is_not_in_is_refused_and_not_kept(port: PortThread) -> None:
    own = replace(REPORT, id="cd" * 16, scheme=2)

    assert ReportsTaken(committed=(own.id,), refused=(REPORT.id,)) == port.unit(PUB).reports(REPORT, own)
    assert [(PUB, 3, own.id)] == [(one.node, one.premises, one.report.id) for one in kept(port)]


def test_id_of_another_nodes_report_is_refused(port: PortThread) -> None:
    """Else a node could make its own report pass for one that a shop has made."""
    port.unit().reports(REPORT)

    assert ReportsTaken(refused=(REPORT.id,)) == port.unit(OTHER_SHOP).reports(replace(REPORT, left="yes"))
    assert ["not-asked"] == [one.report.left for one in kept(port)]


def test_what_is_no_report_is_refused_and_too_many_wait(port: PortThread) -> None:
    shop = port.unit()
    batch = encode_reports(tuple(replace(REPORT, id=f"{number:032x}") for number in range(REPORTS_MAX)))

    assert "malformed" == shop.problem("POST", REPORTS_PATH, b"[]")
    for _ in range(REPORTS_AT_ONCE // REPORTS_MAX):
        assert 200 == shop.request("POST", REPORTS_PATH, batch)[0]
    assert "slow down" == shop.problem("POST", REPORTS_PATH, batch)
    assert REPORTS_MAX == len(kept(port))


def test_report_that_the_disk_refused_does_not_count(port: PortThread) -> None:
    """Else a shop that tried on through a night waits for days when the disk has room again."""
    shop = port.unit()
    with contextlib.closing(sqlite3.connect(port.town.folder / "nodes/state/nodes.sqlite3")) as file:
        file.execute("CREATE TRIGGER full BEFORE INSERT ON reports BEGIN SELECT RAISE(ABORT, 'full'); END")
    batch = encode_reports(tuple(replace(REPORT, id=f"{number:032x}") for number in range(REPORTS_MAX)))

    for _ in range(REPORTS_AT_ONCE // REPORTS_MAX + 1):
        assert "closed" == shop.problem("POST", REPORTS_PATH, batch)


def test_outcomes_end_the_open_question_of_their_node_alone(port: PortThread) -> None:
    shop, other = port.unit(), port.unit(OTHER_SHOP)
    for unit in (shop, other):
        unit.asks()  # The first question is answered at once.
    other.ask(outcomes="")
    port.wait_for_question(OTHER_SHOP)
    shop.ask(outcomes="")
    port.wait_for_question(SHOP)
    port.town.write(f"snapshots/{FILE_NAME}", encode_outcomes(OutcomesFile(nodes={"00000010": (TOLD,)})))
    told = shop.told().outcomes

    assert told is not None
    assert (TOLD,) == told.reports
    shop.ask(outcomes=told.version)
    port.wait_for_question(SHOP)
    port.town.write(f"snapshots/{FILE_NAME}", encode_outcomes(OutcomesFile()))
    assert Outcomes(version="") == shop.told().outcomes, "what is told no longer is forgotten"
    port.wait_for_question(OTHER_SHOP)


def test_file_of_outcomes_says_nothing_of_a_node_that_it_does_not_name() -> None:
    file = decode_outcomes(encode_outcomes(OutcomesFile(taken=7, nodes={"00000010": (TOLD,)})))

    assert 7 == file.taken
    assert Outcomes(version="") == file.of(OTHER_SHOP)
    assert msgspec.json.encode(file.of(SHOP)) != msgspec.json.encode(file.of(OTHER_SHOP))
    for damaged in (b"", b"[]", b'{"nodes":{"x":[]}}', b'{"nodes":{"00000010":[{}]}}', b'{"taken":-1}'):
        with pytest.raises(ValueError, match="not a file of outcomes"):
            decode_outcomes(damaged)


def test_report_is_forgotten_a_while_after_the_office_has_it_and_its_id_stays(tmp_path: Path) -> None:
    town = AskingTown(tmp_path)
    path = town.folder / "nodes.sqlite3"
    with contextlib.closing(Store(path, TOWN)) as store:
        store.add_reports(SHOP, 1, [REPORT], 1_000)
        store.add_reports(SHOP, 1, [replace(REPORT, id="cd" * 16)], 2_000)
        store.forget_reports(0, 9_000)
        store.forget_reports(2, 1_500)
        again = store.add_reports(SHOP, 1, [REPORT], 3_000)
    with reading.look_at(path) as file:
        left = [one.report.id for one in file.reports()]

    assert ["cd" * 16] == left
    assert ReportsTaken(committed=(REPORT.id,)) == again
