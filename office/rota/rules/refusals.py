"""Why something cannot be in the rota, each as a sentence that says what to do; ``None`` = it can."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from office.accounts.rules import TITLES
from office.rota.rules.plan import DAY_MIN, Post, Shift
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import moment

PATTERNS_MAX: Final = 200
"""Of a scheme."""
PEOPLE_MAX: Final = 50
"""In turn, in one pattern."""
WEEKS_MAX: Final = 12
AWAY_DAYS_MAX: Final = 62
"""So long somebody can stand in for somebody, or nobody be on."""
ASKED_AHEAD_DAYS_MAX: Final = 62
"""So far ahead people swap."""

EMPTY: Final = "This shift begins and ends at the same time. For a whole day, leave the end empty and enter 24 hours."
TOO_LONG: Final = "A shift can last 24 hours at most. Enter the rest as a shift of its own."
BACKWARDS: Final = "This ends before it begins. Enter the earlier time first."
NO_DAYS: Final = "Choose the days on which it begins, at least one."
DAYS_BACKWARDS: Final = "The last day is before the first. Correct one of the two."
NO_PEOPLE: Final = "Choose who is on, at least one person."
NEVER: Final = "None of these days lies between the first and the last day, so nobody would ever be on. Correct them."
BOTH_ENDS: Final = "Enter either when it ends or how long it lasts, not both."
NO_END: Final = "Enter when it ends, or how long it lasts."
FULL: Final = f"A scheme can have {PATTERNS_MAX} patterns at most. Remove those that have ended."


def length_min(begins: time, ends: time | None, hours: float | None) -> int | str:
    """How long a shift lasts by the clock on the wall, in minutes; or why it cannot be, as a sentence.

    Args:
        begins: when.
        ends: when, on this day or the next; ``None`` = see ``hours``.
        hours: how long; ``None`` = see ``ends``.
    """
    if ends is not None and hours is not None:
        return BOTH_ENDS
    if hours is not None:
        # Compared before it is multiplied: 1e308 is a number that somebody can enter.
        if hours > DAY_MIN / 60:
            return TOO_LONG
        minutes = round(max(hours, 0) * 60)
        return minutes if minutes > 0 else EMPTY
    if ends is None:
        return NO_END
    minutes = (ends.hour - begins.hour) * 60 + ends.minute - begins.minute
    return minutes % DAY_MIN or EMPTY


def why_not_days(weekdays: Collection[int], first: date, last: date | None, every_weeks: int) -> str | None:
    """Why a pattern or cover cannot hold on these days."""
    if not weekdays:
        return NO_DAYS
    if not 1 <= every_weeks <= WEEKS_MAX:
        return f"Enter a number of weeks from 1 to {WEEKS_MAX}."
    if last is None:
        return None
    if last < first:
        return DAYS_BACKWARDS
    monday = first - timedelta(days=first.weekday())
    days = (first + timedelta(days=day) for day in range(min((last - first).days + 1, 7 * (every_weeks + 1))))
    if not any(day.weekday() in weekdays and (day - monday).days // 7 % every_weeks == 0 for day in days):
        return NEVER
    return None


def why_not_people(
    people: Sequence[int], post: Post, holders: Collection[tuple[int, Post]], names: dict[int, str]
) -> str | None:
    """Why these people cannot be on.

    Args:
        people: numbers of accounts.
        post: as what.
        holders: who has which role in which scheme, and an account that has not ended.
        names: of people whom the reader may know.
    """
    if not people:
        return NO_PEOPLE
    if len(people) > PEOPLE_MAX:
        return f"Choose {PEOPLE_MAX} people at most."
    for one in people:
        if (one, post) not in holders:
            name = names.get(one)
            title = TITLES[post.role]
            if name is None:
                return f"One of them is not {title} in this scheme any more, or has no account. Choose somebody else."
            return f"{name} is not {title} in this scheme any more. Give them the role, or choose somebody else."
    return None


def span_of(begins: tuple[date, time], ends: tuple[date, time], *, days_max: int = 0) -> Span | str:
    """The moments between two readings of the clock on the wall; or why it cannot be, as a sentence.

    Args:
        begins: day and time.
        ends: likewise.
        days_max: how long it may last; 0 = as a shift.
    """
    wall = datetime.combine(*ends) - datetime.combine(*begins)
    if not wall:
        return EMPTY if not days_max else "This begins and ends at the same time. Correct one of the two."
    if wall < timedelta(0):
        return BACKWARDS
    if not days_max and wall > timedelta(minutes=DAY_MIN):
        return TOO_LONG
    if days_max and wall > timedelta(days=days_max):
        return f"Enter {days_max} days at most."
    span = Span(moment(*begins), moment(*ends))
    if span.begins_at >= span.ends_at:
        return "On this night the clock skips these times. Enter others."
    return span


def why_not_swap(given: Shift, taken: Shift, holders: Collection[tuple[int, Post]], now: datetime) -> str | None:
    """Why two people cannot swap two shifts.

    Args:
        given: of who asks.
        taken: of the other.
        holders: as for :func:`why_not_people`.
        now: the time.
    """
    if given.account == taken.account:
        return "Both are yours. Choose somebody else’s shift."
    return _why_not_times(given, taken, now) or _why_not_posts(given, taken, holders)


def _why_not_times(given: Shift, taken: Shift, now: datetime) -> str | None:
    if min(given.span.begins_at, taken.span.begins_at) <= now:
        return "One of these shifts has begun already. Choose later ones."
    if max(given.span.begins_at, taken.span.begins_at) > now + timedelta(days=ASKED_AHEAD_DAYS_MAX):
        return f"Swap shifts of the next {ASKED_AHEAD_DAYS_MAX} days only."
    if (given.post, given.span) == (taken.post, taken.span):
        return "You are both on then already. Choose another shift."
    return None


def _why_not_posts(given: Shift, taken: Shift, holders: Collection[tuple[int, Post]]) -> str | None:
    if given.post.scheme != taken.post.scheme:
        return "These shifts are of two schemes. Ask a co-ordinator."
    for account, post in ((given.account, taken.post), (taken.account, given.post)):
        if (account, post) not in holders:
            return f"One of the two is not {TITLES[post.role]} in this scheme. Choose shifts that both can take."
    return None
