"""The node's access to the transmit key: through the guard, which it keeps alive (N10)."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from node.hw.errors import one_line
from node.hw.radio.ptt import PttError, PttSettings
from node.hw.radio.ptt_lines import put_off

ANSWER_S: Final = 1.0
"""A guard that takes longer hangs: it is killed, and a new one switches the line off."""
START_S: Final = 8.0
"""From start to ``ready``: a second on a Pi Zero 2, more under load."""
RETRY_FIRST_S: Final = 0.05
RETRY_MAX_S: Final = 10.0
"""A guard that lived this long does not count as another failure in a row."""

_LET_GO_PAUSE_S: Final = 2.0
"""After a guard that ended in order, as at a signal: the unit, and this program, are being stopped."""

_ENVIRONMENT: Final = ("PATH", "LANG", "RUNTIME_DIRECTORY", "LG_WD", "TMPDIR", "PYTHONDONTWRITEBYTECODE")
"""Our environment variables that the guard inherits."""
_READ_BYTES: Final = 4096
_PACKAGES: Final = Path(__file__).absolute().parents[3]
_log: Final = logging.getLogger(__name__)


def guard_command(settings: PttSettings) -> list[str]:
    """The arguments that start a guard; no shell is involved."""
    told = json.dumps(settings._asdict())
    # Neither the user's own packages nor the working directory influence what runs.
    return [sys.executable, "-s", "-P", "-m", "node.hw.radio.ptt_guard", told]


class GuardedPtt:
    """A line guarded by a separate process; starts at once, with the line off. A ``PttPort``.

    Its thread starts the guard, and restarts it, with growing pauses, whenever it ends. A guard first switches the
    line off, so the next one makes good for one that died mid-over.

    Args:
        settings: which line.
        command: makes the guard's arguments.
        answer_s: see ``ANSWER_S``.
        start_s: see ``START_S``.
    """

    def __init__(
        self,
        settings: PttSettings,
        *,
        command: Callable[[PttSettings], Sequence[str]] = guard_command,
        answer_s: float = ANSWER_S,
        start_s: float = START_S,
    ) -> None:
        self._settings = settings
        self._command = command
        self._answer_s = answer_s
        self._start_s = start_s
        self._asking = threading.Lock()
        # All below is changed under this one's lock.
        self._changed = threading.Condition()
        self._guard: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._was_ready = False
        self._is_wanted = False
        self._is_closing = False
        self._has_let_go = False
        self._failed_starts = 0
        self._problem = ""
        self._number = 0
        self._answer = ""
        self._thread = threading.Thread(target=self._keep, name="ptt-guard", daemon=True)
        self._thread.start()

    @property
    def guard_pid(self) -> int | None:
        """Process id of the ready guard."""
        with self._changed:
            return self._guard.pid if self._guard is not None and self._is_ready else None

    def key(self, max_ms: int) -> None:
        """Transmit, for at most ``max_ms``. Returns when the guard has confirmed that the line moved.

        Raises:
            PttError: it did not, or there is no guard; the line is off or being switched off.
        """
        with self._asking:
            self._wait_ready()
            self._ask("key", "keyed", f" {max(0, max_ms)}")

    def unkey(self) -> None:
        """Stop transmitting. May be called when it is off, to test the line.

        Raises:
            PttError: neither this guard nor a new one nor this program could switch it off.
        """
        with self._asking:
            with suppress(PttError):
                self._wait_ready()
                self._ask("unkey", "off")
                return
            with suppress(PttError):
                # A new one is ready only after it has switched the line off.
                self._wait_ready()
                return
            put_off(self._settings)

    def close(self) -> None:
        """Unkey, and end the guard."""
        with self._asking:
            with self._changed:
                if self._is_closing:
                    return
                self._is_closing = True
                guard = self._guard
                self._changed.notify_all()
            if guard is not None and guard.stdin is not None:
                # To the guard, the end of this pipe means the end of this program.
                with suppress(OSError):
                    guard.stdin.close()
                self._thread.join(self._answer_s)
                if self._thread.is_alive():
                    guard.kill()
            self._thread.join(self._answer_s)
            if not self._has_let_go:
                # That the line is broken was reported when it was needed.
                with suppress(PttError):
                    put_off(self._settings)

    def _wait_ready(self) -> None:
        """Wait for a guard that holds the line, cutting short any pause before the next attempt."""
        with self._changed:
            failed_starts = self._failed_starts
            self._is_wanted = not self._is_ready
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._is_ready or self._is_closing or self._failed_starts > failed_starts,
                timeout=self._start_s,
            )
            if self._is_closing:
                raise PttError("the transmit key is closed")
            if not self._is_ready:
                raise PttError(self._problem or "the transmit key's guard does not start")

    def _ask(self, verb: str, confirmation: str, words: str = "") -> None:
        with self._changed:
            guard = self._guard
            if guard is None or guard.stdin is None or not self._is_ready:
                raise PttError(self._problem or "the transmit key's guard has ended")
            self._number += 1
            wanted = f"{confirmation} {self._number}"
            with suppress(OSError):  # a guard that has just ended: seen below
                guard.stdin.write(f"{verb} {self._number}{words}\n".encode())
            self._changed.wait_for(
                lambda: self._answer == wanted or self._guard is not guard or not self._is_ready,
                timeout=self._answer_s,
            )
            if self._answer == wanted:
                return
            if self._guard is not guard or not self._is_ready:
                raise PttError(self._problem or "the transmit key's guard has ended")
            # This one is no longer believed. The thread sees it end; the next one switches the line off.
            self._is_ready = False
            guard.kill()
            raise PttError("the transmit key's guard does not answer")

    def _keep(self) -> None:
        """Run one guard after another, in the thread."""
        pause_s = RETRY_FIRST_S
        told = ""
        while True:
            started_s = time.monotonic()
            self._run_guard()
            if time.monotonic() - started_s >= RETRY_MAX_S:
                pause_s, told = RETRY_FIRST_S, ""
            with self._changed:
                problem = self._problem or "it ended"
                if problem != told and not self._is_closing:
                    _log.warning("the transmit key's guard starts anew: %s", problem)
                    told = problem
                self._changed.wait_for(
                    lambda: self._is_closing or self._is_wanted,
                    timeout=max(pause_s, _LET_GO_PAUSE_S) if self._has_let_go else pause_s,
                )
                self._is_wanted = False
                if self._is_closing:
                    return
            pause_s = min(2 * pause_s, RETRY_MAX_S)

    def _run_guard(self) -> None:
        """Start a guard, process its messages, and clean up after it."""
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        with self._changed:
            if self._is_closing:
                return
            try:
                guard = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    self._command(self._settings),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    bufsize=0,
                    env={**environment, "PYTHONPATH": str(_PACKAGES)},
                    cwd="/",
                    # A terminal's Ctrl-C goes to the node, which then ends the guard.
                    start_new_session=True,
                )
            except Exception as e:  # noqa: BLE001 - whatever it is: without this thread nobody would guard the line
                self._problem = one_line(f"the transmit key's guard cannot be started: {e}")
                self._failed_starts += 1
                self._changed.notify_all()
                return
            self._guard = guard
            self._has_let_go = False
        for line in self._said(guard):
            self._hear(line)
            if line.startswith("failed "):
                break
        guard.kill()
        guard.wait()
        with self._changed:
            self._failed_starts += not self._was_ready
            self._guard = None
            self._is_ready = self._was_ready = False
            self._changed.notify_all()
        for pipe in (guard.stdin, guard.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _said(self, guard: subprocess.Popen[bytes]) -> Iterator[str]:
        """The guard's lines, until it ends or is too slow to start."""
        assert guard.stdout is not None
        begin_by_s = time.monotonic() + self._start_s
        pending = b""
        while True:
            left_s = None if self._was_ready else max(0.0, begin_by_s - time.monotonic())
            if not select.select([guard.stdout], [], [], left_s)[0]:
                self._hear("failed the transmit key's guard does not begin")
                return
            data = os.read(guard.stdout.fileno(), _READ_BYTES)
            if not data:
                return
            *lines, pending = (pending + data)[-_READ_BYTES:].split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)

    def _hear(self, line: str) -> None:
        with self._changed:
            word, _, rest = line.partition(" ")
            if word == "ready":
                self._is_ready = self._was_ready = True
                self._is_wanted = False
                self._problem = ""
            elif word == "failed":
                self._is_ready = False
                self._problem = one_line(rest)
            elif word == "gone":
                self._is_ready = False
                self._has_let_go = True
            elif word == "expired":
                _log.warning("the transmit key was let go by its guard: the over's time was up")
            else:
                self._answer = line
            self._changed.notify_all()
