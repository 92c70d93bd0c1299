"""Jobs in forked processes, some at a time: each has its parent's imports, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct

_POLL_S: Final = 0.02

_N = TypeVar("_N")

Report = Callable[[Any], None]
"""Called in the child with its report; only the last one counts."""


class Job(Struct, Generic[_N], frozen=True):
    """Work for a process of its own.

    Attributes:
        about: identifies the job to the parent.
        work: done in the child.
        limit_s: real time after which the child is killed, with all that it started.
    """

    about: _N
    work: Callable[[Report], None]
    limit_s: float


class Ending(Struct, frozen=True):
    """How a job ended.

    Attributes:
        word: the child's last report, in MessagePack; empty = none.
        is_out_of_time: it was killed at its limit, by its own timer, or by a crash.
        output: what it printed.
        seconds: real time.
    """

    word: bytes
    is_out_of_time: bool
    output: str
    seconds: float

    def said(self, kind: type[_N]) -> _N:
        """The last report, decoded.

        Raises:
            RuntimeError: there is none; the text says whether the child was killed, and what it printed.
        """
        if not self.word:
            why = (
                f"was killed after {self.seconds:.0f} s and had said nothing" if self.is_out_of_time else "said nothing"
            )
            raise RuntimeError(f"A process {why}. It printed:\n{self.output}")
        return msgspec.msgpack.decode(self.word, type=kind)


class _Running(Struct, Generic[_N]):
    job: Job[_N]
    began_s: float
    word: IO[bytes]
    output: IO[bytes]
    is_killed: bool = False


def play(jobs: Iterable[Job[_N]], workers: int) -> Iterator[tuple[_N, Ending]]:
    """Run all jobs, each drawn when a process is free for it; endings come as they happen."""
    waiting = iter(jobs)
    running: dict[int, _Running[_N]] = {}
    try:
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                begun = _Running(job, time.monotonic(), _scratch(), _scratch())
                running[_start(begun)] = begun
            if not running:
                return
            time.sleep(_POLL_S)
            for pid in list(running):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    yield running[pid].job.about, _ending(running.pop(pid), status)
                elif time.monotonic() > running[pid].began_s + running[pid].job.limit_s:
                    running[pid].is_killed = True
                    os.killpg(pid, signal.SIGKILL)
    finally:
        for pid in running:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _scratch() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _start(running: _Running[_N]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        with suppress(PermissionError):  # The child has done it already and started its work.
            os.setpgid(pid, pid)
        return pid
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for stream in (1, 2):
            os.dup2(running.output.fileno(), stream)
        running.job.work(lambda word: _say(running.word, word))
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not continue as a second parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _say(file: IO[bytes], word: object) -> None:
    file.seek(0)
    file.write(msgspec.msgpack.encode(word))
    file.truncate()
    file.flush()


def _ending(running: _Running[_N], status: int) -> Ending:
    is_out_of_time = running.is_killed or os.WIFSIGNALED(status)
    output = _read(running.output).decode(errors="replace")
    return Ending(_read(running.word), is_out_of_time, output, time.monotonic() - running.began_s)


def _read(file: IO[bytes]) -> bytes:
    with file:
        file.seek(0)
        return file.read()
