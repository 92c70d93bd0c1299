"""The simulation holds its invariants, repeats itself, and has teeth (N2, N3, N5, N13)."""

from __future__ import annotations

import pytest

from sim.campaign import Result, run
from sim.plants import Plant

SHORT_CAMPAIGN = range(1, 31)


def first_broken(seeds: range, plant: Plant, invariant: str) -> Result | None:
    return next((result for seed in seeds if (result := run(seed, plant=plant)).broken.startswith(invariant)), None)


@pytest.mark.parametrize("seed", SHORT_CAMPAIGN)
def test_town_holds_every_invariant(seed: int) -> None:
    result = run(seed)

    assert "" == result.broken, "\n".join(result.trace_tail)


def test_campaign_is_not_idle() -> None:
    """A town where nobody presses, or nothing is shown, proves nothing."""
    results = [run(seed) for seed in range(1, 6)]

    assert sum(result.alerts for result in results) > 10
    assert sum(result.shown for result in results) > 10


def test_same_seed_gives_the_same_trace() -> None:
    assert run(3).trace_hash == run(3).trace_hash


def test_other_seed_gives_another_trace() -> None:
    assert run(3).trace_hash != run(4).trace_hash


@pytest.mark.parametrize(
    ("plant", "invariant"),
    [
        (Plant.RECEIPT_BEFORE_COMMIT, "I4"),
        (Plant.COUNTER_NOT_PERSISTED, "I2"),
        (Plant.FORGOTTEN_ON_PUBACK, "I3"),
        (Plant.INBOX_FORGOTTEN, "I6"),
        (Plant.OLD_INCIDENT_SUPPRESSES, "I9"),
        (Plant.SAID_RECEIVED_ON_PUBACK, "I5"),
        (Plant.LATE_SHOWN_AS_LIVE, "I8"),
    ],
)
def test_short_campaign_catches_a_planted_fault(plant: Plant, invariant: str) -> None:
    result = first_broken(SHORT_CAMPAIGN, plant, invariant)

    assert result is not None
    assert result.trace_tail, "a failure comes with its trace"
