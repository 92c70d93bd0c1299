"""What the node knows of its world (N11, N13): the link, central, the clock, itself; and its report to central."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal

from node.core import answers, delivery, neighbours, presses
from node.core.controls import Part
from node.core.effects import COUNTER_FLOOR_MAX, KeepDirectory, PublishHealth, PublishSync, RaiseCounterFloor
from node.core.events import CentralStatusReceived, ClockRead, DirectoryReceived, LinkDown, SyncAnswered
from node.core.radio.duty import busy_percent
from node.core.radio.state import RadioPath, radio_path
from node.core.state import Beat, Clock, NodeState, wall_at_s
from node.core.table import PATH, PathInput, PathPhase, Phase, after
from node.core.turn import Turn
from wire.frames import PathTest
from wire.ids import FrameId
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages import FaultReport, Health, IncidentState, PendingFrame, RadioReport, Sync
from wire.text import display_text

PENDING_MAX: Final = 128
CLOCKS_AGREE_MS: Final = 5_000
"""Central's clock and ours: as near as this, and each vouches for the other."""
QUEUED_AT_MOST_MS: Final = 2 * 86_400_000
"""A status that seems older than a broker would keep one is a fault of our clock, not an old status."""
_UTC_OFFSET_MAX_S: Final = 86_400
_WHOLE_SECOND_MS: Final = 1_000
_RADIO_STATES: Final[dict[RadioPath, Literal["fault", "listening", "untested", "ready"]]] = {
    RadioPath.FAULT: "fault",
    RadioPath.LISTENING: "listening",
    RadioPath.UNTESTED: "untested",
    RadioPath.READY: "ready",
}


def link_up(turn: Turn) -> None:
    """Connected and subscribed: ask, report, and send what waits."""
    _move_path(turn, PathInput.LINK_UP)
    _set_central(turn, link_detail="", is_refused=False, link_changed_ms=turn.now_ms, beat=None)
    delivery.begin(turn)
    sync(turn)
    report(turn)


def link_down(turn: Turn, event: LinkDown) -> None:
    """Not connected."""
    was_up = turn.state.central.path is not PathPhase.DOWN
    _move_path(turn, PathInput.LINK_DOWN)
    _set_central(
        turn,
        link_detail=event.detail,
        is_refused=event.is_permanent,
        link_changed_ms=turn.now_ms if was_up else turn.state.central.link_changed_ms,
    )
    delivery.link_lost(turn)
    turn.change(health_at_ms=None)


def central_heard(turn: Turn, event: CentralStatusReceived) -> None:
    """Central's heartbeat."""
    status = event.status
    at_ms = _unix_ms(status.at)
    is_live = _is_live_beat(turn, at_ms)
    if _is_stale(turn.state, _unix_ms(status.expires_at), turn.now_ms) and not is_live:
        turn.reject("expired")
        return
    _set_central(turn, on_duty=tuple(status.on_duty), offset_ms=at_ms - turn.now_ms)
    clock = turn.state.clock
    if clock.offset_ms is not None and not clock.is_proven:
        is_near = abs(clock.offset_ms - (at_ms - turn.now_ms)) <= CLOCKS_AGREE_MS
        turn.change(clock=replace(clock, is_proven=is_near))
    _proven(turn, status.boot_id)


def sync_answered(turn: Turn, event: SyncAnswered) -> None:
    """What central knows that we may have missed."""
    answer = event.answer
    asked_ms = turn.state.central.sync_sent_ms
    if answer.counter_floor > COUNTER_FLOOR_MAX:
        turn.reject("counter floor")  # The disk would refuse it, and the screen would say that alerts are not saved.
    elif answer.counter_floor > turn.state.last_counter:
        turn.change(last_counter=answer.counter_floor)
        turn.order(RaiseCounterFloor(answer.counter_floor))
    # Its boot id is taken as known: this answer is what a sync would bring.
    _set_central(turn, boot_id=answer.boot_id)
    _proven(turn, answer.boot_id)
    named = []
    for state in answer.incidents:
        frame_id = FrameId.parse(state.incident)
        if frame_id.node == turn.settings.node:
            named.append(frame_id.counter)
        incident_came(turn, state, is_asked=True)
    if asked_ms is not None and len(answer.incidents) < answers.SYNC_INCIDENTS_MAX:
        answers.ended_unnoticed(turn, frozenset(named), asked_ms)


