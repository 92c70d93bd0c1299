"""Everything the node knows between two events. No rules here.

Only a step assigns, and only to its own copies of the state and its four large parts (:mod:`node.core.turn`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from node.core.central import Central
from node.core.controls import Button, LedPattern, Part, SoundPattern
from node.core.effects import NOTHING_TOLD, Draft, Told
from node.core.events import MachineRead
from node.core.gallery_state import Gallery, Person
from node.core.ledger import Ledger, Shelf
from node.core.member import Member
from node.core.radio_state import Radio
from node.core.screens import Screen
from node.core.settings import Settings
from node.core.table import ButtonPhase, Phase
from node.core.trial import NONE, Kept, Settled
from wire.directory import EMPTY_DIRECTORY, Directory
from wire.frames import SignedFrame
from wire.ids import U32_MAX, FrameId
from wire.kinds import AlertKind, AnswerState, LeftWhenAsked, MemberResponse, Path, Priority
from wire.lateness import SOUNDS_WITHIN_S

RECENT_MAX: Final = 8
"""Own incidents on view; older ones are still sent and still listened for."""
_URGENT: Final = frozenset({AlertKind.ATTACK, AlertKind.ASSIST})
"""Sound once even if they are late or had to wait for the panel."""


class Press(Struct, frozen=True):
    """One button.

    Attributes:
        edge_ms: when CLOSING or OPENING began.
        down_ms: when this press began: the edge after which the level held.
        is_spent: UP since an edge at ``edge_ms``, and the press before had its wish.
    """

    phase: ButtonPhase = ButtonPhase.UP
    edge_ms: int = 0
    down_ms: int = 0
    is_spent: bool = False


Buttons = Mapping[Button, Press]


def stuck_buttons(buttons: Buttons) -> tuple[Button, ...]:
    """Buttons that are stuck."""
    return tuple(b for b, press in buttons.items() if press.phase in (ButtonPhase.STUCK, ButtonPhase.STUCK_OPENING))


class PendingDraft(Struct, frozen=True):
    """A press, cancel or response that is not on disk yet.

    Attributes:
        incident: key of our incident that it belongs to; 0 for a response.
        is_issued: StoreFrame was ordered and not yet answered.
        retry_at_ms: when to order it again; ``None`` while issued or while it waits for its incident's counter.
        pressed_ms: when; ``None`` = unknown, in an earlier boot.
        is_refused: the disk has refused it at least once.
        replaces: counter of a stored frame with the same content that central will never take; 0 = none.
        signed: the frame, sent although the disk refused it (ADR 0018); ``None`` = not numbered yet.
    """

    number: int
    content: Draft
    incident: int
    at_s: int
    pressed_ms: int | None
    is_issued: bool = False
    retry_at_ms: int | None = None
    is_refused: bool = False
    replaces: int = 0
    signed: SignedFrame | None = None


class Row(Struct, frozen=True):
    """A stored frame without central's receipt.

    Attributes:
        pressed_ms: when, on this boot's clock; may be negative; ``None`` = not known.
        round: the sending round in which it last went out.
        is_published: a PUBACK has come for it at least once.
    """

    signed: SignedFrame
    pressed_ms: int | None
    round: int = -1
    is_published: bool = False


class Outbox(Struct):
    """Frames to be sent, and the progress of sending. See :mod:`node.core.delivery`.

    Attributes:
        rows: by counter.
        round: number of the present sending round.
        cursor: lowest counter the round has yet to look at; ``None`` = past the end.
        in_flight: handed to the link in this round, no PUBACK yet.
        round_at_ms: when the next round begins; ``None`` = nothing to send or no link.
        backoff_ms: length of the next wait.
        due: (moment, counter) of alerts whose receipt is awaited, soonest first.
    """

    rows: Ledger[Row] = field(default_factory=Ledger)
    round: int = 0
    cursor: int | None = None
    in_flight: frozenset[int] = frozenset()
    round_at_ms: int | None = None
    backoff_ms: int = 0
    due: tuple[tuple[int, int], ...] = ()


class Answered(Struct, frozen=True):
    """A person's answer to an incident.

    Attributes:
        role: short, as on the panel. name: as full as known.
        at_s: Unix time by central, 0 = unknown. heard_ms: when it reached us.
        press: counter of the newest press that was known to who answered; 0 = unknown, as from an older central.
        after_s: from that press to the answer; ``None`` = unknown.
    """

    state: AnswerState
    role: str
    name: str
    at_s: int
    heard_ms: int
    press: int = 0
    after_s: int | None = None


class CancelProgress(StrEnum):
    """How far the presser's cancel has come."""

    NONE = "none"
    WANTED = "wanted"
    SAVED = "saved"
    RECEIVED = "received"


