"""The guard of the transmit key: a separate process that alone holds the line, started by ``ptt_guarded``.

It switches the line off when told to, when the over's time is up, when the program that started it ends or is killed
(its pipe ends), at any signal, and at any error; no over is ever longer than ``OVER_MS_MAX``. It needs nothing from the
program for this: even one that is stopped or spinning cannot keep the transmitter keyed (N10).

Lines of text. In: ``key NUMBER MILLISECONDS``, ``unkey NUMBER``. Out: ``ready`` once, with the line off;
``keyed NUMBER`` and ``off NUMBER``, when the line has moved; ``expired NUMBER`` when the time was up;
and last ``gone``, with the line off, or ``failed REASON``, with the line off as far as possible.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from node.core.air import OVER_MS_MAX
from node.hw.radio.ptt import PttError, PttLine, PttSettings
from node.hw.radio.ptt_lines import open_line

COMMAND_BYTES_MAX: Final = 256
_SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    # systemd's watchdog sends this to every process of the unit.
    signal.SIGABRT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


class Guard:
    """The guard's state: when the line must be off.

    Args:
        line: open, and off.
        now_ms: a clock that never jumps.
    """

    def __init__(self, line: PttLine, now_ms: Callable[[], int]) -> None:
        self._line = line
        self._now_ms = now_ms
        self._number = 0
        self._due_ms: int | None = None

    def left_s(self) -> float | None:
        """Until :meth:`expire` is due; ``None`` while the line is off."""
        return None if self._due_ms is None else max(0, self._due_ms - self._now_ms()) / 1000

    def obey(self, command: str) -> str:
        """Carry out one command; returns the answer.

        Raises:
            PttError: not a command, or the line did not move.
        """
        match command.split():
            case ["key", number, ms] if number.isdecimal() and ms.isdecimal():
                self._key(int(number), int(ms))
                return f"keyed {number}"
            case ["unkey", number] if number.isdecimal():
                self._off()
                return f"off {number}"
            case _:
                raise PttError(f"not a command: {command[:40]!r}")

    def expire(self) -> str:
        """Switch the line off if its time is up; returns what to report.

        Raises:
            PttError: the line did not move.
        """
        if self._due_ms is None or self._now_ms() < self._due_ms:
            return ""
        self._off()
        return f"expired {self._number}"

    def _key(self, number: int, ms: int) -> None:
        due_ms = self._now_ms() + min(ms, OVER_MS_MAX)
        # Requested again while on, an over gets no longer: otherwise a program gone mad could key for ever.
        self._due_ms = due_ms if self._due_ms is None else min(due_ms, self._due_ms)
        self._number = number
        self._line.set(is_on=True)

    def _off(self) -> None:
        self._line.set(is_on=False)
        self._due_ms = None


def serve(line: PttLine, commands: int, answers: int, stop: int, now_ms: Callable[[], int]) -> None:
    """Obey until there is a reason to end. The caller closes the line.

    Args:
        line: open, and off.
        commands: file descriptor to read from; its end is a reason.
        answers: file descriptor to write to.
        stop: anything readable here is a reason too.
        now_ms: a clock that never jumps.

    Raises:
        PttError: an unknown command, or the line did not move.
        OSError: nobody reads the answers.
    """
    guard = Guard(line, now_ms)
    pending = b""
    while True:
        readable, _, _ = select.select([commands, stop], [], [], guard.left_s())
        if stop in readable:
            return
        if expired := guard.expire():
            _say(answers, expired)
        if commands not in readable:
            continue
        data = os.read(commands, COMMAND_BYTES_MAX)
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for command in lines:
            _say(answers, guard.obey(command.decode("ascii", "replace")))
        if len(pending) > COMMAND_BYTES_MAX:
            raise PttError("a command without an end")


def main(settings: PttSettings, commands: int, answers: int) -> int:
    """Hold the line until there is a reason to end; returns the exit status (1: something failed)."""
    stop = _stop_at_signals()
    failures: list[str] = []
    try:
        line = open_line(settings)
    except OSError as e:
        failures.append(str(e))
    else:
        try:
            _say(answers, "ready")
            serve(line, commands, answers, stop, lambda: time.monotonic_ns() // 1_000_000)
        except OSError as e:
            failures.append(str(e))
        finally:
            failures += _let_go(line, settings)
    with suppress(OSError):
        for failure in failures:
            _say(answers, f"failed {failure}")
        if not failures:
            _say(answers, "gone")
    return 1 if failures else 0


def _let_go(line: PttLine, settings: PttSettings) -> list[str]:
    """Switch it off; if that fails, as after a brief unplugging, reopen it and try once more."""
    try:
        line.close()
    except OSError:
        try:
            open_line(settings).close()
        except OSError as e:
            return [str(e)]
    return []


def _stop_at_signals() -> int:
    """Let any signal end :func:`serve` in order; returns the descriptor that becomes readable then."""
    readable, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)
    return readable


def _say(answers: int, text: str) -> None:
    os.write(answers, f"{text}\n".encode("utf-8", "replace"))


if __name__ == "__main__":
    raise SystemExit(main(PttSettings(**json.loads(sys.argv[1])), sys.stdin.fileno(), sys.stdout.fileno()))
