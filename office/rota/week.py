"""The pages' view of the rota: a week as a table, who is on now, gaps ahead, and what somebody should look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet
from msgspec import Struct

from office.accounts.models import Scheme
from office.accounts.rules import TITLES, Rights
from office.rota.models import POST_ROLES, RotaSwap
from office.rota.planned import good_shifts, holders, names_of, plan
from office.rota.rules.plan import Plan, Post, Shift, shifts
from office.rota.rules.reading import Gap, able, gaps, on_two_rotas, overlaps, posts, standing
from office.rota.rules.spans import Span
from office.rota.rules.wall_time import london, moment
from office.rota.wording import day_text, moment_text, span_text

AHEAD = timedelta(days=7)
"""Gaps that begin so far ahead are shown, as :mod:`office.start` does."""
_LOOKED = AHEAD + timedelta(days=1)
"""No shift is longer than a day: so they are shown whole."""
NEXT_WITHIN = timedelta(days=14)
LOOKED_AT_MAX = 6
DESK_ROLES = ("cctv", "co-ordinator")
"""They stay where they are: one desk may watch over two schemes."""


class Entry(Struct, frozen=True):
    """What stands in a cell of the table.

    Attributes:
        times: ``22:00–06:00``.
        name: whose shift; empty = nobody's, a gap.
        is_mine: the reader's own.
        is_changed: an override has made it so.
        query: for the page on which it is changed.
        key: of a shift that has not begun, for swapping; empty = it cannot be.
    """

    times: str
    name: str
    is_mine: bool = False
    is_changed: bool = False
    query: str = ""
    key: str = ""


class Cell(Struct, frozen=True):
    """A post on a day."""

    role: str
    entries: Sequence[Entry]


class Now(Struct, frozen=True):
    """A post now, in words: who is on until when, and who is next."""

    title: str
    on: Sequence[str]
    next: str


class Missing(Struct, frozen=True):
    """Nobody is on in a post: which, when, and the rest of the address on which somebody is put on."""

    scheme: int
    role: str
    title: str
    when: str
    query: str


class Table(Struct, frozen=True):
    """A scheme's week.

    Attributes:
        scheme: which.
        titles: of its posts, one a column.
        rows: (day, whether it is today, cells).
        now: each post now.
        gaps: in the next seven days.
        look_at: sentences on what is allowed and perhaps not meant; for its co-ordinators.
        is_mine: whether the reader co-ordinates it.
    """

    scheme: Scheme
    titles: Sequence[str]
    rows: Sequence[tuple[str, bool, Sequence[Cell]]]
    now: Sequence[Now]
    gaps: Sequence[Missing]
    look_at: Sequence[str]
    is_mine: bool


class Reader(Struct, frozen=True):
    """Who reads: number of their account, the schemes whose rota they may read, and those that they co-ordinate."""

    account: int
    reads: frozenset[int]
    co_ordinates: frozenset[int]


def table_of(scheme: Scheme, reader: Reader, monday: date, at: datetime) -> Table:
    """A scheme's week.

    Args:
        scheme: which.
        reader: who reads it.
        monday: the first day.
        at: the time.
    """
    week = Span(moment(monday, time()), moment(monday + timedelta(days=7), time()))
    soon = Span(at, at + NEXT_WITHIN)
    planned = plan(Span(min(week.begins_at, at), max(week.ends_at, soon.ends_at)), [scheme.pk])
    # Not of the years between: whoever looks at a week far off waits no longer than others.
    good, bad = able(sorted({*shifts(planned, week), *shifts(planned, soon)}), holders([scheme.pk]))
    near = [shift for shift in good if shift.span.meets(soon)]
    names = names_of(shift.account for shift in (*good, *bad))
    columns = posts(planned)
    is_mine = scheme.pk in reader.co_ordinates
    sheet = _Sheet(planned, good, names, reader.account, at, monday)
    days = [monday + timedelta(days=day) for day in range(7)]
    return Table(
        scheme=scheme,
        titles=[TITLES[post.role] for post in columns],
        rows=[
            (day_text(day), day == london(at).date(), [Cell(post.role, sheet.entries(day, post)) for post in columns])
            for day in days
        ],
        now=[_now(post, near, names, at) for post in columns],
        gaps=gaps_ahead(planned, good, at),
        look_at=_look_at(good, bad, names, at, _elsewhere(scheme, reader, soon)) if is_mine else (),
        is_mine=is_mine,
    )


def gaps_ahead(planned: Plan, good: Sequence[Shift], at: datetime) -> list[Missing]:
    """Where nobody is on, from moments in the next seven days."""
    found = (one for one in gaps(planned, good, Span(at, at + _LOOKED)) if one.span.begins_at < at + AHEAD)
    return [
        Missing(
            gap.post.scheme,
            gap.post.role,
            TITLES[gap.post.role],
            _gap_text(gap, at),
            query_of(_a_day_of(gap.span), None),
        )
        for gap in found
    ]


def gaps_of(schemes: Collection[int], at: datetime) -> list[Missing]:
    """Of these schemes."""
    window = Span(at, at + _LOOKED)
    planned = plan(window, schemes)
    return gaps_ahead(planned, able(shifts(planned, window), holders(schemes))[0], at)


def swaps_to_answer(mine: Rights, at: datetime) -> QuerySet[RotaSwap]:
    """Those that a person was asked for, and that can be."""
    schemes = mine.schemes(*POST_ROLES)
    asked = RotaSwap.objects.filter(state="asked", given_begins_at__gt=at, taken_begins_at__gt=at)
    return asked.filter(asked=mine.account, scheme__in=schemes).select_related("asked_by").order_by("pk")


def key_of(shift: Shift) -> str:
    """Tells shifts apart, in forms."""
    return f"{shift.post.scheme}.{shift.post.role}.{shift.account}.{int(shift.span.begins_at.timestamp())}"


def query_of(span: Span, instead_of: int | None) -> str:
    """The rest of the address of the page on which it is changed."""
    ends = f"from={int(span.begins_at.timestamp())}&to={int(span.ends_at.timestamp())}"
    return ends if instead_of is None else f"{ends}&instead={instead_of}"


def _a_day_of(gap: Span) -> Span:
    """As much of it as one person can be put on: what is left is a gap still."""
    next_day = london(gap.begins_at).replace(tzinfo=None) + timedelta(days=1)
    return Span(gap.begins_at, min(gap.ends_at, moment(next_day.date(), next_day.time())))


def _gap_text(gap: Gap, at: datetime) -> str:
    if gap.span.ends_at == at + _LOOKED:
        return "from now on" if gap.span.begins_at <= at else f"from {moment_text(gap.span.begins_at)} on"
    return f"now, until {moment_text(gap.span.ends_at)}" if gap.span.begins_at <= at else span_text(gap.span)


class _Sheet(Struct, frozen=True):
    """What the table is written from."""

    planned: Plan
    good: Sequence[Shift]
    names: Mapping[int, str]
    reader: int
    at: datetime
    monday: date

    def entries(self, day: date, post: Post) -> list[Entry]:
        """Of a post on a day: what begins on it, on the first day also what goes on."""
        span = Span(moment(day, time()), moment(day + timedelta(days=1), time()))
        here = [one for one in self.good if one.post == post and one.span.meets(span)]
        missing = [one for one in gaps(self.planned, here, span) if one.post == post]
        found = [
            (one.span.begins_at, Entry(_times(one.span, span), "", query=query_of(one.span, None))) for one in missing
        ]
        for shift in here:
            if shift.span.begins_at >= span.begins_at or day == self.monday:
                entry = Entry(
                    times=_times(shift.span, span),
                    name=self.names[shift.account],
                    is_mine=shift.account == self.reader,
                    is_changed=bool(shift.override),
                    query=query_of(shift.span, shift.account),
                    key=key_of(shift) if shift.span.begins_at > self.at else "",
                )
                found.append((shift.span.begins_at, entry))
        return [entry for _, entry in sorted(found, key=lambda one: one[0])]


def _times(span: Span, day: Span) -> str:
    begins, ends = london(span.begins_at), london(span.ends_at)
    before = "" if span.begins_at >= day.begins_at else f"{begins:%a} "
    is_far = span.ends_at - span.begins_at > timedelta(hours=25)
    if begins.time() == ends.time() != time() and not is_far:
        return f"{before}{begins:%H:%M}, 24 hours"  # 18:00–18:00 reads like nothing.
    after = "24:00" if span.ends_at == day.ends_at else f"{ends:%a %H:%M}" if is_far else f"{ends:%H:%M}"
    return f"{before}{begins:%H:%M}–{after}"


def _now(post: Post, good: Sequence[Shift], names: Mapping[int, str], at: datetime) -> Now:
    found = standing(post, good, at)
    on = [f"{names[account]}, {_stays_text(until, at)}" for account, until in found.until.items()]
    who = " and ".join(names[shift.account] for shift in found.next)
    following = f"{who}, from {_until_text(found.next[0].span.begins_at, at)}" if found.next else ""
    return Now(TITLES[post.role], on, following)


def _stays_text(until: datetime, at: datetime) -> str:
    # Further ahead nobody has looked.
    return "for two weeks at least" if until >= at + NEXT_WITHIN else f"until {_until_text(until, at)}"


def _until_text(until: datetime, at: datetime) -> str:
    is_soon = until - at < timedelta(hours=20)
    return f"{london(until):%H:%M}" if is_soon else moment_text(until)


def _elsewhere(scheme: Scheme, reader: Reader, window: Span) -> dict[str, list[Shift]]:
    """Shifts of the other schemes that the reader may read, by name of the scheme."""
    others = Scheme.objects.filter(pk__in=reader.reads - {scheme.pk})
    return {one.name: good_shifts(window, [one.pk]) for one in others}


def _look_at(
    good: Sequence[Shift],
    bad: Sequence[Shift],
    names: Mapping[int, str],
    at: datetime,
    elsewhere: Mapping[str, Sequence[Shift]],
) -> list[str]:
    schemes = {shift.post.scheme: f" in {name}" for name, found in elsewhere.items() for shift in found}

    def said(shift: Shift) -> str:
        return f"{TITLES[shift.post.role]}{schemes.get(shift.post.scheme, '')} on {span_text(shift.span)}"

    ahead = [one for one in good if one.span.ends_at > at]
    beside = [one for found in elsewhere.values() for one in found if one.account in names and one.span.ends_at > at]
    found = [
        f"{names[one.account]} is on the rota as {said(one)}, but has no such role any more, or no account."
        " The shift counts as nobody’s."
        for one in bad
        if one.span.ends_at > at
    ]
    twice = [
        (one, other)
        for one, other in on_two_rotas([*ahead, *beside])
        if not {one.post.scheme, other.post.scheme} <= schemes.keys()
        and not (one.post.role == other.post.role and one.post.role in DESK_ROLES)
    ]
    found += [
        f"{names[one.account]} is on two rotas at once: {said(one)}, and {said(other)}{more}."
        for one, other, more in _once_each(twice)
    ]
    for one, other, more in _once_each(overlaps(ahead)):
        who = f"{names[one.account]} and {names[other.account]} are both on"
        if one.account == other.account:
            who = f"{names[one.account]} is on twice"
        found.append(f"{who} as {TITLES[one.post.role]} on {span_text(one.span.within(other.span))}{more}.")
    left_out = len(found) - LOOKED_AT_MAX
    return [*found[:LOOKED_AT_MAX], f"And {left_out} more."] if left_out > 0 else found


def _once_each(pairs: Iterable[tuple[Shift, Shift]]) -> Iterator[tuple[Shift, Shift, str]]:
    """The first pair of the same people and posts, and how many more there are."""
    alike: defaultdict[tuple[tuple[int, Post], ...], list[tuple[Shift, Shift]]] = defaultdict(list)
    for one, other in pairs:
        alike[tuple(sorted([(one.account, one.post), (other.account, other.post)]))].append((one, other))
    for (one, other), *others in alike.values():
        yield one, other, f", and {len(others)} more time{'s' if len(others) > 1 else ''}" if others else ""