class Incident(Struct, frozen=True):
    """An incident that this node opened.

    Attributes:
        key: the opening alert's counter, or minus its draft number until it has one.
        kind: its most urgent kind; ``latest_kind``: that of the last press.
        latest: counter of the last press's alert; ``None`` while that is not stored.
        latest_draft: draft number of the last press, 0 for one from an earlier run.
        waiting: stored alerts without a receipt.
        opened_ms, pressed_ms: first and last press on this boot's clock; ``None`` = in an earlier run.
        pressed_at_s: wall time of the last press, 0 = not known.
        changed_ms: last change of phase.
        is_restored: from an earlier run, and central has not mentioned it since.
        received_ms: when all decisive alerts were first known to be at central.
        path: of the last press's receipt; ``None`` = none in this run.
        revision, ack_counter: newest state and acknowledgement taken from central.
        ahead: an acknowledgement ahead of central's states, which wait for the network; ``None`` = none.
        schemes: of its alerts, empty = not known. about: the person whom it is about, if anybody in particular.
        asked: by scheme, the role that central asks now; empty = NOBODY. A scheme without a policy has none.
    """

    key: int
    phase: Phase
    kind: AlertKind
    latest_kind: AlertKind
    latest: int | None
    latest_draft: int
    waiting: tuple[tuple[int, AlertKind], ...]
    opened_ms: int | None
    pressed_ms: int | None
    pressed_at_s: int
    changed_ms: int
    is_silent: bool = False
    is_restored: bool = False
    is_late: bool = False
    received_ms: int | None = None
    path: Path | None = None
    answer: Answered | None = None
    members: tuple[Member, ...] = ()
    revision: int = -1
    ack_counter: int = 0
    ahead: AnswerState | None = None
    ahead_ms: int = 0
    cancel: CancelProgress = CancelProgress.NONE
    schemes: tuple[int, ...] = ()
    about: Person | None = None
    asked: tuple[tuple[str, str], ...] = ()

    @property
    def is_somebody_coming(self) -> bool:
        """Whether a neighbour has pressed *responding* on it."""
        return any(member.response is MemberResponse.RESPONDING for member in self.members)

    @property
    def responders(self) -> tuple[Member, ...]:
        """Members whose word holds for what it is now."""
        return tuple(member for member in self.members if member.holds_for(self.kind))

    def is_answer_to_earlier(self, answer: Answered) -> bool:
        """Whether ``answer`` came before the latest press; if it names none, times decide."""
        if self.latest is None or self.latest == self.key:
            return False
        if answer.press:
            return answer.press < self.latest
        is_older = 0 < answer.at_s < self.pressed_at_s
        return is_older or (self.pressed_ms is not None and answer.heard_ms < self.pressed_ms)


class Seen(Struct, frozen=True):
    """One accepted frame of another sender.

    Attributes:
        shown: the highest urgency at which the panel showed its alert; ``None`` = never. An incident's upgrade is
            remembered under its own id and under that of the opening alert.
        is_restored: shown by an earlier run, not by this one.
    """

    digest: bytes
    shown: Priority | None = None
    is_late: bool = False
    is_restored: bool = False


class Inbox(Struct):
    """Accepted frames in two generations, so that forgetting after two days costs nothing.

    Attributes:
        highest: each sender's highest counter, under its id with counter 0; never forgotten.
    """

    recent: Shelf[Seen] = field(default_factory=Shelf)
    older: Shelf[Seen] = field(default_factory=Shelf)
    turned_ms: int = 0
    highest: Shelf[int] = field(default_factory=Shelf)


class Neighbour(Struct, frozen=True):
    """Another premises' incident that is on our panel, or waits for its turn.

    Attributes:
        alert: the alert shown: the opening one, or the upgrade.
        age_s: seconds from the press to ``arrived_ms``; ``None`` = unknown.
        is_late: pressed long before it arrived, and so never shown as live. dated_s: Unix time that says so; 0 = none.
        is_sounded: its turn at the sounder is over. response: ours, if any.
        cancel_counter: counter of the sender's cancel, 0 = not cancelled.
        revision, earlier_revision: highest from central's present run, and from its earlier ones; -1 = none.
        about: the person whom it is about, if anybody in particular. left: of a breach, whether they left when asked.
    """

    incident: FrameId
    alert: FrameId
    kind: AlertKind
    premises: str
    place: str
    schemes: tuple[int, ...]
    arrived_ms: int
    age_s: int | None
    is_late: bool = False
    dated_s: int = 0
    is_drill: bool = False
    is_sounded: bool = False
    response: MemberResponse | None = None
    cancel_counter: int = 0
    answer: Answered | None = None
    revision: int = -1
    earlier_revision: int = -1
    about: Person | None = None
    left: LeftWhenAsked = LeftWhenAsked.NOT_ASKED

    @property
    def is_urgent(self) -> bool:
        """Whether it sounds by its age on arrival, however long it has waited for the panel since.

        In a storm every warning still counts.
        """
        return self.kind in _URGENT and (not self.is_late or self.is_late_and_urgent)

    @property
    def is_late_and_urgent(self) -> bool:
        """Whether it is marked late but may still need help: it sounds once and may be answered with *coming*."""
        is_young = self.age_s is not None and self.age_s < SOUNDS_WITHIN_S
        return self.is_late and self.kind in _URGENT and is_young


