"""How days and times of the rota read to people."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from office.rota.rules.plan import DAY_MIN, Hours
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import london

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ALL: Final = frozenset(range(7))
_BRIEF: Final = {_ALL: "every day", frozenset(range(5)): "Monday to Friday", frozenset({5, 6}): "weekends"}


def day_text(day: date) -> str:
    """``Mon 30 Nov``."""
    return f"{day:%a} {day.day} {day:%b}"


def moment_text(at: datetime) -> str:
    """``Mon 30 Nov, 22:00``, by the clock in London."""
    wall = london(at)
    return f"{day_text(wall.date())}, {wall:%H:%M}"


def span_text(span: Span) -> str:
    """``Mon 30 Nov, 22:00 to 06:00``, with the second day if it is not the same or the next one."""
    begins, ends = london(span.begins_at), london(span.ends_at)
    is_near = (ends.date() - begins.date()).days <= 1 and span.ends_at - span.begins_at < timedelta(minutes=DAY_MIN)
    return f"{moment_text(span.begins_at)} to {f'{ends:%H:%M}' if is_near else moment_text(span.ends_at)}"


def hours_text(hours: Hours) -> str:
    """``every day, 22:00 to 06:00, from 30 Nov 2026``."""
    days = _BRIEF.get(hours.weekdays) or ", ".join(DAYS[one] for one in sorted(hours.weekdays))
    weeks = f", every {hours.every_weeks} weeks" if hours.every_weeks > 1 else ""
    end = (datetime.combine(hours.first, hours.begins) + timedelta(minutes=hours.length_min)).time()
    times = "24 hours from " if hours.length_min == DAY_MIN else ""
    until = "" if hours.length_min == DAY_MIN else f" to {end:%H:%M}"
    last = f" until {_full(hours.last)}" if hours.last else ""
    return f"{days}{weeks}, {times}{hours.begins:%H:%M}{until}, from {_full(hours.first)}{last}"


def _full(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
