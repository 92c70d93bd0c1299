"""A publisher that is dead, or that may publish nothing, renews no lease."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from office.nodes.galleries import Galleries
from office.nodes.rules.lease import OLD_S
from tests.support.asking_town import HART, LEASE_S, OFFICE, PUB, PUB_WATCH, SHOP, TOWN, AskingTown, Entry, PortThread
from tests.support.fleet_broker import wait_until
from wire.gallery_contact import Held
from wire.gallery_head import lines_file
from wire.gallery_proof import PROOF_FILE


def test_lease_ends_with_the_last_proof_of_a_publisher_that_is_dead(town: AskingTown, port: PortThread) -> None:
    now, ago = town.now, timedelta(days=3)
    # The gallery was published long before: its head proves nothing of the time since.
    town.now -= timedelta(days=5)
    number = port.publish(HART, [Entry(1)])
    town.prove({HART: number}, now - ago)
    port.wait_for_proof(now - ago)
    answer = port.unit().asks()

    assert int((now - ago).timestamp()) + LEASE_S == answer.lease_until_s
    assert () == answer.unproven
    wait_until(lambda: bool(port.alarms()) and "does not prove" in port.alarms()[-1], "it is told")

    town.prove({HART: number}, now)
    wait_until(lambda: not port.alarms()[-1], "the publisher is back")


def test_gallery_that_is_not_proven_leaves_the_other_schemes_lease_alone(town: AskingTown, port: PortThread) -> None:
    hart, pubs = port.publish(HART, [Entry(1)]), port.publish(PUB_WATCH, [Entry(1)])
    later = town.now + timedelta(seconds=OLD_S)
    town.prove({HART: hart + 1, PUB_WATCH: pubs}, later)
    port.wait_for_proof(later)

    assert (HART,) == port.unit(SHOP).asks().unproven
    assert () == port.unit(PUB).asks().unproven


def test_node_ahead_of_a_restored_office_is_told_of_once_and_keeps_its_lease(port: PortThread) -> None:
    number, unit = port.publish(HART, [Entry(1)]), port.unit()
    answer = unit.asks(Held(scheme=HART, number=number + 5, is_complete=True))

    assert ((HART,), ()) == (answer.unproven, answer.changes)
    unit.ask(Held(scheme=HART, number=number + 6, is_complete=True))
    port.wait_for_question(SHOP)
    told = [(one["node"], one["number"], one["newest"]) for one in port.facts("gallery ahead")]
    assert [("00000010", number + 5, number)] == told


def test_gallery_that_the_port_cannot_read_is_in_its_status_and_renews_no_lease(
    town: AskingTown, port: PortThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, write = port.publish(HART, [Entry(1)]), town.write

    def damaged(name: str, data: bytes) -> Path:
        """It is never there whole: the port looks at any moment."""
        return write(name, b"damaged" if name == f"snapshots/{lines_file(HART, number + 1)}" else data)

    monkeypatch.setattr(town, "write", damaged)
    town.publish(HART, [])
    later = town.now + timedelta(seconds=OLD_S)
    town.prove({HART: number + 1}, later)
    port.wait_for_proof(later)

    wait_until(lambda: any("is not used" in one for one in port.alarms()), "it is told")
    answer = port.unit().asks()
    assert (HART,) == answer.unproven
    assert [number] == [json.loads(change.head_bytes)["snapshot"]["number"] for change in answer.changes]


@pytest.mark.parametrize("data", [b"{}", b""])
def test_proof_that_is_none_proves_nothing(town: AskingTown, tmp_path: Path, data: bytes) -> None:
    town.publish(HART, [Entry(1)])
    town.write(f"snapshots/{PROOF_FILE}", data)
    galleries = Galleries(town.folder / "snapshots", TOWN, lambda: (OFFICE.public,), town.text_keys)
    galleries.look()

    assert None is galleries.proof
    assert "never" in galleries.alarm(int(town.now.timestamp()))
