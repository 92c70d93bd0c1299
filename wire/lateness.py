"""Late or live (N13): the one rule by which central and every node judge the age of a press.

A receiver has *scales*: each says what Unix time it is now, and any may be wrong. They are central's scale, which never
steps within a run of central; its earlier scales; and the receiver's own proven clock. Senders stamp their frames on
central's scale too, so that one wrong clock, even central's, is wrong for both and cancels.

A frame is late if

(a) some scale says that it is over 60 s old, and none says that its age is −5 … 60 s; or
(b) neither a scale nor its sender's sync tells its age, and its counter is not above its sender's highest; or
(c) its sender says so, by its own monotonic clock, in a signed sync sent before its frames at link-up.

Without evidence it is live. A sync never makes live what a scale calls old: a broker that delays the frame can delay
the sync too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

LATE_AFTER_S: Final = 60
"""An alert that waited longer than this is late."""
AHEAD_S: Final = 5
"""A live frame may be this much ahead of a scale: two nodes each know central's to 2.5 s."""
ANSWER_WITHIN_MS: Final = 5_000
"""A node learns central's scale only from an answer within this time, and takes the middle of the interval."""
SCALES_AGREE_MS: Final = 5_000
"""Scales further apart mean that a clock is wrong."""
SCALE_KEPT_MS: Final = 3 * 86_400_000
"""How long an earlier scale of central's still counts: presses stamped on it may be on their way."""
SOUNDS_WITHIN_S: Final = 15 * 60
"""A late attack or assist that was younger than this when it arrived still sounds once."""


class Judgement(Struct, frozen=True):
    """Of one frame, on arrival.

    Attributes:
        is_late: never shown as live.
        age_s: whole seconds since the press; ``None`` = unknown.
    """

    is_late: bool
    age_s: int | None


def judge(at_s: int, scales_s: Iterable[int], *, is_newest: bool, waited_s: int | None = None) -> Judgement:
    """Late or live.

    Args:
        at_s: the frame's own time; 0 = none.
        scales_s: the time now on each of the receiver's scales, most trusted first.
        is_newest: its counter is above all others heard from its sender.
        waited_s: its age by its sender's sync; ``None`` = the sync does not name it.
    """
    ages_s = [now_s - at_s for now_s in scales_s] if at_s else []
    if waited_s is not None and waited_s > LATE_AFTER_S:
        return Judgement(is_late=True, age_s=waited_s)
    live_s = next((age_s for age_s in ages_s if -AHEAD_S <= age_s <= LATE_AFTER_S), None)
    if live_s is not None:
        return Judgement(is_late=False, age_s=max(0, live_s))
    old_s = [age_s for age_s in ages_s if age_s > LATE_AFTER_S]
    if old_s:
        return Judgement(is_late=True, age_s=min(old_s))
    return Judgement(is_late=waited_s is None and not is_newest, age_s=waited_s)
