"""Late or live (N13): how central and every node judge the age of a press, all of them by this one rule.

A receiver has *scales*: each says what Unix time it is now, and any of them may be wrong. Central's scale, which never
steps within a run of central; the scales that it had before; and the receiver's own proven clock. Senders stamp their
frames on central's scale too, so that one wrong clock, central's included, is wrong for both and cancels.

A frame is late if

(a) some scale says that it is over 60 s old, and none says that its age is −5 … 60 s; or
(b) no scale can tell its age, and its counter is not above its sender's highest: it was said before; or
(c) its sender says so, by its own monotonic clock, in a signed sync sent before its frames at link-up.

Without evidence it is live. A sender's word never makes an old frame live: whoever delays the frame can delay the sync.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

LATE_AFTER_S: Final = 60
"""An alert that waited longer than this is late."""
AHEAD_S: Final = 5
"""A live frame may be this much ahead of a scale: of two nodes, each knows central's to 2.5 s."""
ANSWER_WITHIN_MS: Final = 5_000
"""A node learns central's scale only from an answer that came back so soon. It takes it for the middle of that time."""
SCALES_AGREE_MS: Final = 5_000
"""Scales further apart are a fault of a clock."""
SCALE_KEPT_MS: Final = 3 * 86_400_000
"""A scale that central has left is judged by for so long: what was pressed on it may still be on its way."""
SOUNDS_WITHIN_S: Final = 15 * 60
"""A late attack or assist that was younger than this when it arrived still sounds once."""


class Judgement(Struct, frozen=True):
    """Of one frame, at the moment it arrived.

    Attributes:
        is_late: never shown as live.
        age_s: whole seconds since the press; ``None`` = nobody can tell.
    """

    is_late: bool
    age_s: int | None


def judge(at_s: int, scales_s: Iterable[int], *, is_newest: bool, waited_s: int | None = None) -> Judgement:
    """Late or live.

    Args:
        at_s: the frame's own time, 0 = it bears none.
        scales_s: what each of the receiver's scales says that it is now, the most trusted first.
        is_newest: its counter is above all that were heard of its sender.
        waited_s: how old its sender's sync says that it is; ``None`` = the sync does not name it.
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
