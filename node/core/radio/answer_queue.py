"""Central's orders to put frames on the air (N9): receipts, acknowledgements, and alerts for members without network.

- Each frame passes the usual gate first: the broker is not trusted. It may have kept every frame that ever was, all
  well signed. So frames that are old by our clock, neither answer nor warning, our own, or of another scheme are
  refused. If a sender is struck off while its frame waits, the frame is dropped.
- They go out ahead of any random wait, in the first slot, which all others leave free
  (:mod:`node.core.radio.channel_access`). Receipts first; several in one over.
- In a crowd, receipts are gathered for a moment: while an answer is on the air, nobody can alert.
- A queued receipt that later batches cover between them, or that another node was heard to send, is dropped.
- The mode is the one that the sender seems to have needed to be heard here.
- Nothing is repeated unasked. Asked again, it is sent again, first :data:`APART_MS` after the last time, then after
  twice that, and so on, so that a frame replayed on the air cannot make us transmit for ever; and each time one rung
  further up the ladder, because a node that asks again has not heard us.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.air import BURST_GAP_MS, BURSTS_PER_OVER_MAX, KEY_UP_MS, LADDER, Mode, burst_ms
from node.core.events import AirAsked
from node.core.radio import channel_access, duty_cycle
from node.core.radio.chance import draw
from node.core.radio.path import can_transmit
from node.core.radio_state import Asked, Said
from node.core.scales import age_s
from node.core.state import NodeState
from node.core.turn import Turn
from wire.admission import admit
from wire.errors import DecodeError
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
    DigestReceipt,
    DigestReceiptBatch,
    Frame,
    Receipt,
    ReceiptBatch,
    Refusal,
    SignedFrame,
)
from wire.ids import FrameId

TURNAROUND_MS: Final = (20, 60)
TURN_MS: Final = 3_000
"""If nobody speaks for this long, an answer needs no slot."""
QUEUE_MAX: Final = 24
KEPT_MS: Final = 120_000
"""A frame that found no clear channel for this long is dropped: it has been asked for again."""
APART_MS: Final = 4_000
APART_MAX_MS: Final = 60_000
SAID_MAX: Final = 128
OLD_MS: Final = 600_000
"""Central's orders concern what happens now; the rest is for clocks that differ."""
_SEVERAL: Final = 2


def asked(turn: Turn, event: AirAsked) -> None:
    """Central orders this put on the air."""
    if not can_transmit(turn.state):
        turn.reject("air not licensed")
        return
    try:
        signed = admit(event.data, turn.state.directory, None).signed
    except DecodeError as error:
        turn.reject(error.reason)
        return
    refusal = _refusal(turn, signed.frame)
    if refusal is not None:
        turn.reject(refusal)
        return
    queue = turn.state.radio.asked
    targets = targets_of(signed.frame)
    if any(other.signed.data == signed.data for other in queue) or _is_covered(targets, queue):
        return
    said = [_said(turn.state, subject) for subject in targets or (signed.frame.id,)]
    is_new = any(entry is None for entry in said)
    times = 0 if is_new else min(entry.times for entry in said if entry is not None)
    last_ms = 0 if is_new else max(entry.last_ms for entry in said if entry is not None)
    ready_ms = turn.now_ms + draw(turn, *TURNAROUND_MS)
    if not is_new:
        ready_ms = max(ready_ms, last_ms + min(APART_MS << min(times - 1, 8), APART_MAX_MS))
    gather_ms = channel_access.gather_ms(turn.state.radio.channel)
    if targets and gather_ms:
        ready_ms = max(ready_ms, turn.now_ms + gather_ms)
        waiting = [other.ready_ms for other in queue if other.targets]
        ready_ms = min(ready_ms, *waiting) if waiting and is_new else ready_ms
    heard = dict(turn.state.radio.rungs)
    frame = signed.frame
    subjects = (frame.target,) if isinstance(frame, Acknowledgement | AutomaticAcknowledgement) else targets
    needed = max((heard.get(subject.node, 0) for subject in subjects), default=0)
    rung = 0 if gather_ms else min(max(needed, times if len(targets) < _SEVERAL else 0), len(LADDER) - 1)
    news = tuple(target for target in targets if _said(turn.state, target) is None) or targets
    entry = Asked(signed, _rank(signed.frame), turn.now_ms, ready_ms, targets, news, rung)
    queue = tuple(sorted((*_uncovered(queue, entry), entry), key=_order_of))
    if len(queue) > QUEUE_MAX:
        turn.reject("air queue full")
    turn.state.radio.asked = queue[:QUEUE_MAX]


def heard(turn: Turn, targets: tuple[FrameId, ...]) -> None:
    """Another node has put receipts for these on the air."""
    queue = turn.state.radio.asked
    kept = tuple(entry for entry in queue if not (entry.targets and set(entry.news) <= set(targets)))
    if len(kept) != len(queue):
        turn.state.radio.asked = kept


def clear(turn: Turn) -> None:
    """Nothing can be put on the air."""
    if turn.state.radio.asked:
        turn.state.radio.asked = ()


def settle(turn: Turn) -> None:
    """Drop frames that waited too long, or whose sender was struck off."""
    oldest_ms, senders = turn.now_ms - KEPT_MS, turn.state.directory.senders
    gone = [
        entry
        for entry in turn.state.radio.asked
        if entry.asked_ms <= oldest_ms
        or (sender := senders.get(entry.signed.frame.sender)) is None
        or sender.is_revoked
    ]
    if gone:
        turn.state.radio.asked = tuple(entry for entry in turn.state.radio.asked if entry not in gone)


