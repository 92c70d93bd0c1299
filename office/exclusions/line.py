"""A case's life as a line: stations from top to bottom, drawn by the server. The table of steps says the same.

Form tells what colour would: a full dot is behind, a ring is now, a dotted circle is ahead, a square ends it, a diamond
is something that happened on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec
from django.utils import timezone
from msgspec import Struct

from office.exclusions.rules.life import MOVES, OVER, TITLES, State

Kind = Literal["done", "now", "ahead", "end", "event"]

ROW: Final = 44
"""Units of the drawing between two stations."""
_WAY: Final[tuple[State, ...]] = ("nominated", "checked", "voting", "decided", "issued", "served")
_BACK: Final = frozenset({"stop-vote", "find-no-quorum", "leave-unfinished"})
"""Moves that lead back: told for themselves, not as the state they lead to."""


class Station(Struct, frozen=True):
    """A point of the line.

    Attributes:
        label: what it is.
        day: when; empty = not yet.
        kind: its form.
        y: its place from the top.
    """

    label: str
    day: str
    kind: Kind
    y: int


class Line(Struct, frozen=True):
    """All of it.

    Attributes:
        stations: from the top.
        height: of the drawing.
        solid_to: where the part that is behind ends.
        said: the same in a sentence, for who does not see it.
    """

    stations: tuple[Station, ...]
    height: int
    solid_to: int
    said: str


def draw(state: State, steps: Iterable[tuple[str, datetime]], ends: str = "") -> Line:
    """The line of a case.

    Args:
        state: where it stands.
        steps: move and time, the oldest first.
        ends: when it will end, in words; empty = not known.
    """
    behind: list[Station] = []
    now, reached = 0, set[str]()
    for index, (move, at) in enumerate(steps):
        after = "nominated" if move == "nominate" else MOVES[move].after  # type: ignore[index]
        kind: Kind = "done"
        if after is None or move in _BACK or (after in reached and after != "voting"):
            kind = "event"
        elif after in OVER:
            kind = "end"
        reached.add(after or "")
        now = index if after == state else now
        behind.append(Station(_label(move, after), _day(at), kind, _y(index)))
    ahead: list[Station] = []
    if state not in OVER and behind:
        behind[now] = msgspec.structs.replace(behind[now], kind="now")
        labels = [(TITLES[one], "") for one in _WAY[_WAY.index(state) + 1 :]] + [("Ends", ends)]
        ahead = [Station(label, day, "ahead", _y(len(behind) + n)) for n, (label, day) in enumerate(labels)]
    told = "; ".join(f"{one.label}, {one.day}" for one in behind)
    solid_to = behind[-1].y if behind else 0
    return Line((*behind, *ahead), _y(len(behind) + len(ahead)) - ROW // 2, solid_to, f"The case’s life: {told}.")


def _label(move: str, after: State | None) -> str:
    if move == "nominate" or (after is not None and move not in _BACK):
        return TITLES[after or "nominated"]
    told = MOVES[move].told  # type: ignore[index]
    return told[:1].upper() + told[1:]


def _y(index: int) -> int:
    return ROW // 2 + index * ROW


def _day(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local.day} {local:%b %Y}"
