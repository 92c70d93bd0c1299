"""The month's figures as a table for spreadsheets (N11)."""

from __future__ import annotations

import csv
import io
from typing import Final

from central.core.view import Board, NodeLine, PathFigures

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
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


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
        _cell(line.premises),
        _cell(line.place),
        figures.path,
        figures.watched_minutes,
        figures.available_percent,
        figures.frames,
        figures.late,
        figures.deliveries,
        figures.median_s,
        figures.most_s,
    )


def _cell(text: str) -> str:
    # A spreadsheet would run a name that starts like a formula.
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
