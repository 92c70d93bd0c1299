"""Starts the caged child, gives it jobs and keeps it to its time. What the pages need of photographs without Pillow.

A photograph that somebody hands in is read by a child of its own, which ends with it. Pictures that we have made
ourselves are marked for their readers by one child that stays as long as it is needed.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import threading
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
from runtime.caged_child import CagedChild, ChildEndedError

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
        except ChildEndedError as e:
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
            except ChildEndedError:
                if not had_one:
                    raise NotMarkedError from None
            # It had nothing to do and ended: another one.
            try:
                return self._do(job, jpeg)
            except ChildEndedError as e:
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
        except ChildEndedError:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


marker: Final = Marker()
"""The pages' one."""
atexit.register(marker.close)


class _Child(CagedChild):
    """``python -m office.people.intake``."""

    def __init__(self, mode: str) -> None:
        super().__init__("office.people.intake", mode)

    def do(self, job: Job, data: bytes, within_s: float) -> tuple[Picture, ...]:
        """The pictures that the job asks for.

        Raises:
            PhotographRefusedError: the child says why not.
            TimeoutError: it has not answered in time.
            ChildEndedError: it never will.
        """
        # What it answers before it has read everything waits in the pipe.
        self.give(msgspec.json.encode(job) + b"\n" + data, within_s)
        try:
            said = msgspec.json.decode(self.line(HEAD_BYTES_MAX), type=Answer)
        except msgspec.MsgspecError as e:
            raise ChildEndedError from e
        if said.refused is not None:
            raise PhotographRefusedError(SENTENCES[said.refused])
        counts = [part.bytes_count for part in said.parts]
        if len(counts) != (2 if job.kind == "crop" else 1) or min(counts) < 0 or sum(counts) > ANSWER_BYTES_MAX:
            raise ChildEndedError
        return tuple(Picture(part.width, part.height, self.data(part.bytes_count)) for part in said.parts)
