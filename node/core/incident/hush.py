"""What must stay hidden during a silent attack of ours (N4): rules for every screen, lamp and sound."""

from __future__ import annotations

from typing import Final

from node.core.controls import Part
from node.core.state import Incident, NodeState
from node.core.table import Phase

_PRESSED: Final = frozenset({Part.STORE, Part.CARD, Part.RADIO})
"""Parts that a press uses."""


def silent_incident(state: NodeState) -> Incident | None:
    """Our newest silent attack that is not closed, if any (N4)."""
    for key in reversed(state.recent):
        incident = state.incidents.get(key)
        if incident is not None and incident.is_silent and incident.phase is not Phase.CLOSED:
            return incident
    return None


def hushed_until_ms(state: NodeState) -> int | None:
    """Until when an offender must be assumed to watch and listen; ``None`` = no silent attack."""
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
    """When the silent press was made that now hides everything new; ``None`` = none."""
    until_ms = hushed_until_ms(state)
    return None if until_ms is None or now_ms >= until_ms else until_ms - state.settings.timing.silent_quiet_ms


def was_silent(state: NodeState, at_ms: int) -> bool:
    """Whether a silent attack of ours was in progress at ``at_ms``, if it is still on view."""
    found = (state.incidents.get(key) for key in state.recent)
    silent_ms = (i.pressed_ms or i.changed_ms for i in found if i is not None and i.is_silent)
    return any(since_ms <= at_ms < since_ms + state.settings.timing.silent_quiet_ms for since_ms in silent_ms)


def faults_to_tell(state: NodeState, now_ms: int) -> tuple[Part, ...]:
    """Parts that face and LED may report as broken now.

    A disk or radio that first fails at a silent press would reveal it (N4): only its dots show that.
    """
    pressed_ms = hushed_since_ms(state, now_ms)
    if pressed_ms is None:
        return tuple(state.faults)
    return tuple(p for p, fault in state.faults.items() if p not in _PRESSED or fault.since_ms < pressed_ms)


def is_blocked_to_tell(state: NodeState, now_ms: int) -> bool:
    """Whether face and LED may report that an alert has long waited for a clear channel; never for a silent one."""
    radio, since_ms = state.settings.radio, state.radio.blocked_since_ms
    if radio is None or since_ms is None or now_ms - since_ms < radio.timing.blocked_after_ms:
        return False
    pressed_ms = hushed_since_ms(state, now_ms)
    return pressed_ms is None or since_ms < pressed_ms
