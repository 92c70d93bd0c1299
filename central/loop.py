"""The intake thread: takes what arrived, asks the rules, commits once for all of it, and then tells.

A lone alert is handled the moment it arrives; under a flood of them whatever has gathered meanwhile, at most
five hundred, shares one transaction. Receipts go out at once, pages and tools are told when nothing more waits,
or a tenth of a second later: somebody frightened waits for the first. Everything of the core and the database
happens on this thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from central.core import effects as do
from central.core import events as ev
from central.core.journal import ActionEntry, FrameEntry, JournalEntry, KeptFigures, KeptNode, SeenFrame
from central.core.machine import CentralCore
from central.core.view import Change as BoardChange
from central.core.view import Done, Refused
from central.net.announcer import Announcer
from central.net.inbox import Inbox, Published
from central.net.reading import Reader
from central.store.errors import StoreError
from runtime.logs import FactLog
from runtime.service import Service

logger = logging.getLogger(__name__)

BATCH_MAX: Final = 500
TICK_S: Final = 1.0
TELL_WITHIN_S: Final = 0.1
"""How long a flood may hold back what is not a receipt."""
INTERNAL_ERROR: Final = "internal error"
OVERLOAD: Final = "overload"


class Store(Protocol):
    """What the loop needs of :class:`central.store.database.Database`."""

    def commit(self, entries: list[JournalEntry]) -> tuple[SeenFrame, ...]: ...  # noqa: D102

    def keep_nodes(self, nodes: tuple[KeptNode, ...]) -> None: ...  # noqa: D102

    def keep_figures(self, figures: tuple[KeptFigures, ...]) -> None: ...  # noqa: D102

    def keep_directory(self, serial: int, data: bytes, taken_at: datetime) -> None: ...  # noqa: D102

    def probe(self) -> None: ...  # noqa: D102


class Screen(Protocol):
    """Shows what the rules say: :class:`central.live.LiveBoard`."""

    def show(self, change: BoardChange) -> None: ...  # noqa: D102

    def answer(self, request: int, result: Done | Refused) -> None: ...  # noqa: D102


def _utc_now() -> datetime:
    return datetime.now(UTC)


class IntakeLoop:
    """One core, one database, one thread. :meth:`stop` may be called from any thread, the rest is its own."""

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
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._core = core
        self._store = store
        self._inbox = inbox
        self._screen = screen
        self._facts = facts
        self._service = service
        self._clock = clock
        self._reader = Reader()
        self._batch: list[JournalEntry] = []
        self._untold: deque[do.Effect] = deque()
        self._tell_due_s = 0.0
        self._tick_due_s = 0.0
        self._is_stopping = threading.Event()
        self._doers: dict[type[Any], Callable[[Any], None]] = {
            do.SendReceipt: announcer.send_receipt,
            do.SendAcknowledgement: announcer.send_acknowledgement,
            do.RepeatAcknowledgement: announcer.repeat_acknowledgement,
            do.SendReceiptsToAir: announcer.send_receipts_to_air,
            do.SendFrameToAir: announcer.send_frame_to_air,
            do.PublishIncident: announcer.publish_incident,
            do.PublishStatus: announcer.publish_status,
            do.SendSyncAnswer: announcer.send_sync_answer,
            do.SendDirectory: announcer.send_directory,
            do.ShowChange: lambda order: self._screen.show(order.change),
            do.AnswerAction: lambda order: self._screen.answer(order.request, order.result),
            do.KeepNodes: lambda order: self._store.keep_nodes(order.nodes),
            do.KeepFigures: lambda order: self._store.keep_figures(order.figures),
            do.ProbeStore: self._probe,
            do.ReportFact: self._report,
        }

    def run(self) -> None:
        """Until :meth:`stop`; what had arrived by then is still committed and answered."""
        while not self._is_stopping.is_set():
            self.step(max(0.0, self._tick_due_s - time.monotonic()))
        for _ in range(BATCH_MAX):
            if not self._take(self._inbox.take(BATCH_MAX, 0.0)):
                break
        self._tell()
        self._service.watchdog()

    def step(self, timeout_s: float) -> None:
        """Wait for something at most this long, and deal with it."""
        self._take(self._inbox.take(BATCH_MAX, timeout_s))
        if time.monotonic() >= self._tick_due_s:
            self._tick_due_s = time.monotonic() + TICK_S
            for _ in range(min(self._inbox.take_dropped(), BATCH_MAX)):
                self._handle(ev.InputRejected(OVERLOAD, None))
            self._handle(ev.Ticked())
            self._commit()
        if self._inbox.is_empty or time.monotonic() >= self._tell_due_s:
            self._tell()
        # Here and nowhere else: the watchdog is to know that the loop goes round, not that a thread lives.
        self._service.watchdog()

    def stop(self) -> None:
        """Ask :meth:`run` to return, soon."""
        self._is_stopping.set()
        self._inbox.put(ev.Ticked())

    def _carry_out(self, orders: list[do.Effect]) -> None:
        """Gather commits, send receipts; the rest in its order, soon."""
        for order in orders:
            if isinstance(order, do.CommitFrame | do.CommitAction):
                self._batch.append(order.entry)
            elif isinstance(order, do.SendReceipt | do.SendReceiptsToAir | do.SendFrameToAir):
                self._do(order)
            else:
                if not self._untold:
                    self._tell_due_s = time.monotonic() + TELL_WITHIN_S
                self._untold.append(order)

    def _tell(self) -> None:
        while self._untold:
            self._do(self._untold.popleft())

    def _do(self, order: do.Effect) -> None:
        try:
            self._doers[type(order)](order)
        except StoreError as e:
            # A counter block, a probe, a heartbeat: nobody was told anything that is not so.
            logger.warning("%s", e)
            self._handle(ev.StoreFailed(str(e)))
        except Exception:
            # One order that cannot be carried out must not keep back those behind it.
            logger.exception("an order was not carried out: %s", type(order).__name__)

    def _take(self, items: list[ev.Event | Published]) -> bool:
        for item in items:
            try:
                event = self._reader.read(item) if isinstance(item, Published) else item
                self._handle(event)
                if isinstance(event, ev.DirectoryChanged):
                    self._store.keep_directory(event.directory.serial, event.data, self._clock())
            except StoreError as e:
                logger.warning("%s", e)
                self._handle(ev.StoreFailed(str(e)))
            except Exception:
                # A bug of ours that one input brings out must not stop the alerts behind it.
                logger.exception("an event was not handled: %s", type(item).__name__)
                self._handle(ev.InputRejected(INTERNAL_ERROR, None))
        self._commit()
        return bool(items)

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
                logger.error("not committed: %s", e)  # noqa: TRY400 - a full disk is no bug, and this may repeat
                self._handle(ev.CommitFailed(frames, actions, str(e)))
                continue
            if known:
                ids = {frame.id for frame in known}
                frames = tuple(frame_id for frame_id in frames if frame_id not in ids)
                self._handle(ev.FramesKnown(known))
            if frames:
                self._handle(ev.FramesCommitted(frames))
            for entry in actions:
                self._handle(ev.ActionCommitted(entry))

    def _probe(self, _order: do.ProbeStore) -> None:
        self._store.probe()
        self._handle(ev.StoreRecovered())

    def _report(self, order: do.ReportFact) -> None:
        alert = {} if order.alert is None else {"alert": order.alert.text}
        self._facts.write(order.fact, **alert, **dict(order.detail))
