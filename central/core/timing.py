"""Named times and bounds of central's rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec import Struct

CLOSED_SHOWN: Final = timedelta(hours=1)
"""Closed incidents stay on the page this long."""


class Timing(Struct, frozen=True):
    """How long things take, last and may differ."""

    late_after: timedelta = timedelta(seconds=60)
    """An alert that waited longer than this at its node is late, never live (N13)."""
    ahead_after: timedelta = timedelta(minutes=2)
    """A frame from further in the future than this comes from a wrong clock."""
    no_contact_after: timedelta = timedelta(seconds=30)
    status_every: timedelta = timedelta(seconds=10)
    status_valid: timedelta = timedelta(seconds=30)
    incident_valid: timedelta = timedelta(hours=24)
    undo_within: timedelta = timedelta(seconds=10)
    page_counts_for: timedelta = timedelta(seconds=90)
    """After its last sign of life a page counts as shut: nobody is asked by it. The page of someone on duty gives one
    every half minute, also from the background."""
    duty_ends_after: timedelta = timedelta(minutes=30)
    """Without a sign of life; for whoever went on duty by a phone, without being reached there either."""
    closed_shown: timedelta = CLOSED_SHOWN
    closed_kept: timedelta = timedelta(days=1)
    """In memory, for answers to syncs."""
    clock_step: timedelta = timedelta(seconds=10)
    """If two ticks are further apart than this, the clock was set or the machine stood still."""
    directory_resend: timedelta = timedelta(seconds=30)
    """Between two to one node, however old it says its own is."""
    directory_bytes_per_tick: int = 8_000_000
    sync_answer_every: timedelta = timedelta(seconds=1)
    """Between two to one node."""
    path_test_overdue: timedelta = timedelta(hours=26)
    """Nodes test their radio about every six hours; four lost in a row are no accident (N11)."""
    path_test_first: timedelta = timedelta(minutes=30)
    """For the first test, from when the radio could have had it."""
    weekly_test_overdue: timedelta = timedelta(days=8)
    """Staff press *test* once a week (N12); one day over may be a holiday."""
    air_repeat_first: timedelta = timedelta(seconds=2)
    """Least time before a frame that comes again is answered over the air again; it doubles each time."""
    air_repeat_longest: timedelta = timedelta(minutes=15)
    air_batch: timedelta = timedelta(minutes=1)
    """Receipts asked for within this time travel again in any frame that still has room."""
    air_again_after: timedelta = timedelta(seconds=6)
    """An acknowledgement over the air is said again after this: nothing says that it arrived."""
    test_closes_after: timedelta = timedelta(minutes=2)
    """An automatically acknowledged test is closed after this."""
    keep_nodes_every: timedelta = timedelta(minutes=5)
    probe_every: timedelta = timedelta(seconds=5)
    restarts_within: timedelta = timedelta(hours=1)
