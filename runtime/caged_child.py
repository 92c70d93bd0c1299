"""A child process of our own that reads what may be hostile: started bare, given bytes, and kept to its time.

It may have been taken over by what it read. So whoever asks it reads a line up to a size, then as many bytes as it
expects, and believes neither. The child's side of the bars is :mod:`runtime.cage`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import time
from typing import Final

_LINE_PIECE: Final = 4_096


class ChildEndedError(Exception):
    """It ended, or said what no child of ours says."""


class CagedChild:
    """``python -m MODULE MODE``, without our environment, files and folder."""

    def __init__(self, module: str, mode: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-B", "-m", module, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self._until_s = 0.0
        self._rest = bytearray()

    def give(self, data: bytes, within_s: float) -> None:
        """Write all of it. From now on the child has this long for everything.

        Raises:
            TimeoutError: it has not read it in time.
            ChildEndedError: it never will.
        """
        self._until_s = time.monotonic() + within_s
        self._rest.clear()
        left = memoryview(data)
        while left:
            self._wait(self._to, selectors.EVENT_WRITE)
            try:
                left = left[os.write(self._to, left) :]
            except BlockingIOError:
                continue
            except OSError as e:
                raise ChildEndedError from e

    def line(self, bytes_max: int) -> bytes:
        """The next line that it says, without its end.

        Raises:
            TimeoutError: it has not said it in time.
            ChildEndedError: it never will, or the line is longer.
        """
        while b"\n" not in self._rest:
            if len(self._rest) > bytes_max:
                raise ChildEndedError
            self._rest += self._read(_LINE_PIECE)
        line, _, self._rest = self._rest.partition(b"\n")
        return bytes(line)

    def data(self, count: int) -> bytes:
        """The next bytes; raises as :meth:`line`."""
        while len(self._rest) < count:
            self._rest += self._read(count - len(self._rest))
        found = bytes(self._rest[:count])
        del self._rest[:count]
        return found

    def ended_by(self) -> int:
        """The signal that ended it; 0 = none."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return max(-self._process.wait(timeout=1), 0)
        return 0

    def close(self) -> None:
        """Kill it, if it still runs."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _read(self, most: int) -> bytes:
        self._wait(self._from, selectors.EVENT_READ)
        piece = os.read(self._from, most)
        if not piece:
            raise ChildEndedError
        return piece

    def _wait(self, descriptor: int, event: int) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(descriptor, event)
            left_s = self._until_s - time.monotonic()
            if left_s <= 0 or not waiting.select(left_s):
                raise TimeoutError
