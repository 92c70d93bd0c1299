"""What shifts come to: who is on now and who next, where nobody is, and what somebody should look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from office.rota.rules.plan import Cover, Override, Pattern, Plan, Post, Shift
from office.rota.rules.spans import Span, joined, without

Holders = Collection[tuple[int, Post]]
"""(account, post) of everybody whose account has not ended and who has the role in the scheme."""


class Gap(Struct, frozen=True, order=True):
    """Nobody is on duty who should be."""

    span: Span
    post: Post


class Standing(Struct, frozen=True):
    """A post at a moment.

    Attributes:
        post: which.
        on: shifts of those who are on; none = nobody is.
        until: when the first of those ends who are on, by account: their next shift may follow at once.
        next: the next that begin, all at the same time, and not those by which somebody who is on stays; none = none is
            known.
    """

    post: Post
    on: tuple[Shift, ...]
    until: dict[int, datetime]
    next: tuple[Shift, ...]


def able(shifts: Iterable[Shift], holders: Holders) -> tuple[list[Shift], list[Shift]]:
    """Those whose people can be on duty; and the others: an account has ended, or the role was taken away."""
    good: list[Shift] = []
    bad: list[Shift] = []
    for shift in shifts:
        (good if (shift.account, shift.post) in holders else bad).append(shift)
    return good, bad


def posts(plan: Plan) -> list[Post]:
    """Every post of which anything is planned."""
    return sorted({*_posts(plan.patterns), *_posts(plan.covers), *_posts(plan.overrides)})


def gaps(plan: Plan, shifts: Iterable[Shift], window: Span) -> list[Gap]:
    """Where nobody is on in a window, in order of time.

    Somebody should be on whenever a pattern or a cover says so, whatever its overrides say.

    Args:
        plan: what should be.
        shifts: of people who can be on duty, all that meet the window.
        window: where to look.
    """
    meant: defaultdict[Post, list[Span]] = defaultdict(list)
    times = [(one.post, one.hours) for one in plan.patterns] + [(one.post, one.hours) for one in plan.covers]
    for post, hours in times:
        meant[post] += (span.within(window) for _, span in hours.spans(window))
    there: defaultdict[Post, list[Span]] = defaultdict(list)
    for shift in shifts:
        there[shift.post].append(shift.span)
    return sorted(Gap(span, post) for post, spans in meant.items() for span in without(joined(spans), there[post]))


def standing(post: Post, shifts: Iterable[Shift], at: datetime) -> Standing:
    """Who is on in a post at a moment, and who is next.

    Args:
        post: which.
        shifts: of people who can be on duty, in order, from before ``at`` until as far as is to be looked.
        at: when.
    """
    own = [shift for shift in shifts if shift.post == post and shift.span.ends_at > at]
    on = tuple(shift for shift in own if shift.span.begins_at <= at)
    until = {shift.account: _until(shift.account, own, at) for shift in on}
    others = [one for one in own if one.span.begins_at > at and one.span.begins_at > until.get(one.account, at)]
    begins_next = min((one.span.begins_at for one in others), default=None)
    return Standing(post, on, until, tuple(one for one in others if one.span.begins_at == begins_next))


def overlaps(shifts: Sequence[Shift]) -> list[tuple[Shift, Shift]]:
    """Pairs of one post that are on at the same time: allowed, and perhaps not meant."""
    return [(one, other) for one, other in _at_once(shifts) if one.post == other.post]


def on_two_rotas(shifts: Sequence[Shift]) -> list[tuple[Shift, Shift]]:
    """Pairs in which one person is on in two posts at the same time: allowed, and told."""
    return [(one, other) for one, other in _at_once(shifts) if one.account == other.account and one.post != other.post]


def _at_once(shifts: Sequence[Shift]) -> Iterator[tuple[Shift, Shift]]:
    """Pairs that have a moment in common, in order."""
    open_ones: list[Shift] = []
    for shift in sorted(shifts):
        open_ones = [one for one in open_ones if one.span.ends_at > shift.span.begins_at]
        yield from ((one, shift) for one in open_ones)
        open_ones.append(shift)


def _until(account: int, own: Iterable[Shift], at: datetime) -> datetime:
    """When somebody who is on goes, shifts that follow at once included."""
    spans = joined(shift.span for shift in own if shift.account == account)
    return next(span.ends_at for span in spans if span.begins_at <= at < span.ends_at)


def _posts(planned: Sequence[Pattern | Override | Cover]) -> Iterator[Post]:
    return (one.post for one in planned)
