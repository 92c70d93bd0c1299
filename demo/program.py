"""One program of the town, as a process that can be started, killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

STOP_WITHIN_S: Final = 4.0
_LINE_BYTES_MAX: Final = 1_048_576
_CHUNK_BYTES: Final = 65_536
_LOG_TAIL_CHARS: Final = 800
_LOOK_S: Final = 0.005


class Life(StrEnum):
    """Whether it runs."""

    RUNNING = "running"
    STOPPED = "stopped"
    """It was asked to."""
    KILLED = "killed"
    """The demo killed it, with -9."""
    DIED = "died"
    """It stopped by itself: a fault."""


class ProgramFailedError(Exception):
    """It stopped unexpectedly; the message holds the end of its log."""


def is_frozen(pid: int) -> bool:
    """Whether every thread of a process has stopped.

    One of them takes SIGSTOP for all, and on a busy machine the others go on until it has had its turn.
    """
    try:
        stats = [(thread / "stat").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):  # A thread may end while it is looked at.
        return False
    return all(stat.rpartition(") ")[2].startswith("T") for stat in stats)


FactTaker = Callable[[Mapping[str, Any]], None]
ChildTeller = Callable[[str], None]
"""Gets ``+PID`` when a child begins and ``-PID`` when it is gone."""


class Program:
    """One program.

    Attributes:
        name: ``central``, ``broker``, or a node's id.
        log: file for its standard error; beside it another for its standard output.
        life: whether it runs.
        starts: how often it was started.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        temporary: Path,
        take_fact: FactTaker,
        tell_child: ChildTeller,
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.log = log
        self.life = Life.STOPPED
        self.starts = 0
        self._command = tuple(command)
        self._temporary = temporary
        self._take_fact = take_fact
        self._tell_child = tell_child
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running process."""
        return self._process.pid if self._process is not None and self.life is Life.RUNNING else None

    async def start(self) -> None:
        """Start it; returns at once. Nothing if it runs."""
        if self.life is Life.RUNNING:
            return
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "TMPDIR": str(self._temporary)},
                # Its own group: Ctrl-C at the terminal reaches only the demo, which stops all in order.
                start_new_session=True,
            )
        self._tell_child(f"+{self._process.pid}")
        self.starts += 1
        self.life = Life.RUNNING
        self._watching = asyncio.create_task(self._watch(self._process))
        self._on_change()

    async def kill(self) -> None:
        """SIGKILL, like a power cut. Returns when it is gone."""
        await self._end(signal.SIGKILL, Life.KILLED)

    async def stop(self) -> None:
        """Ask it to end, and make sure that it does."""
        await self._end(signal.SIGTERM, Life.STOPPED)

    async def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and does nothing. Returns when it has stopped."""
        self._signal(signal.SIGSTOP)
        while (pid := self.pid) is not None and not is_frozen(pid):  # noqa: ASYNC110 - nothing tells that it has stopped
            await asyncio.sleep(_LOOK_S)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def log_tail(self) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")[-_LOG_TAIL_CHARS:].strip()
        return ""

    def check(self) -> None:
        """Check that it has not stopped by itself.

        Raises:
            ProgramFailedError: it has stopped unexpectedly.
        """
        if self.life is Life.DIED:
            status = self._process.returncode if self._process is not None else None
            raise ProgramFailedError(f"{self.name} stopped unexpectedly with status {status}:\n{self.log_tail()}")

    async def _end(self, number: signal.Signals, life: Life) -> None:
        process, watching = self._process, self._watching
        if process is None or watching is None or self.life is not Life.RUNNING:
            return
        self.life = life
        if number is signal.SIGTERM:
            self.thaw()
        self._signal(number)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await asyncio.shield(watching)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await watching
        self._on_change()

    def _take_line(self, line: bytes) -> None:
        if len(line) > _LINE_BYTES_MAX:
            return  # not a fact
        with contextlib.suppress(json.JSONDecodeError, UnicodeDecodeError):
            fact = json.loads(line)
            if isinstance(fact, dict):
                self._take_fact(fact)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with self.log.with_suffix(".out").open("ab", buffering=0) as out:
            rest = b""
            while chunk := await process.stdout.read(_CHUNK_BYTES):
                out.write(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._take_line(line)
                rest = rest[: _LINE_BYTES_MAX + 1]
            self._take_line(rest)
        await process.wait()
        self._tell_child(f"-{process.pid}")
        if self.life is Life.RUNNING:
            self.life = Life.DIED
            self._on_change()
