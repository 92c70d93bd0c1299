"""Supervision (N11, N13): the link, central, the clock, the node itself, and its report to central."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec.structs import replace

from node.core import delivery, parts, scales
from node.core.central import Beat
from node.core.controls import Part
from node.core.effects import COUNTER_FLOOR_MAX, ConnectAnew, KeepDirectory, PublishHealth, RaiseCounterFloor
from node.core.events import (
    CentralStatusReceived,
    ClockRead,
    DirectoryReceived,
    IncidentReceived,
    LinkDown,
    MachineRead,
    SyncAnswered,
)
from node.core.link import answers, asking, identity, proof, receipts, settings_report
from node.core.neighbours import alerts as neighbours
from node.core.neighbours import lateness
from node.core.press import renewals
from node.core.radio import relays
from node.core.radio.duty_cycle import busy_percent
from node.core.radio.path import RadioPath, radio_path
from node.core.state import Clock, NodeState, stuck_buttons, wall_at_s
from node.core.table import PATH, PathInput, PathPhase, Phase, after
from node.core.turn import Timer, Turn
from wire.directory_succession import refusal
from wire.frames import PathTest
from wire.ids import FrameId
from wire.kinds import CentralCapability
from wire.lateness import SCALES_AGREE_MS
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages import FaultReport, Health, IncidentState, MachineReport, RadioReport, SyncAnswer
from wire.text import display_text

QUEUED_AT_MOST_MS: Final = 2 * 86_400_000
"""A status that seems older than a broker keeps one means a fault of our clock."""
HEARD_AT_ONCE_MS: Final = 500
"""A central that answers within it has the health that went with the question."""
_UTC_OFFSET_MAX_S: Final = 86_400
_WHOLE_SECOND_MS: Final = 1_000
_RADIO_STATES: Final[dict[RadioPath, Literal["fault", "listening", "untested", "ready"]]] = {
    RadioPath.FAULT: "fault",
    RadioPath.LISTENING: "listening",
    RadioPath.UNTESTED: "untested",
    RadioPath.READY: "ready",
}


def link_up(turn: Turn) -> None:
    """Connected and subscribed: ask, report, and send what is waiting."""
    _move_path(turn, PathInput.LINK_UP)
    turn.state.central.is_refused = False
    turn.state.central.beat = None
    turn.state.central.proven_ms = None
    turn.state.central.unanswered = 0
    delivery.begin(turn)
    asking.sync(turn)
    report(turn)


def link_down(turn: Turn, event: LinkDown) -> None:
    """Not connected."""
    _move_path(turn, PathInput.LINK_DOWN)
    turn.state.central.is_refused = event.is_permanent
    delivery.link_lost(turn)
    turn.state.health_at_ms = None


def central_heard(turn: Turn, event: CentralStatusReceived) -> None:
    """Central's heartbeat."""
    status = event.status
    if proof.is_strict(turn.state):
        _signed_status(turn, event)
        return
    at_ms = _unix_ms(status.at)
    is_live = _is_live_beat(turn, at_ms)
    if _is_stale(turn.state, _unix_ms(status.expires_at), turn.now_ms) and not is_live:
        turn.reject("expired")
        return
    turn.state.central.on_duty = tuple(status.on_duty)
    _proven(turn, status.boot_id)


