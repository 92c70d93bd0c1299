"""Two premises press in the same moment, with no network: twenty trials, each with radios that were just started."""

from __future__ import annotations

from typing import Final

import pytest

from sim.plants import Plant
from sim.storm import StormResult, storm
from wire.kinds import AlertKind

TRIALS: Final = range(1, 21)
GOOD_TRIALS: Final = 19
SOON_MS: Final = 60_000
"""Before any slow try: what is later was lost three times."""


def good_trials(kind: AlertKind, plant: Plant | None = None) -> list[StormResult]:
    """Those in which both alerts were decoded, committed, and their receipts heard, soon."""
    results = [storm(2, seed=seed, kind=kind, plant=plant) for seed in TRIALS]
    return [result for result in results if result.receipted == 2 and result.last_receipt_ms <= SOON_MS]


@pytest.mark.parametrize("kind", [AlertKind.ATTACK, AlertKind.ASSIST])
def test_two_that_contend_are_both_decoded(kind: AlertKind) -> None:
    """N10: a back-off that is the same at each start lets the same two collide for ever."""
    good = good_trials(kind)

    assert len(good) >= GOOD_TRIALS
    assert {2} == {result.delivered for result in good}
    assert {""} == {result.broken for result in good}


def test_two_that_wait_alike_are_not() -> None:
    """The test above can fail."""
    assert len(good_trials(AlertKind.ASSIST, Plant.WAITS_ALIKE)) < GOOD_TRIALS
