"""The overs (N8–N10): what goes on the air next, and what became of the last.

**One over at a time.** ``TransmitOver`` goes out, ``OverStarted`` and ``OverEnded`` (or ``OverFailed``) come back by
its number; other numbers are ignored. An over without an answer for longer than the longest takes counts as failed,
so that a driver that lost it does not silence the node for ever.

**What goes first.** Central's orders (:mod:`node.core.radio.answer_queue`), after a turnaround far shorter than any
random wait: receipts end other nodes' tries, so each makes the channel quieter. Then our own frames, most urgent
first, newest first among equals, as many as fit :data:`~node.core.air.BURSTS_PER_OVER_MAX` and
:data:`~node.core.air.OVER_MS_MAX` with the sentence, all in the mode of the first, after the random wait
(:mod:`node.core.radio.channel_access`). How often and how loudly: :mod:`node.core.radio.retransmission`. What is said
aloud: :mod:`node.core.radio.phrases`.

**Breaking in.** An attack does not wait for a busy channel for ever: ``attack_wait_max_ms`` after it became due it goes
out over whatever is on the channel (N10). But not over a spell that has just begun, which is another burst and soon
over, nor over one of ours that was decoded and is now being spoken; and in a crowd later, and not all at once: fifty
attacks that broke in together would be heard by nobody. If no other member alerts, talk in short turns delays its first
over by at most :data:`BREAK_IN_LAST_MS` or, in turns so short that they look like collisions, some 20 s.

**Receipts.** A receipt by either path ends the tries of its frame; a frame with a receipt is never put into an over. An
over already on the air is not cut short for it: others are decoding it, and the sentence is for every handset, not for
central.

**Pre-emption.** A fresh attack does not wait for our own lesser over (:mod:`node.core.radio.preemption`). Otherwise
``StopOver`` is for the end of the program.

**Limits.** :mod:`node.core.radio.duty_cycle`. Without a licence, or with a broken radio, no over is ever ordered, and
its alerts are shown as not delivered, as if there were no radio.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from node.core.air import (
    BURST_GAP_MS,
    BURSTS_PER_OVER_MAX,
    KEY_UP_MS,
    LADDER,
    OVER_MS_MAX,
    SPEECH_GAP_MS,
    SPEECH_MS,
    Mode,
    Phrase,
    burst_ms,
)
from node.core.effects import KeepAirtime, StopOver, TransmitOver
from node.core.events import OverEnded, OverFailed, OverStarted
from node.core.incident.lifecycle import on_air
from node.core.radio import answer_queue, channel_access, duty_cycle, preemption, retransmission, trust
from node.core.radio.chance import draw
from node.core.radio.path import can_transmit
from node.core.radio.phrases import SAID_MAX, Said, phrase_for
from node.core.radio_state import Over, Wanted
from node.core.state import NodeState, Row
from node.core.table import PathPhase
from node.core.turn import Timer, Turn
from wire.frames import Alert, Cancel, PathTest, Response, SignedFrame
from wire.ids import FrameId
from wire.kinds import PRIORITY, AlertKind

ANSWER_MARGIN_MS: Final = 10_000
"""Extra time, after the longest over, for a driver to report what became of it."""
BREAK_IN_MS: Final = 5_000
"""A spell shorter than this may be a burst in the slowest mode."""
BREAK_IN_LAST_MS: Final = 8_000
"""Latest break-in after an attack became due, in talk with hardly a pause, where each spell is too short."""
DECODED_SPELL_MS: Final = 9_000
"""Length of one of our overs with its sentence."""
CROWDED_SPELL_MS: Final = 16_000
FAILED_REST_MS: Final = (1_000, 60_000)
_RANK_CANCEL: Final = 25
_RANK_RESPONSE: Final = 35
_RANK_TEST: Final = 90
_RANK_NONE: Final = 99


def request(turn: Turn, counter: int) -> None:
    """Put this stored row of ours on the air once channel access allows, again and again until its receipt.

    Idempotent; does nothing without a radio that may transmit.
    """
    if can_transmit(turn.state):
        retransmission.want(turn, counter)


def withdraw(turn: Turn, counter: int) -> None:
    """It has its receipt, or is no longer wanted."""
    retransmission.drop(turn, counter)


def count(turn: Turn) -> None:
    """Account for the time until now; first in each step, before the event changes anything."""
    if turn.settings.radio is not None:
        channel_access.count(turn)
        trust.observe(turn)


def started(turn: Turn, event: OverStarted) -> None:
    """The over is keyed."""
    over = turn.state.radio.over
    if over is None or over.number != event.over or over.started_ms is not None:
        return
    turn.state.radio.over = replace(over, started_ms=turn.now_ms)
    alerts = [counter for counter in over.counters if _is_alert(turn.state, counter)]
    first = FrameId(turn.settings.node, alerts[0]) if alerts else None
    turn.fact("over_started", first, over=str(over.number), mode=over.mode.value, bursts=str(over.bursts))
    for counter in alerts:
        on_air(turn, counter)


def ended(turn: Turn, event: OverEnded) -> None:
    """The over has ended; the radio is unkeyed."""
    over = _done(turn, event.over, event.airtime_ms)
    if over is None:
        return
    is_said = over.says is not None and not over.is_cut
    spoken = (*turn.state.radio.spoken, over.says) if over.says is not None and is_said else turn.state.radio.spoken
    turn.state.radio.failures = 0
    turn.state.radio.spoken = spoken[-SAID_MAX:]
    if not over.is_cut or event.airtime_ms >= over.bursts_ms:
        retransmission.carried(turn, over.counters)
    turn.fact("over_ended", None, over=str(over.number), airtime_ms=str(event.airtime_ms))


def failed(turn: Turn, event: OverFailed) -> None:
    """The over did not go out completely: try again after a pause."""
    over = _done(turn, event.over, event.airtime_ms)
    if over is None:
        return
    failures = turn.state.radio.failures + 1
    first_ms, max_ms = FAILED_REST_MS
    rest_ms = min(first_ms << min(failures - 1, 16), max_ms)
    # Random, because the cause may have made everyone's fail at the same moment.
    rest_ms = draw(turn, rest_ms, rest_ms * 3 // 2)
    turn.state.radio.failures = failures
    turn.state.radio.rest_ms = turn.now_ms + rest_ms
    turn.fact("over_failed", None, over=str(over.number), detail=event.detail)


def stop(turn: Turn) -> None:
    """The program ends: unkey."""
    over = turn.state.radio.over
    if over is not None:
        turn.order(StopOver(over.number))


def settle(turn: Turn) -> None:
    """After each event: drop what can no longer be transmitted or is no longer wanted."""
    if turn.settings.radio is None:
        return
    trust.observe(turn)
    if can_transmit(turn.state):
        retransmission.settle(turn)
        answer_queue.settle(turn)
        return
    retransmission.abandon(turn)
    answer_queue.clear(turn)
    if turn.state.radio.blocked_since_ms is not None:
        _clear(turn)


def timers(state: NodeState) -> Iterator[Timer]:
    """An unanswered over, awaited receipts, a blocked channel, and the next over."""
    radio, settings = state.radio, state.settings.radio
    if settings is None:
        return
    if radio.over is not None:
        yield radio.over.overdue_ms, _no_answer
    if not can_transmit(state):
        return
    yield from retransmission.timers(state)
    yield from preemption.timers(state)
    waiting_since_ms = _waiting_since_ms(state)
    if radio.blocked_since_ms is not None:
        if not radio.is_busy:
            yield radio.channel.since_ms + channel_access.OPEN_MS, _clear
    elif waiting_since_ms is not None:
        yield waiting_since_ms + settings.timing.blocked_after_ms, _block
    next_ms = _next_ms(state)
    if next_ms is not None:
        yield next_ms, go_on


def go_on(turn: Turn) -> None:
    """Order the next over as soon as the channel is ours."""
    if can_transmit(turn.state) and turn.state.radio.over is None and turn.state.radio.rest_ms <= turn.now_ms:
        _next(turn)


def _next_ms(state: NodeState) -> int | None:
    """When to look again for the next over if nothing happens."""
    radio, now_ms = state.radio, state.now_ms
    if radio.over is not None:
        return None
    if radio.rest_ms > now_ms:
        return radio.rest_ms
    moments = [answer_queue.begins_ms(state)]
    due = _due(state, now_ms)
    if due:
        moments += [channel_access.wait_ends_ms(radio, now_ms), breaks_in_ms(state, due)]
    elif _is_held(state, now_ms):
        moments.append(duty_cycle.next_slice_ms(now_ms))
    moments += [wanted.due_ms for wanted in radio.wanted if _waits(wanted) and wanted.due_ms > now_ms]
    return min((moment for moment in moments if moment is not None), default=None)


def _no_answer(turn: Turn) -> None:
    over = turn.state.radio.over
    if over is not None:
        failed(turn, OverFailed(over.number, "no answer", 0))


def breaks_in_ms(state: NodeState, due: list[tuple[Wanted, Row]]) -> int | None:
    """When an attack stops waiting for a busy channel; ``None`` = the channel is clear, or no attack is due."""
    radio, settings = state.radio, state.settings.radio
    attacks = [wanted for wanted, row in due if _is_attack(row.signed) and not wanted.is_late]
    if not radio.is_busy or not attacks or settings is None:
        return None
    since_ms, due_ms = radio.channel.since_ms, min(wanted.due_ms for wanted in attacks)
    if radio.channel.decoded_ms is not None and radio.channel.decoded_ms >= since_ms:
        least_ms = DECODED_SPELL_MS
    elif radio.channel.crowd_milli >= channel_access.GATHERING_CROWD:
        least_ms = CROWDED_SPELL_MS + (radio.wait_us or 0) // 1_000
    else:
        least_ms = BREAK_IN_MS
    # Only for a frame never on the air: two that collided and both broke in by this rule would do so for minutes.
    is_first = any(wanted.tries == 0 for wanted in attacks)
    if is_first and least_ms != DECODED_SPELL_MS and not channel_access.is_storm(radio, state.now_ms):
        since_ms = min(since_ms, due_ms + BREAK_IN_LAST_MS - BREAK_IN_MS)
    return max(due_ms + settings.timing.attack_wait_max_ms, since_ms + least_ms)


def _next(turn: Turn) -> None:
    if answer_queue.is_ready(turn.state, turn.now_ms):
        frames, mode = answer_queue.take(turn)
        _order(turn, frames, mode)
        return
    due = _due(turn.state, turn.now_ms)
    if not due:
        if turn.state.radio.wait_us is not None:
            turn.state.radio.wait_us = None
        return
    channel_access.wait(turn)
    break_in_ms = breaks_in_ms(turn.state, due)
    if channel_access.is_over(turn.state.radio, turn.now_ms) or (
        break_in_ms is not None and break_in_ms <= turn.now_ms
    ):
        _transmit(turn, due)


def _transmit(turn: Turn, due: list[tuple[Wanted, Row]]) -> None:
    """Order an over with our own frames: those due, then those that would wait longer, as room allows."""
    chosen = due[:1]
    mode = LADDER[chosen[0][0].rung]
    said = None if chosen[0][0].is_late else phrase_for(turn.state, chosen[0][1], turn.now_ms)
    phrase = None if said is None else said.phrase
    others = due[1:] if chosen[0][0].is_late else due[1:] + _later(turn.state, turn.now_ms)
    for entry in others:
        frames = [row.signed for _, row in (*chosen, entry)]
        if len(frames) > BURSTS_PER_OVER_MAX or planned_ms(frames, mode, phrase) > OVER_MS_MAX:
            break
        chosen.append(entry)
    _order(turn, [row.signed for _, row in chosen], mode, tuple(wanted.counter for wanted, _ in chosen), said)


def planned_ms(frames: list[SignedFrame], mode: Mode, phrase: Phrase | None) -> int:
    """Length of such an over, from key-up to the end of its sentence."""
    bursts_ms = sum(burst_ms(mode, len(frame.data)) for frame in frames) + BURST_GAP_MS * (len(frames) - 1)
    return KEY_UP_MS + bursts_ms + (SPEECH_GAP_MS + SPEECH_MS if phrase is not None else 0)


def _order(
    turn: Turn,
    frames: list[SignedFrame],
    mode: Mode,
    counters: tuple[int, ...] = (),
    said: Said | None = None,
) -> None:
    number = turn.state.radio.next_over
    overdue_ms = turn.now_ms + OVER_MS_MAX + ANSWER_MARGIN_MS
    says = None if said is None else said.rank
    turn.state.radio.over = Over(number, counters, mode, len(frames), says, overdue_ms, planned_ms(frames, mode, None))
    turn.state.radio.next_over = number + 1
    turn.state.radio.wait_us = None
    phrase = None if said is None else said.phrase
    # Before it is keyed: a program that dies in the middle of it must remember it.
    planned = planned_ms(frames, mode, phrase)
    turn.order(KeepAirtime(duty_cycle.add(turn.state.radio.own_use, turn.now_ms + planned, planned).slices))
    reference = "" if said is None else said.reference
    turn.order(TransmitOver(number, tuple(frame.data for frame in frames), mode, phrase, reference))


def _done(turn: Turn, number: int, airtime_ms: int) -> Over | None:
    radio = turn.state.radio
    over = radio.over
    if over is None or over.number != number:
        return None
    turn.state.radio.over = None
    turn.state.radio.overs = radio.overs + (airtime_ms > 0)
    turn.state.radio.airtime_ms = radio.airtime_ms + airtime_ms
    turn.state.radio.own_use = duty_cycle.add(radio.own_use, turn.now_ms, airtime_ms)
    turn.order(KeepAirtime(turn.state.radio.own_use.slices))
    channel_access.unkeyed(turn)
    return over


def _due(state: NodeState, now_ms: int) -> list[tuple[Wanted, Row]]:
    """Our frames that may go out as soon as channel access allows, in order."""
    found = [(w, row) for w, row in _rows(state) if w.due_ms <= now_ms and _may(state, w, row, now_ms)]
    return sorted(found, key=_order_of)


def _later(state: NodeState, now_ms: int) -> list[tuple[Wanted, Row]]:
    found = [(w, row) for w, row in _rows(state) if w.due_ms > now_ms and not w.is_late]
    return sorted((entry for entry in found if isinstance(entry[1].signed.frame, Alert | Cancel)), key=_order_of)


def _is_held(state: NodeState, now_ms: int) -> bool:
    """Whether something is due that the duty cycle holds back."""
    return any(w.due_ms <= now_ms and not _may(state, w, row, now_ms) for w, row in _rows(state))


def _rows(state: NodeState) -> list[tuple[Wanted, Row]]:
    found = ((wanted, state.outbox.rows.get(wanted.counter)) for wanted in state.radio.wanted if _waits(wanted))
    return [(wanted, row) for wanted, row in found if row is not None]


def _waits(wanted: Wanted) -> bool:
    return wanted.answer_due_ms is None


def _may(state: NodeState, wanted: Wanted, row: Row, now_ms: int) -> bool:
    """Whether the limits allow it (N10)."""
    if wanted.is_late and (
        state.central.path is PathPhase.PROVEN
        or duty_cycle.busy_percent(state.radio, state.started_ms, now_ms) > duty_cycle.POLITE_PERCENT
    ):
        return False
    percent, is_attack = duty_cycle.OWN_PERCENT_MAX, _is_attack(row.signed)
    if isinstance(row.signed.frame, Alert) and not wanted.is_late:
        is_first = wanted.tries < retransmission.RELIABLE_TRIES
        if is_attack and is_first:
            return True
        percent = duty_cycle.HARD_PERCENT_MAX if is_attack or is_first else percent
    length_ms = planned_ms([row.signed], LADDER[wanted.rung], None)
    return duty_cycle.may_add(state.radio, now_ms, length_ms, percent)


def _order_of(entry: tuple[Wanted, Row]) -> tuple[bool, int, int]:
    wanted, row = entry
    return wanted.is_late, _rank(row.signed), -wanted.counter


def _rank(signed: SignedFrame) -> int:
    match signed.frame:
        case Alert() as alert:
            return 10 * PRIORITY[alert.kind]
        case Cancel():
            return _RANK_CANCEL
        case Response():
            return _RANK_RESPONSE
        case PathTest():
            return _RANK_TEST
        case _:
            return _RANK_NONE


def _is_attack(signed: SignedFrame) -> bool:
    return isinstance(signed.frame, Alert) and signed.frame.kind is AlertKind.ATTACK


def _is_alert(state: NodeState, counter: int) -> bool:
    row = state.outbox.rows.get(counter)
    return row is not None and isinstance(row.signed.frame, Alert)


def _waiting_since_ms(state: NodeState) -> int | None:
    """Since when an alert of ours has found no clear channel; ``None`` = none waits, or the channel is open."""
    radio = state.radio
    alerts = [w.since_ms for w in radio.wanted if not w.is_late and _is_alert(state, w.counter)]
    return max(min(alerts), radio.channel.closed_ms) if alerts and not _is_open(state) else None


def _is_open(state: NodeState) -> bool:
    return not state.radio.is_busy and state.now_ms - state.radio.channel.since_ms >= channel_access.OPEN_MS


def _block(turn: Turn) -> None:
    """The channel was never clear while an alert waited (jamming or a stuck key): blocked until it opens."""
    since_ms = _waiting_since_ms(turn.state)
    if since_ms is not None:
        turn.state.radio.blocked_since_ms = since_ms
        turn.fact("radio_blocked", None, waited_ms=str(turn.now_ms - since_ms))


def _clear(turn: Turn) -> None:
    turn.state.radio.blocked_since_ms = None
    turn.fact("radio_clear", None)