def sync_answered(turn: Turn, event: SyncAnswered) -> None:
    """Central's answer to a sync."""
    answer = event.answer
    if not event.is_signed:
        if proof.is_strict(turn.state):
            turn.reject("unsigned")
        else:  # From an old version: it shows that central is there; what it says about alerts proves nothing.
            turn.state.central.boot_id = answer.boot_id
            turn.state.central.unanswered = 0
            _proven(turn, answer.boot_id)
        return
    turn.state.central.brought_ms = turn.now_ms
    asked = proof.question_of(turn, answer)
    if asked is None:
        turn.reject("old answer")
        return
    # A closing that came after it was written stands.
    is_newest = answer.revision >= turn.state.central.highest_revision
    _answered(turn, answer, asked.asked_ms)
    asking.account(turn, answer, asked)
    named = frozenset(FrameId.parse(state.incident) for state in answer.incidents)
    for state in answer.incidents:
        _take_state(turn, state, asked_ms=asked.asked_ms, is_newest=is_newest)
    relays.answered(turn, tuple(named))
    if answer.more or len(answer.incidents) >= answers.SYNC_INCIDENTS_MAX:
        return
    neighbours.ended_unnoticed(turn, named, answer.revision, asked.asked_ms)
    # Otherwise it may be a restored one that has forgotten some.
    if turn.state.central.listed_to == answer.boot_id:
        ours = frozenset(frame_id.counter for frame_id in named if frame_id.node == turn.settings.node)
        answers.ended_unnoticed(turn, ours, asked.asked_ms)


def incident_came(turn: Turn, event: IncidentReceived) -> None:
    """Central's unrequested state of an incident, ours or another member's."""
    state = event.state
    if not event.is_signed:
        turn.reject("unsigned")
        return
    turn.state.central.brought_ms = turn.now_ms
    frame_id = FrameId.parse(state.incident)
    relays.answered(turn, (frame_id,))
    is_closing = state.state == "closed" and frame_id.node != turn.settings.node
    if is_closing or proof.is_state_new(turn.state, state):
        _take_state(turn, state, is_newest=state.revision >= turn.state.central.highest_revision)


def _signed_status(turn: Turn, event: CentralStatusReceived) -> None:
    status, central = event.status, turn.state.central
    if not event.is_signed:
        turn.reject("unsigned")
        return
    is_established = status.boot_id == central.boot_id and central.proven_ms is not None
    if is_established and status.sequence > central.sequence:
        turn.state.central.on_duty = tuple(status.on_duty)
        turn.state.central.sequence = status.sequence
        turn.state.central.heard_ms = turn.now_ms
    elif is_established and status.sequence < central.sequence:
        turn.reject("old status")
    if proof.is_brought_nothing(turn.state, turn.now_ms):
        turn.state.central.questions = ()
        turn.order(ConnectAnew())
        return
    # A hint that central, or a new run of it, may be there: worth only a question.
    is_hint = not is_established or central.path is not PathPhase.PROVEN
    if is_hint and not proof.is_waiting(turn.state, turn.now_ms):
        asking.sync(turn, is_new_run=status.boot_id != central.boot_id)


def _answered(turn: Turn, answer: SyncAnswer, asked_ms: int) -> None:
    """An answer to our own question: it is current."""
    was = turn.state.central.path
    if answer.counter_floor > COUNTER_FLOOR_MAX:
        turn.reject("counter floor")  # The disk would refuse it, and the screen would say that alerts are not saved.
    elif answer.counter_floor > turn.state.last_counter:
        turn.state.last_counter = answer.counter_floor
        turn.order(RaiseCounterFloor(answer.counter_floor))
    is_new_run = proof.established(turn, answer)
    turn.state.central.highest_revision = max(turn.state.central.highest_revision, answer.revision)
    if CentralCapability.PERSON not in answer.speaks:
        renewals.without_persons(turn)
    _move_path(turn, PathInput.CENTRAL_HEARD)
    _learn_time(turn, answer, asked_ms)
    if is_new_run:
        turn.state.central.listings = 0
        answers.begin_anew(turn)
        neighbours.begin_anew(turn)
    if turn.state.central.path is PathPhase.PROVEN and (
        is_new_run or (was is not PathPhase.PROVEN and turn.state.outbox.cursor is None)
    ):
        delivery.begin(turn)
    sent_ms = turn.state.health_sent_ms
    if was is not PathPhase.PROVEN and sent_ms is not None and turn.now_ms - sent_ms > HEARD_AT_ONCE_MS:
        # Central did not know us when our health came, or was not there: it has none of us.
        report(turn)


