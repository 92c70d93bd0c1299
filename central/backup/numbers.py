"""From which numbers a restored central goes on: above every number that any central of this town has used. Pure.

The copy does not know what was used since it was made, nor what a central used that was restored from the same copy
before: two lives that begin at one height use the same numbers, and units take new answers for old ones. So the height
is that of the clock, which is on every machine and differs at each restore.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from central.core.restored import COUNTERS_MAX
from central.counters import begin_by_clock

USED_HERE_MAX: Final = 16 * COUNTERS_MAX
"""Above all others: what a damaged database says beyond that is not believed, or it would use up all numbers."""


class Numbers(Struct, frozen=True):
    """The highest that were used.

    Attributes:
        counter: of central's frames, 0 … 2³²-1.
        entry: of its journal, which is the revision of incidents.
    """

    counter: int
    entry: int


NO_NUMBERS: Final = Numbers(0, 0)


def go_on_from(of_copy: Numbers, used_here: Numbers, at: datetime) -> Numbers:
    """Numbers above which the restored central goes on.

    Args:
        of_copy: as the backup has them.
        used_here: of the state that it takes the place of, on the same machine.
        at: when it is restored, aware.
    """
    by_clock = begin_by_clock(at)
    return Numbers(
        _above(of_copy.counter, used_here.counter, by_clock), _above(of_copy.entry, used_here.entry, by_clock)
    )


def _above(of_copy: int, used_here: int, by_clock: int) -> int:
    certain = max(of_copy + COUNTERS_MAX, by_clock)
    return max(certain, used_here) if used_here <= certain + USED_HERE_MAX else certain
