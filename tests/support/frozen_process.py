"""Freezes a process for a test: it stays there, connected, and does nothing."""

from __future__ import annotations

import os
import signal

from demo.program import is_frozen
from tests.support.fleet_broker import wait_until


def freeze(pid: int) -> None:
    """SIGSTOP; returns when it has stopped."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: is_frozen(pid), f"process {pid} had stopped")
