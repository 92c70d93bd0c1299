"""How long a case may wait for the co-ordinator before it lapses (UK GDPR Art. 5(1)(e), 14(3)). Days of Europe/London.

Art. 14 gives a month to tell a person what is held of them, and the notice is what tells them: so what was decided is
issued within a month, or not at all. Nominations wait for meetings, which are monthly: after three without a decision
what is held is out of date.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from office.exclusions.rules.life import State


class Limit(Struct, frozen=True):
    """Of a state.

    Attributes:
        in_time: so long nothing is amiss.
        at_most: then it lapses.
    """

    in_time: timedelta
    at_most: timedelta


_NOMINATION: Final = Limit(timedelta(days=35), timedelta(days=84))
LIMITS: Final[Mapping[State, Limit]] = {
    "nominated": _NOMINATION,
    "checked": _NOMINATION,
    "decided": Limit(timedelta(days=14), timedelta(days=28)),
}
"""From the day of the decision; before it, from that of the nomination, however often it was voted on without a quorum.

A state that is not here has an end of its own, or is one.
"""


def last_day_to_act(state: State, since: date, source_ends_on: date | None) -> date | None:
    """The last day on which a case is brought on; after it, it lapses. ``None`` = it does not wait.

    Args:
        state: where it stands.
        since: the day from which :data:`LIMITS` counts.
        source_ends_on: the last day on which a regional source may be used; ``None`` = local.
    """
    if state not in LIMITS:
        return None
    last = since + LIMITS[state].at_most
    return last if source_ends_on is None else min(last, source_ends_on)


def is_overdue(state: State, since: date, today: date) -> bool:
    """Whether it waits for longer than it should."""
    return state in LIMITS and today > since + LIMITS[state].in_time
