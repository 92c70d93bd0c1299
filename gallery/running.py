"""The one thread that turns the gallery's core, carries out what it orders, and answers the page.

Everything that happens, on any thread, becomes an event in one queue. Effects are carried out in the order given; what
comes of them goes before whatever waits in the queue. Between events it sleeps until the core's next deadline.

What others ask for is answered by futures, on the core's thread and once the core has decided: a view only after its
record is on the disk. Texts are opened in memory alone (:mod:`gallery.texts`).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from msgspec.structs import replace

from gallery.awaited import Awaited
from gallery.core.effects import (
    AnswerReport,
    AnswerSignIn,
    AskOffice,
    CheckSecret,
    CloseSession,
    DestroyPhotographs,
    Effect,
    FetchPhotographs,
    RedrawPages,
    RefuseView,
    ReportFact,
    ShowPicture,
)
from gallery.core.events import (
    BatteryRead,
    Event,
    OfficeAnswered,
    OfficeFailed,
    PhotographsFailed,
    PinChosen,
    ReportAlerted,
    ReportAsked,
    SecretChecked,
    SessionUsed,
    SignedOut,
    SignInAsked,
    Ticked,
    ViewAsked,
)
from gallery.core.machine import next_deadline_ms, step
from gallery.core.readable import Why
from gallery.core.state import State
from gallery.listing import picture, scheme_galleries
from gallery.page.ports import Opened, SchemeGallery, Snapshot
from gallery.store.orders import StoreOrder, StoreOrders
from gallery.surroundings import IDLE_MAX_MS, Asks, Card, Fetches, Surroundings
from gallery.texts import Texts
from runtime.next_within import next_within
from runtime.sqlite_file import StoreRefusedError
from wire.gallery_lines import GalleryError, PhotographSize

logger = logging.getLogger(__name__)

BATTERY_EVERY_MS: Final = 60_000
TEXTS_RETRY_MS: Final = 30_000
STALLED_WAIT_MS: Final = 50


class Running:
    """Construct it, :meth:`start`, then :meth:`run` on the thread that is to be the core's. :meth:`close` last.

    It is a :class:`gallery.page.ports.GalleryPort`.
    """

    def __init__(self, card: Card, around: Surroundings) -> None:
        self._card = card
        self._around = around
        self._events: queue.SimpleQueue[Event | Future[bool] | None] = queue.SimpleQueue()
        self._answers: deque[Event] = deque()
        self._orders = StoreOrders(card.store, card.arrivals, around.verifier.make)
        self._checks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gallery verifier")
        self._texts = Texts(card.store, card.entries)
        self._state = State()
        self._asks: Asks | None = None
        self._fetches: Fetches | None = None
        self._awaited = Awaited()
        self._callbacks: tuple[Callable[[CloseSession | RedrawPages], None], ...] = ()
        self._lock = threading.Lock()
        self._drawn: tuple[object, tuple[SchemeGallery, ...]] = (None, ())
        self._drawing = 0
        self._told: dict[int, SchemeGallery] = {}
        self._is_told = True
        self._battery_ms = 0
        self._texts_ms = 0
        self._ticked_ms = -1
        self._is_stopping = False

    # From any thread

    def put(self, event: Event) -> None:
        """Something has happened."""
        self._events.put(event)

    def stop(self) -> None:
        """:meth:`run` returns soon. Safe in a signal handler."""
        self._events.put(None)

    def sign_in(self, asked: SignInAsked) -> Future[AnswerSignIn]:
        """Somebody typed a PIN or a start code."""
        return self._attempt(asked)

    def choose_pin(self, chosen: PinChosen) -> Future[AnswerSignIn]:
        """Whoever gave the right start code chose a PIN."""
        return self._attempt(chosen)

    def view(self, asked: ViewAsked, size: PhotographSize | None = None) -> Future[Opened | RefuseView]:
        """Write down a view; answered once it is on the disk."""
        future = self._awaited.view(asked.request, size)
        self._events.put(asked)
        return future

    def report(self, asked: ReportAsked) -> Future[AnswerReport]:
        """Write down a breach or a sighting; answered once it is on the disk."""
        future = self._awaited.report(asked.request)
        self._events.put(asked)
        return future

    def alerted(self, told: ReportAlerted) -> None:
        """The node has answered the alert of a report."""
        self._events.put(told)

    def use(self, session: str) -> None:
        """Somebody touched the page."""
        self._events.put(SessionUsed(session))

    def sign_out(self, session: str) -> None:
        """Lock it."""
        self._events.put(SignedOut(session))

    def turn(self) -> Future[bool]:
        """True at the next turn: whoever asked knows that the core does not hang."""
        asked: Future[bool] = Future()
        self._events.put(asked)
        return asked

    def changed(self, callback: Callable[[CloseSession | RedrawPages], None]) -> None:
        """Call this, on the core's thread, when a session was closed or what may be read has changed."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

    def snapshot(self) -> Snapshot:
        """What may be listed now."""
        now_ms = self._around.now_ms()
        names = self._around.names()
        with self._lock:
            # The number first: what is drawn may be newer than it says, and never older.
            number, state = self._drawing, self._state
            if self._drawn[0] != (number, names):
                self._drawn = (number, names), scheme_galleries(state, self._texts.known, names, now_ms)
            return picture(state, self._drawn[1], names, now_ms)

    # On the core's thread

    def start(self, asks: Asks, fetches: Fetches) -> None:
        """Read the card, and begin. Both are used from now on, and stopped by :meth:`close`.

        Raises:
            StoreRefusedError: the card cannot be read. Nothing is begun then: the view log would begin anew.
        """
        self._asks, self._fetches = asks, fetches
        started = self._card.store.started(self._around.boot_id, self._card.origin)
        if self._card.store.damage:
            self._fact("card_damaged", damage=self._card.store.damage)
        self._happen(started)
        self._read_battery()
        self._settle_answers()

    def run(self) -> None:
        """Turn until :meth:`stop`."""
        while not self._is_stopping:
            self._around.on_turn()
            event = self._next()
            if event is not None:
                self._happen(event)
                self._settle_answers()

    def close(self) -> bool:
        """Ask, check and answer nothing more; returns whether all threads have ended in time."""
        with self._lock:
            self._callbacks = ()
        ended = [one.stop() for one in (self._asks, self._fetches) if one is not None]
        self._checks.shutdown(cancel_futures=True)
        self._awaited.cancel()
        return all(ended)

    @property
    def is_opening(self) -> bool:
        """Whether texts are still to be opened, a few at each turn. On the core's thread."""
        return self._texts.are_waiting

    @property
    def state(self) -> State:
        """As of the last turn."""
        return self._state

    def _attempt(self, asked: SignInAsked | PinChosen) -> Future[AnswerSignIn]:
        future, is_first = self._awaited.attempt(asked.attempt)
        if is_first:
            self._events.put(asked)
        return future

    def _next(self) -> Event | None:
        try:
            return self._taken(self._events.get_nowait())
        except queue.Empty:
            pass
        now_ms = self._around.now_ms()
        if now_ms >= self._battery_ms:
            self._read_battery()
        if self._texts.are_waiting and now_ms >= self._texts_ms:
            return self._open_texts(now_ms)
        if not self._is_told:
            self._tell_readable()
        deadline_ms = next_deadline_ms(self._state)
        if deadline_ms is not None and deadline_ms <= now_ms:
            if deadline_ms > self._ticked_ms:
                self._ticked_ms = now_ms
                return Ticked()
            # The core did not move past its own deadline: our bug, which must not eat the processor.
            deadline_ms, self._ticked_ms = now_ms + STALLED_WAIT_MS, -1
        waits = [IDLE_MAX_MS, self._around.wait_max_ms, self._battery_ms - now_ms]
        if deadline_ms is not None:
            waits.append(deadline_ms - now_ms)
        if self._texts.are_waiting:
            waits.append(self._texts_ms - now_ms)
        try:
            return self._taken(next_within(self._events, min(waits) / 1000))
        except queue.Empty:
            return None

    def _taken(self, event: Event | Future[bool] | None) -> Event | None:
        if isinstance(event, Future):
            if event.set_running_or_notify_cancel():
                event.set_result(True)
            return None
        self._is_stopping = self._is_stopping or event is None
        return event

    def _settle_answers(self) -> None:
        while self._answers:
            self._happen(self._answers.popleft())

    def _happen(self, event: Event) -> None:
        try:
            state, effects = step(self._state, event, self._around.now_ms())
        except Exception as e:
            if not self._is_survived(event, e):
                raise
            return
        before, self._state = self._state, state
        self._redraw(before, state, effects)
        for effect in effects:
            self._carry_out(effect)

    def _is_survived(self, event: Event, error: Exception) -> bool:
        """The state is unchanged, so that what others sent can be dropped; whoever waits for it hears so.

        An event of our own cannot: an order whose answer is lost waits for ever. The next run begins from the disk.
        """
        match event:
            case ViewAsked(request):
                self._awaited.answer_view(request, error)
            case ReportAsked(request):
                self._awaited.answer_report(request, error)
            case SignInAsked(attempt) | PinChosen(attempt):
                self._awaited.answer_attempt(attempt, error)
            case OfficeAnswered():
                self._answers.append(OfficeFailed(f"its answer cannot be taken: {type(error).__name__}"))
            case _:
                return False
        logger.error("the core failed", extra={"event": type(event).__name__}, exc_info=error)
        return True

    def _redraw(self, before: State, now: State, effects: tuple[Effect, ...]) -> None:
        """What is listed is drawn anew if it may have changed."""
        if not before.is_started or any(isinstance(effect, RedrawPages) for effect in effects):
            self._texts.settle(now)
            self._drawing += 1
            self._is_told = False

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case AskOffice() if self._asks is not None:
                self._asks.ask(effect)
            case FetchPhotographs(digests) if self._fetches is not None:
                self._fetches.fetch(digests)
            case ReportFact(fact, detail):
                self._fact(fact, **dict(detail))
            case CheckSecret():
                self._checks.submit(self._check, effect, self._state)
            case _ if isinstance(effect, StoreOrder):
                if isinstance(effect, DestroyPhotographs) and self._fetches is not None:
                    self._fetches.drop(effect.digests)
                answer = self._orders.carry_out(effect)
                if answer is not None:
                    self._answers.append(answer)
            case _:
                self._tell_pages(effect)

    def _tell_pages(self, effect: Effect) -> None:
        match effect:
            case ShowPicture():
                self._show(effect)
            case RefuseView(request):
                self._awaited.answer_view(request, effect)
            case AnswerReport(request):
                self._awaited.answer_report(request, effect)
            case AnswerSignIn(attempt):
                self._awaited.answer_attempt(attempt, effect)
            case CloseSession() | RedrawPages():
                for callback in self._callbacks:
                    callback(effect)

    def _show(self, effect: ShowPicture) -> None:
        """Its record is on the disk, and it may be seen at this moment: nothing is destroyed in between."""
        waiting = self._awaited.asked(effect.request)
        if waiting is None:
            return
        try:
            answer = self._opened(effect, waiting.size) if effect.case else Opened()
        except GalleryError as e:
            logger.warning("an entry of scheme %d does not open: %s", effect.scheme, e.reason)
            answer = RefuseView(effect.request, Why.UNOPENED)
        except (StoreRefusedError, OSError) as e:
            logger.warning("an entry cannot be read: %s", e)
            answer = RefuseView(effect.request, Why.ON_ITS_WAY)
        if isinstance(answer, Opened):
            answer = replace(answer, number=effect.number, at_s=effect.at_s)
        self._awaited.answer_view(effect.request, answer)

    def _opened(self, effect: ShowPicture, size: PhotographSize | None) -> Opened | RefuseView:
        line = self._card.store.line(effect.scheme, effect.case)
        opened = None if line is None else self._card.entries.open(effect.scheme, line)
        if line is None or opened is None:
            return RefuseView(effect.request, Why.ON_ITS_WAY)
        photograph = None if size is None else self._card.entries.photograph(effect.scheme, line, size)
        digests = frozenset(one.sha256 for one in line.photographs if one.size == size)
        if size is not None and photograph is None and digests & self._state.photographs:
            self._answers.append(PhotographsFailed(digests, "damaged"))
        return Opened(opened.text, opened.here, photograph)

    def _check(self, check: CheckSecret, state: State) -> None:
        """On the thread of checks. What cannot be compared is wrong."""
        verifier = self._around.verifier
        is_right = False
        try:
            if check.is_start_code:
                is_right = verifier.is_code(check.secret, state.staff[check.person].told.code_check)
            else:
                is_right = verifier.is_pin(check.secret, self._card.store.verifier(check.person))
        except Exception:
            logger.exception("a secret could not be compared")
        self._events.put(SecretChecked(check.attempt, is_right))

    def _open_texts(self, now_ms: int) -> Event | None:
        try:
            lost = self._texts.open_some()
        except StoreRefusedError as e:
            logger.warning("entries cannot be opened: %s", e)
            self._texts_ms = now_ms + TEXTS_RETRY_MS
            return None
        self._drawing += 1
        if not self._texts.are_waiting:
            self._is_told = False
            self._tell_pages(RedrawPages())
        return lost

    def _read_battery(self) -> None:
        self._battery_ms = self._around.now_ms() + BATTERY_EVERY_MS
        at_s = self._around.battery_s()
        if at_s is not None:
            self._happen(BatteryRead(at_s))
            self._settle_answers()

    def _tell_readable(self) -> None:
        """How many faces may be seen, and why not if none: numbers alone."""
        self._is_told = True
        schemes = {one.scheme: one for one in self.snapshot().schemes}
        for number in sorted(schemes.keys() | self._told.keys()):
            now, told = (_counts(of.get(number)) for of in (schemes, self._told))
            if now != told:
                off, people, coming = now
                self._fact("gallery_readable", scheme=number, off=off, people=people, coming=coming)
        self._told = schemes

    def _fact(self, fact: str, **detail: object) -> None:
        self._around.facts.write(fact, **self._around.about, **detail)


def _counts(gallery: SchemeGallery | None) -> tuple[str, int, int]:
    if gallery is None:
        return Why.SCHEME_LEFT, 0, 0
    return gallery.off or "", len(gallery.people), gallery.coming
