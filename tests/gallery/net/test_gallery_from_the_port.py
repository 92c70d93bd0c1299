"""A gallery comes from the office's real machine port, changes, and is destroyed: real TLS, real card, real core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.store.entries import Entries
from tests.support.asking_town import HART, SHOP, TOWN, AskingTown, Entry, PortThread, port_thread, sealing_key
from tests.support.gallery_card import all_bytes
from tests.support.gallery_online import OnlineNode, office_of, threads

FACE = b"\xff\xd8 a face \xff\xd9" * 200


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return AskingTown(folder)


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as port:
        yield port


@pytest.fixture
def node(tmp_path: Path, town: AskingTown, port: PortThread) -> Iterator[OnlineNode]:
    node = OnlineNode(tmp_path / "gallery", office_of(town, port.port))
    yield node
    node.end()


def test_gallery_comes_changes_and_is_gone_with_a_receipt(node: OnlineNode, port: PortThread, tmp_path: Path) -> None:
    first = Entry(17, photograph=FACE, name="Nora Nobody")
    number = port.publish(HART, [first, Entry(18), Entry(19, premises=(2,))])
    node.start()
    node.until(lambda: node.has(HART, number))
    line = node.store.lines(HART)[17]
    entries = Entries(node.store, TOWN, SHOP, sealing_key(SHOP))
    opened = entries.open(HART, line)

    assert opened is not None
    assert "Nora Nobody" == opened.text.name
    assert FACE == entries.photograph(HART, line, "small")
    assert frozenset({19}) == node.state.galleries[HART].elsewhere
    row = node.store.row(HART, (17, line.since))
    assert row is not None

    number = port.publish(HART, [Entry(18), Entry(20, photograph=FACE)])
    node.until(lambda: node.has(HART, number))

    assert {18, 20} == set(node.store.lines(HART))
    assert row.sealed not in all_bytes(tmp_path / "gallery")
    assert 1 == len(list((tmp_path / "gallery/photographs").iterdir()))
    assert None is entries.open(HART, line) is entries.photograph(HART, line, "small")
    node.until(lambda: [number] == [one.number for one in port.receipts()])


def test_gallery_that_fits_into_no_answer_comes_as_files(node: OnlineNode, port: PortThread) -> None:
    number = port.publish(HART, [Entry(case) for case in range(1, 2_400)])
    node.start()
    node.until(lambda: node.has(HART, number))

    assert 2_399 == len(node.store.lines(HART)) == len(node.state.galleries[HART].keys)
    number = port.publish(HART, [Entry(case) for case in range(2, 2_401)])
    node.until(lambda: node.has(HART, number))

    assert {2, 2_400} <= set(node.store.lines(HART))


def test_unit_that_was_struck_is_cut_off_and_reports_it(tmp_path: Path, town: AskingTown, port: PortThread) -> None:
    node = OnlineNode(tmp_path / "struck", office_of(town, port.port))
    node.start()
    node.until(lambda: node.state.lease.until_s > 0)
    town.strike(SHOP)
    node.until(lambda: node.state.contact_failures > 0)
    node.end()

    assert "office_lost" in [fact.fact for fact in node.facts]


def test_stop_ends_what_waits(tmp_path: Path, town: AskingTown, port: PortThread) -> None:
    node = OnlineNode(tmp_path / "waiting", office_of(town, port.port))
    node.start()
    node.until(lambda: node.state.lease.until_s > 0)
    node.end()

    assert [] == threads()
