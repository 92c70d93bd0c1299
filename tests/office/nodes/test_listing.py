"""What people are told of what nodes hold."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from office.nodes.cli import STATUS_BEHIND, STATUS_CONFIG, main
from office.nodes.store import Store
from tests.support.asking_town import HART, OTHER_SHOP, SENDERS, SHOP, TOWN, AskingTown, Entry, sender
from wire.gallery_contact import Held
from wire.gallery_views import ViewHead
from wire.ids import NodeId

DAY_S = 1_800_000_000


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    found = AskingTown(tmp_path)
    (found.folder / "nodes/state").mkdir()
    found.list(SENDERS[SHOP], SENDERS[OTHER_SHOP], sender(NodeId(0x30), (HART,), 4, sealing_key=b""))
    found.publish(HART, [Entry(1)])
    found.publish(HART, [])
    return found


def store(town: AskingTown) -> contextlib.closing[Store]:
    return contextlib.closing(Store(town.folder / "nodes/state/nodes.sqlite3", TOWN))


def listed(town: AskingTown, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Status, and each line below the headings, its words a space apart."""
    status = main(["--config", str(town.config), "--list"])
    return status, [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[1:]]


def test_node_that_lacks_the_newest_gallery_is_told_apart(town: AskingTown, capsys: pytest.CaptureFixture[str]) -> None:
    with store(town) as kept:
        kept.note_holds(SHOP, [Held(scheme=HART, number=1, is_complete=True)], DAY_S)
        kept.note_contacts({SHOP: DAY_S + 60})

    status, (first, second) = listed(town, capsys)

    assert STATUS_BEHIND == status
    assert "00000010 Shop 1 HART 1 of 2 2027-01-15 08:00 UTC 2027-01-15 08:01 UTC" == first
    assert "00000011 Shop 2 HART nothing never" == second


def test_all_is_well_once_everybody_holds_the_newest(town: AskingTown, capsys: pytest.CaptureFixture[str]) -> None:
    with store(town) as kept:
        for node in (SHOP, OTHER_SHOP):
            kept.note_holds(node, [Held(scheme=HART, number=2, is_complete=True)], DAY_S)
    assert 0 == listed(town, capsys)[0]

    with store(town) as kept:
        kept.note_holds(SHOP, [Held(scheme=HART, number=3, is_complete=True)], DAY_S)
    status, lines = listed(town, capsys)
    assert STATUS_BEHIND == status
    assert "HART 3 of 2" in lines[0]

    with store(town) as kept:
        kept.note_holds(SHOP, [Held(scheme=HART, number=2)], DAY_S)
    status, lines = listed(town, capsys)
    assert STATUS_BEHIND == status
    assert "HART 2, photographs missing" in lines[0]


def test_struck_unit_is_listed_with_what_it_may_still_show(
    town: AskingTown, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is cut off: without network it goes on until its lease ends."""
    with store(town) as kept:
        for node, number in ((SHOP, 1), (OTHER_SHOP, 2)):
            kept.note_holds(node, [Held(scheme=HART, number=number, is_complete=True)], DAY_S)
        kept.note_contacts({SHOP: DAY_S + 60})
    town.list(SENDERS[OTHER_SHOP], sender(SHOP, (HART,), 1, revoked_at=town.now))

    status, lines = listed(town, capsys)

    assert 0 == status, "nobody can do more"
    assert lines[0].startswith("00000010 Shop 1 HART 1 of 2, STRUCK: off at the end of its lease 2027-01-15 08:00 UTC")
    town.list(SENDERS[OTHER_SHOP], sender(NodeId(0x31), (HART,), 1, revoked_at=town.now))
    assert 1 == len(listed(town, capsys)[1]), "one that never held anything"


def test_copied_card_is_told(town: AskingTown, capsys: pytest.CaptureFixture[str]) -> None:
    with store(town) as kept:
        kept.note_holds(SHOP, [Held(scheme=HART, number=2, is_complete=True)], DAY_S)
        kept.note_holds(OTHER_SHOP, [Held(scheme=HART, number=2, is_complete=True)], DAY_S)
        kept.is_forked(SHOP, ViewHead(n=0, digest="ab" * 32), DAY_S)

    status, lines = listed(town, capsys)

    assert STATUS_BEHIND == status
    assert lines[-1].startswith("TWO UNITS FOR ONE IDENTITY: the view log of 00000010, from record 0 on")


def test_before_anybody_has_asked_that_is_said(town: AskingTown, capsys: pytest.CaptureFixture[str]) -> None:
    assert STATUS_CONFIG == main(["--config", str(town.config), "--list"])
    assert "no node has asked yet" in capsys.readouterr().err
