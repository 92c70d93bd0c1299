"""Central's intake loop on lists, and an exception planted at the n-th call of one of its core's steps."""

from __future__ import annotations

import inspect
import io
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest

import central.core
import wire
from central.core import effects as do
from central.core import events as ev
from central.core import undo
from central.core.boards import BoardKeeper
from central.core.journal import FrameEntry, JournalEntry, KeptAct, KeptFigures, KeptNode, Recall, SeenFrame
from central.core.machine import CentralCore
from central.core.view import Action, Board, Card, Change, Done, Person, Refused
from central.loop import IntakeLoop
from central.net.announcer import Announcer
from central.net.inbox import Inbox
from central.store.errors import StoreError
from runtime.logs import FactLog
from runtime.service import Service
from tests.support.central_town import (
    ALL_RIGHTS,
    GATEWAY,
    KEYS,
    PATEL,
    SCHEMES,
    START,
    make_directory,
    open_besides,
    opened,
)
from wire.directory import Directory
from wire.frames import Frame, Receipt, decode, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import Path as FramePath
from wire.messages import Health, RadioReport
from wire.topics import FrameTopic

_TRACED = (str(Path(central.core.__file__).parent), str(Path(wire.__file__).parent))
_UNTRACED = str(Path(undo.__file__))
"""What takes a failed step back is not part of the step."""


class PlantedError(Exception):
    """Raised inside the core, as a bug of ours would."""


Whole = Callable[[Callable[[], None]], Exception | None]
_PASSING = {"_effects", "_now_at", "_handlers", "_whole", "_spared"}
"""Attributes of the core that say nothing beyond one step."""

_HOLDERS = (undo.Machine, undo.Record, undo.Table)
_PLAIN: set[type] = {type(None), bool, int, float, str, bytes}
"""Nearly all of what there is; and all other types of values that were met."""
_VALUES = (bool, int, float, str, bytes, frozenset, date, timedelta, Enum)


def state_of(thing: object, seen: dict[int, str] | None = None) -> object:
    """All that records and tables hold, however deep, as values that can be compared; refuses anything else mutable."""
    if type(thing) in _PLAIN:
        return thing
    seen = {} if seen is None else seen
    if isinstance(thing, _HOLDERS):
        if id(thing) in seen:
            return seen[id(thing)]
        seen[id(thing)] = f"{type(thing).__name__} {len(seen)}"
    if isinstance(thing, undo.Table):
        return tuple((key, state_of(value, seen)) for key, value in thing.items())
    if isinstance(thing, undo.Machine | undo.Record):
        names: Iterable[str] = _slots_of(type(thing))
        if own := getattr(thing, "__dict__", None):
            names = sorted({*names, *own} - _PASSING)
        return (type(thing).__name__, *((name, state_of(getattr(thing, name), seen)) for name in names))
    if isinstance(thing, tuple):
        return tuple(state_of(item, seen) for item in thing)
    if not is_value(thing):
        pytest.fail(f"{thing!r} can change, and is no Record and no Table: see central/core/undo.py")
    _PLAIN.add(type(thing))
    return thing


_SLOTS: dict[type, tuple[str, ...]] = {}


def _slots_of(kind: type) -> tuple[str, ...]:
    if kind not in _SLOTS:
        names = {name for one in kind.__mro__ for name in getattr(one, "__slots__", ())}
        _SLOTS[kind] = tuple(sorted(names - _PASSING))
    return _SLOTS[kind]


@cache
def _directory() -> tuple[Directory, bytes]:
    """The same for every rig: sealing and opening it is what takes longest."""
    data = make_directory(has_gateway=True)
    return opened(data), data


def is_value(thing: object) -> bool:
    """It cannot change."""
    if thing is None or isinstance(thing, _VALUES):
        return True
    return isinstance(thing, msgspec.Struct) and thing.__struct_config__.frozen


class FailingCore:
    """A core that raises at the n-th call of its own and the contract's functions in steps of one event type."""

    def __init__(self, core: CentralCore) -> None:
        self.core = core
        self.kind: type[Any] | None = None
        self.fail_at = 0
        self.calls = 0
        self.failed_in = ""
        self.before: list[object] = []
        """The core's state before each step, in order; only noted where nothing is to fail."""
        self.kept_of_failed: tuple[int, object] | None = None
        """Which step failed, counted as above, and the state after it."""
        self._steps = 0

    def handle(self, event: ev.Event, now_at: datetime) -> list[do.Effect]:
        """As the core's; a failure is planted once."""
        if type(event) is not self.kind or self.failed_in:
            return self.core.handle(event, now_at)
        whole = self.core._whole
        self.core._whole = partial(self._look, whole)  # type: ignore[method-assign]
        sys.settrace(self._trace)
        try:
            return self.core.handle(event, now_at)
        finally:
            sys.settrace(None)
            del self.core._whole

    def _look(
        self, whole: Callable[[Callable[[], None]], Exception | None], part: Callable[[], None]
    ) -> Exception | None:
        number = self._steps
        self._steps += 1
        if not self.fail_at:
            self.before.append(state_of(self.core))
        error = whole(part)
        if error is not None and self.kept_of_failed is None:
            self.kept_of_failed = (number, state_of(self.core))
        return error

    def _trace(self, frame: FrameType, what: str, _arg: object) -> None:
        name = frame.f_code.co_filename
        if what != "call" or not name.startswith(_TRACED) or name == _UNTRACED:
            return
        if undo._NOTES.get() is None:
            return  # Around the steps: what begins them, and what sees to those that failed.
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            return  # What it calls is counted; what is raised where it is closed would be lost.
        self.calls += 1
        if self.calls == self.fail_at:
            self.failed_in = f"{Path(name).stem}.{frame.f_code.co_qualname}"
            raise PlantedError(self.failed_in)


