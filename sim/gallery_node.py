"""A gallery in virtual time: the real core, with a disk that keeps what became durable and loses the rest.

The power may go before or after each write: :attr:`GalleryNode.cut` is asked, and raises :class:`PowerCutError`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.holdings import Key, Line, Title
from gallery.core.ledger import Ledger
from gallery.core.machine import next_deadline_ms, step
from gallery.core.readable import Why, why_not
from gallery.core.reports import ReportBook
from gallery.core.staff import StaffRow
from gallery.core.state import State
from sim.gallery_plants import GalleryPlant, spoil_start, spoil_write
from wire.gallery_views import View, ViewHead, head_of

ORIGIN: Final = ViewHead(n=0, digest="0" * 64)


_Durable = (
    do.KeepLedger
    | do.DestroyKeys
    | do.KeepGallery
    | do.DestroyPhotographs
    | do.KeepStaff
    | do.KeepVerifier
    | do.DestroyStaff
    | do.StoreViews
    | do.KeepReports
)
"""What the store answers with :class:`~gallery.core.events.Stored`."""


class PowerCutError(Exception):
    """The power went: what was durable stays."""


class KeptLines(Struct):
    """A gallery on the disk."""

    title: Title
    lines: tuple[Line, ...]
    elsewhere: frozenset[int]
    keys: set[Key] = field(default_factory=set)


class GalleryDisk(Struct):
    """What outlives a power cut."""

    ledger: Ledger = Ledger()
    galleries: dict[int, KeptLines] = field(default_factory=dict)
    photographs: set[str] = field(default_factory=set)
    staff: dict[int, StaffRow] = field(default_factory=dict)
    pins: dict[int, str] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    delivered: int = 0
    book: ReportBook = ReportBook()
    is_refusing: bool = False

    def started(self, boot_id: str) -> ev.Started:
        """What the store reads as the program starts."""
        return ev.Started(
            boot_id,
            chain=head_of(self.views[-1]) if self.views else ORIGIN,
            ledger=self.ledger,
            galleries=tuple(
                ev.KeptGallery(scheme, kept.title, kept.lines, frozenset(kept.keys), kept.elsewhere)
                for scheme, kept in self.galleries.items()
            ),
            photographs=frozenset(self.photographs),
            staff=tuple(self.staff.values()),
            delivered=self.delivered,
            book=self.book,
        )

    def write(self, effect: do.Effect) -> None:
        """Make one order durable, whole."""
        match effect:
            case do.KeepLedger(_, ledger):
                self.ledger = ledger
            case do.DestroyKeys(_, scheme, keys):
                if scheme in self.galleries:
                    self.galleries[scheme].keys.difference_update(keys)
            case do.KeepGallery(_, scheme, title, lines, keys, elsewhere):
                had = self.galleries[scheme].keys if scheme in self.galleries else set()
                self.galleries[scheme] = KeptLines(title, lines, elsewhere, had | keys)
            case do.DestroyPhotographs(_, digests):
                self.photographs.difference_update(digests)
            case do.KeepStaff() | do.KeepVerifier() | do.DestroyStaff():
                self._write_staff(effect)
            case do.StoreViews(_, views):
                self.views.extend(views)
            case do.KeepReports(_, book):
                self.book = book

    def _write_staff(self, effect: do.KeepStaff | do.KeepVerifier | do.DestroyStaff) -> None:
        match effect:
            case do.KeepStaff(_, row):
                self.staff[row.person] = row
            case do.KeepVerifier(_, row, pin):
                self.staff[row.person] = row
                self.pins[row.person] = pin.text
            case do.DestroyStaff(_, person):
                self.staff.pop(person, None)
                self.pins.pop(person, None)


class Shown(Struct, frozen=True):
    """A picture that was shown.

    Attributes:
        at_s: the time by the node's own clock.
    """

    scheme: int
    case: int
    request: str
    at_s: int


class GalleryNode:
    """One node's gallery program and its machine.

    Attributes:
        shown, refused, answers, asked, fetched: what the core ordered since the test last looked.
        codes: start codes by person, as the office's list says.
    """

    def __init__(self, disk: GalleryDisk | None = None, plant: GalleryPlant | None = None) -> None:
        self.disk = disk or GalleryDisk()
        self.plant = plant
        self.state = State()
        self.now_ms = 0
        self.boots = 0
        self.cut: Callable[[do.Effect], None] = lambda _effect: None
        self.after_write: Callable[[do.Effect], None] = lambda _effect: None
        self.after_each: Callable[[ev.Event, tuple[do.Effect, ...]], None] = lambda _event, _effects: None
        self.shown: list[Shown] = []
        self.refused: list[do.RefuseView] = []
        self.answers: list[do.AnswerSignIn] = []
        self.reported: list[do.AnswerReport] = []
        self.checks: list[do.CheckSecret] = []
        self.fetched: list[str] = []
        self.closed: list[str] = []
        self.asked: do.AskOffice | None = None
        self.effects: list[do.Effect] = []
        self.codes: dict[int, str] = {}
        self.are_checks_answered = True

    def boot(self, *, now_ms: int = 5_000, is_new: bool = True) -> None:
        """Start the program; in a new boot of the machine its clock starts anew."""
        self.boots += is_new
        self.state = State()
        self.asked = None
        if is_new:
            self.now_ms = now_ms
        self.happen(spoil_start(self.plant, self.disk.started(f"boot {self.boots}")))

    def happen(self, event: ev.Event) -> None:
        """One event, and everything that follows from it at once.

        Raises:
            PowerCutError: the power went. Boot next.
        """
        events: deque[ev.Event] = deque((event,))
        while events:
            event = events.popleft()
            self.state, effects = step(self.state, event, self.now_ms)
            self.after_each(event, effects)
            for effect in effects:
                self.effects.append(effect)
                events.extend(self._carry_out(effect))

    def wait(self, duration_ms: int) -> None:
        """Let time pass, and wake whenever the core wants to."""
        until_ms = self.now_ms + duration_ms
        while True:
            due_ms = next_deadline_ms(self.state)
            if due_ms is None or due_ms > until_ms:
                break
            self.now_ms = due_ms
            self.happen(ev.Ticked())
        self.now_ms = until_ms
        self.happen(ev.Ticked())

    def why(self, scheme: int, case: int) -> Why | None:
        """Why this face may not be read now; ``None`` = it may."""
        gallery = self.state.galleries.get(scheme)
        if gallery is None:
            return Why.SCHEME_LEFT
        line = gallery.lines.get(case)
        if line is None:
            return Why.WITHDRAWN if gallery.title.is_allowed else Why.SCHEME_LEFT
        return why_not(self.state.now, gallery, line)

    def _carry_out(self, effect: do.Effect) -> list[ev.Event]:
        match effect:
            case do.ShowPicture(request, _, scheme, case):
                at_s = self.state.clock.floor_s(self.now_ms)
                self.shown.append(Shown(scheme, case, request, at_s))
            case do.RefuseView():
                self.refused.append(effect)
            case do.AnswerReport():
                self.reported.append(effect)
            case do.AskOffice():
                self.asked = effect
            case do.FetchPhotographs(digests):
                self.fetched += digests
            case do.ForgetViews(number):
                self.disk.delivered = number
            case do.RedrawPages() | do.ReportFact():
                pass
            case do.CheckSecret() | do.AnswerSignIn() | do.CloseSession():
                return self._sign_in(effect)
            case _:
                return [self._write(effect)]
        return []

    def _sign_in(self, effect: do.CheckSecret | do.AnswerSignIn | do.CloseSession) -> list[ev.Event]:
        match effect:
            case do.AnswerSignIn():
                self.answers.append(effect)
            case do.CloseSession(session):
                self.closed.append(session)
            case do.CheckSecret():
                self.checks.append(effect)
                if self.are_checks_answered:
                    return [ev.SecretChecked(effect.attempt, self._is_right(effect))]
        return []

    def _is_right(self, check: do.CheckSecret) -> bool:
        right = self.codes if check.is_start_code else self.disk.pins
        return right.get(check.person) == check.secret.text

    def _write(self, effect: _Durable) -> ev.Event:
        if self.disk.is_refusing:
            return ev.StoreRefused(effect.ticket, "no space")
        self.cut(effect)
        if spoil_write(self.plant, effect):
            self.disk.write(effect)
        self.after_write(effect)
        self.cut(effect)
        return ev.Stored(effect.ticket)
