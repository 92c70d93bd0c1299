"""Central's time: the wall clock at the program's start, carried on by a clock that nobody sets (N13).

Nodes stamp presses with it and judge by it, so it must not step while central runs. ``CLOCK_BOOTTIME`` goes on while
the machine sleeps, and NTP steers its rate like the wall clock's. A change to the wall clock counts from the next
start.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_NS_PER_US: Final = 1_000


def _boottime_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class CentralClock:
    """One for the whole program."""

    def __init__(self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = _boottime_ns) -> None:
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._offset_ns = wall_ns() - steady_ns()

    @property
    def offset(self) -> timedelta:
        """Central's time minus the machine's steady clock."""
        return _span(self._offset_ns)

    def now(self) -> datetime:
        """Central's time, aware UTC."""
        return datetime(1970, 1, 1, tzinfo=UTC) + _span(self._offset_ns + self._steady_ns())

    def readings(self) -> tuple[datetime, datetime]:
        """Central's time and the wall clock's, either of which may be the right one."""
        return self.now(), self.now() + self.wall_ahead()

    def wall_ahead(self) -> timedelta:
        """How far the wall clock has been set forward since the start; negative = back."""
        return _span(self._wall_ns() - self._steady_ns() - self._offset_ns)


def machine_boot() -> str:
    """Id of the boot from which the steady clock counts; a new one if unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"unknown-{os.urandom(8).hex()}"


def _span(ns: int) -> timedelta:
    return timedelta(microseconds=ns // _NS_PER_US)
