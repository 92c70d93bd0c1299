"""A publisher that is dead, or that may publish nothing, renews no lease."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from office.nodes.galleries import Galleries
from office.nodes.rules.lease import OLD_S
from tests.support.asking_town import HART, LEASE_S, OFFICE, PUB, PUB_WATCH, SHOP, TOWN, AskingTown, Entry, PortThread
from tests.support.fleet_broker import wait_until
from wire.gallery_contact import Held
from wire.gallery_proof import PROOF_FILE


def seconds(town: AskingTown, ago: timedelta = timedelta()) -> int:
    return int((town.now - ago).timestamp())


def test_lease_ends_with_the_last_proof_of_a_publisher_that_is_dead(town: AskingTown, port: PortThread) -> None:
    unit, ago = port.unit(), timedelta(days=3)
    number = port.publish(HART, [Entry(1)])
    assert seconds(town) + LEASE_S == unit.asks().lease_until_s

    # As if the gallery had been published long before: the head proves nothing of the time since.
    before, town.now = town.now, town.now - timedelta(days=5)
    number = port.publish(HART, [])
    town.now = before
    town.prove({HART: number}, before - ago)
    wait_until(lambda: seconds(town, ago) + LEASE_S == unit.asks().lease_until_s, "the proof is read")

    assert () == unit.asks().unproven
    assert "the publisher does not prove" in port.alarms()[-1]

    town.prove({HART: number})
    wait_until(lambda: not port.alarms()[-1], "the publisher is back")


def test_gallery_that_is_not_proven_leaves_the_other_schemes_lease_alone(town: AskingTown, port: PortThread) -> None:
    hart, pubs = port.publish(HART, [Entry(1)]), port.publish(PUB_WATCH, [Entry(1)])
    later = town.now + timedelta(seconds=OLD_S)
    town.prove({HART: hart + 1, PUB_WATCH: pubs}, later)
    shop, pub = port.unit(SHOP), port.unit(PUB)
    wait_until(lambda: (HART,) == shop.asks(Held(scheme=HART, number=0)).unproven, "the proof is read")

    assert () == pub.asks().unproven


@pytest.mark.parametrize("data", [b"{}", b""])
def test_proof_that_is_none_proves_nothing(town: AskingTown, tmp_path: Path, data: bytes) -> None:
    town.publish(HART, [Entry(1)])
    town.write(f"snapshots/{PROOF_FILE}", data)
    galleries = Galleries(town.folder / "snapshots", TOWN, lambda: (OFFICE.public,), town.text_keys)
    galleries.look()

    assert None is galleries.proof
    assert "never" in galleries.alarm(seconds(town))
