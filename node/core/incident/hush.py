"""Who may notice what during a silent attack of ours (N4): judgements that every screen, lamp and sound goes by."""

from __future__ import annotations

from typing import Final

from node.core.controls import Part
from node.core.state import Incident, NodeState
from node.core.table import Phase

_PRESSED: Final = frozenset({Part.STORE, Part.RADIO})
"""Parts that a press puts to work."""


def silent_incident(state: NodeState) -> Incident | None:
    """Our newest silent attack that is not closed, if there is one (N4)."""
    for key in reversed(state.recent):
        incident = state.incidents.get(key)
        if incident is not None and incident.is_silent and incident.phase is not Phase.CLOSED:
            return incident
    return None


def hushed_until_ms(state: NodeState) -> int | None:
    """Until when an offender must be taken to be watching and listening; ``None`` = there is no silent attack."""
    incident = silent_incident(state)
    if incident is None:
        return None
    since_ms = incident.changed_ms if incident.pressed_ms is None else incident.pressed_ms
    return since_ms + state.settings.timing.silent_quiet_ms


def is_hushed(state: NodeState, now_ms: int) -> bool:
    """Whether nothing new may be seen or heard here now."""
    until_ms = hushed_until_ms(state)
    return until_ms is not None and now_ms < until_ms


def hushed_since_ms(state: NodeState, now_ms: int) -> int | None:
    """When the silent press was for which nothing new may be seen now; ``None`` = there is none."""
    until_ms = hushed_until_ms(state)
    return None if until_ms is None or now_ms >= until_ms else until_ms - state.settings.timing.silent_quiet_ms


def was_silent(state: NodeState, at_ms: int) -> bool:
    """Whether a silent attack of ours was going on at that moment, as far as it is on view still."""
    found = (state.incidents.get(key) for key in state.recent)
    silent_ms = (i.pressed_ms or i.changed_ms for i in found if i is not None and i.is_silent)
    return any(since_ms <= at_ms < since_ms + state.settings.timing.silent_quiet_ms for since_ms in silent_ms)


def faults_to_tell(state: NodeState, now_ms: int) -> tuple[Part, ...]:
    """Parts that face and LED may say are broken now.

    A disk or a radio that first fails at a silent press would show the press (N4): its dots alone tell of that.
    """
    pressed_ms = hushed_since_ms(state, now_ms)
    if pressed_ms is None:
        return tuple(state.faults)
    return tuple(p for p, fault in state.faults.items() if p not in _PRESSED or fault.since_ms < pressed_ms)


def is_blocked_to_tell(state: NodeState, now_ms: int) -> bool:
    """Whether an alert has waited for a clear channel for so long that face and LED may say so; never a silent one."""
    radio, since_ms = state.settings.radio, state.radio.blocked_since_ms
    if radio is None or since_ms is None or now_ms - since_ms < radio.timing.blocked_after_ms:
        return False
    pressed_ms = hushed_since_ms(state, now_ms)
    return pressed_ms is None or since_ms < pressed_ms
