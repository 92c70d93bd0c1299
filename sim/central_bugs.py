"""Bugs in central's rules: now and then a step raises after all its work. None of that work may stay."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from central.core import events as ev
from central.core.machine import CentralCore
from sim.plants import Plant

SHARE: Final = 0.2
_AFFECTED: Final = (
    ev.ActionCommitted,
    ev.ActionRequested,
    ev.CommitFailed,
    ev.FrameArrived,
    ev.FramesCommitted,
    ev.FramesKnown,
    ev.HealthArrived,
    ev.SyncArrived,
    ev.Ticked,
)
"""Events that come again or are answered. A directory comes once: a failed one waits for the next, or a restart."""


class PlantedBugError(Exception):
    """Raised as a bug of ours would be."""


class Bugs:
    """Draws from its own random source, so that towns without bugs run as if this file did not exist."""

    def __init__(self, seed: int, plant: Plant | None) -> None:
        self._chance = random.Random(f"bugs {seed}")
        self._plant = plant
        self.is_over = False

    def core(self) -> CentralCore:
        """A core with the bugs."""
        return _BuggedCore(self._is_due, keeps_half=self._plant is Plant.HALF_A_STEP_KEPT)

    def _is_due(self) -> bool:
        return not self.is_over and self._chance.random() < SHARE


class _BuggedCore(CentralCore):
    def __init__(self, is_due: Callable[[], bool], *, keeps_half: bool) -> None:
        super().__init__()
        self._is_due = is_due
        self._keeps_half = keeps_half

    def _follow(self, event: ev.Event) -> None:
        super()._follow(event)
        if isinstance(event, _AFFECTED) and self._is_due():
            raise PlantedBugError

    def _whole(self, part: Callable[[], object]) -> Exception | None:
        if not self._keeps_half:
            return super()._whole(part)
        ordered = len(self._effects)
        try:
            part()
        except PlantedBugError as error:
            del self._effects[ordered:]
            return error
        return None
