"""What may be read now: the one place where that is decided.

The rules are asked from the top, and the first that applies decides. What none applies to may be read.

====================  =========  ==========================================================
rule                  what       applies
====================  =========  ==========================================================
``scheme-left``       destroyed  the office says that this node may not hold the scheme's
``withdrawn``         destroyed  a newer number has no such line, or another in its place
``over``              destroyed  its last day is over, by the word of office or central
``elsewhere``         hidden     the office gave this node no key for it
``starting``          hidden     this boot is not charged to the lease on the disk yet
``clock-behind``      hidden     the battery clock is behind what is known to have passed
``clock-unknown``     hidden     nobody has proved the time since this boot
``no-contact``        hidden     the lease is over, or the office has never answered
``over-unproven``     hidden     its last day is over, by a clock that nobody signed
``not-yet``           hidden     its first day has not begun, by the word of office or central
``unopened``          hidden     its key came and does not open
``on-its-way``        hidden     its key is not here yet
====================  =========  ==========================================================

``clock-behind`` and ``clock-unknown`` do not apply where the scheme shows without proof. Its gallery then goes by the
least time that can have passed: a unit that was off for three weeks shows what it held.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from gallery.core.clock import Clock
from gallery.core.holdings import Gallery, Key, Line
from gallery.core.ledger import Lease


class Why(StrEnum):
    """The rule that keeps an entry from being read."""

    SCHEME_LEFT = "scheme-left"
    WITHDRAWN = "withdrawn"
    OVER = "over"
    ELSEWHERE = "elsewhere"
    STARTING = "starting"
    CLOCK_BEHIND = "clock-behind"
    CLOCK_UNKNOWN = "clock-unknown"
    NO_CONTACT = "no-contact"
    OVER_UNPROVEN = "over-unproven"
    NOT_YET = "not-yet"
    UNOPENED = "unopened"
    ON_ITS_WAY = "on-its-way"


DESTROYS: Final = frozenset({Why.SCHEME_LEFT, Why.WITHDRAWN, Why.OVER})
"""Whose key must go."""
WHOLE: Final = frozenset({Why.SCHEME_LEFT, Why.STARTING, Why.CLOCK_BEHIND, Why.CLOCK_UNKNOWN, Why.NO_CONTACT})
"""Rules about a whole gallery: it is off."""


class Now(Struct, frozen=True):
    """What a decision rests on.

    Attributes:
        clock: the evidence of time.
        lease: since the last contact.
        is_charged: this boot's charge is on the disk.
        now_ms: monotonic.
    """

    clock: Clock
    lease: Lease
    is_charged: bool
    now_ms: int


_Rule = Callable[[Now, Gallery, Line], bool]


def _is_clock_behind(now: Now, gallery: Gallery, _line: Line) -> bool:
    return now.clock.is_behind and not now.clock.is_proven and not gallery.title.shows_without_proof


def _is_clock_unknown(now: Now, gallery: Gallery, _line: Line) -> bool:
    return not now.clock.is_proven and not gallery.title.shows_without_proof


def _is_lease_over(now: Now, gallery: Gallery, _line: Line) -> bool:
    return now.clock.floor_s(now.now_ms) >= now.lease.ends_s(gallery.scheme, gallery.title.lease_s)


def _is_withdrawn(_now: Now, gallery: Gallery, line: Line) -> bool:
    return gallery.lines.get(line.case) != line


RULES: Final[tuple[tuple[Why, _Rule], ...]] = (
    (Why.SCHEME_LEFT, lambda _now, gallery, _line: not gallery.title.is_allowed),
    (Why.WITHDRAWN, _is_withdrawn),
    (Why.OVER, lambda now, _gallery, line: now.clock.proven_s(now.now_ms) >= line.not_after_s),
    (Why.ELSEWHERE, lambda _now, gallery, line: line.case in gallery.elsewhere),
    (Why.STARTING, lambda now, _gallery, _line: not now.is_charged),
    (Why.CLOCK_BEHIND, _is_clock_behind),
    (Why.CLOCK_UNKNOWN, _is_clock_unknown),
    (Why.NO_CONTACT, _is_lease_over),
    (Why.OVER_UNPROVEN, lambda now, _gallery, line: now.clock.floor_s(now.now_ms) >= line.not_after_s),
    (Why.NOT_YET, lambda now, _gallery, line: now.clock.proven_s(now.now_ms) < line.not_before_s),
    (Why.UNOPENED, lambda _now, gallery, line: line.case in gallery.unopened),
    (Why.ON_ITS_WAY, lambda _now, gallery, line: line.key not in gallery.keys or line.key in gallery.dying),
)
_NOBODY: Final = Line(0, 0, 0, 0)


def why_not(now: Now, gallery: Gallery, line: Line) -> Why | None:
    """The rule that keeps an entry from being read; ``None`` = it may be read."""
    return next((why for why, applies in RULES if applies(now, gallery, line)), None)


def why_off(now: Now, gallery: Gallery) -> Why | None:
    """The rule for which a whole gallery is off; ``None`` = it is on."""
    return next((why for why, applies in RULES if why in WHOLE and applies(now, gallery, _NOBODY)), None)


def readable(now: Now, gallery: Gallery) -> frozenset[int]:
    """Cases that may be read."""
    if why_off(now, gallery) is not None:
        return frozenset()
    return frozenset(line.case for line in gallery.lines.values() if why_not(now, gallery, line) is None)


def doomed(now: Now, gallery: Gallery) -> frozenset[Key]:
    """Keys on the disk that must be destroyed."""
    return gallery.doomed(now.clock.proven_s(now.now_ms))