class View(Struct, frozen=True):
    """Which of several alerts has the panel.

    Attributes:
        neighbour: incident on display, or ``None``: our own, or the idle face.
        is_own: our own incident is on display.
        since_ms: when its turn began.
        was_other: another alert was shown before, so that a press may have been meant for that one.
    """

    neighbour: FrameId | None = None
    is_own: bool = False
    since_ms: int = 0
    was_other: bool = False


class Clock(Struct, frozen=True):
    """Wall time as an offset from the monotonic clock, so that a jump touches nothing that is timed."""

    offset_ms: int | None = None
    is_proven: bool = False
    utc_offset_s: int = 0
    doubted_ms: int = 0


class Fault(Struct, frozen=True):
    """A part that does not work.

    Attributes:
        since_ms: when it began.
        retry_at_ms: when it is tried again.
    """

    detail: str
    since_ms: int
    retry_at_ms: int
    backoff_ms: int


class Sounding(Struct, frozen=True):
    """The pattern that plays, for which incident (``own`` key or ``neighbour``), and until when."""

    pattern: SoundPattern
    until_ms: int
    own: int = 0
    neighbour: FrameId | None = None


class Hint(Struct, frozen=True):
    """A hint about how to press."""

    headline: str
    lines: tuple[str, str]
    until_ms: int


class WeeklyTest(Struct, frozen=True):
    """Tests that staff press (N12). See :mod:`node.core.radio.weekly_test`.

    Attributes:
        good_ms: when one of this run last reached central; ``None`` = none.
        good_at_s: Unix time of the last one of an earlier run that did; 0 = none, or unknown.
        since_at_s: Unix time from which a first one is asked for; 0 = not known.
    """

    good_ms: int | None = None
    good_at_s: int = 0
    since_at_s: int = 0


class Configuring(Struct, frozen=True):
    """Settings from the fleet. See :mod:`node.core.link.configuring`.

    Attributes:
        kept: as on disk.
        checking: those that are being looked at.
        offered: those that are to be tried; ``waits_for``: why not yet.
        is_writing: the disk is asked to keep a change; not again before ``retry_ms``.
        is_trial: this run uses settings on trial.
        is_key_proven: the transmit key has moved by order in this run.
        is_leaving: the node starts again as soon as nobody needs it.
        since_ms: when ``kept.state`` last changed in this run.
    """

    kept: Kept = Kept()
    checking: Settled = NONE
    offered: Settled = NONE
    waits_for: str = ""
    is_writing: bool = False
    retry_ms: int | None = None
    is_trial: bool = False
    is_key_proven: bool = False
    is_leaving: bool = False
    since_ms: int = 0


class NodeState(Struct):
    """The whole node."""

    settings: Settings
    now_ms: int = 0
    is_started: bool = False
    is_stopping: bool = False
    started_ms: int = 0
    boot_id: str = ""
    secret: bytes = b""
    """This run's secret, from which nonces are made."""
    buttons: Mapping[Button, Press] = field(default_factory=lambda: MappingProxyType({b: Press() for b in Button}))
    next_draft: int = 1
    drafts: tuple[PendingDraft, ...] = ()
    last_counter: int = 0
    outbox: Outbox = field(default_factory=Outbox)
    incidents: Ledger[Incident] = field(default_factory=Ledger)
    recent: tuple[int, ...] = ()
    directory: Directory = EMPTY_DIRECTORY
    inbox: Inbox = field(default_factory=Inbox)
    neighbours: tuple[Neighbour, ...] = ()
    ended: tuple[FrameId, ...] = ()
    closed: tuple[int, ...] = ()
    """Counters of our own incidents that central has closed, newest last."""
    told: Told = NOTHING_TOLD
    """As on disk after our last order."""
    told_ms: int = 0
    cancelled: tuple[tuple[FrameId, int], ...] = ()
    central: Central = field(default_factory=Central)
    clock: Clock = field(default_factory=Clock)
    faults: Mapping[Part, Fault] = field(default_factory=lambda: MappingProxyType({}))
    is_store_refusing: bool | None = None
    """Whether the disk refused the last write; ``None`` = not tried since start or repair."""
    is_sent_unsaved: bool | None = None
    """Whether the last frame that the disk refused had a number and was sent (ADR 0018); ``None`` = none yet."""
    is_store_read: bool = True
    """Whether the disk could be read, so that the used counters are known."""
    rejected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    machine: MachineRead | None = None
    """As last read, for the health report."""
    health_at_ms: int | None = None
    health_sent_ms: int | None = None
    view: View = field(default_factory=View)
    hint: Hint | None = None
    screen: Screen | None = None
    sounding: Sounding | None = None
    led: LedPattern = LedPattern.OFF
    radio: Radio = field(default_factory=Radio)
    weekly_test: WeeklyTest = field(default_factory=WeeklyTest)
    configuring: Configuring = Configuring()
    gallery: Gallery = Gallery()


def wall_at_s(state: NodeState, at_ms: int) -> int:
    """Proven Unix time of a moment of this boot, for frames; 0 = not proven."""
    if state.clock.offset_ms is None or not state.clock.is_proven:
        return 0
    at_s = (state.clock.offset_ms + at_ms) // 1000
    return at_s if 0 < at_s <= U32_MAX else 0
