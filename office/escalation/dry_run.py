"""A dry run: who would be asked when, by the rule that central follows (:mod:`wire.escalation`). Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from office.escalation.rules import WAY_TITLES
from wire.escalation import Turn, next_turn
from wire.snapshots import StepEntry, Way

ROUNDS: Final = 2
"""So many are played: the second shows that it begins again."""
There = Callable[[StepEntry, datetime], Sequence[int]]
"""Accounts that could be asked by a step at a moment."""


class Line(Struct, frozen=True):
    """What would happen at a moment.

    Attributes:
        at: when.
        turn: which step of which round.
        step: what it says.
        people: accounts that are asked; none = it is skipped.
    """

    at: datetime
    turn: Turn
    step: StepEntry
    people: tuple[int, ...] = ()


class Played(Struct, frozen=True):
    """A dry run.

    Attributes:
        lines: in order.
        nobody_at: since when nobody can be asked at all; ``None`` = somebody always can.
    """

    lines: tuple[Line, ...]
    nobody_at: datetime | None = None


def play(steps: Sequence[StepEntry], begins_at: datetime, there: There) -> Played:
    """An alert that nobody answers, for :data:`ROUNDS` rounds or until nobody can be asked.

    Args:
        steps: of its policy; at least one.
        begins_at: when it is pressed.
        there: who could be asked.
    """
    lines: list[Line] = []
    at, after = begins_at, None
    while True:
        found = next_turn(steps, after, lambda step: bool(there(step, at)))  # noqa: B023 - called at once
        lines += (Line(at, turn, step) for turn, step in found.skipped if turn.round <= ROUNDS)
        if found.turn is None or found.turn.round > ROUNDS:
            return Played(tuple(lines), at if found.turn is None else None)
        step, after = steps[found.turn.step], found.turn
        lines.append(Line(at, found.turn, step, tuple(there(step, at))))
        at += timedelta(seconds=step.wait_s)


def reach_text(wanted: Sequence[Way], own: Collection[str]) -> str:
    """By what somebody would be asked who has no page open, and by what not: ``"text message; not by e-mail"``.

    Args:
        wanted: what the step says; at least one may reach them.
        own: ways that the person has entered. Whether push reaches them, central alone knows.
    """
    by = [
        f"{WAY_TITLES[way]}, if it is set up" if way == "push" else WAY_TITLES[way]
        for way in wanted
        if has_way(way, own)
    ]
    lacking = [WAY_TITLES[way] for way in wanted if not has_way(way, own)]
    return ", ".join(by) + (f"; not by {' or '.join(lacking)}: none given" if lacking else "")


def has_way(way: Way, own: Collection[str]) -> bool:
    """Whether somebody may be reached by a way. Of push the office does not know, and takes it for set up."""
    return way == "push" or way in own
