"""Starts the caged child, gives it jobs and keeps it to its time. What the pages need of photographs without Pillow.

A photograph that somebody hands in is read by a child of its own, which ends with it. Pictures that we have made
ourselves are marked for their readers by one child that stays as long as it is needed.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from office.people.intake_terms import (
    ANSWER_BYTES_MAX,
    BUSY,
    EMPTY,
    FILE_BYTES_MAX,
    HEAD_BYTES_MAX,
    SENTENCES,
    TEXT_CHARS_MAX,
    TOO_SLOW,
    Answer,
    Box,
    Job,
    too_many_bytes,
)

DEADLINE_S: Final = 10.0
"""Of one photograph: the child's own second and a half of processor, on a machine that is busy."""
MARK_DEADLINE_S: Final = 5.0
AT_ONCE: Final = 2
"""Photographs read at a time: 120 MB each at most."""
WAITING: Final = 2
"""Others that may wait for their turn; more are asked to come again, so that the pages' workers stay free."""
WAITS_S: Final = 15.0
_slots = threading.BoundedSemaphore(AT_ONCE)
_places = threading.BoundedSemaphore(AT_ONCE + WAITING)


class PhotographRefusedError(Exception):
    """Nothing can be made of what was handed in; the message is a sentence that says what to do."""


class NotMarkedError(Exception):
    """The picture cannot be shown now: no watermark could be made."""


class Picture(Struct, frozen=True):
    """A JPEG that the child has made."""

    width: int
    height: int
    data: bytes


def read_photograph(data: bytes) -> Picture:
    """The whole picture in a file that somebody handed in: upright, without metadata, at most 4 megapixels.

    Raises:
        PhotographRefusedError: it is empty, too large, no photograph, or took too long.
    """
    if not data:
        raise PhotographRefusedError(EMPTY)
    if len(data) > FILE_BYTES_MAX:
        raise PhotographRefusedError(too_many_bytes(len(data)))
    return _once(Job("take", len(data)), data)[0]


def cut_face(whole: bytes, box: Box) -> tuple[Picture, Picture]:
    """Portrait and small picture of the part of a whole picture that ``box`` names.

    Raises:
        PhotographRefusedError: the box does not lie in the picture, or it took too long.
    """
    portrait, small = _once(Job("crop", len(whole), box=box), whole)
    return portrait, small


def _once(job: Job, data: bytes) -> tuple[Picture, ...]:
    with _turn(), contextlib.closing(_Child("once")) as child:
        try:
            return child.do(job, data, DEADLINE_S)
        except TimeoutError as e:
            raise PhotographRefusedError(TOO_SLOW) from e
        except _ChildEndedError as e:
            was_slow = child.ended_by() in {signal.SIGPROF, signal.SIGKILL}
            raise PhotographRefusedError(TOO_SLOW if was_slow else SENTENCES["unreadable"]) from e


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise PhotographRefusedError(BUSY)
    try:
        if not _slots.acquire(timeout=WAITS_S):
            raise PhotographRefusedError(BUSY)
        try:
            yield
        finally:
            _slots.release()
    finally:
        _places.release()


class Marker:
    """Burns readers' words into pictures of ours, by a child that it starts when needed. For all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def mark(self, jpeg: bytes, text: str) -> bytes:
        """The JPEG with ``text`` all over it.

        Raises:
            NotMarkedError: the child did not do it.
        """
        job = Job("mark", len(jpeg), text=text[:TEXT_CHARS_MAX])
        with self._lock:
            had_one = self._child is not None
            try:
                return self._do(job, jpeg)
            except _ChildEndedError:
                if not had_one:
                    raise NotMarkedError from None
            # It had nothing to do and ended: another one.
            try:
                return self._do(job, jpeg)
            except _ChildEndedError as e:
                raise NotMarkedError from e

    def close(self) -> None:
        """End the child; the next picture starts another."""
        with self._lock:
            self._drop()

    def _do(self, job: Job, jpeg: bytes) -> bytes:
        if self._child is None:
            self._child = _Child("serve")
        try:
            return self._child.do(job, jpeg, MARK_DEADLINE_S)[0].data
        except (TimeoutError, PhotographRefusedError) as e:
            self._drop()
            raise NotMarkedError from e
        except _ChildEndedError:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


marker: Final = Marker()
"""The pages' one."""
atexit.register(marker.close)


class _ChildEndedError(Exception):
    """It ended, or said what no child of ours says."""


class _Child:
    """``python -m office.people.intake``, without our environment, files and folder."""

    def __init__(self, mode: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-B", "-m", "office.people.intake", mode],
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

    def do(self, job: Job, data: bytes, within_s: float) -> tuple[Picture, ...]:
        """The pictures that the job asks for.

        Raises:
            PhotographRefusedError: the child says why not.
            TimeoutError: it has not answered in time.
            _ChildEndedError: it never will.
        """
        self._until_s = time.monotonic() + within_s
        # What it answers before it has read everything waits in the pipe.
        self._write(msgspec.json.encode(job) + b"\n" + data)
        head, rest = self._read_head()
        try:
            said = msgspec.json.decode(head, type=Answer)
        except msgspec.MsgspecError as e:
            raise _ChildEndedError from e
        if said.refused is not None:
            raise PhotographRefusedError(SENTENCES[said.refused])
        count = sum(part.bytes_count for part in said.parts)
        if len(said.parts) != (2 if job.kind == "crop" else 1) or not 0 <= count <= ANSWER_BYTES_MAX:
            raise _ChildEndedError
        while len(rest) < count:
            rest += self._read(count - len(rest))
        made, at = [], 0
        for part in said.parts:
            made.append(Picture(part.width, part.height, bytes(rest[at : at + part.bytes_count])))
            at += part.bytes_count
        return tuple(made)

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

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._wait(self._to, selectors.EVENT_WRITE)
            try:
                left = left[os.write(self._to, left) :]
            except BlockingIOError:
                continue
            except OSError as e:
                raise _ChildEndedError from e

    def _read_head(self) -> tuple[bytes, bytearray]:
        read = bytearray()
        while b"\n" not in read:
            if len(read) > HEAD_BYTES_MAX:
                raise _ChildEndedError
            read += self._read(HEAD_BYTES_MAX)
        head, _, rest = read.partition(b"\n")
        return bytes(head), rest

    def _read(self, most: int) -> bytes:
        self._wait(self._from, selectors.EVENT_READ)
        piece = os.read(self._from, most)
        if not piece:
            raise _ChildEndedError
        return piece

    def _wait(self, descriptor: int, event: int) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(descriptor, event)
            left_s = self._until_s - time.monotonic()
            if left_s <= 0 or not waiting.select(left_s):
                raise TimeoutError