def _take_state(turn: Turn, state: IncidentState, *, is_newest: bool, asked_ms: int | None = None) -> None:
    turn.state.central.highest_revision = max(turn.state.central.highest_revision, state.revision)
    frame_id = FrameId.parse(state.incident)
    if frame_id.node == turn.settings.node:
        answers.own_state(turn, state, frame_id, asked_ms=asked_ms)
    elif asked_ms is None and _is_stale(turn.state, _unix_ms(state.expires_at), turn.now_ms):
        turn.reject("expired")
    else:
        neighbours.central_state(turn, state, frame_id, is_newest=is_newest)


def clock_read(turn: Turn, event: ClockRead) -> None:
    """Wall time: shown, written into frames, and used to tell late from live. Nothing is timed by it."""
    before = turn.state.clock
    offset_ms = event.wall_at_s * 1000 - turn.now_ms
    scale = scales.present(turn.state)
    is_proven = event.is_proven or (scale is not None and abs(scale.offset_ms - offset_ms) <= SCALES_AGREE_MS)
    utc_offset_s = event.utc_offset_s if abs(event.utc_offset_s) < _UTC_OFFSET_MAX_S else 0
    doubted_ms = turn.now_ms if before.is_proven and not is_proven else before.doubted_ms
    if before.offset_ms is not None and abs(before.offset_ms - offset_ms) < _WHOLE_SECOND_MS:
        # Repeated readings of whole seconds wander within a second; the clock on the screen must not.
        offset_ms = before.offset_ms
    turn.state.clock = Clock(offset_ms, is_proven, utc_offset_s, doubted_ms)
    _compare_clocks(turn)
    lateness.judge_anew(turn)


def machine_read(turn: Turn, event: MachineRead) -> None:
    """What the machine says of itself goes out with the next regular report; a card that fails is told at once."""
    turn.state.machine = event
    if event.card:
        parts.failed(turn, Part.CARD, event.card)
    elif event.card is not None:
        parts.recovered(turn, Part.CARD)


def directory_came(turn: Turn, event: DirectoryReceived) -> None:
    """A newer directory replaces ours; an older one, or one that its delegate may not sign, is ignored."""
    held = turn.state.directory
    if event.directory.serial <= held.serial:
        if event.directory.serial < held.serial:
            turn.reject("old directory")
        return
    objection = refusal(event.directory, held, scales.readings_s(turn.state, turn.now_ms))
    if objection is not None:
        turn.reject(objection)
        return
    turn.state.directory = event.directory
    turn.order(KeepDirectory(event.data, event.directory))
    neighbours.drop_revoked(turn)


def _learn_time(turn: Turn, answer: SyncAnswer, asked_ms: int) -> None:
    """Learn central's time, only from a signed answer to our own question."""
    if answer.at is None:
        return
    scales.learn(turn, answer.boot_id, _unix_ms(answer.at), asked_ms)
    clock, scale = turn.state.clock, scales.present(turn.state)
    if clock.offset_ms is not None and scale is not None and not clock.is_proven:
        is_near = abs(clock.offset_ms - scale.offset_ms) <= SCALES_AGREE_MS
        turn.state.clock = replace(clock, is_proven=is_near)
    _compare_clocks(turn)
    lateness.judge_anew(turn)


def _compare_clocks(turn: Turn) -> None:
    """Report clocks that differ: nothing is late or silent for it (:mod:`wire.lateness`), but one is wrong."""
    gap_ms = scales.clock_gap_ms(turn.state)
    if gap_ms is None or abs(gap_ms) <= SCALES_AGREE_MS:
        parts.recovered(turn, Part.CLOCK)
        return
    word = "ahead of" if gap_ms > 0 else "behind"
    parts.failed(turn, Part.CLOCK, f"{_spoken(abs(gap_ms))} {word} central's clock: check NTP on both")


