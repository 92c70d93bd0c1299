"""Clocks that differ (N13): nothing is late or live because of it (:mod:`wire.lateness`), but times shown are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from central.core.nodes import NodeRecord
from central.core.undo import Record
from wire.lateness import SCALES_AGREE_MS

AGREE: Final = timedelta(milliseconds=SCALES_AGREE_MS)
WITNESSES_MIN: Final = 3
"""At least this many premises, and most of those with a proven clock, must agree that central's is wrong."""
_TWO_MINUTES_S: Final = 120
_TWO_HOURS_S: Final = 7_200


class Clocks(Record):
    """Faults of central's own clock, by this machine's clock and the premises'."""

    _wall_ahead: timedelta = timedelta()

    def take_wall(self, ahead: timedelta) -> None:
        """Note how far this machine's clock has been set forward since central began; negative = back."""
        self._wall_ahead = ahead

    def fault(self, records: Iterable[NodeRecord]) -> str:
        """The fault and what to do, as the page says it; empty = none."""
        if abs(self._wall_ahead) > AGREE:
            way = "forward" if self._wall_ahead > timedelta() else "back"
            return (
                f"This machine's clock was set {way} by {spoken(self._wall_ahead)} while central ran."
                " Central keeps its old time, so no alert is marked late because of this,"
                " and times on this page follow that old time."
                " Check NTP, then restart central when no alert is open."
            )
        gaps = sorted(r.clock_gap for r in records if r.clock_gap is not None and r.is_on_network)
        middle = gaps[len(gaps) // 2] if gaps else timedelta()
        witnesses = sum(abs(gap - middle) <= AGREE for gap in gaps)
        if abs(middle) <= AGREE or witnesses < WITNESSES_MIN or 2 * witnesses <= len(gaps):
            return ""
        way = "behind" if middle > timedelta() else "ahead of"
        return (
            f"Central's clock is {spoken(middle)} {way} the clocks of most premises."
            " No alert is marked late because of this, but times on this page are wrong."
            " Check NTP on this machine, then restart central when no alert is open."
        )


def spoken(span: timedelta) -> str:
    """Without its sign: ``70 s``, ``30 min``, ``5 h``."""
    seconds = int(abs(span).total_seconds())
    if seconds < _TWO_MINUTES_S:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < _TWO_HOURS_S else f"{seconds // 3_600} h"
