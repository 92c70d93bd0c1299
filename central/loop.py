"""The intake thread: takes what has arrived, applies the rules, commits it all at once, and then tells.

A lone alert is handled the moment it arrives; in a flood, up to five hundred messages that have gathered meanwhile
share one transaction. Receipts go out at once, for someone frightened is waiting; everything else is told when nothing
more has arrived for a millisecond, or after a tenth of a second. The core and the database are used on this thread
only.
"""

from __future__ import annotations

import faulthandler
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.journal import ActionEntry, FrameEntry, JournalEntry, KeptAct, KeptFigures, KeptNode, SeenFrame
from central.core.machine import CentralCore
from central.core.set_aside import INTERNAL_ERROR
from central.core.view import Change as BoardChange
from central.core.view import Done, Refused
from central.net.announcer import Announcer
from central.net.inbox import Inbox, Published
from central.net.reading import Reader
from central.store.errors import StoreError
from runtime.logs import FactLog
from runtime.service import Service
from wire.ids import NodeId

logger = logging.getLogger(__name__)

BATCH_MAX: Final = 500
TICK_S: Final = 1.0
TELL_AT_ONCE: Final = 8
TELL_SHARE: Final = 8
TELL_WITHIN_S: Final = 0.1
"""How long a flood may hold back everything but receipts."""
RECEIPTS_LEAVE_S: Final = 0.001
"""How long everything else waits while the connection's thread sends receipts: both need Python's one lock."""
STOP_WITHIN_S: Final = 1.0
"""How long the end waits until everything is told."""
OVERLOAD: Final = "overload"
_NOTHING_UNRAISED: Final = do.RaiseNumbers(0, 0)


class Store(Protocol):
    """The loop's part of :class:`central.store.database.Database`."""

    @property
    def has_reserve(self) -> bool: ...  # noqa: D102

    def commit(self, entries: list[JournalEntry]) -> tuple[SeenFrame, ...]: ...  # noqa: D102

    def keep_nodes(self, nodes: tuple[KeptNode, ...]) -> None: ...  # noqa: D102

    def keep_figures(self, figures: tuple[KeptFigures, ...]) -> None: ...  # noqa: D102

    def keep_acts(self, acts: tuple[KeptAct, ...]) -> None: ...  # noqa: D102

    def keep_directory(self, serial: int, data: bytes, taken_at: datetime) -> None: ...  # noqa: D102

    def raise_entry(self, entry: int) -> None: ...  # noqa: D102

    def probe(self) -> None: ...  # noqa: D102


class Screen(Protocol):
    """The loop's part of :class:`central.live.LiveBoard`."""

    @property
    def is_moving(self) -> bool: ...  # noqa: D102

    def show(self, change: BoardChange) -> None: ...  # noqa: D102

    def answer(self, request: int, result: Done | Refused) -> None: ...  # noqa: D102


def _utc_now() -> datetime:
    return datetime.now(UTC)


