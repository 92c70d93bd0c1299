"""Which of a node's signed messages were said before or held back: a signature does not say when.

Each run of a node counts up its uptime; each sync has its own nonce. What is remembered is bounded and does not outlive
central's own run: a message recorded before that is accepted once more, and only once.

A health that was held back from everyone is new whenever it comes. But its run's start, as its uptime tells, is then
later than all health before said: so the last words of a dead unit, held back, cannot make it look alive.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from central.core.undo import Record
from wire.messages import Health, Sync

RUNS_MAX: Final = 64
NONCES_MAX: Final = 256
KEPT_BACK: Final = timedelta(seconds=30)
"""A health that was longer than this on its way is no sign of life; nodes send one every ten seconds."""
_DRIFT: Final = 2_000
"""Two clocks drift apart by less than a second in this many: a clock being put right is slewed by no more."""
_UPTIME_MS_MAX: Final = 100 * 365 * 86_400_000
"""A century."""


class Repeats(Record):
    """What one node has said."""

    # By run: its highest uptime, and its start as all of them tell it.
    _runs: tuple[tuple[str, int, datetime], ...] = ()
    _nonces: tuple[tuple[str, int], ...] = ()

    def is_health_new(self, health: Health, now_at: datetime) -> bool:
        """Whether this run says it now; true of any last will, signed in advance, and without an uptime."""
        if health.state == "lost" or not health.uptime_ms:
            return True
        # A count of milliseconds may be anything up to 2**53.
        uptime_ms = min(health.uptime_ms, _UPTIME_MS_MAX)
        started_at = now_at - timedelta(milliseconds=uptime_ms)
        runs = {boot_id: (before_ms, begun_at) for boot_id, before_ms, begun_at in self._runs}
        before_ms, begun_at = runs.pop(health.boot_id, (0, started_at))
        # It follows the drift from one health to the next, not over the unit's whole uptime.
        begun_at += timedelta(milliseconds=max(0, uptime_ms - before_ms)) / _DRIFT
        if uptime_ms <= before_ms or started_at - begun_at > KEPT_BACK:
            return False
        known = (health.boot_id, uptime_ms, min(started_at, begun_at))
        self._runs = (*((boot, *run) for boot, run in runs.items()), known)[-RUNS_MAX:]
        return True

    def shift(self, by: timedelta) -> None:
        """Central's clock was set: starts move with it."""
        self._runs = tuple((boot_id, uptime_ms, begun_at + by) for boot_id, uptime_ms, begun_at in self._runs)

    def is_sync_new(self, sync: Sync) -> bool:
        """Whether this part of this nonce's sync is new; always without a nonce."""
        if sync.nonce and (sync.nonce, sync.part) in self._nonces:
            return False
        self._nonces = (*self._nonces, (sync.nonce, sync.part))[-NONCES_MAX:]
        return True
