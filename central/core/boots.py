"""The runs of a node's program, by their boot ids: restarts, and two cards with one identity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

Boots = Sequence[tuple[str, datetime]]
"""Boot ids as heard, each with its time; the same one again only after another."""
DUPLICATE_WITHIN: Final = timedelta(minutes=10)
RETURNS: Final = 2
"""An ended run does not come back; once may be a late message."""
DUPLICATE: Final = "DUPLICATE IDENTITY: two units use this card or a copy; switch one off, then make it anew (runbook)"


def restarts(boots: Boots, now_at: datetime, within: timedelta) -> int:
    """Runs heard of in the last ``within``, minus one."""
    return max(0, len({boot_id for boot_id, at in boots if at > now_at - within}) - 1)


def is_duplicate(boots: Boots, now_at: datetime) -> bool:
    """Whether runs alternate, so two programs have one identity."""
    if len(boots) < RETURNS + 2:
        return False  # A quick way out: thousands of nodes are checked each second.
    recent = [boot_id for boot_id, at in boots if at > now_at - DUPLICATE_WITHIN]
    return len(recent) - len(set(recent)) >= RETURNS
