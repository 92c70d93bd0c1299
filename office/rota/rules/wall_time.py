"""From the clock on the wall in London to moments, also on the nights on which it changes.

The rule: a time that the clock skips is the moment at which it changes, and a time that comes twice is the first of the
two. So a later time is never an earlier moment, and where one shift ends and the next begins at the same time, there is
neither a gap nor an overlap on any night.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")
_SECOND: Final = timedelta(seconds=1)


def moment(day: date, at: time) -> datetime:
    """When the clock in London shows ``at`` on ``day``, in UTC."""
    wall = datetime.combine(day, at)
    after = wall.replace(tzinfo=LONDON).astimezone(UTC)
    if after.astimezone(LONDON).replace(tzinfo=None) == wall:
        return after
    # The clock skips it: the moment of the change is between its two readings, by the offset after and before.
    before = wall.replace(tzinfo=LONDON, fold=1).astimezone(UTC)
    offset = before.astimezone(LONDON).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(LONDON).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def london(at: datetime) -> datetime:
    """A moment as the clock in London shows it."""
    return at.astimezone(LONDON)
