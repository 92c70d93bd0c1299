"""Photographs as the page shows them: pixels anew, with the words of this very look burnt in.

What a person with the page can do remains: photograph it. The picture then says in which shop, by whose sign-in and
when, and the number of the look's record.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from gallery.pictures.terms import FILE_BYTES_MAX, HEAD_BYTES_MAX, TEXT_CHARS_MAX, Answer, Job, PanelPlace
from runtime.caged_child import CagedChild, ChildEndedError
from runtime.watermark_words import signed

DEADLINE_S: Final = 5.0
JPEG_BYTES_MAX: Final = 2_000_000
"""Of what the child makes."""
LONDON: Final = ZoneInfo("Europe/London")
_MODULE: Final = "gallery.pictures.child"


class NotShownError(Exception):
    """Nothing can be made of a photograph."""


def words_of_view(premises: str, person: str, staff: int, at_s: int, number: int) -> str:
    """What is burnt in. Parts stand apart by spaces alone: the font has no more than plain letters.

    Args:
        premises: which shop.
        person: who is signed in.
        staff: their number, which stands there if the font does not have all letters of their name.
        at_s: Unix time of the view's record.
        number: of the record on this unit.
    """
    at = datetime.fromtimestamp(at_s, UTC).astimezone(LONDON)
    who = signed(person, f"staff {staff}")
    return f"{premises[:60]}   {who}   {at:%d %b %Y %H:%M}   view {number}   "[:TEXT_CHARS_MAX]


class Pictures:
    """Marks photographs by a child, which is started when needed and ends when nobody looks. For all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: CagedChild | None = None

    def marked(self, jpeg: bytes, text: str, width_max: int) -> bytes:
        """A JPEG of the photograph's pixels, no wider, with ``text`` all over it.

        Raises:
            NotShownError: the photograph is none, or too large; or the child did not do it in time.
        """
        return self._made(Job(len(jpeg), text, width_max), jpeg)

    def for_panel(self, jpeg: bytes, place: PanelPlace) -> bytes:
        """The photograph in the pixels of the unit's own panel, as :class:`PanelPlace` counts them.

        Raises:
            NotShownError: as of :meth:`marked`.
        """
        made = self._made(Job(len(jpeg), panel=place), jpeg)
        if len(made) != place.bytes_count:
            raise NotShownError
        return made

    def _made(self, job: Job, jpeg: bytes) -> bytes:
        if len(jpeg) > FILE_BYTES_MAX:
            raise NotShownError
        with self._lock:
            had_one = self._child is not None
            try:
                return self._do(job, jpeg)
            except ChildEndedError:
                if not had_one:
                    raise NotShownError from None
            # It had nothing to do and ended: another one.
            try:
                return self._do(job, jpeg)
            except ChildEndedError:
                raise NotShownError from None

    def close(self) -> None:
        """End the child; the next picture starts another."""
        with self._lock:
            self._drop()

    def _do(self, job: Job, jpeg: bytes) -> bytes:
        if self._child is None:
            self._child = CagedChild(_MODULE, "serve")
        child = self._child
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._drop)
            try:
                child.give(msgspec.json.encode(job) + b"\n" + jpeg, DEADLINE_S)
                count = msgspec.json.decode(child.line(HEAD_BYTES_MAX), type=Answer).bytes_count
                if not 0 < count <= JPEG_BYTES_MAX:
                    # What could not be read may have done something all the same.
                    raise NotShownError
                made = child.data(count)
            except msgspec.MsgspecError as e:
                raise ChildEndedError from e
            except TimeoutError as e:
                raise NotShownError from e
            on_failure.pop_all()
        return made

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
