"""Whether the node works, and whether it may be restarted."""

from __future__ import annotations

from appliance.core.notes import Trial
from appliance.core.state import DEAD_MS, FRESH_MS, QUIET_MS, State
from wire.unit_files import Vitals


def fresh(state: State, now_ms: int) -> Vitals | None:
    """The node's word, if it is of now."""
    vitals = state.vitals
    return vitals if vitals is not None and 0 <= now_ms - vitals.written_at_ms <= FRESH_MS else None


def is_quiet(state: State, now_ms: int) -> bool:
    """Whether the node may be restarted, and has said so for a while."""
    since_ms = state.quiet_since_ms
    return fresh(state, now_ms) is not None and since_ms is not None and now_ms - since_ms >= state.within(QUIET_MS)


def why_no_trial(state: State, now_ms: int) -> str:
    """Why the unit does not restart into another system now, for people; empty = it may."""
    vitals = fresh(state, now_ms)
    if vitals is None:
        # A node that is dead needs the update, and there is nothing that a restart would interrupt.
        return "" if now_ms - state.heard_ms >= state.within(DEAD_MS) else "The node says nothing."
    if not vitals.is_linked:
        return "Central does not answer, so nothing could be proven."
    return "" if is_quiet(state, now_ms) else "The unit is in use, or an alert is open."


def problem(state: State, trial: Trial, now_ms: int) -> str:
    """What does not work that must, in a system on trial, for people; empty = all of it works."""
    if state.unit.version != trial.version:
        return f"It calls itself {state.unit.version}."
    vitals = fresh(state, now_ms)
    if vitals is None or not vitals.is_armed:
        return "The node did not start."
    if not vitals.is_linked:
        return "Central was not reached."
    broken = sorted({*vitals.faulty} - {*trial.before.faulty})
    if broken:
        return f"Did not work: {', '.join(broken)}."
    stuck = sorted({*vitals.stuck} - {*trial.before.stuck})
    return f"Held down: {', '.join(stuck)}." if stuck else ""