def _spoken(gap_ms: int) -> str:
    """A gap as ``70 s``, ``30 min`` or ``5 h``, for a fault's line."""
    seconds = gap_ms // 1000
    if seconds < 2 * 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 2 * 3_600 else f"{seconds // 3_600} h"


def report(turn: Turn) -> None:
    """Publish our health now, and again in ``health_ms``."""
    turn.order(PublishHealth(health(turn.state, turn.now_ms)))
    turn.state.health_sent_ms = turn.now_ms
    turn.state.health_at_ms = turn.now_ms + turn.timing.health_ms


def health(state: NodeState, now_ms: int) -> Health:
    """Our health message."""
    at_s = wall_at_s(state, now_ms)
    waiting = (row for row in state.outbox.rows.oldest() if not isinstance(row[1].signed.frame, PathTest))
    oldest = next(waiting, None)
    is_testing = state.outbox.rows.get(state.radio.tests.counter) is not None
    oldest_ms = 0
    if oldest is not None:
        pressed_ms = oldest[1].pressed_ms
        if pressed_ms is not None:
            oldest_ms = now_ms - pressed_ms
        elif oldest[1].signed.frame.at_s and scales.readings_s(state, now_ms):
            oldest_ms = 1000 * scales.age_s(state, oldest[1].signed.frame.at_s)
        else:
            oldest_ms = now_ms - state.started_ms  # It is at least as old as this run.
    return Health(
        state="stopping" if state.is_stopping else "armed",
        boot_id=display_text(state.boot_id, NAME_CHARS_MAX),
        version=display_text(state.settings.version, NAME_CHARS_MAX),
        at=datetime.fromtimestamp(at_s, UTC) if at_s else None,
        uptime_ms=max(0, now_ms - state.started_ms),
        outbox_depth=len(state.outbox.rows) - is_testing + sum(d.is_refused and d.signed is None for d in state.drafts),
        oldest_unreceipted_ms=max(0, oldest_ms),
        directory_serial=state.directory.serial,
        faults=_fault_reports(state, now_ms),
        rejected=dict(state.rejected),
        radio=_radio_report(state, now_ms),
        speaks=receipts.SPEAKS,
        certificate_ends_at=None if state.machine is None else state.machine.certificate_ends_at,
        machine=_machine_report(state),
        settings=settings_report.report(state),
    )


def timers(state: NodeState) -> Iterator[Timer]:
    """Central's silence, the next question, and the regular report."""
    lost_ms = proof.lost_ms(state)
    if lost_ms is not None:
        yield lost_ms, _lost
    ask_ms = proof.ask_ms(state)
    if ask_ms is not None:
        yield ask_ms, asking.sync
    if state.health_at_ms is not None:
        yield state.health_at_ms, _report_due


def _lost(turn: Turn) -> None:
    _move_path(turn, PathInput.CENTRAL_SILENT)


def _report_due(turn: Turn) -> None:
    central = turn.state.central
    is_hour_over = turn.now_ms - (central.sync_sent_ms or 0) >= scales.LEARN_EVERY_MS
    if central.path is not PathPhase.DOWN and (is_hour_over or _is_in_doubt(turn.state)):
        asking.sync(turn)
    report(turn)


def _proven(turn: Turn, boot_id: str) -> None:
    """Central has spoken: the path is proven. A new run may have missed what the last one was sent."""
    was = turn.state.central.path
    turn.state.central.heard_ms = turn.now_ms
    _move_path(turn, PathInput.CENTRAL_HEARD)
    is_new_run = boot_id != turn.state.central.boot_id
    turn.state.central.boot_id = boot_id
    if turn.state.central.path is not PathPhase.PROVEN:
        return
    if is_new_run:
        asking.sync(turn)
    is_round_on = turn.state.outbox.cursor is not None
    if is_new_run or (was is not PathPhase.PROVEN and not is_round_on):
        delivery.begin(turn)


def _move_path(turn: Turn, happening: PathInput) -> None:
    turn.state.central.path = after(PATH, turn.state.central.path, happening)


