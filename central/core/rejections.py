"""Rejected input, counted by reason and sender; bounded however long a flood lasts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import field

from central.core.undo import Record, Table
from central.core.view import RejectedLine

LINES_MAX: Final = 256
OTHERS: Final = "others"
_FACTS_EACH: Final = 10


class _Count(Record):
    count: int
    last_at: datetime


class Rejections(Record):
    """Counters. Each count sets ``is_changed``; the page clears it once told."""

    _counts: Table[tuple[str, str], _Count] = field(default_factory=Table)
    is_changed: bool = False

    def add(self, reason: str, sender: str, now_at: datetime) -> bool:
        """Count one; returns whether it is worth a line in the log (the first ten, then each power of ten)."""
        key = (reason, sender)
        if key not in self._counts and len(self._counts) >= LINES_MAX:
            key = (reason, OTHERS)
            if key not in self._counts and len(self._counts) >= LINES_MAX + 64:
                key = (OTHERS, OTHERS)
        found = self._counts.get(key)
        if found is None:
            found = self._counts[key] = _Count(0, now_at)
        found.count += 1
        found.last_at = now_at
        self.is_changed = True
        return found.count <= _FACTS_EACH or str(found.count).strip("0") == "1"

    def lines(self) -> tuple[RejectedLine, ...]:
        """For the page, most recent first."""
        found = [RejectedLine(reason, sender, c.count, c.last_at) for (reason, sender), c in self._counts.items()]
        return tuple(sorted(found, key=lambda line: line.last_at, reverse=True))