class IntakeLoop:
    """One core, one database, one thread. :meth:`stop` may be called from any thread, the rest only from that one."""

    def __init__(
        self,
        core: CentralCore,
        *,
        store: Store,
        inbox: Inbox[ev.Event],
        announcer: Announcer,
        screen: Screen,
        facts: FactLog,
        service: Service,
        set_aside: Callable[[do.SetAside], None],
        recall_open: Callable[[NodeId, frozenset[int]], tuple[tuple[JournalEntry, ...], bool]],
        clock: Callable[[], datetime] = _utc_now,
        wall_ahead: Callable[[], timedelta] = timedelta,
        raise_counter: Callable[[int], None] = lambda _: None,
        tell: Callable[[do.Ask | do.CallOff | do.Tell], None] = lambda _: None,
    ) -> None:
        self._core = core
        self._store = store
        self._tell_people = tell
        self._inbox = inbox
        self._screen = screen
        self._facts = facts
        self._service = service
        self._set_aside = set_aside
        self._recall = recall_open
        self._clock = clock
        self._wall_ahead = wall_ahead
        self._raise_counter = raise_counter
        self._reader = Reader(lambda: core.directory)
        self._batch: list[JournalEntry] = []
        self._untold: deque[do.Effect] = deque()
        self._unraised = _NOTHING_UNRAISED
        self._tell_due_s = 0.0
        self._receipts_leave_s = 0.0
        self._tick_due_s = 0.0
        self._was_moving = True
        self._had_reserve = True
        self._is_stopping = threading.Event()
        self._doers: dict[type[Any], Callable[[Any], None]] = {
            do.SendReceipt: announcer.send_receipt,
            do.SendRefusal: announcer.send_refusal,
            do.SendAcknowledgement: announcer.send_acknowledgement,
            do.SayAcknowledgement: announcer.say_acknowledgement,
            do.SendReceiptsToAir: announcer.send_receipts_to_air,
            do.SendFrameToAir: announcer.send_frame_to_air,
            do.PublishIncident: announcer.publish_incident,
            do.PublishStatus: announcer.publish_status,
            do.SendSyncAnswer: announcer.send_sync_answer,
            do.SendDirectory: announcer.send_directory,
            do.SendSettings: announcer.send_settings,
            do.ShowChange: lambda order: self._screen.show(order.change),
            do.AnswerAction: lambda order: self._screen.answer(order.request, order.result),
            do.KeepNodes: lambda order: self._store.keep_nodes(order.nodes),
            do.RaiseNumbers: self._raise_numbers,
            do.KeepFigures: lambda order: self._store.keep_figures(order.figures),
            do.KeepActs: lambda order: self._store.keep_acts(order.acts),
            do.Yield: self._yield,
            do.RecallOpen: self._recall_open,
            do.ProbeStore: self._probe,
            do.Ask: self._ask,
            do.CallOff: tell,
            do.Tell: tell,
            do.ReportFact: self._report,
            do.SetAside: set_aside,
            do.KeepDirectory: lambda order: self._store.keep_directory(order.serial, order.data, self._clock()),
        }

    def _raise_numbers(self, order: do.RaiseNumbers) -> None:
        if order.entry and order.counter:
            # Each by itself: if the disk refuses one, it may still take the other.
            self._untold.extendleft((do.RaiseNumbers(order.counter, 0), do.RaiseNumbers(0, order.entry)))
            return
        try:
            if order.entry:
                logger.warning("a node has seen a newer copy of this database: numbers go on from %d", order.entry)
                self._store.raise_entry(order.entry)
            if order.counter:
                self._raise_counter(order.counter)
        except StoreError:
            before = self._unraised
            self._unraised = do.RaiseNumbers(max(before.counter, order.counter), max(before.entry, order.entry))
            raise

    def _raise_what_was_refused(self) -> None:
        """The disk takes something again: the core orders each number once only."""
        if (refused := self._unraised) != _NOTHING_UNRAISED:
            self._unraised = _NOTHING_UNRAISED
            self._carry_out([refused])

    def begin(self, orders: list[do.Effect]) -> None:
        """Report and set aside what the start could not take; its statuses are published anew when the link is up."""
        self._carry_out([order for order in orders if isinstance(order, do.SetAside | do.ReportFact)])

    def run(self) -> None:
        """Run until :meth:`stop`; what had arrived by then is still committed and answered."""
        while not self._is_stopping.is_set():
            self.step(max(0.0, self._tick_due_s - time.monotonic()))
        for _ in range(BATCH_MAX):
            if not self._take(self._inbox.take(BATCH_MAX, 0.0)):
                break
        give_up_s = time.monotonic() + STOP_WITHIN_S
        while self._untold and time.monotonic() < give_up_s:
            self._tell()
        self._service.watchdog()

    def step(self, timeout_s: float) -> None:
        """Wait at most ``timeout_s`` for something, and handle it; tick if due."""
        self._take(self._inbox.take(BATCH_MAX, timeout_s))
        if time.monotonic() >= self._tick_due_s:
            self._tick_due_s = time.monotonic() + TICK_S
            for _ in range(min(self._inbox.take_dropped(), BATCH_MAX)):
                self._handle(ev.InputRejected(OVERLOAD, None))
            self._handle(ev.Ticked(self._wall_ahead()))
            # With what has arrived meanwhile: a press must not wait for the disk twice.
            self._take(self._inbox.take(BATCH_MAX, 0.0))
        if self._store.has_reserve != self._had_reserve:
            self._had_reserve = not self._had_reserve
            self._handle(ev.ReserveChanged(self._had_reserve))
        if time.monotonic() >= self._tell_due_s or not self._inbox.wait(self._receipts_leave_s):
            self._tell()
        self._receipts_leave_s = 0.0
        # Fed here, so that the watchdog knows that both loops go round, not only that their threads live.
        if self._screen.is_moving:
            self._service.watchdog()
        elif self._was_moving:
            logger.error("the page's loop hangs; the watchdog will end us")
            faulthandler.dump_traceback()
        self._was_moving = self._screen.is_moving

    def stop(self) -> None:
        """Ask :meth:`run` to return, soon."""
        self._is_stopping.set()
        self._inbox.put(ev.Ticked())

    def _carry_out(self, orders: list[do.Effect]) -> None:
        """Gather commits and send receipts now; the rest soon, in order."""
        for order in orders:
            if isinstance(order, do.CommitFrame | do.CommitAction):
                self._batch.append(order.entry)
            elif isinstance(order, do.SendReceipt | do.SendRefusal | do.SendReceiptsToAir | do.SendFrameToAir):
                self._receipts_leave_s = RECEIPTS_LEAVE_S
                self._do(order)
            else:
                if not self._untold:
                    self._tell_due_s = time.monotonic() + TELL_WITHIN_S
                self._untold.append(order)

    def _tell(self) -> None:
        """Tell all, or until something arrives or a tick is due; at least a share, so that the queue cannot grow."""
        at_least = max(TELL_AT_ONCE, len(self._untold) // TELL_SHARE)
        for number in itertools.count():
            if not self._untold:
                return
            if number >= at_least and not (self._inbox.is_empty and time.monotonic() < self._tick_due_s):
                return
            self._do(self._untold.popleft())

    def _do(self, order: do.Effect) -> None:
        try:
            self._doers[type(order)](order)
        except StoreError as e:
            # A counter block, a probe, a heartbeat: nobody was told anything untrue.
            logger.warning("%s", e)
            self._handle(ev.StoreFailed(str(e)))
        except Exception:
            # One effect that fails must not hold up those behind it.
            logger.exception("an order was not carried out: %s", type(order).__name__)

    def _take(self, items: list[ev.Event | Published]) -> bool:
        for item in items:
            self._handle(self._read(item) if isinstance(item, Published) else item)
        self._commit()
        return bool(items)

    def _read(self, message: Published) -> ev.Event:
        try:
            return self._reader.read(message)
        except Exception as e:  # noqa: BLE001 - our bug on one input must not hold up those behind it
            self._set_aside(do.SetAside(message, e))
            return ev.InputRejected(INTERNAL_ERROR, None)

    def _handle(self, event: ev.Event) -> None:
        self._carry_out(self._core.handle(event, self._clock()))

    def _commit(self) -> None:
        while self._batch:
            batch, self._batch = self._batch, []
            frames = tuple(entry.signed.frame.id for entry in batch if isinstance(entry, FrameEntry))
            actions = tuple(entry.entry for entry in batch if isinstance(entry, ActionEntry))
            try:
                known = self._store.commit(batch)
            except StoreError as e:
                logger.error("not committed: %s", e)  # noqa: TRY400 - a full disk is not a bug, and this may repeat
                self._handle(ev.CommitFailed(frames, actions, str(e)))
                continue
            except Exception as e:  # noqa: BLE001 - our bug in writing one of them
                if len(batch) > 1:
                    for one in batch:
                        self._batch = [one]
                        self._commit()
                else:
                    self._set_aside(do.SetAside(batch[0], e))
                    self._handle(ev.CommitFailed(frames, actions, str(e), is_own_fault=True))
                continue
            self._raise_what_was_refused()
            # Acts first: they were judged before these frames arrived, and answer none of them.
            for entry in actions:
                self._handle(ev.ActionCommitted(entry))
            if known:
                ids = {frame.id for frame in known}
                frames = tuple(frame_id for frame_id in frames if frame_id not in ids)
                self._handle(ev.FramesKnown(known))
            if frames:
                self._handle(ev.FramesCommitted(frames))

    def _ask(self, order: do.Ask) -> None:
        # One of them at a time: a press need not wait until a whole step has been told. The others are kept first: they
        # are told even if this one cannot be.
        if others := order.people[1:]:
            self._untold.appendleft(replace(order, people=others))
        self._tell_people(replace(order, people=order.people[:1]))

    def _yield(self, _order: do.Yield) -> None:
        self._handle(ev.Resumed())
        self._commit()

    def _recall_open(self, order: do.RecallOpen) -> None:
        journal, is_all = self._recall(order.node, order.known)
        self._handle(ev.OpenRecalled(order.node, journal, is_all, order.act))

    def _probe(self, _order: do.ProbeStore) -> None:
        self._store.probe()
        self._handle(ev.StoreRecovered())
        self._raise_what_was_refused()

    def _report(self, order: do.ReportFact) -> None:
        alert = {} if order.alert is None else {"alert": order.alert.text}
        self._facts.write(order.fact, **alert, **dict(order.detail))
