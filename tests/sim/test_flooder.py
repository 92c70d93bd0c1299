"""One member floods the simulated town while the others press: nobody is drowned out (N5, N8)."""

from __future__ import annotations

import pytest

from central.core.journal import FrameEntry
from node.core.neighbours import alerts as neighbours
from sim.campaign import has_flooder, run
from sim.flooder import ATTACKS_MAX
from sim.invariants import FLOODER, Invariants
from wire.ids import NodeId

FLOODED = [seed for seed in range(1, 41) if has_flooder(seed)]


def test_flood_that_takes_every_place_of_a_neighbours_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The invariant has teeth: without a share of the places an honest alert is never shown."""
    monkeypatch.setattr(neighbours, "EACH_WHEN_FULL_MAX", ATTACKS_MAX)
    broken = (run(seed).broken for seed in FLOODED)

    assert next((found for found in broken if found), "").startswith("I21")


def test_flood_is_taken_in_by_central(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood that nobody takes in proves nothing."""
    committed: list[NodeId] = []
    whole = Invariants.committed

    def counted(invariants: Invariants, entries: list[FrameEntry]) -> None:
        committed.extend(entry.signed.frame.sender for entry in entries)
        whole(invariants, entries)

    monkeypatch.setattr(Invariants, "committed", counted)
    result = run(FLOODED[0])

    assert "" == result.broken
    assert committed.count(FLOODER) >= ATTACKS_MAX
