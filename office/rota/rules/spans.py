"""Spans of time, ``[begins_at, ends_at)``, in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct


class Span(Struct, frozen=True, order=True):
    """From a moment until another, which does not belong to it."""

    begins_at: datetime
    ends_at: datetime

    def meets(self, other: Span) -> bool:
        """Whether they have a moment in common."""
        return self.begins_at < other.ends_at and other.begins_at < self.ends_at

    def within(self, other: Span) -> Span:
        """The part of it that is in ``other``, which it meets."""
        return Span(max(self.begins_at, other.begins_at), min(self.ends_at, other.ends_at))


def joined(spans: Iterable[Span]) -> list[Span]:
    """What they cover together, in order; two that touch become one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.begins_at <= found[-1].ends_at:
            found[-1] = Span(found[-1].begins_at, max(found[-1].ends_at, span.ends_at))
        else:
            found.append(span)
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is left of each span, in order, where none of ``taken`` is."""
    away = joined(taken)
    return [left for span in sorted(spans) for left in _left(span, away)]


def _left(span: Span, away: Iterable[Span]) -> Iterator[Span]:
    at = span.begins_at
    for one in away:
        if one.ends_at <= at:
            continue
        if one.begins_at >= span.ends_at:
            break
        if at < one.begins_at:
            yield Span(at, one.begins_at)
        at = one.ends_at
    if at < span.ends_at:
        yield Span(at, span.ends_at)