def incident_came(turn: Turn, state: IncidentState, *, is_asked: bool = False) -> None:
    """Central's state of an incident, ours or another member's; ``is_asked``: in the answer to a sync."""
    frame_id = FrameId.parse(state.incident)
    if frame_id.node == turn.settings.node:
        answers.own_state(turn, state, frame_id, is_asked=is_asked)
    elif _is_stale(turn.state, _unix_ms(state.expires_at), turn.now_ms):
        turn.reject("expired")
    else:
        neighbours.central_state(turn, state, frame_id)


def clock_read(turn: Turn, event: ClockRead) -> None:
    """Wall time. Nothing is timed by it: it is shown, written into frames, and tells late from live."""
    before = turn.state.clock
    offset_ms = event.wall_at_s * 1000 - turn.now_ms
    central_ms = turn.state.central.offset_ms
    is_near = central_ms is not None and abs(central_ms - offset_ms) <= CLOCKS_AGREE_MS
    is_proven = event.is_proven or is_near
    utc_offset_s = event.utc_offset_s if abs(event.utc_offset_s) < _UTC_OFFSET_MAX_S else 0
    doubted_ms = turn.now_ms if before.is_proven and not is_proven else before.doubted_ms
    if before.offset_ms is not None and abs(before.offset_ms - offset_ms) < _WHOLE_SECOND_MS:
        # A whole second, read again and again, wanders within itself; the clock on the screen shall not.
        offset_ms = before.offset_ms
    turn.change(clock=Clock(offset_ms, is_proven, utc_offset_s, doubted_ms))


def directory_came(turn: Turn, event: DirectoryReceived) -> None:
    """A newer directory replaces ours; an older one is ignored."""
    if event.directory.serial <= turn.state.directory.serial:
        if event.directory.serial < turn.state.directory.serial:
            turn.reject("old directory")
        return
    turn.change(directory=event.directory)
    turn.order(KeepDirectory(event.data, event.directory))
    neighbours.drop_revoked(turn)


def sync(turn: Turn) -> None:
    """Ask central for what we may have missed, and say what waits here and for how long."""
    state = turn.state
    pending = []
    # Frames that bear a time of their own come after those whose age nobody could tell otherwise.
    chosen = islice(sorted(state.outbox.rows.oldest(), key=lambda row: row[1].signed.frame.at_s > 0), PENDING_MAX)
    for counter, row in sorted(chosen, key=lambda row: row[0]):
        if isinstance(row.signed.frame, PathTest):
            continue  # Nobody waits for it, and it never comes this way.
        if row.pressed_ms is not None:
            age_ms = max(0, turn.now_ms - row.pressed_ms)
        else:  # Of an earlier boot of the machine, and nobody knows when: surely not live (N13).
            age_ms = max(turn.now_ms - state.started_ms, turn.timing.late_after_ms + _WHOLE_SECOND_MS)
        pending.append(PendingFrame(counter=counter, age_ms=age_ms))
    turn.order(
        PublishSync(
            Sync(
                boot_id=state.boot_id,
                directory_serial=state.directory.serial,
                last_counter=state.last_counter,
                pending=tuple(pending),
            )
        )
    )
    _set_central(turn, sync_sent_ms=turn.now_ms)


def report(turn: Turn) -> None:
    """Publish our health now, and again in ``health_ms``."""
    turn.order(PublishHealth(health(turn.state, turn.now_ms)))
    turn.change(health_sent_ms=turn.now_ms, health_at_ms=turn.now_ms + turn.timing.health_ms)


def health(state: NodeState, now_ms: int) -> Health:
    """How we are."""
    at_s = wall_at_s(state, now_ms)
    waiting = (row for row in state.outbox.rows.oldest() if not isinstance(row[1].signed.frame, PathTest))
    oldest = next(waiting, None)
    is_testing = state.outbox.rows.get(state.radio.tests.counter) is not None
    oldest_ms = 0
    if oldest is not None:
        pressed_ms = oldest[1].pressed_ms
        if pressed_ms is not None:
            oldest_ms = now_ms - pressed_ms
        elif at_s and oldest[1].signed.frame.at_s:
            oldest_ms = 1000 * (at_s - oldest[1].signed.frame.at_s)
        else:
            oldest_ms = now_ms - state.started_ms  # It is at least as old as this run.
    return Health(
        state="stopping" if state.is_stopping else "armed",
        boot_id=display_text(state.boot_id, NAME_CHARS_MAX),
        version=display_text(state.settings.version, NAME_CHARS_MAX),
        at=datetime.fromtimestamp(at_s, UTC) if at_s else None,
        uptime_ms=max(0, now_ms - state.started_ms),
        outbox_depth=len(state.outbox.rows) - is_testing + sum(d.is_refused for d in state.drafts),
        oldest_unreceipted_ms=max(0, oldest_ms),
        directory_serial=state.directory.serial,
        faults=_fault_reports(state, now_ms),
        rejected=dict(state.rejected),
        radio=_radio_report(state, now_ms),
    )


