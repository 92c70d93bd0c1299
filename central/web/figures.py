"""The month's figures as a table for spreadsheets (N11)."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from central.core.unit_lines import PathFigures
from central.core.view import Board, NodeLine
from runtime.formula_guard import guard_cell

SECOND_FACTOR_WITHIN: Final = timedelta(minutes=5)
"""Whoever finds a page open must not carry the town's figures away."""
FIGURES_EACH_MAX: Final = 6
"""For one person within :data:`FIGURES_WITHIN`."""
FIGURES_WITHIN: Final = timedelta(minutes=10)

_HEAD: Final = (
    "month",
    "node",
    "premises",
    "place",
    "path",
    "watched minutes",
    "available %",
    "frames",
    "late alerts",
    "timed alerts",
    "half committed within s",
    "95 % committed within s",
)


class FiguresLimit:
    """How often each person takes the figures. In memory only: after a restart everybody begins anew."""

    def __init__(self) -> None:
        self._taken: defaultdict[int, list[datetime]] = defaultdict(list)

    def take(self, account: int, now_at: datetime) -> bool:
        """Count one; false = it is one too many."""
        mine = [at for at in self._taken[account] if now_at - at < FIGURES_WITHIN]
        is_free = len(mine) < FIGURES_EACH_MAX
        self._taken[account] = [*mine, now_at] if is_free else mine
        return is_free


def figures_csv(board: Board) -> str:
    """RFC 4180: a line for each month, premises and path; the seconds are empty if over 300."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(_HEAD)
    for line in sorted(board.nodes, key=lambda one: (one.premises, one.node)):
        for figures in line.figures:
            rows.writerow(_row(line, figures))
    return out.getvalue()


def _row(line: NodeLine, figures: PathFigures) -> tuple[object, ...]:
    return (
        figures.month,
        line.node,
        guard_cell(line.premises),
        guard_cell(line.place),
        figures.path,
        figures.watched_minutes,
        figures.available_percent,
        figures.frames,
        figures.late,
        figures.deliveries,
        figures.median_s,
        figures.most_s,
    )
