"""Faults planted on purpose, one at a time, to see that the invariants catch them. Never set outside the campaign."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec.structs import replace

from central.core import effects as orders
from central.core.fair_queue import ALERTS_AT_ONCE, FairQueue
from node.core import effects as do
from node.core import events as ev
from node.core.air import Mode, Phrase
from node.core.radio.path import can_transmit
from node.core.radio_state import Usage
from node.core.screens import Face
from node.core.settings import Settings
from node.core.state import Inbox, NodeState
from wire.ids import FrameId
from wire.kinds import Path

if TYPE_CHECKING:
    from central.core.view import Card
    from sim.node_disk import NodeDisk

M = TypeVar("M")


class Plant(StrEnum):
    """What is wrong."""

    RECEIPT_BEFORE_COMMIT = "receipt-before-commit"
    """Central sends the receipt as soon as it has decided to write."""
    COUNTER_NOT_PERSISTED = "counter-not-persisted"
    """The counter is kept in memory only; a crash brings used ones back."""
    FORGOTTEN_ON_PUBACK = "forgotten-on-puback"
    """The outbox row is deleted when the broker has it."""
    INBOX_FORGOTTEN = "inbox-forgotten"
    """What was shown is not remembered over a restart."""
    OLD_INCIDENT_SUPPRESSES = "old-incident-suppresses"
    """A press is swallowed while an earlier one waits."""
    SAID_RECEIVED_ON_PUBACK = "said-received"
    """The screen says RECEIVED while the node is still trying."""
    UNSIGNED_BELIEVED = "unsigned-believed"
    """Nodes take any JSON from the broker as central's."""
    LATE_SHOWN_AS_LIVE = "late-shown-as-live"
    """Central forgets how old an alert is."""
    REPEAT_NOT_SOUNDED = "repeat-not-sounded"
    """The desk is not told that a shop pressed again after the answer."""
    REPEAT_NOT_SOUNDED_BEHIND = "repeat-not-sounded-behind"
    """The desk is not told that an answered attack was pressed again, if an assist waits before it."""
    SCOPE_FORGOTTEN = "scope-forgotten"
    """Everyone's page is sent the whole town."""
    NO_BUDGET = "no-budget"
    """Central reads messages in order of arrival, whoever sends them."""
    UPGRADE_MISSED = "upgrade-missed"
    """The disk remembers that an alert was shown, but not as what, and a restart takes it off the panel for good."""
    HALF_A_STEP_KEPT = "half-a-step-kept"
    """When a bug in central's rules raises, what the step had changed stays."""
    CENTRALS_CLOCK_ALONE = "centrals-clock-alone"
    """Nodes stamp by their own clock, and judge by central's alone."""
    RECEIPT_WITHOUT_DIGEST = "receipt-without-digest"
    """A receipt names a number only, and goes to any frame that has it."""
    RESTORE_UNNOTICED = "restore-unnoticed"
    """Central does not say which receipted frames it lacks."""
    OVER_THOUGH_RECEIPTED = "over-though-receipted"
    """A receipted frame is transmitted once more."""
    AIRTIME_FORGOTTEN = "airtime-forgotten"
    """Tries do not slow down, and the duty cycle ignores earlier overs."""
    RELAYED_FOR_EVER = "relayed-for-ever"
    """Every frame heard is relayed, as often as it is heard."""
    WAITS_ALIKE = "waits-alike"
    """The random wait is the same at every node, every time."""
    UNLICENSED = "unlicensed"
    """A node without a licence believes that it has one."""
    REPLAY_SHOWN = "replay-shown"
    """A frame from the air never counts as known."""
    SILENT_SPOKEN = "silent-spoken"
    """The attack sentence is spoken, even if the attack is silent."""