def is_ready(state: NodeState, now_ms: int) -> bool:
    """Whether an over with it may begin now."""
    ready_ms = begins_ms(state)
    return ready_ms is not None and ready_ms <= now_ms


def begins_ms(state: NodeState) -> int | None:
    """When an over with it may begin if the channel stays as it is; ``None`` = nothing queued, or busy."""
    radio = state.radio
    if not radio.asked or radio.is_busy or radio.over is not None:
        return None
    ready_ms = min(entry.ready_ms for entry in radio.asked)
    ready_ms = max(ready_ms, radio.channel.since_ms + TURNAROUND_MS[0])
    is_turn = channel_access.is_turn(radio.channel) and ready_ms <= radio.channel.since_ms + TURNAROUND_MS[1]
    if not is_turn and channel_access.gather_ms(radio.channel):
        # The slot for answers has passed: the next follows the end of the next over.
        ready_ms = max(ready_ms, radio.channel.since_ms + TURN_MS)
    if not duty_cycle.may_add(
        radio, state.now_ms, _over_ms(radio.asked[:1], Mode.IL2P_1200), duty_cycle.ASKED_PERCENT_MAX
    ):
        ready_ms = max(ready_ms, duty_cycle.next_slice_ms(state.now_ms))
    return ready_ms


def take(turn: Turn) -> tuple[list[SignedFrame], Mode]:
    """Take the frames of the next over: those ready, receipts first, all in one mode. They count as sent."""
    ready = [entry for entry in turn.state.radio.asked if entry.ready_ms <= turn.now_ms]
    rung = ready[0].rung
    mode = LADDER[rung]
    chosen = [entry for entry in ready if entry.rung == rung][:BURSTS_PER_OVER_MAX]
    if any(entry.targets for entry in chosen):  # Receipts still being gathered count as ready now.
        more = [e for e in turn.state.radio.asked if e.targets and e.rung == rung and e not in chosen]
        chosen = (chosen + more)[:BURSTS_PER_OVER_MAX]
    turn.state.radio.asked = tuple(entry for entry in turn.state.radio.asked if entry not in chosen)
    if any(entry.targets for entry in chosen):
        channel_access.receipted(turn)
    for entry in chosen:
        for subject in entry.targets or (entry.signed.frame.id,):
            _remember(turn, subject)
    return [entry.signed for entry in chosen], mode


def targets_of(frame: Frame) -> tuple[FrameId, ...]:
    """What a frame is a receipt for; empty if it is none."""
    match frame:
        case Receipt() | DigestReceipt():
            return (frame.target,)
        case ReceiptBatch() | DigestReceiptBatch():
            return tuple(entry.target for entry in frame.targets)
        case _:
            return ()


def _refusal(turn: Turn, frame: Frame) -> str | None:
    """Why this cannot be central's order; ``None`` = it may be."""
    match frame:
        case Receipt() | ReceiptBatch() | DigestReceipt() | DigestReceiptBatch() | Refusal():
            pass
        case Acknowledgement() | AutomaticAcknowledgement():
            pass
        case Alert() | Cancel() if frame.sender == turn.settings.node:
            return "air our own"
        case Alert() | Cancel():
            if set(frame.schemes).isdisjoint(turn.settings.scheme_numbers):
                return "air foreign scheme"
        case _:
            return "air wrong kind"
    return "air old" if 1_000 * age_s(turn.state, frame.at_s) > OLD_MS else None


def _over_ms(entries: tuple[Asked, ...], mode: Mode) -> int:
    return KEY_UP_MS + sum(burst_ms(mode, len(entry.signed.data)) + BURST_GAP_MS for entry in entries)


def _is_covered(targets: tuple[FrameId, ...], queue: tuple[Asked, ...]) -> bool:
    return bool(targets) and any(set(targets) <= set(entry.targets) for entry in queue)


def _uncovered(queue: tuple[Asked, ...], entry: Asked) -> list[Asked]:
    """The queue without receipts that ``entry`` and the others say between them."""
    kept = list(queue)
    for other in queue:
        beside = (entry, *(one for one in kept if one is not other))
        said = {target for one in beside if one is entry or one.rung >= other.rung for target in one.targets}
        if other.targets and said.issuperset(other.news):
            kept.remove(other)
    return kept


def _said(state: NodeState, subject: FrameId) -> Said | None:
    return next((entry for entry in state.radio.said if entry.subject == subject), None)


def _remember(turn: Turn, subject: FrameId) -> None:
    known = _said(turn.state, subject) or Said(subject, 0, 0)
    others = tuple(entry for entry in turn.state.radio.said if entry.subject != subject)
    now = replace(known, times=known.times + 1, last_ms=turn.now_ms)
    turn.state.radio.said = (*others, now)[-SAID_MAX:]


def _rank(frame: Frame) -> int:
    match frame:
        case Receipt() | ReceiptBatch() | DigestReceipt() | DigestReceiptBatch() | Refusal():
            return 0
        case Acknowledgement() | AutomaticAcknowledgement():
            return 1
        case Alert():
            return 2
        case _:
            return 3


def _order_of(entry: Asked) -> tuple[int, int]:
    return entry.rank, entry.asked_ms
