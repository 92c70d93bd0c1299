"""A bench for the node's core: a world that carries out its orders in memory, and can refuse, lose and delay them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypedDict, TypeVar, Unpack

from msgspec.structs import replace

from node.core.controls import Button, SoundPattern
from node.core.effects import (
    NOTHING_TOLD,
    CheckSettings,
    Effect,
    KeepAirtime,
    KeepSeen,
    KeepSettings,
    KeepTold,
    MarkReceipted,
    PublishFrame,
    RaiseCounterFloor,
    ReportFact,
    ShowScreen,
    StoreFrame,
    Told,
    frame_of,
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
    SettingsChecked,
    SettingsKept,
    Started,
    StoredFrame,
    StoreRefused,
    SyncAnswered,
    Ticked,
)
from node.core.link import proof
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.screens import Screen
from node.core.settings import RadioSettings, Settings
from node.core.state import Incident, NodeState
from node.core.trial import Kept
from tests.support.members import HART, NOON, NOON_S, OURS, directory, key_of, sender, signed
from wire.directory import Directory
from wire.frames import (
    Acknowledgement,
    Alert,
    Cancel,
    DigestReceipt,
    Frame,
    Receipt,
    Response,
    SignedFrame,
    frame_digest,
)
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason, MemberResponse, Path, Priority, Role
from wire.messages import Answer, Asked, CentralStatus, IncidentState, MemberAnswer, SyncAnswer
from wire.signing import SigningKey
from wire.topics import FrameTopic

E = TypeVar("E", bound=Effect)
StateWord = Literal["unanswered", "answered", "on-the-way", "closed"]


class Said(TypedDict, total=False):
    """What a state of central's may say beside the least; as the fields of :class:`IncidentState`."""

    revision: int
    scheme: str
    premises: str
    place: str
    kind: str
    opened_at: datetime
    expires_at: datetime
    late: bool
    live_at: datetime | None
    stamped_at: datetime | None
    drill: bool
    answer: Answer | None
    members: tuple[MemberAnswer, ...]
    asked: Asked | None
    person: int | None
    left: Literal["yes", "no", "not-asked"] | None


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
    stored: dict[int, tuple[SignedFrame, int | None]] = field(default_factory=dict)
    unsaved: dict[int, SignedFrame] = field(default_factory=dict)
    receipted: set[int] = field(default_factory=set)
    known_to_central: set[int] = field(default_factory=set)
    """Our frames that central may speak of; only drawn stories keep account."""
    answered: set[int] = field(default_factory=set)
    """Our incidents that somebody has answered, likewise."""
    seen: dict[FrameId, tuple[bytes, Priority | None]] = field(default_factory=dict)
    airtime: tuple[tuple[int, int], ...] = ()
    told: Told = NOTHING_TOLD
    kept_settings: Kept = field(default_factory=Kept)
    settings_objection: str = ""
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
        due_ms = next_deadline_ms(self.state)
        while due_ms is not None and due_ms <= moment_ms:
            self.now_ms = max(due_ms, self.now_ms)
            done += self.do(Ticked())
            due_ms = next_deadline_ms(self.state)
            assert due_ms is None or due_ms > self.now_ms, "the core asks again for a moment that has passed"
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
                self.seen[effect.id] = (effect.digest, effect.shown)
            case KeepAirtime():
                self.airtime = effect.slices
            case KeepTold():
                self.told = effect.told
            case RaiseCounterFloor():
                self.counter = max(self.counter, effect.counter)
            case _:
                return self._settings(effect)
        return None

    def _settings(self, effect: Effect) -> Event | None:
        if isinstance(effect, CheckSettings):
            return SettingsChecked(effect.signed.serial, self.settings_objection)
        if not isinstance(effect, KeepSettings):
            return None
        if not self.disk_full:
            self.kept_settings = effect.kept
        return SettingsKept(effect.kept, is_kept=not self.disk_full)

    def store(self, order: StoreFrame) -> FrameStored:
        """What the disk answers."""
        frame = order.signed
        if frame is None:
            self.counter += 1
            frame = signed(frame_of(order.content, OURS, self.counter, order.at_s))
        self.stored[frame.frame.counter] = (frame, self.now_ms)
        self.unsaved.pop(frame.frame.counter, None)
        return FrameStored(order.draft, frame)

    @property
    def numbered(self) -> dict[int, SignedFrame]:
        """Frames of ours that are on disk, and those that are sent without it."""
        return {**self.unsaved, **{counter: frame for counter, (frame, _) in self.stored.items()}}

    def alert_on_disk(self, counter: int) -> Alert:
        """A stored frame, which is an alert."""
        frame = self.stored[counter][0].frame
        assert isinstance(frame, Alert)
        return frame

    def number(self, order: StoreFrame) -> SignedFrame | None:
        """What the disk refuses, signed."""
        if order.signed is not None or not self.is_numbered_unsaved:
            return order.signed
        self.counter += 1
        self.unsaved[self.counter] = signed(frame_of(order.content, OURS, self.counter, order.at_s))
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
            Started(
                boot,
                outbox,
                inbox,
                known or directory(),
                self.counter,
                airtime=self.airtime,
                told=self.told,
                settings=self.kept_settings,
            )
        )
        if wall is not None:
            done += self.do(ClockRead(int(wall.timestamp()), is_proven=True))
        return done

    def restart(self, boot: str = "boot-2", wall: datetime | None = NOON) -> list[Effect]:
        """Crash, and start again: only the disk is left."""
        self.unsaved.clear()
        self.kept_settings = self.kept_settings.at_start()
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
        state: StateWord = "unanswered",
        **said: Unpack[Said],
    ) -> IncidentState:
        least = IncidentState(
            incident=FrameId(node, counter).text,
            revision=1,
            scheme="hart",
            node=f"{node:08x}",
            premises="Boots",
            place="Gallowtree Gate",
            kind="attack",
            priority=1,
            state=state,
            opened_at=self.wall(),
            expires_at=self.wall() + timedelta(hours=1),
        )
        return replace(least, **said)

    def says(
        self, node: NodeId, counter: int, state: StateWord = "unanswered", **said: Unpack[Said]
    ) -> IncidentReceived:
        return IncidentReceived(self.incident_state(node, counter, state, **said), is_signed=True)

    def answers(self, answer: SyncAnswer) -> SyncAnswered:
        """Central's signed answer to the newest question; asks one if none is out that may still be answered."""
        if not proof.is_waiting(self.state, self.now_ms):
            self.do(LinkUp())
        return SyncAnswered(replace(answer, nonce=self.state.central.questions[-1].nonce), is_signed=True)

    @staticmethod
    def answer(
        name: str = "Jaswinder Patel",
        role: str = "pcso",
        at: datetime = NOON,
        *,
        press: str | None = None,
        after_s: int | None = None,
    ) -> Answer:
        return Answer(role=role, name=name, at=at, press=press, after_s=after_s)

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

    def shown(self) -> list[str]:
        """Alerts of others, each once for each time that the panel told of it first."""
        return [fact.alert.text for fact in self.facts("shown") if fact.alert is not None]

    @property
    def sounding(self) -> SoundPattern | None:
        return None if self.state.sounding is None else self.state.sounding.pattern

    def own(self, key: int) -> Incident:
        """One of our incidents."""
        incident = self.state.incidents.get(key)
        assert incident is not None
        return incident

    def alerts_on_disk(self) -> list[Alert]:
        """Those of all stored frames, which are alerts."""
        return [self.alert_on_disk(counter) for counter in self.stored]

    def published(self) -> list[SignedFrame]:
        return [e.signed for e in self.log if isinstance(e, PublishFrame)]


def node_world(
    radio: RadioSettings | None = None,
    *,
    is_attack_silent: bool = False,
    scheme_numbers: tuple[int, ...] = (HART,),
) -> World:
    """A node that is not started."""
    settings = World().settings
    return World(replace(settings, radio=radio, is_attack_silent=is_attack_silent, scheme_numbers=scheme_numbers))