BREAKS: Final[dict[Plant, tuple[str, ...]]] = {
    Plant.RECEIPT_BEFORE_COMMIT: ("I4",),
    Plant.COUNTER_NOT_PERSISTED: ("I2",),
    Plant.FORGOTTEN_ON_PUBACK: ("I3",),
    Plant.INBOX_FORGOTTEN: ("I6",),
    Plant.OLD_INCIDENT_SUPPRESSES: ("I9",),
    Plant.SAID_RECEIVED_ON_PUBACK: ("I5",),
    Plant.UNSIGNED_BELIEVED: ("I5", "I7", "I26", "I27", "I28"),
    Plant.LATE_SHOWN_AS_LIVE: ("I8",),
    Plant.REPEAT_NOT_SOUNDED: ("I29",),
    Plant.REPEAT_NOT_SOUNDED_BEHIND: ("I29",),
    Plant.SCOPE_FORGOTTEN: ("I31",),
    Plant.NO_BUDGET: ("I30",),
    Plant.UPGRADE_MISSED: ("I21",),
    Plant.HALF_A_STEP_KEPT: ("I10", "I22"),
    Plant.CENTRALS_CLOCK_ALONE: ("I23",),
    Plant.RECEIPT_WITHOUT_DIGEST: ("I3", "I5"),
    Plant.RESTORE_UNNOTICED: ("I10",),
    Plant.OVER_THOUGH_RECEIPTED: ("I11",),
    Plant.AIRTIME_FORGOTTEN: ("I12",),
    Plant.RELAYED_FOR_EVER: ("I18",),
    Plant.WAITS_ALIKE: (),
    Plant.UNLICENSED: ("I14",),
    Plant.REPLAY_SHOWN: ("I6",),
    Plant.SILENT_SPOKEN: ("I20",),
}
"""The invariants that each fault breaks, any of which counts; none for one that only makes a storm last too long."""
RADIO_PLANTS: Final = frozenset(
    {
        Plant.OVER_THOUGH_RECEIPTED,
        Plant.AIRTIME_FORGOTTEN,
        Plant.RELAYED_FOR_EVER,
        Plant.WAITS_ALIKE,
        Plant.UNLICENSED,
        Plant.REPLAY_SHOWN,
        Plant.SILENT_SPOKEN,
    }
)
"""Faults that only a town with radios can show."""
BUG_PLANTS: Final = frozenset({Plant.HALF_A_STEP_KEPT})
"""Faults that only a town with bugs in central can show."""
FLOOD_PLANTS: Final = frozenset({Plant.NO_BUDGET, Plant.REPEAT_NOT_SOUNDED_BEHIND})
"""Faults that only a town with a flooding member can show."""
_NO_SUCH_OVER: Final = 1_000_000
_ONE_WAIT_US: Final = 1_500_000


class FirstCome(FairQueue[M]):
    """One queue for everyone, without a budget."""

    def __init__(self) -> None:
        super().__init__()
        self._line: deque[M] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._line

    def put(self, message: M, *, topic: str, size: int, now_s: float) -> bool:  # noqa: ARG002 - it needs none of them
        """Append it."""
        self._line.append(message)
        return True

    def take(self, count_max: int) -> list[M]:
        """The first ones, as many as one sender would be given."""
        return [self._line.popleft() for _ in range(min(len(self._line), count_max, ALERTS_AT_ONCE))]


def spoil_settings(plant: Plant | None, settings: Settings) -> Settings:
    """The settings that the core is given."""
    radio = settings.radio
    if radio is None:
        return settings
    if plant is Plant.UNLICENSED:
        radio = replace(radio, licence="none that anybody gave")
    elif plant is Plant.AIRTIME_FORGOTTEN:
        radio = replace(radio, timing=replace(radio.timing, slow_try_ms=0, answer_due_ms=0))
    return replace(settings, radio=radio)


def spoil_event(plant: Plant | None, state: NodeState, event: ev.Event) -> NodeState:
    """The state in which the core takes an event."""
    is_heard = isinstance(event, ev.FrameReceived) and event.path is Path.RADIO
    if plant is Plant.CENTRALS_CLOCK_ALONE and isinstance(event, ev.FrameReceived):
        central = replace(state.central, scales=state.central.scales[:1])
        return replace(state, central=central, clock=replace(state.clock, is_proven=False))
    if plant is Plant.UPGRADE_MISSED and isinstance(event, ev.SyncAnswered):
        return replace(state, inbox=_without_recall(state.inbox, event))
    if plant is Plant.REPLAY_SHOWN and is_heard:
        return replace(state, inbox=Inbox())
    if plant is Plant.RELAYED_FOR_EVER and is_heard:
        return replace(state, radio=replace(state.radio, relays=()))
    if plant is Plant.AIRTIME_FORGOTTEN:
        return replace(state, radio=replace(state.radio, own_use=Usage()))
    return state


