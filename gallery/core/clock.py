"""Evidence of time: what has certainly passed, and whether that is now.

One count, the **floor**, holds the latest moment that is known to have come, and runs on by the machine's monotonic
clock. It answers "is it over?". **Evidence** says whether the floor is also *now*, and not merely the least that it can
be:

================================  ======================================  ===============================
told by                           the floor                               is it now?
================================  ======================================  ===============================
the office, over TLS              is set to it, back as well              yes, until the machine boots
central, by the node's socket     is set to it, not before what office    yes, but the office knows better
                                  or central proved
a battery clock, not behind       is raised to it                         yes, until it is behind
a battery clock, behind           stays                                   no
a frame heard on the radio        is raised to it                         it proves no more: a recording
                                                                          can be played
the office, an answer held back   is raised to it                         it proves no more
nothing, after a boot             stays, and runs on                      no
================================  ======================================  ===============================

A second count, **proven**, was raised by office and central alone. Only what is over by this one is destroyed: a
battery clock that jumps ahead hides, and the office's next word brings back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

LAG_S: Final = 300
"""A battery clock may be this far behind, and two servers this far apart: less is drift, and is not followed back."""
ANSWER_WITHIN_MS: Final = 60_000
"""What was asked earlier than this proves no time: somebody may have held the answer back."""


class Evidence(StrEnum):
    """Who vouches that the floor is now."""

    NONE = "none"
    BATTERY = "battery"
    CENTRAL = "central"
    OFFICE = "office"


SIGNED: Final = frozenset({Evidence.CENTRAL, Evidence.OFFICE})


class Clock(Struct, frozen=True):
    """What is known of the time. Good for one boot of the machine.

    Attributes:
        floor_offset_ms: the floor's Unix milliseconds less monotonic milliseconds.
        proven_offset_ms: the same of what office and central proved; never above the floor's.
        evidence: whether the floor is now, and who says so.
        is_behind: a battery clock was read that was behind the floor: it was set back, or its battery is flat.
    """

    floor_offset_ms: int
    proven_offset_ms: int
    evidence: Evidence = Evidence.NONE
    is_behind: bool = False

    @property
    def is_proven(self) -> bool:
        """Whether the floor is now."""
        return self.evidence is not Evidence.NONE

    def floor_s(self, now_ms: int) -> int:
        """Unix seconds that have certainly come; if :attr:`is_proven`, the time."""
        return (self.floor_offset_ms + now_ms) // 1000

    def proven_s(self, now_ms: int) -> int:
        """Unix seconds that have come by the word of office or central."""
        return (self.proven_offset_ms + now_ms) // 1000

    def told_by_office(self, at_s: int, now_ms: int) -> Clock:
        """The office's own time: it made the days, so it may turn a wrong clock back."""
        offset_ms = self._not_back(at_s * 1000 - now_ms)
        return Clock(offset_ms, offset_ms, Evidence.OFFICE)

    def told_by_central(self, at_s: int, now_ms: int) -> Clock:
        """Central's time, fresh. It turns back what nobody signed, never what office or central proved."""
        if self.evidence is Evidence.OFFICE:
            return self
        offset_ms = at_s * 1000 - now_ms
        if offset_ms < self.proven_offset_ms - LAG_S * 1000:
            return self
        offset_ms = self._not_back(offset_ms)
        return Clock(offset_ms, offset_ms, Evidence.CENTRAL)

    def read_battery(self, at_s: int, now_ms: int) -> Clock:
        """The battery clock's time. It counts where nobody has signed any since the boot."""
        if self.evidence in SIGNED:
            return self
        offset_ms = at_s * 1000 - now_ms
        if offset_ms < self.floor_offset_ms - LAG_S * 1000:
            return replace(self, evidence=Evidence.NONE, is_behind=True)
        offset_ms = max(offset_ms, self.floor_offset_ms)
        return replace(self, floor_offset_ms=offset_ms, evidence=Evidence.BATTERY, is_behind=False)

    def heard(self, at_s: int, now_ms: int) -> Clock:
        """A verified frame bears this time: it has come, whenever that was."""
        offset_ms = at_s * 1000 - now_ms
        if self.evidence in SIGNED or offset_ms <= self.floor_offset_ms:
            return self
        is_behind = self.evidence is Evidence.BATTERY and offset_ms > self.floor_offset_ms + LAG_S * 1000
        evidence = Evidence.NONE if is_behind else self.evidence
        return replace(self, floor_offset_ms=offset_ms, evidence=evidence, is_behind=self.is_behind or is_behind)

    def told_late(self, at_s: int, now_ms: int) -> Clock:
        """The office's time in an answer that somebody may have held back: it has come, but it need not be now."""
        heard = self.heard(at_s, now_ms)
        proven_ms = min(heard.floor_offset_ms, max(heard.proven_offset_ms, at_s * 1000 - now_ms))
        return replace(heard, proven_offset_ms=proven_ms)

    def _not_back(self, offset_ms: int) -> int:
        """A step back that is no more than drift is not taken, so that nothing flickers at the end of its day."""
        held_ms = self.floor_offset_ms if self.evidence in SIGNED else self.proven_offset_ms
        return held_ms if held_ms - LAG_S * 1000 <= offset_ms < held_ms else offset_ms