def _is_stale(state: NodeState, expires_ms: int, now_ms: int) -> bool:
    """Whether a broker kept this too long, by every scale that we have."""
    late_ms = 1000 * min(scales.readings_s(state, now_ms), default=0) - expires_ms
    return SCALES_AGREE_MS < late_ms < QUEUED_AT_MOST_MS


def _is_live_beat(turn: Turn, at_ms: int) -> bool:
    """Whether central's time advances with ours from one status to the next.

    Then central itself is speaking now, even if one clock is wrong; messages that a broker kept come all at once.
    """
    before = turn.state.central.beat
    if before is not None and before.at_ms == at_ms:
        return before.is_live  # The same beat, for another of our schemes.
    is_live = False
    if before is not None:
        passed_ms = turn.now_ms - before.heard_ms
        is_live = passed_ms > SCALES_AGREE_MS >= abs(at_ms - before.at_ms - passed_ms)
    turn.state.central.beat = Beat(at_ms, turn.now_ms, is_live)
    return is_live


def _is_in_doubt(state: NodeState) -> bool:
    """Whether an incident from before a restart is at central, with nothing heard about it since."""
    asked_ms = state.central.sync_sent_ms
    for key in state.recent:
        incident = state.incidents.get(key)
        if incident is not None and incident.is_restored and incident.phase is Phase.RECEIVED:
            return asked_ms is None or (incident.received_ms or 0) >= asked_ms
    return False


def _radio_report(state: NodeState, now_ms: int) -> RadioReport | None:
    said, settings, radio = _RADIO_STATES.get(radio_path(state, now_ms)), state.settings.radio, state.radio
    if said is None or settings is None:
        return None
    passed_ms, blocked_ms = radio.tests.passed_ms, radio.blocked_since_ms
    return RadioReport(
        state=said,
        licence=display_text(settings.licence, NAME_CHARS_MAX),
        tested_age_ms=None if passed_ms is None else max(0, now_ms - passed_ms),
        overs=radio.overs,
        airtime_ms=radio.airtime_ms,
        bursts_heard=radio.bursts_heard,
        busy_percent=busy_percent(radio, state.started_ms, now_ms),
        blocked_ms=0 if blocked_ms is None else max(0, now_ms - blocked_ms),
    )


def _machine_report(state: NodeState) -> MachineReport | None:
    if state.machine is None:
        return None
    told = state.machine.machine
    # Neither NTP nor the configuration: then only central's time can have proven it.
    return replace(told, clock=(told.clock or "central") if state.clock.is_proven else "none")


def _fault_reports(state: NodeState, now_ms: int) -> tuple[FaultReport, ...]:
    faults = {part: (fault.detail, fault.since_ms) for part, fault in state.faults.items()}
    stuck = stuck_buttons(state.buttons)
    if stuck:
        said = ", ".join(stuck) + " stuck down"
        detail, since_ms = faults.get(Part.BUTTONS, ("", min(state.buttons[b].down_ms for b in stuck)))
        faults[Part.BUTTONS] = (f"{detail}; {said}" if detail else said, since_ms)
    if not state.clock.is_proven and Part.CLOCK not in faults:
        faults[Part.CLOCK] = ("not proven", max(state.clock.doubted_ms, state.started_ms))
    named = {part.value: fault for part, fault in faults.items()}
    duplicate_ms = state.central.duplicate_since_ms(now_ms)
    if duplicate_ms is not None:
        named["identity"] = (identity.DETAIL, duplicate_ms)
    if (not_used := settings_report.fault(state)) is not None:
        named[settings_report.PART] = not_used
    return tuple(
        FaultReport(part=part, detail=display_text(detail, TEXT_CHARS_MAX), age_ms=max(0, now_ms - since_ms))
        for part, (detail, since_ms) in sorted(named.items())
    )


def _unix_ms(moment: datetime) -> int:
    try:
        return int(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return 0