class _HastyInbox(Inbox[ev.Event]):
    """Nothing ever comes but what is here."""

    def wait(self, timeout_s: float) -> bool:
        return super().wait(0)


@dataclass
class StepRig:
    """The loop with a disk that keeps entries, a broker and a page that are lists."""

    refusal: str = ""
    keeps_what_it_refuses: bool = False
    counters_left: int = 1_000_000
    is_moving: bool = True
    has_reserve: bool = True
    now_at: datetime = START
    aside: list[do.SetAside] = field(default_factory=list)
    frames: dict[FrameId, FrameEntry] = field(default_factory=dict)
    journal: list[JournalEntry] = field(default_factory=list)
    receipts: list[FrameId] = field(default_factory=list)
    answers: dict[int, Done | Refused] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = _HastyInbox()
        core = CentralCore()
        orders = core.handle(ev.Started("boot-1", *_directory(), Recall()), START)
        self.keeper = BoardKeeper(next(order.board for order in orders if isinstance(order, do.ShowBoard)))
        self.core = FailingCore(core)
        self.facts = io.StringIO()
        self.requests = 0
        self.loop = IntakeLoop(
            self.core,  # type: ignore[arg-type]
            store=self,
            inbox=self.inbox,
            announcer=Announcer(self.publish, KEYS[CENTRAL], self.next_counter, lambda: int(START.timestamp())),
            screen=self,
            facts=FactLog(self.facts),
            service=Service(),
            set_aside=self.aside.append,
            recall_open=self.recall_open,
            clock=lambda: self.now_at,
        )
        self.loop.step(0)
        self.loop._tick_due_s = math.inf  # Seconds are the scene's: a slow machine must not put one in between.
        for node in (*SCHEMES, GATEWAY):
            radio = RadioReport(state="ready") if node == GATEWAY else None
            self.take(ev.HealthArrived(node, Health(state="armed", boot_id="n1", radio=radio)))

    def take(self, *events: ev.Event) -> None:
        """These happen, and the loop deals with them."""
        for event in events:
            self.inbox.put(event)
        self.loop.step(0)

    def tick(self, seconds: float = 1) -> None:
        """Time goes by, and the loop's second is over."""
        self.now_at += timedelta(seconds=seconds)
        self.take(ev.Ticked())

    def send(self, frame: Frame, relay: NodeId | None = None) -> FrameId:
        """A member's frame arrives, by network or through a relay."""
        scheme = {1: "hart", 2: "pubwatch"}[SCHEMES[frame.sender][0]]
        data = encode(frame, KEYS[frame.sender])
        topic = FrameTopic(scheme, frame.sender) if relay is None else None
        self.take(ev.FrameArrived(data, topic, FramePath.NETWORK if relay is None else FramePath.RADIO, relay))
        return frame.id

    def act(self, action: Action, by: Person = PATEL) -> Done | Refused | None:
        """A person does something; ``None`` where nobody answers."""
        self.requests += 1
        self.take(ev.ActionRequested(self.requests, action, by, ALL_RIGHTS))
        return self.answers.get(self.requests)

    def board(self) -> Board:
        """As the page has it."""
        return self.keeper.board(self.now_at)

    def card(self, incident: FrameId) -> Card | None:
        """One incident as the page has it."""
        return next((card for card in self.board().cards if card.incident == incident.text), None)

    # What the loop needs of a store, a page and a broker.

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, signature: str | None = None) -> bool:
        self.topics.append(topic)
        if topic.endswith("/receipt"):
            frame = decode(payload).frame
            if isinstance(frame, Receipt):
                self.receipts.append(frame.target)
        return True

    def next_counter(self) -> int:
        if self.counters_left <= 0:
            raise StoreError("disk full")
        self.counters_left -= 1
        return 1_000_001 - self.counters_left

    def commit(self, entries: list[JournalEntry]) -> tuple[SeenFrame, ...]:
        frames = [entry for entry in entries if isinstance(entry, FrameEntry)]
        if self.refusal:
            if self.keeps_what_it_refuses:
                self.frames.update((entry.signed.frame.id, entry) for entry in frames)
            raise StoreError(self.refusal)
        known = [self.frames[e.signed.frame.id] for e in frames if e.signed.frame.id in self.frames]
        self.journal += [e for e in entries if not (isinstance(e, FrameEntry) and e.signed.frame.id in self.frames)]
        self.frames.update((e.signed.frame.id, e) for e in frames if e.signed.frame.id not in self.frames)
        return tuple(SeenFrame(e.signed.frame.id, e.digest, e.is_late) for e in known)

    def recall_open(self, node: NodeId, known: frozenset[int]) -> tuple[tuple[JournalEntry, ...], bool]:
        self._write()
        found = open_besides(do.RecallOpen(node, known), self.journal)
        return found.journal, found.is_all

    def keep_nodes(self, nodes: tuple[KeptNode, ...]) -> None:
        self._write()

    def keep_figures(self, figures: tuple[KeptFigures, ...]) -> None:
        self._write()

    def keep_acts(self, acts: tuple[KeptAct, ...]) -> None:
        self._write()

    def keep_directory(self, serial: int, data: bytes, taken_at: datetime) -> None:
        self._write()

    def raise_entry(self, entry: int) -> None:
        self._write()

    def probe(self) -> None:
        self._write()

    def _write(self) -> None:
        if self.refusal:
            raise StoreError(self.refusal)

    def show(self, change: Change) -> None:
        self.keeper.apply(change)

    def answer(self, request: int, result: Done | Refused) -> None:
        self.answers[request] = result


Scene = Callable[[StepRig], object]
