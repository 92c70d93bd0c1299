"""Retransmission: how often and in which mode our frames are tried on the air until central's receipt (N8, N9, N13).

- **The ladder.** A frame begins in the fastest mode. An over that brings no receipt, though nobody else was on
  the air, was too weak: the next try is one rung further up. If other members' alerts are heard, it probably collided:
  the fast mode is kept, because slow bursts make a storm worse, and the crowd's estimate grows instead
  (:mod:`node.core.radio.channel_access`). If something undecodable was heard, it may have been another member, or the
  answer, too weak for this mode: every second such loss is one rung up. While a crowd is estimated, it is every fourth:
  of two hundred at once nobody may be decoded for a minute, and if all climbed, their bursts, three times as long and
  taken for talk, would keep the channel full for an hour.
- **The answer** is awaited for ``answer_due_ms`` after the over, in a crowd for two gatherings of receipts longer:
  after the first they still wait for their slot, and some are lost. To wait costs the crowd nothing, an over too many
  does. But if nobody has transmitted :data:`QUIET_MS` after it, nobody will.
- **Tries.** Three that no collision explains, each as soon as the channel allows; then ``slow_try_ms`` apart, doubling
  to :data:`SLOW_MAX_MS`, for ever. A fresh press restarts its whole incident. *Seen* and *coming* have only the three
  tries: an hour later they are useless.
- **The backlog** (rows that waited while everything was down) comes after all fresh frames, newest first, one every
  :data:`BACKLOG_APART_MS`, at most :data:`BACKLOG_MAX` at a time, while central is not heard and others are few.
- **The presser** is told once that there is no receipt: when the first over brought none, or when there has been no
  chance for an over for :data:`FIRST_CHANCE_MS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from msgspec.structs import replace

from node.core.air import LADDER
from node.core.incident.lifecycle import overdue
from node.core.radio import channel_access, path_tests
from node.core.radio.chance import draw
from node.core.radio_state import Radio, Wanted
from node.core.state import NodeState, Row
from node.core.table import PathPhase
from node.core.turn import Timer, Turn
from wire.frames import Alert, Cancel, PathTest, Response

RELIABLE_TRIES: Final = 3
CROWDED_TRIES_MAX: Final = 12
"""Overs lost to a crowd that do not count against a frame."""
SLOW_MAX_MS: Final = 3_600_000
FIRST_CHANCE_MS: Final = 8_000
QUIET_MS: Final = 3_000
WANTED_MAX: Final = 32
BACKLOG_MAX: Final = 8
BACKLOG_APART_MS: Final = 20_000
BACKLOG_FIRST_MS: Final = 5_000
"""After the start of the program: the network has its chance first."""
_GATHERINGS: Final = 2
_LOSSES_IN_DOUBT: Final = 2
_LOSSES_IN_CROWD: Final = 4


def want(turn: Turn, counter: int, *, is_late: bool = False) -> None:
    """Put this stored row of ours on the air; one already wanted stays unchanged."""
    row = turn.state.outbox.rows.get(counter)
    wanted = turn.state.radio.wanted
    if row is None or any(other.counter == counter for other in wanted):
        return
    if len(wanted) >= WANTED_MAX:
        dropped = min(wanted, key=lambda other: (not other.is_late, other.counter))
        wanted = tuple(other for other in wanted if other is not dropped)
    wanted = tuple(_anew(turn, other, row) for other in wanted)
    if not is_late:
        channel_access.begin_anew(turn)
    made = Wanted(counter, turn.now_ms, turn.now_ms, is_late=is_late, is_told=is_late)
    turn.state.radio.wanted = (*wanted, made)


def drop(turn: Turn, counter: int) -> None:
    """It has its receipt, or is given up."""
    wanted = turn.state.radio.wanted
    if any(other.counter == counter for other in wanted):
        turn.state.radio.wanted = tuple(other for other in wanted if other.counter != counter)


def carried(turn: Turn, counters: tuple[int, ...]) -> None:
    """An over with these frames has ended: await their receipts."""
    settings = turn.settings.radio
    if settings is None:
        return
    answer_ms = settings.timing.answer_due_ms
    answer_ms += _GATHERINGS * channel_access.gather_ms(turn.state.radio.channel)
    due_ms = turn.now_ms + answer_ms
    turn.state.radio.wanted = tuple(
        replace(w, tries=w.tries + 1, ended_ms=turn.now_ms, answer_due_ms=due_ms) if w.counter in counters else w
        for w in turn.state.radio.wanted
    )


def settle(turn: Turn) -> None:
    """Drop wanted frames that were given up."""
    rows = turn.state.outbox.rows
    if any(wanted.counter not in rows for wanted in turn.state.radio.wanted):
        turn.state.radio.wanted = tuple(wanted for wanted in turn.state.radio.wanted if wanted.counter in rows)


def timers(state: NodeState) -> Iterator[Timer]:
    """Missing receipts, pressers to be told, and the backlog."""
    lost = [_lost_ms(state, wanted) for wanted in state.radio.wanted if wanted.answer_due_ms is not None]
    if lost:
        yield min(lost), _give_up
    for wanted in state.radio.wanted:
        if _has_no_chance(state, wanted):
            yield wanted.since_ms + FIRST_CHANCE_MS, partial(_tell, wanted=wanted)
    if _may_pull(state):
        yield max(state.radio.backlog_ms, state.started_ms + BACKLOG_FIRST_MS), _pull


def _give_up(turn: Turn) -> None:
    due = [wanted for wanted in turn.state.radio.wanted if _is_lost(turn.state, wanted, turn.now_ms)]
    for wanted in due:
        _lost(turn, wanted)
    channel_access.lost(turn, max(wanted.tries for wanted in due))


def abandon(turn: Turn) -> None:
    """The radio cannot transmit: tell the pressers. The backlog finds the frames again."""
    for wanted in turn.state.radio.wanted:
        if not wanted.is_told:
            overdue(turn, wanted.counter)
        row = turn.state.outbox.rows.get(wanted.counter)
        if row is not None and isinstance(row.signed.frame, PathTest):
            path_tests.lost(turn, wanted.counter)
    radio = turn.state.radio
    # Waiting rows are looked for as soon as the radio works again.
    if radio.wanted or radio.wait_us is not None or radio.backlog is not None or radio.backlog_ms > turn.now_ms:
        turn.state.radio.wanted = ()
        turn.state.radio.wait_us = None
        turn.state.radio.backlog = None
        turn.state.radio.backlog_ms = min(radio.backlog_ms, turn.now_ms)


def _has_no_chance(state: NodeState, wanted: Wanted) -> bool:
    """No over has carried it or carries it now, and its presser has not been told."""
    over = state.radio.over
    is_carried = over is not None and over.started_ms is not None and wanted.counter in over.counters
    return not wanted.is_told and wanted.tries == 0 and not is_carried


def _lost_ms(state: NodeState, wanted: Wanted) -> int:
    radio, due_ms = state.radio, wanted.answer_due_ms or 0
    is_quiet = not radio.is_busy and radio.channel.since_ms <= wanted.ended_ms
    return min(due_ms, wanted.ended_ms + QUIET_MS) if is_quiet else due_ms


def _is_lost(state: NodeState, wanted: Wanted, now_ms: int) -> bool:
    return wanted.answer_due_ms is not None and _lost_ms(state, wanted) <= now_ms


def _lost(turn: Turn, wanted: Wanted) -> None:
    row = turn.state.outbox.rows.get(wanted.counter)
    settings = turn.settings.radio
    if row is None or settings is None or isinstance(row.signed.frame, PathTest):
        drop(turn, wanted.counter)
        if row is not None:
            path_tests.lost(turn, wanted.counter)
        return
    _tell(turn, wanted)
    radio = turn.state.radio
    is_storm = channel_access.is_storm(radio, turn.now_ms)
    is_too_weak = not is_storm and wanted.tries % _losses_per_rung(radio, wanted) == 0
    losses = wanted.losses + (is_too_weak or wanted.tries > CROWDED_TRIES_MAX)
    slow = losses - RELIABLE_TRIES
    if slow >= 0 and isinstance(row.signed.frame, Response):
        drop(turn, wanted.counter)
        return
    wait_ms = 0
    if slow >= 0:
        wait_ms = min(settings.timing.slow_try_ms << min(slow, 16), SLOW_MAX_MS)
        wait_ms += draw(turn, 0, wait_ms // 8)
    again = replace(
        wanted,
        due_ms=turn.now_ms + wait_ms,
        losses=losses,
        rung=min(wanted.rung + 1, len(LADDER) - 1) if is_too_weak else wanted.rung,
        answer_due_ms=None,
        is_told=True,
    )
    _replace(turn, again)


def _losses_per_rung(radio: Radio, wanted: Wanted) -> int:
    """How many losses in a row are taken for one that weakness explains: the more was on the air, the more."""
    if channel_access.is_crowded(radio.channel):
        return _LOSSES_IN_CROWD
    return _LOSSES_IN_DOUBT if radio.channel.since_ms > wanted.ended_ms else 1


def _tell(turn: Turn, wanted: Wanted) -> None:
    if not wanted.is_told:
        overdue(turn, wanted.counter)
        _replace(turn, replace(wanted, is_told=True))


def _replace(turn: Turn, wanted: Wanted) -> None:
    turn.state.radio.wanted = tuple(wanted if w.counter == wanted.counter else w for w in turn.state.radio.wanted)


def _anew(turn: Turn, wanted: Wanted, row: Row) -> Wanted:
    """A fresh press restarts the tries of its whole incident."""
    other = turn.state.outbox.rows.get(wanted.counter)
    if other is None or wanted.answer_due_ms is not None:
        return wanted
    frames = (row.signed.frame, other.signed.frame)
    if not all(isinstance(frame, Alert | Cancel) for frame in frames):
        return wanted
    if len({frame.incident for frame in frames if isinstance(frame, Alert | Cancel)}) > 1:
        return wanted
    return replace(wanted, due_ms=min(wanted.due_ms, turn.now_ms), losses=0, rung=0)


def _may_pull(state: NodeState) -> bool:
    late = sum(w.is_late for w in state.radio.wanted)
    return state.is_started and len(state.outbox.rows) > len(state.radio.wanted) and late < BACKLOG_MAX


def _pull(turn: Turn) -> None:
    state = turn.state
    turn.state.radio.backlog_ms = turn.now_ms + BACKLOG_APART_MS
    if state.central.path is PathPhase.PROVEN:
        return
    known = {wanted.counter for wanted in state.radio.wanted}
    below = state.radio.backlog
    for counter, row in state.outbox.rows.newest():
        if (
            (below is not None and counter >= below)
            or counter in known
            or isinstance(row.signed.frame, PathTest | Response)
        ):
            continue
        fresh_ms = turn.now_ms - turn.timing.late_after_ms
        is_fresh = row.pressed_ms is not None and row.pressed_ms >= fresh_ms
        is_awaited = any(due == counter for _, due in state.outbox.due)
        turn.state.radio.backlog = counter
        if not is_awaited:
            want(turn, counter, is_late=not is_fresh)
        if is_fresh:  # There may be more of them.
            turn.state.radio.backlog_ms = turn.now_ms + 1
        return
    turn.state.radio.backlog = None
