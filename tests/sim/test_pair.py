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


def trials(kind: AlertKind, plant: Plant | None = None) -> list[StormResult]:
    return [storm(2, seed=seed, kind=kind, plant=plant) for seed in TRIALS]


def good(results: list[StormResult]) -> list[StormResult]:
    """Those in which both alerts were decoded, committed, and their receipts heard, soon."""
    return [result for result in results if result.receipted == 2 and result.last_receipt_ms <= SOON_MS]


@pytest.mark.parametrize("kind", [AlertKind.ATTACK, AlertKind.ASSIST])
def test_two_that_contend_are_both_decoded(kind: AlertKind) -> None:
    """Nearly all soon, and all of them in the end.

    N10: a back-off that is the same at each start lets the same two collide for ever.
    """
    results = trials(kind)

    assert len(good(results)) >= GOOD_TRIALS
    assert {(2, 2, "")} == {(result.delivered, result.receipted, result.broken) for result in results}


def test_two_that_wait_alike_are_not() -> None:
    """The test above can fail."""
    assert len(good(trials(AlertKind.ASSIST, Plant.WAITS_ALIKE))) < GOOD_TRIALS
