"""systemd's side of a program: ready, status, watchdog. Without systemd every call does nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import sdnotify

STATUS_CHARS_MAX: Final = 120


class Service:
    """Speaks sd_notify(3). Used from one thread: the loop whose progress the watchdog is to prove."""

    def __init__(self) -> None:
        # The library opens a socket even where nobody listens, and does not close it.
        self._notifier = sdnotify.SystemdNotifier() if os.environ.get("NOTIFY_SOCKET") else None
        self._interval_ms = _watchdog_interval_ms()
        self._due_ms = 0

    @property
    def watchdog_interval_ms(self) -> int | None:
        """How often to call :meth:`watchdog`, half of systemd's ``WatchdogSec``; ``None`` = never."""
        return self._interval_ms

    @property
    def runtime_dir(self) -> Path | None:
        """This program's own folder in memory, as ``RuntimeDirectory=`` says; ``None`` = it has none."""
        folders = os.environ.get("RUNTIME_DIRECTORY", "")
        return Path(folders.partition(":")[0]) if folders else None

    def ready(self) -> None:
        """The program is up and doing its work."""
        self._notify("READY=1")

    def stopping(self) -> None:
        """The program is ending."""
        self._notify("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        line = " ".join(text.split())[:STATUS_CHARS_MAX]
        self._notify(f"STATUS={line.encode('ascii', 'replace').decode()}")

    def watchdog(self) -> None:
        """Report progress to systemd. Call it whenever there is some: it sends only when due."""
        if self._interval_ms is None:
            return
        now_ms = time.monotonic_ns() // 1_000_000
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + self._interval_ms // 2
            self._notify("WATCHDOG=1")

    def _notify(self, state: str) -> None:
        if self._notifier:
            self._notifier.notify(state)


def _watchdog_interval_ms() -> int | None:
    # sd_watchdog_enabled(3): the interval applies to this process only if WATCHDOG_PID is unset or ours.
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return max(1, int(microseconds) // 2000)
