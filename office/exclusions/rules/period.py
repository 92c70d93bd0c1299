"""How long an exclusion lasts: the tariff, calendar months, and its end as every clock reads it (G1).

Days are those of Europe/London: the last day ends at its midnight, in summer too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from msgspec import Struct

Category = Literal["theft", "fraud", "criminal-damage", "disorder", "abuse-of-staff", "violence", "drugs"]
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
CATEGORY_TITLES: Final[Mapping[Category, str]] = {
    "theft": "Theft",
    "fraud": "Fraud",
    "criminal-damage": "Criminal damage",
    "disorder": "Disorder",
    "abuse-of-staff": "Threats or abuse of staff",
    "violence": "Violence",
    "drugs": "Drugs",
}
TARIFF_MONTHS: Final[Mapping[Category, tuple[int, int]]] = {
    "theft": (6, 12),
    "fraud": (6, 12),
    "criminal-damage": (6, 12),
    "disorder": (3, 6),
    "abuse-of-staff": (6, 12),
    "violence": (12, 12),
    "drugs": (12, 12),
}
"""First time, and when the person was excluded before. For violence and drugs 12 calendar months (G1)."""
MONTHS_MAX: Final = 36
"""Longer than that is not proportionate without a new decision."""
TOWN_ZONE: Final = ZoneInfo("Europe/London")


class Period(Struct, frozen=True):
    """First and last day; both count."""

    first: date
    last: date


def tariff(category: Category, *, is_repeat: bool) -> int:
    """Calendar months that members are asked to decide on."""
    return TARIFF_MONTHS[category][is_repeat]


def last_day(first: date, months: int) -> date:
    """The last of ``months`` calendar months from ``first``.

    The day before the same day of a later month: 1 March 2027 … 28 February 2028. A month too short to have that day
    ends the period with its own last day: 29 February 2028 … 28 February 2029.
    """
    same_day = first + relativedelta(months=months)
    return same_day - timedelta(days=1) if same_day.day == first.day else same_day


def last_day_allowed(first: date, months: int, source_ends_on: date | None) -> date:
    """The last day of an exclusion: of its months, or of what a regional source lets the scheme use if that is sooner.

    Args:
        first: its first day.
        months: as decided.
        source_ends_on: the last day on which a regional source may be used; ``None`` = local.
    """
    last = last_day(first, months)
    return last if source_ends_on is None else min(last, source_ends_on)


def why_not_months(months: int, category: Category, *, is_repeat: bool, reason: str) -> str | None:
    """Why a length is refused, and what to do; ``None`` = it may be decided on."""
    if not 1 <= months <= MONTHS_MAX:
        return f"Choose between 1 and {MONTHS_MAX} months."
    usual = tariff(category, is_repeat=is_repeat)
    if months != usual and not reason.strip():
        return f"The tariff for this is {usual} months. Say why this case differs, or choose {usual}."
    return None


def why_not_period(period: Period, today: date) -> str | None:
    """Why an exclusion cannot run so, and what to do; ``None`` = it may. Asked at its issue, and when shortened."""
    if period.last < period.first:
        return "The last day is before the first. Choose a later last day."
    if period.last < today:
        return "The last day is over. Choose a later one, or revoke the exclusion."
    if period.last > last_day(period.first, MONTHS_MAX):
        return f"Nobody is excluded for more than {MONTHS_MAX} months. Choose an earlier last day."
    return None


def why_not_first_day(first: date, today: date) -> str | None:
    """Why an exclusion cannot begin then; ``None`` = it can."""
    if first < today:
        return "The first day is over: nobody can be excluded for days gone by. Choose today or later."
    if first > today + timedelta(days=366):
        return "The first day is more than a year away. Choose an earlier one."
    return None


def why_not_after_source(first: date, source_ends_on: date | None) -> str | None:
    """Why an exclusion cannot begin then, if it is after the last day of a regional source; ``None`` = it can."""
    if source_ends_on is None or first <= source_ends_on:
        return None
    day = f"{source_ends_on.day} {source_ends_on:%b %Y}"
    return f"The source allows use only until {day}. Choose that day or an earlier one."


def day_of(moment: datetime) -> date:
    """The day in Europe/London on which an aware moment falls."""
    return moment.astimezone(TOWN_ZONE).date()


def end_s(last: date) -> int:
    """End of a day in Europe/London, as Unix seconds: from then on the exclusion is over."""
    return int(datetime.combine(last + timedelta(days=1), time(), TOWN_ZONE).timestamp())


def start_s(first: date) -> int:
    """Begin of a day in Europe/London, as Unix seconds."""
    return int(datetime.combine(first, time(), TOWN_ZONE).timestamp())


def is_minor(born_on: date | None, today: date, *, is_believed_minor: bool) -> bool:
    """Whether a person is under 18: by date of birth, else as believed.

    Born on 29 February, they are 18 on 1 March of a year that has no such day.
    """
    if born_on is None:
        return is_believed_minor
    return today < _birthday(born_on, 18)


def _birthday(born_on: date, age: int) -> date:
    try:
        return born_on.replace(year=born_on.year + age)
    except ValueError:
        return date(born_on.year + age, 3, 1)
