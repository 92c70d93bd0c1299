"""What the gallery knows between two events. Only a turn changes it; what it holds cannot change."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from gallery.core.clock import Clock
from gallery.core.effects import AskOffice, Effect, Held
from gallery.core.events import Pin, ViewAsked
from gallery.core.holdings import Gallery, Line
from gallery.core.ledger import Lease, Ledger
from gallery.core.readable import Now
from gallery.core.reports import ReportBook
from gallery.core.staff import StaffRow
from wire.gallery_views import View, ViewHead

IDLE_LOCK_MS: Final = 300_000
"""A page that nobody touches locks itself."""
SESSION_MS_MAX: Final = 43_200_000
"""A shift."""
CHOOSING_MS: Final = 600_000
"""To think of a PIN."""
ANSWER_MS: Final = 60_000
"""For disk and verifier. A check that takes longer has been lost."""
STORE_RETRY_MS: Final = 30_000


class Phase(StrEnum):
    """Where an attempt to sign in is."""

    COUNTING = "counting"
    """It becomes one more failure on the disk."""
    CHECKING = "checking"
    """The verifier compares."""
    CHOOSING = "choosing"
    """The start code was right; a PIN is awaited."""
    KEEPING = "keeping"
    """The PIN's verifier is made and stored."""


class Attempt(Struct, frozen=True):
    """One attempt.

    Attributes:
        secret: what was typed, until it is handed on.
        failures: what the disk must count before it is checked.
        code: number of the start code; 0 = it is a PIN.
        since_ms: when the phase began.
        is_ordered: the verifier is being stored.
    """

    person: int
    phase: Phase
    secret: Pin | None
    failures: int
    code: int
    since_ms: int
    is_ordered: bool = False

    @property
    def ends_ms(self) -> int:
        """When nobody waits for it any more."""
        return self.since_ms + (CHOOSING_MS if self.phase is Phase.CHOOSING else ANSWER_MS)


class Listed(Struct, frozen=True):
    """A list that was shown.

    Attributes:
        n, at_s: number and time of its record.
        people: who stood in it: scheme, case and ``since`` of each.
    """

    n: int
    at_s: int
    people: frozenset[tuple[int, int, int]] = frozenset()


LISTS_MAX: Final = 8
"""That one session has open at a time: in a browser's tabs, and while it goes from one to the next."""


class Session(Struct, frozen=True):
    """Somebody who is signed in.

    Attributes:
        lists: those that they were shown last, newest first.
    """

    person: int
    begun_ms: int
    used_ms: int
    lists: tuple[Listed, ...] = ()

    @property
    def ends_ms(self) -> int:
        """When it locks if nobody touches it."""
        return min(self.used_ms + IDLE_LOCK_MS, self.begun_ms + SESSION_MS_MAX)

    def list_of(self, scheme: int, line: Line) -> Listed | None:
        """The newest list that they were shown in which this person stood, as they are now."""
        return next((one for one in self.lists if (scheme, line.case, line.since) in one.people), None)


class Storing(Struct, frozen=True):
    """A view on its way to the disk."""

    asked: ViewAsked
    view: View


_NO_GALLERIES: Final[Mapping[int, Gallery]] = MappingProxyType({})
_NO_EFFECTS: Final[Mapping[int, Effect]] = MappingProxyType({})
_NO_STAFF: Final[Mapping[int, StaffRow]] = MappingProxyType({})
_NO_ATTEMPTS: Final[Mapping[str, Attempt]] = MappingProxyType({})
_NO_SESSIONS: Final[Mapping[str, Session]] = MappingProxyType({})
_NO_LOCKS: Final[Mapping[int, int]] = MappingProxyType({})
_NO_REQUESTS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_WAITS: Final[Mapping[str, int]] = MappingProxyType({})
_NOWHERE: Final = ViewHead(n=0, digest="0" * 64)


class State(Struct):
    """All of it.

    Attributes:
        boot_id: of the machine; empty before :class:`~gallery.core.events.Started`.
        ledger: as on the disk; ``ledger_coming`` is on its way there.
        galleries: by scheme; one that was left stays, with its number alone.
        photographs: files on the disk; ``fetching`` are asked for, ``failed`` could not be had, ``dying`` are to go.
        holds: what the office is told of the galleries.
        staff: as it must be, by person; ``staff_disk`` as the disk has it; ``staff_busy`` are on their way there.
        locked_ms: until when a person's tries are refused.
        head, delivered: of the view log on the disk.
        queue: views that wait for those in ``storing``.
        book: reports as they must be kept; ``book_disk`` as the disk has them, ``book_shown`` as pages were told.
        is_book_busy: it is on its way to the disk.
        report_requests: who waits for a report to be kept: its id by request.
        alert_wait_ms: until when a report waits for the id of its alert.
        waiting: orders by ticket that the store has not answered.
        retry_ms: the store refused: nothing is asked of it before.
        asked: the question that is under way; ``ask_ms`` = when to ask, if none is; ``ask_by_ms`` = when at the latest,
            although what the last answer brought is not all here.
        settled: what the galleries were settled for.
        rejected: how often input was refused, by reason.
    """

    now_ms: int = 0
    boot_id: str = ""
    clock: Clock = Clock(0, 0)
    lease: Lease = Lease()
    ledger: Ledger = Ledger()
    ledger_coming: Ledger | None = None
    galleries: Mapping[int, Gallery] = _NO_GALLERIES
    photographs: frozenset[str] = frozenset()
    fetching: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    dying: frozenset[str] = frozenset()
    holds: tuple[Held, ...] = ()
    staff: Mapping[int, StaffRow] = _NO_STAFF
    staff_disk: Mapping[int, StaffRow] = _NO_STAFF
    staff_busy: frozenset[int] = frozenset()
    locked_ms: Mapping[int, int] = _NO_LOCKS
    attempts: Mapping[str, Attempt] = _NO_ATTEMPTS
    sessions: Mapping[str, Session] = _NO_SESSIONS
    head: ViewHead = _NOWHERE
    delivered: int = 0
    queue: tuple[ViewAsked, ...] = ()
    storing: tuple[Storing, ...] = ()
    book: ReportBook = ReportBook()
    book_disk: ReportBook = ReportBook()
    book_shown: ReportBook = ReportBook()
    is_book_busy: bool = False
    report_requests: Mapping[str, str] = _NO_REQUESTS
    alert_wait_ms: Mapping[str, int] = _NO_WAITS
    waiting: Mapping[int, Effect] = _NO_EFFECTS
    last_ticket: int = 0
    retry_ms: int | None = None
    asked: AskOffice | None = None
    ask_ms: int = 0
    ask_by_ms: int = 0
    contact_failures: int = 0
    settled: tuple[object, ...] | None = None
    rejected: Mapping[str, int] = MappingProxyType({})

    @property
    def is_started(self) -> bool:
        """Whether the disk has been read."""
        return bool(self.boot_id)

    @property
    def now(self) -> Now:
        """What decisions rest on at this moment."""
        is_charged = self.is_started and self.ledger.boot_id == self.boot_id
        return Now(self.clock, self.lease, is_charged, self.now_ms)

    @property
    def may_store(self) -> bool:
        """Whether the store is asked for anything now."""
        return self.retry_ms is None or self.now_ms >= self.retry_ms
