"""Late or live (N13) of others' alerts on the panel, set right by what this node learns after they came.

Central knows more about their senders. And a node that has just been switched on judges by its own clock alone, which
may be wrong, until central's first answer: that can come a moment after the alert.
"""

from __future__ import annotations

from msgspec.structs import replace

from node.core.neighbours import inbox
from node.core.scales import judged, readings_s, unix_s
from node.core.state import Neighbour
from node.core.turn import Turn
from wire.lateness import judge
from wire.messages import IncidentState


def set_right(turn: Turn, neighbour: Neighbour, state: IncidentState) -> Neighbour:
    """Correct it by central's state."""
    if state.late and neighbour.alert.text == state.incident:
        return _found_late(turn, neighbour)
    if neighbour.is_late and not state.late and state.live_at is not None:
        moments = (state.live_at, state.stamped_at)
        return _found_live(turn, neighbour, tuple(unix_s(moment) for moment in moments if moment is not None))
    return neighbour


def judge_anew(turn: Turn) -> None:
    """Correct what looked late, by the scales that are known now, for the moment at which it came.

    What was taken for live stays so: it has sounded, and somebody may be on the way.
    """
    if not any(neighbour.is_late for neighbour in turn.state.neighbours):
        return
    turn.state.neighbours = tuple(_judged_anew(turn, neighbour) for neighbour in turn.state.neighbours)


def _found_late(turn: Turn, neighbour: Neighbour) -> Neighbour:
    """Its frame had no time, and central knows from its sender how long it waited."""
    seen = inbox.seen_of(turn.state, neighbour.alert)
    if seen is not None and not seen.is_late:
        inbox.remember(turn, neighbour.alert, replace(seen, is_late=True))
    return replace(neighbour, is_late=True, dated_s=0)


def _found_live(turn: Turn, neighbour: Neighbour, moments_s: tuple[int, ...]) -> Neighbour:
    """Central took it as live: if it was pressed just now by any of ``moments_s``, it is live here too.

    It looked late because of its sender's clock, or ours before we learnt central's time. Or central speaks of it in a
    new run's time, which we do not know yet, while the press itself bears the time that we have from the run before. An
    alert that central had long ago, but we only now, stays late.
    """
    for moment_s in moments_s:
        judgement = judged(turn.state, moment_s, is_newest=True)
        if not judgement.is_late and judgement.age_s is not None:
            return replace(_live(turn, neighbour, judgement.age_s), arrived_ms=turn.now_ms)
    return neighbour


def _judged_anew(turn: Turn, neighbour: Neighbour) -> Neighbour:
    if not neighbour.is_late or not neighbour.dated_s:
        return neighbour
    judgement = judge(neighbour.dated_s, readings_s(turn.state, neighbour.arrived_ms), is_newest=True)
    if judgement.is_late or judgement.age_s is None:
        return neighbour
    return _live(turn, neighbour, judgement.age_s)


def _live(turn: Turn, neighbour: Neighbour, age_s: int) -> Neighbour:
    seen = inbox.seen_of(turn.state, neighbour.alert)
    if seen is not None:
        inbox.remember(turn, neighbour.alert, replace(seen, is_late=False))
    has_sounded = neighbour.is_sounded and neighbour.is_late_and_urgent
    return replace(neighbour, is_late=False, age_s=age_s, is_sounded=has_sounded)
