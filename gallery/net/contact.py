"""Asks the one question: reports and views that the office has not go before it, and what is new is read after it.

A thread of its own, that only reports. Whatever goes wrong is an event to the core, which decides when to ask again.
What the office says that cannot be used (a head that is signed by nobody, a digest that is not met, a gallery that the
disk refused and that comes again) would be said again at once, for ever: before that the thread pauses by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from gallery.arrivals import Arrivals
from gallery.core.effects import AskOffice
from gallery.core.effects import Held as CoreHeld
from gallery.core.events import Event, OfficeAnswered, OfficeFailed, ReportsAnswered, SchemeTold
from gallery.core.staff import StaffTold
from gallery.net.changes import News, Own, head_of, read_change, read_whole
from gallery.net.connection import Office, OfficeConnection, Spare
from gallery.net.errors import EndedError, OfficeError
from gallery.net.pauses import pause_s
from wire.errors import SnapshotError, WireError
from wire.gallery_contact import (
    ANSWER_BYTES_MAX,
    ROWS_BYTES_MAX,
    GalleryChange,
    GalleryQuestion,
    Held,
    decode_answer,
    decode_rows,
    encode_question,
)
from wire.gallery_head import GalleryHead
from wire.gallery_lines import LINES_BYTES_MAX, GalleryError, Lines
from wire.gallery_paths import CONTACT_PATH, REPORTS_PATH, VIEWS_PATH, lines_path, rows_path
from wire.gallery_reports import TAKEN_BYTES_MAX, BreachReport, decode_taken, encode_reports
from wire.gallery_staff import StaffEntry, staff_digest
from wire.gallery_views import ViewHead, read_views
from wire.signing import PublicKey

logger = logging.getLogger(__name__)

_HEAD_BYTES_MAX: Final = 4_096
_read_head: Final = msgspec.json.Decoder(ViewHead).decode


class Refresh(Protocol):
    """:meth:`gallery.net.town_directory.TownDirectory.refresh`."""

    def __call__(self, get: Callable[[str, int], bytes], *, is_missed: bool = False) -> bool:
        """Whether a newer one came."""


def _never(get: Callable[[str, int], bytes], *, is_missed: bool = False) -> bool:
    del get, is_missed
    return False


class Sources(msgspec.Struct, frozen=True):
    """What the thread needs of others. Each is called on it.

    Attributes:
        lines: that are kept of a scheme.
        views_after: records of the view log after a number, as they are sent; empty = there are none.
        office_keys: of offices that the signed directory trusts.
        refresh: has a newer directory fetched by this function, where it is time to; ``is_missed`` = somebody signed
            something who is not in ours.
        now_ms: the clock that the core is stepped by.
    """

    lines: Callable[[int], Lines]
    views_after: Callable[[int], bytes]
    office_keys: Callable[[], tuple[PublicKey, ...]]
    now_ms: Callable[[], int]
    refresh: Refresh = _never


class _Useless(msgspec.Struct, frozen=True):
    """What was asked and answered last.

    Attributes:
        times: how often in a row it was of no use.
    """

    held: tuple[CoreHeld, ...] | None = None
    numbers: tuple[tuple[int, int], ...] = ()
    times: int = 0


class Contact:
    """The thread that asks.

    Args:
        office: whom to ask.
        own: who we are.
        sources: what it needs of others.
        arrivals: where galleries are put before the core hears of them.
        put: takes events; from this thread.
        pause: seconds to wait after so many answers that were of no use.
        spare: shared with the thread that fetches.
    """

    def __init__(
        self,
        office: Office,
        own: Own,
        sources: Sources,
        arrivals: Arrivals,
        put: Callable[[Event], None],
        *,
        pause: Callable[[int], float] = pause_s,
        spare: Spare | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._connection = OfficeConnection(office, self._lock, spare)
        self._own = own
        self._sources = sources
        self._arrivals = arrivals
        self._put = put
        self._wanted: AskOffice | None = None
        self._is_stopping = False
        self._pause = pause
        self._useless = _Useless()
        self._thread = threading.Thread(target=self._run, name="gallery contact", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask(self, question: AskOffice) -> None:
        """Ask this; what was asked before is not answered any more. From any thread, and never blocks."""
        with self._lock:
            self._wanted = question
            self._connection.end()
            self._changed.notify_all()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Ask nothing more; returns whether the thread has ended in time."""
        with self._lock:
            self._is_stopping = True
            self._wanted = None
            self._connection.end()
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (question := self._next()) is not None:
            event = self._event(question)
            with self._lock:
                if event is None or self._wanted is not question:
                    continue
                self._wanted = None
            self._connection.lend()
            self._put(event)
        self._connection.hang_up()

    def _next(self) -> AskOffice | None:
        """The newest question, after the pause that it takes; ``None`` = it is over."""
        with self._lock:
            while not self._is_stopping:
                question = self._wanted
                if question is None:
                    self._changed.wait()
                    continue
                useless = self._useless
                pause = self._pause(useless.times) if useless.held == question.held else 0.0
                until_s = time.monotonic() + pause
                while self._wanted is question and (left_s := until_s - time.monotonic()) > 0:
                    self._changed.wait(left_s)
                if self._wanted is question:
                    return question
        return None

    def _event(self, question: AskOffice) -> Event | None:
        """What comes of a question; ``None`` = it was taken back."""

        def is_wanted() -> bool:
            with self._lock:
                return self._wanted is question

        try:
            return self._answered(question, is_wanted)
        except EndedError:
            return None
        except OfficeError as e:
            return OfficeFailed(str(e))
        except WireError as e:
            return OfficeFailed(f"the office sends an answer that is none: {e}")
        except Exception as e:
            logger.exception("the office could not be asked")
            return OfficeFailed(f"{type(e).__name__}: {e}")

    def _answered(self, question: AskOffice, is_wanted: Callable[[], bool]) -> OfficeAnswered:
        self._send_reports(question.reports, is_wanted)
        self._sources.refresh(self._getting(is_wanted))
        received = self._send_views(question.views_after, is_wanted)
        holds = tuple(Held(scheme=one.scheme, number=one.number, is_complete=one.is_complete) for one in question.held)
        known = staff_digest([StaffEntry(**msgspec.structs.asdict(one)) for one in question.staff])
        body = encode_question(
            GalleryQuestion(holds=holds, views=question.views, staff=known, outcomes=question.outcomes)
        )
        asked_ms = self._sources.now_ms()
        answer = decode_answer(self._connection.post(CONTACT_PATH, body, ANSWER_BYTES_MAX, is_wanted))
        found = [self._news(change, is_wanted) for change in answer.changes]
        news = [one for one in found if one is not None]
        unread = [change.scheme for change, one in zip(answer.changes, found, strict=True) if one is None]
        numbers = tuple((one.told.scheme, one.told.number) for one in news)
        is_again = bool(news) and (self._useless.held, self._useless.numbers) == (question.held, numbers)
        times = self._useless.times + 1 if is_again or len(news) < len(found) else 0
        self._useless = _Useless(question.held, numbers, times)
        for one in news:
            self._arrivals.add(one.parcel)
        return OfficeAnswered(
            asked_ms,
            answer.now_s,
            answer.lease_until_s,
            schemes=tuple(SchemeTold(one, one in answer.open_schemes) for one in answer.schemes),
            galleries=tuple(one.told for one in news),
            staff=None if answer.staff is None else tuple(map(_told, answer.staff)),
            views_received=max(received, self._also_received(question, answer.views_received)),
            outcomes=answer.outcomes,
            # Nobody renews a lease by a gallery that cannot be read, either.
            unproven=(*answer.unproven, *unread),
        )

    def _news(self, change: GalleryChange, is_wanted: Callable[[], bool]) -> News | None:
        """What comes of a change; ``None`` = it cannot be used.

        Raises:
            OfficeError: files of it cannot be fetched.
        """
        try:
            head = self._head(change, is_wanted)
            found = read_change(change, head, self._sources.lines(change.scheme), self._own)
            if found is not None:
                return found
            lines_of, rows_of = lines_path(head.scheme, head.number), rows_path(head.scheme, head.number)
            lines = self._connection.get(lines_of, LINES_BYTES_MAX, is_wanted)
            # Sealed anew each time: the rest of one does not go with the begin of another.
            rows = self._connection.get(rows_of, ROWS_BYTES_MAX, is_wanted, may_go_on=False)
            return read_whole(head, lines, decode_rows(rows), self._own)
        except WireError as e:
            logger.warning("the gallery of scheme %d cannot be used: %s", change.scheme, e)
            return None

    def _head(self, change: GalleryChange, is_wanted: Callable[[], bool]) -> GalleryHead:
        try:
            return head_of(change, self._own, self._sources.office_keys())
        except SnapshotError:
            # By an office that the town has taken in since, perhaps.
            if not self._sources.refresh(self._getting(is_wanted), is_missed=True):
                raise
            return head_of(change, self._own, self._sources.office_keys())

    def _getting(self, is_wanted: Callable[[], bool]) -> Callable[[str, int], bytes]:
        return lambda path, bytes_max: self._connection.get(path, bytes_max, is_wanted, may_go_on=False)

    def _send_reports(self, reports: tuple[BreachReport, ...], is_wanted: Callable[[], bool]) -> None:
        """What the office says of them is told at once: the question may wait for half a minute."""
        if not reports:
            return
        try:
            body = self._connection.post(REPORTS_PATH, encode_reports(reports), TAKEN_BYTES_MAX, is_wanted)
            taken = decode_taken(body)
        except OfficeError as e:
            if not e.status:
                raise
            # Its disk is full, or it is of an older version: what is lifted must be heard of all the same.
            logger.warning("reports are not taken: %s", e)
            return
        except GalleryError as e:
            logger.warning("the office does not say which reports it has: %s", e)
            return
        # Of what was not sent it has nothing, whatever it says.
        sent = frozenset(one.id for one in reports)
        self._put(ReportsAnswered(sent & frozenset(taken.committed), sent & frozenset(taken.refused)))

    def _also_received(self, question: AskOffice, told: ViewHead | None) -> int:
        """The number up to which the office has our views, if it is our log of which it says so; 0 = it is not.

        Of a copied card it may have others, and ours must not be forgotten for them.
        """
        if told is None:
            return 0
        if told == question.views:
            return told.n
        following = read_views(self._sources.views_after(told.n))[:1]
        is_ours = [(one.record.n, one.record.before) for one in following] == [(told.n + 1, told.digest)]
        return told.n if is_ours else 0

    def _send_views(self, delivered: int, is_wanted: Callable[[], bool]) -> int:
        """Number of the newest view that the office is known to have."""
        while body := self._sources.views_after(delivered):
            try:
                received = _read_head(self._connection.post(VIEWS_PATH, body, _HEAD_BYTES_MAX, is_wanted)).n
            except OfficeError as e:
                if not e.status:
                    raise
                # Its disk is full, or it calls us a copy: what is lifted must be heard of all the same.
                logger.warning("views are not taken: %s", e)
                break
            except msgspec.MsgspecError:
                logger.warning("the office does not say which views it has")
                break
            # Of what was not sent it has nothing, whatever it says: a copy of this unit may have sent other records.
            received = min(received, delivered + body.count(b"\n"))
            if received <= delivered:
                break
            delivered = received
        return delivered


def _told(one: StaffEntry) -> StaffTold:
    return StaffTold(one.person, one.name, one.code, one.code_check)
