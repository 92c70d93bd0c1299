"""Named times and bounds of central's rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

CLOSED_SHOWN: Final = timedelta(hours=1)
"""Closed incidents stay on the page this long."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take, last and may differ."""

    late_after: timedelta = timedelta(seconds=60)
    """An alert that waited longer than this at its node is late, never live (N13)."""
    ahead_after: timedelta = timedelta(minutes=2)
    """A frame from further in the future than this has a wrong clock."""
    silent_after: timedelta = timedelta(seconds=30)
    status_every: timedelta = timedelta(seconds=10)
    status_valid: timedelta = timedelta(seconds=30)
    incident_valid: timedelta = timedelta(hours=24)
    undo_within: timedelta = timedelta(seconds=10)
    watch_ends_after: timedelta = timedelta(minutes=30)
    """Without a sign of life. A page that is on watch gives one every five minutes."""
    closed_shown: timedelta = CLOSED_SHOWN
    closed_kept: timedelta = timedelta(days=1)
    """In memory, for the answers to syncs."""
    clock_step: timedelta = timedelta(seconds=10)
    """Two ticks further apart than this: the clock was set, or the machine stood still."""
    directory_resend: timedelta = timedelta(seconds=30)
    """To one node, however often it says that it has an older one."""
    directory_bytes_per_tick: int = 8_000_000
    sync_answer_every: timedelta = timedelta(seconds=1)
    """To one node."""
    keep_nodes_every: timedelta = timedelta(minutes=5)
    probe_every: timedelta = timedelta(seconds=5)
    restarts_within: timedelta = timedelta(hours=1)
