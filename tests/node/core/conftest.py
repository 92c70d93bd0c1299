# ruff: noqa: ANN401  # fields of a message, passed on
"""A bench for the node's core: a world that carries out its orders in memory, and can refuse, lose and delay them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

import pytest
from msgspec import structs
from msgspec.structs import replace

from node.core import proof
from node.core.controls import Button
from node.core.effects import (
    NOTHING_TOLD,
    AlertDraft,
    CancelDraft,
    Draft,
    Effect,
    KeepAirtime,
    KeepSeen,
    KeepTold,
    MarkReceipted,
    PathTestDraft,
    PublishFrame,
    RaiseCounterFloor,
    ReportFact,
    ResponseDraft,
    ShowScreen,
    StoreFrame,
    Told,
)
from node.core.events import (
    CentralStatusReceived,
    ClockRead,
    Event,
    FramePublished,
    FrameReceived,
    FrameStored,
    IncidentReceived,
    LinkUp,
    PinChanged,
    ScreenShown,
    SeenFrame,
    Started,
    StoredFrame,
    StoreRefused,
    SyncAnswered,
    Ticked,
)
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.screens import Screen
from node.core.settings import Settings
from node.core.state import NodeState
from wire.directory import Directory, SchemeEntry, Sender
from wire.frames import (
    Acknowledgement,
    Alert,
    Cancel,
    DigestReceipt,
    Frame,
    PathTest,
    Receipt,
    Response,
    SignedFrame,
    encode,
    frame_digest,
)
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason, MemberResponse, Path, Priority, Role
from wire.messages import Answer, CentralStatus, IncidentState, SyncAnswer
from wire.signing import SigningKey
from wire.topics import FrameTopic

OURS = NodeId(0x10)
BOOTS = NodeId(0x11)
CAFE = NodeId(0x12)
PUB = NodeId(0x13)
THIEF = NodeId(0x14)
HART, PUBWATCH = 1, 2
NOON = datetime(2026, 11, 24, 14, 32, 0, tzinfo=UTC)
NOON_S = int(NOON.timestamp())
E = TypeVar("E", bound=Effect)


def key_of(node: NodeId) -> SigningKey:
    return SigningKey(hashlib.sha256(f"test {node}".encode()).digest())


def sender(node: NodeId, premises: str, place: str, *schemes: int, is_revoked: bool = False) -> Sender:
    return Sender(node, key_of(node).public, premises, place, frozenset(schemes), node == CENTRAL, is_revoked)


def directory(serial: int = 1, **changes: Sender) -> Directory:
    senders = [
        sender(CENTRAL, "Central", ""),
        sender(OURS, "Corner Shop", "High St", HART),
        sender(BOOTS, "Boots", "Gallowtree Gate", HART),
        sender(CAFE, "Cafe Nero", "Market Place", HART),
        sender(PUB, "The Globe", "Silver St", PUBWATCH),
        sender(THIEF, "Lost Node", "", HART, is_revoked=True),
        *changes.values(),
    ]
    schemes = [
        SchemeEntry(number=HART, slug="hart", name="HART"),
        SchemeEntry(number=PUBWATCH, slug="pubwatch", name="P"),
    ]
    return Directory(
        serial,
        MappingProxyType({s.node: s for s in senders}),
        MappingProxyType({s.number: s for s in schemes}),
    )


def signed(frame: Frame, key: SigningKey | None = None) -> SignedFrame:
    return SignedFrame(frame, encode(frame, key or key_of(frame.sender)))


@dataclass
class World:
    """One node, its disk and a hand on every other party. Time moves only by :meth:`at` and :meth:`after`."""

    directory = staticmethod(directory)
    sender = staticmethod(sender)
    signed = staticmethod(signed)
    key_of = staticmethod(key_of)

    settings: Settings = field(default_factory=lambda: Settings(OURS, "Corner Shop", "High St", (HART,), version="1.4"))
    now_ms: int = 1_000
    disk_full: bool = False
    is_numbered_unsaved: bool = False
    """What a full disk refuses has a number all the same."""
    disk_hangs: bool = False
    panel_answers: bool = True
    state: NodeState = field(init=False)
    counter: int = 0
    central_counter: int = 0
    log: list[Effect] = field(default_factory=list)
    stored: dict[int, tuple[SignedFrame, int]] = field(default_factory=dict)
    unsaved: dict[int, SignedFrame] = field(default_factory=dict)
    receipted: set[int] = field(default_factory=set)
    seen: dict[FrameId, tuple[bytes, Priority | None]] = field(default_factory=dict)
    airtime: tuple[tuple[int, int], ...] = ()
    told: Told = NOTHING_TOLD
    pending: list[FrameStored | StoreRefused] = field(default_factory=list)
    checks: list[Callable[[World, Event, tuple[Effect, ...]], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = initial_state(self.settings)

    # -- the world's clock and the node's disk and panel

    def do(self, *events: Event) -> list[Effect]:
        """Step with each event at the present moment, carry the orders out, and give them back."""
        done: list[Effect] = []
        queue = list(events)
        while queue:
            event = queue.pop(0)
            self.pending = [waiting for waiting in queue if isinstance(waiting, FrameStored | StoreRefused)]
            self.state, effects = step(self.state, event, self.now_ms)
            for check in self.checks:
                check(self, event, effects)
            for effect in effects:
                answer = self._carry_out(effect)
                if answer is not None:
                    queue.append(answer)
            done.extend(effects)
        self.log.extend(done)
        return done

    def at(self, moment_ms: int, *events: Event) -> list[Effect]:
        """Let time pass until then, ticking where the core asked for it, then step."""
        done: list[Effect] = []
        while (due_ms := next_deadline_ms(self.state)) is not None and due_ms <= moment_ms:
            self.now_ms = max(due_ms, self.now_ms)
            done += self.do(Ticked())
            following_ms = next_deadline_ms(self.state)
            assert following_ms is None or following_ms > self.now_ms, (
                "the core asks again for a moment that has passed"
            )
        self.now_ms = moment_ms
        return done + self.do(*events)

    def after(self, wait_ms: int, *events: Event) -> list[Effect]:
        """The same, from now."""
        return self.at(self.now_ms + wait_ms, *events)

    def _carry_out(self, effect: Effect) -> Event | None:
        match effect:
            case StoreFrame():
                if self.disk_hangs:
                    return None
                if self.disk_full:
                    return StoreRefused(effect.draft, "disk full", self.number(effect))
                return self.store(effect)
            case ShowScreen():
                return (
                    ScreenShown(effect.screen.concerns, effect.screen.face, effect.screen.priority)
                    if self.panel_answers
                    else None
                )
            case MarkReceipted():
                self.receipted.add(effect.id.counter)
            case KeepSeen():
                shown = getattr(effect, "is_shown", None)  # The inspected core's word, on which these are replayed.
                self.seen[effect.id] = (effect.digest, shown or getattr(effect, "shown", None))
            case KeepAirtime():
                self.airtime = effect.slices
            case KeepTold():
                self.told = effect.told
            case RaiseCounterFloor():
                self.counter = max(self.counter, effect.counter)
            case _:
                pass
        return None

    def store(self, order: StoreFrame) -> FrameStored:
        """What the disk answers."""
        frame = order.signed
        if frame is None:
            self.counter += 1
            frame = signed(frame_of(order.content, self.counter, order.at_s))
        self.stored[frame.frame.counter] = (frame, self.now_ms)
        self.unsaved.pop(frame.frame.counter, None)
        return FrameStored(order.draft, frame)

    @property
    def numbered(self) -> dict[int, SignedFrame]:
        """Frames of ours that are on disk, and those that are sent without it."""
        return {**self.unsaved, **{counter: frame for counter, (frame, _) in self.stored.items()}}

    def number(self, order: StoreFrame) -> SignedFrame | None:
        """What the disk refuses, signed."""
        if order.signed is not None or not self.is_numbered_unsaved:
            return order.signed
        self.counter += 1
        self.unsaved[self.counter] = signed(frame_of(order.content, self.counter, order.at_s))
        return self.unsaved[self.counter]

    # -- what people and programs do

    def start(
        self, *, boot: str = "boot-1", known: Directory | None = None, wall: datetime | None = NOON
    ) -> list[Effect]:
        """Start the program on what the disk holds."""
        outbox = tuple(
            StoredFrame(frame, at_ms, counter in self.receipted) for counter, (frame, at_ms) in self.stored.items()
        )
        inbox = tuple(SeenFrame(i, digest, shown) for i, (digest, shown) in self.seen.items())
        done = self.do(
            Started(boot, outbox, inbox, known or directory(), self.counter, airtime=self.airtime, told=self.told)
        )
        if wall is not None:
            done += self.do(ClockRead(int(wall.timestamp()), is_proven=True))
        return done

    def restart(self, boot: str = "boot-2", wall: datetime | None = NOON) -> list[Effect]:
        """Crash, and start again: only the disk is left."""
        self.unsaved.clear()
        self.state = initial_state(self.settings)
        return self.start(boot=boot, wall=wall)

    def online(self, boot: str = "central-1") -> list[Effect]:
        """Connect, and hear central."""
        return self.do(LinkUp(), self.status(boot))

    def status(self, boot: str = "central-1", on_duty: tuple[str, ...] = ("cctv", "pcso")) -> CentralStatusReceived:
        at = self.wall()
        return CentralStatusReceived(
            CentralStatus(boot_id=boot, at=at, expires_at=at + timedelta(seconds=30), on_duty=on_duty)
        )

    def live(self, wait_ms: int) -> list[Effect]:
        """Let time pass while central is heard every ten seconds."""
        done: list[Effect] = []
        end_ms = self.now_ms + wait_ms
        while self.now_ms < end_ms:
            done += self.after(min(10_000, end_ms - self.now_ms))
            done += self.do(self.status())
        return done

    def wall(self) -> datetime:
        return NOON + timedelta(milliseconds=self.now_ms - 1_000)

    def tap(self, button: Button, held_ms: int = 60) -> list[Effect]:
        done = self.do(PinChanged(button, is_down=True))
        done += self.after(held_ms, PinChanged(button, is_down=False))
        return done + self.after(40)

    def hold(self, button: Button, held_ms: int = 1_100) -> list[Effect]:
        return self.tap(button, held_ms)

    def receipt(self, counter: int, *, is_late: bool = False, target: NodeId = OURS) -> FrameReceived:
        frame: Frame = Receipt(CENTRAL, self._central(), NOON_S, FrameId(target, counter), is_late)
        if proof.is_strict(self.state):  # A central that signs names the bytes too.
            digest = frame_digest(self.numbered[counter].data)
            frame = DigestReceipt(CENTRAL, frame.counter, NOON_S, FrameId(target, counter), digest, is_late)
        return FrameReceived(signed(frame).data, None, Path.NETWORK)

    def ack(self, incident: int, state: AnswerState = AnswerState.ANSWERED, name: str = "J Patel") -> FrameReceived:
        frame = Acknowledgement(
            CENTRAL, self._central(), int(self.wall().timestamp()), FrameId(OURS, incident), Role.PCSO, state, name
        )
        return FrameReceived(signed(frame).data, None, Path.NETWORK)

    def _central(self) -> int:
        self.central_counter += 1
        return self.central_counter

    def puback(self, counter: int) -> FramePublished:
        return FramePublished(FrameId(OURS, counter))

    # -- what others send

    @staticmethod
    def of(kind: type[E], effects: Iterable[Effect]) -> list[E]:
        return [effect for effect in effects if isinstance(effect, kind)]

    def alert_from(
        self,
        node: NodeId,
        counter: int,
        kind: AlertKind = AlertKind.ATTACK,
        *,
        at_s: int | None = None,
        incident: int | None = None,
        schemes: tuple[int, ...] = (HART,),
        drill: bool = False,
        scheme: str | None = "hart",
        key: SigningKey | None = None,
    ) -> FrameReceived:
        at_s = int(self.wall().timestamp()) if at_s is None else at_s
        frame = Alert(node, counter, at_s, kind, incident or counter, schemes, drill=drill)
        topic = None if scheme is None else FrameTopic(scheme, node)
        return FrameReceived(signed(frame, key).data, topic, Path.NETWORK)

    def cancel_from(self, node: NodeId, counter: int, incident: int) -> FrameReceived:
        frame = Cancel(node, counter, NOON_S, incident, CancelReason.MISTAKE, (HART,))
        return FrameReceived(signed(frame).data, FrameTopic("hart", node), Path.NETWORK)

    def response_from(
        self, node: NodeId, counter: int, incident: int, response: MemberResponse = MemberResponse.RESPONDING
    ) -> FrameReceived:
        frame = Response(node, counter, NOON_S, FrameId(OURS, incident), response, (HART,))
        return FrameReceived(signed(frame).data, FrameTopic("hart", node), Path.NETWORK)

    def incident_state(
        self,
        node: NodeId,
        counter: int,
        state: str = "unanswered",
        *,
        revision: int = 1,
        kind: str = "attack",
        **fields: Any,
    ) -> IncidentState:
        said: dict[str, Any] = {
            "incident": FrameId(node, counter).text,
            "revision": revision,
            "scheme": "hart",
            "node": f"{node:08x}",
            "premises": "Boots",
            "place": "Gallowtree Gate",
            "kind": kind,
            "priority": 1,
            "state": state,
            "opened_at": self.wall(),
            "expires_at": self.wall() + timedelta(hours=1),
        }
        return IncidentState(**{**said, **fields})

    def says(self, *args: Any, **fields: Any) -> IncidentReceived:
        return IncidentReceived(self.incident_state(*args, **fields), is_signed=True)

    def answers(self, answer: SyncAnswer) -> SyncAnswered:
        """Central's signed answer to the newest question; asks one if none is out that may still be answered."""
        if not proof.is_waiting(self.state, self.now_ms):
            self.do(LinkUp())
        asked = getattr(self.state.central, "questions", ())  # An older core asks without a nonce.
        return SyncAnswered(structs.replace(answer, nonce=asked[-1].nonce) if asked else answer, is_signed=True)

    @staticmethod
    def answer(name: str = "Jaswinder Patel", role: str = "pcso", at: datetime = NOON, **about: Any) -> Answer:
        return Answer(role=role, name=name, at=at, **about)

    # -- what came of it

    @property
    def screen(self) -> Screen:
        assert self.state.screen is not None
        return self.state.screen

    @property
    def face(self) -> str:
        return self.screen.face.value

    def facts(self, name: str | None = None) -> list[ReportFact]:
        return [e for e in self.log if isinstance(e, ReportFact) and name in (None, e.fact)]

    def published(self) -> list[SignedFrame]:
        return [e.signed for e in self.log if isinstance(e, PublishFrame)]


def frame_of(content: Draft, counter: int, at_s: int) -> Alert | Cancel | Response | PathTest:
    match content:
        case AlertDraft():
            incident = content.incident or counter
            return Alert(OURS, counter, at_s, content.kind, incident, content.schemes, content.silent, content.drill)
        case CancelDraft():
            return Cancel(OURS, counter, at_s, content.incident, content.reason, content.schemes)
        case ResponseDraft():
            return Response(OURS, counter, at_s, content.target, content.response, content.schemes)
        case PathTestDraft():
            return PathTest(OURS, counter, at_s, content.path)


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """A node that is not started."""
    return World


@pytest.fixture
def world() -> World:
    """A node that is up, with central on duty."""
    made = World()
    made.start()
    made.online()
    return made


@pytest.fixture
def offline() -> World:
    """A node that is up, with no network."""
    made = World()
    made.start()
    return made


@pytest.fixture
def silent() -> World:
    """A node whose attack button is silent, with central on duty."""
    made = World(replace(World().settings, is_attack_silent=True))
    made.start()
    made.online()
    return made