def tick(turn: Turn) -> None:
    """Central's silence, and the regular report."""
    central = turn.state.central
    if central.path is PathPhase.PROVEN and turn.now_ms - central.heard_ms >= turn.timing.central_lost_ms:
        _move_path(turn, PathInput.CENTRAL_SILENT)
    if turn.state.health_at_ms is not None and turn.state.health_at_ms <= turn.now_ms:
        if central.path is not PathPhase.DOWN and _is_in_doubt(turn.state):
            sync(turn)
        report(turn)


def next_moment_ms(state: NodeState) -> int | None:
    """When :func:`tick` next has something to do."""
    moments = [] if state.health_at_ms is None else [state.health_at_ms]
    if state.central.path is PathPhase.PROVEN:
        moments.append(state.central.heard_ms + state.settings.timing.central_lost_ms)
    return min(moments, default=None)


def _proven(turn: Turn, boot_id: str) -> None:
    """Central has spoken: the path is good, and a new run of central may have missed what the last one was sent."""
    was = turn.state.central.path
    _set_central(turn, heard_ms=turn.now_ms)
    _move_path(turn, PathInput.CENTRAL_HEARD)
    is_new_run = boot_id != turn.state.central.boot_id
    _set_central(turn, boot_id=boot_id)
    if turn.state.central.path is not PathPhase.PROVEN:
        return
    if is_new_run:
        sync(turn)
    is_round_on = turn.state.outbox.cursor is not None
    if is_new_run or (was is not PathPhase.PROVEN and not is_round_on):
        delivery.begin(turn)


def _move_path(turn: Turn, happening: PathInput) -> None:
    _set_central(turn, path=after(PATH, turn.state.central.path, happening))


def _set_central(turn: Turn, **fields: object) -> None:
    turn.change(central=replace(turn.state.central, **fields))  # type: ignore[arg-type]


def _is_stale(state: NodeState, expires_ms: int, now_ms: int) -> bool:
    """Whether a broker kept this for us for too long, as far as a proven clock can tell."""
    if not state.clock.is_proven or state.clock.offset_ms is None:
        return False
    late_ms = state.clock.offset_ms + now_ms - expires_ms
    return CLOCKS_AGREE_MS < late_ms < QUEUED_AT_MOST_MS


def _is_live_beat(turn: Turn, at_ms: int) -> bool:
    """Whether central's time moves on with ours from one status to the next.

    Then it is central that speaks now, whichever of the two clocks is wrong; what a broker kept comes all at once.
    """
    before = turn.state.central.beat
    if before is not None and before.at_ms == at_ms:
        return before.is_live  # The same beat, said to another of our schemes.
    is_live = False
    if before is not None:
        passed_ms = turn.now_ms - before.heard_ms
        is_live = passed_ms > CLOCKS_AGREE_MS >= abs(at_ms - before.at_ms - passed_ms)
    _set_central(turn, beat=Beat(at_ms, turn.now_ms, is_live))
    return is_live


def _is_in_doubt(state: NodeState) -> bool:
    """Whether an incident from before a restart is at central, and nothing was heard of it since."""
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
        busy_percent=busy_percent(radio, now_ms),
        blocked_ms=0 if blocked_ms is None else max(0, now_ms - blocked_ms),
    )


def _fault_reports(state: NodeState, now_ms: int) -> tuple[FaultReport, ...]:
    faults = {part: (fault.detail, fault.since_ms) for part, fault in state.faults.items()}
    stuck = presses.stuck(state.buttons)
    if stuck:
        said = ", ".join(stuck) + " stuck down"
        detail, since_ms = faults.get(Part.BUTTONS, ("", min(state.buttons[b].down_ms for b in stuck)))
        faults[Part.BUTTONS] = (f"{detail}; {said}" if detail else said, since_ms)
    if not state.clock.is_proven and Part.CLOCK not in faults:
        faults[Part.CLOCK] = ("not proven", max(state.clock.doubted_ms, state.started_ms))
    if state.central.path is PathPhase.DOWN and Part.NETWORK not in faults:
        faults[Part.NETWORK] = (state.central.link_detail, max(state.central.link_changed_ms, state.started_ms))
    return tuple(
        FaultReport(part=part.value, detail=display_text(detail, TEXT_CHARS_MAX), age_ms=max(0, now_ms - since_ms))
        for part, (detail, since_ms) in sorted(faults.items())
    )


def _unix_ms(moment: datetime) -> int:
    try:
        return int(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return 0