def _without_recall(inbox: Inbox, event: ev.SyncAnswered) -> Inbox:
    """What an earlier run showed stays off the panel, whatever becomes of it."""
    older = inbox.older
    for frame_id in (FrameId.parse(said.incident) for said in event.answer.incidents):
        seen = older.get(frame_id)
        if seen is not None:
            older = older.put(frame_id, replace(seen, is_restored=False))
    return replace(inbox, older=older)


def spoil_state(plant: Plant | None, before: NodeState, after: NodeState) -> NodeState:
    """The state after a step."""
    if plant is Plant.WAITS_ALIKE and before.radio.wait_us is None and after.radio.wait_us is not None:
        return replace(after, radio=replace(after.radio, wait_us=_ONE_WAIT_US))
    return after


def spoil_orders(
    plant: Plant | None, effects: tuple[do.Effect, ...], state: NodeState, disk: NodeDisk
) -> tuple[do.Effect, ...]:
    """The core's effects as carried out."""
    match plant:
        case Plant.OLD_INCIDENT_SUPPRESSES:
            is_open = any(not row.is_receipted for row in disk.rows.values())
            return tuple(e for e in effects if not (is_open and isinstance(e, do.StoreFrame)))
        case Plant.SAID_RECEIVED_ON_PUBACK:
            return tuple(_boasting(effect) for effect in effects)
        case Plant.CENTRALS_CLOCK_ALONE:
            return tuple(replace(e, at_s=e.wall_at_s) if isinstance(e, do.StoreFrame) else e for e in effects)
        case Plant.SILENT_SPOKEN:
            return tuple(_loud(effect) for effect in effects)
        case Plant.OVER_THOUGH_RECEIPTED if state.radio.over is None and can_transmit(state):
            done = [disk.rows.get(e.id.counter) for e in effects if isinstance(e, do.MarkReceipted)]
            again = [do.TransmitOver(_NO_SUCH_OVER, (row.data,), Mode.IL2P_1200) for row in done if row is not None]
            return (*effects, *again[:1])
        case _:
            return effects


def spoil_central_order(plant: Plant | None, order: orders.Effect) -> tuple[orders.Effect, ...]:
    """An order of central's core as carried out."""
    match plant, order:
        case Plant.RECEIPT_BEFORE_COMMIT, orders.CommitFrame(entry):
            frame_id = entry.signed.frame.id
            return orders.SendReceipt(frame_id.node, frame_id, is_late=False), order
        case Plant.LATE_SHOWN_AS_LIVE, orders.CommitFrame(entry):
            return (orders.CommitFrame(replace(entry, is_late=False)),)
        case Plant.RECEIPT_WITHOUT_DIGEST, orders.SendRefusal():
            return (orders.SendReceipt(order.node, order.target, is_late=False),)
        case Plant.RECEIPT_WITHOUT_DIGEST, orders.SendReceipt():
            return (replace(order, digest=b""),)
        case Plant.RESTORE_UNNOTICED, orders.SendSyncAnswer():
            return (replace(order, answer=replace(order.answer, missing=())),)
        case _:
            return (order,)


def spoil_card(plant: Plant | None, card: Card) -> Card:
    """A card as the page is sent it."""
    match plant:
        case Plant.REPEAT_NOT_SOUNDED:
            return replace(card, pressed_again_at=None)
        case Plant.REPEAT_NOT_SOUNDED_BEHIND:
            return replace(card, again_kind="", again_priority=0)
        case _:
            return card


def _loud(effect: do.Effect) -> do.Effect:
    return replace(effect, phrase=Phrase.ATTACK) if isinstance(effect, do.TransmitOver) else effect


def _boasting(effect: do.Effect) -> do.Effect:
    if isinstance(effect, do.ShowScreen) and effect.screen.face is Face.STORED:
        return do.ShowScreen(replace(effect.screen, face=Face.RECEIVED))
    return effect
