"""Which open incident of ours an alert joins: nothing old may hide a live press (N2)."""

from __future__ import annotations

from typing import Final

from node.core.gallery_state import Person
from node.core.incident.lifecycle import is_cancelled
from node.core.state import Incident, NodeState
from node.core.table import PathPhase, Phase
from wire.kinds import AlertKind

_OVER: Final = frozenset({Phase.CANCELLED, Phase.CLOSED})


def joined(state: NodeState, kind: AlertKind, now_ms: int) -> Incident | None:
    """The open incident of ours that a press now joins; ``None`` = it opens its own.

    It joins only an incident that is certainly still open:

    - not a test, nor one that was cancelled, closed, or is only known from before a restart;
    - not one about a person: that is for one scheme, and a press is for all (ADR 0036);
    - an incident opened within ``late_after_ms``;
    - an older one if central has it and is heard now, so that a closing would have reached us. One that central lacks
      will arrive late, and a press that joined it would look late too.
    """
    if kind is AlertKind.TEST:
        return None
    for key in reversed(state.recent):
        incident = state.incidents.get(key)
        if incident is None or incident.kind is AlertKind.TEST or incident.about is not None or _is_over(incident):
            continue
        return incident if _is_surely_open(state, incident, now_ms) else None
    return None


def joined_about(state: NodeState, kind: AlertKind, about: Person, now_ms: int) -> Incident | None:
    """The open incident of ours of this kind about this person; ``None`` = a report now opens its own."""
    for key in reversed(state.recent):
        incident = state.incidents.get(key)
        if incident is None or incident.about != about or incident.kind is not kind or _is_over(incident):
            continue
        return incident if _is_surely_open(state, incident, now_ms) else None
    return None


def _is_over(incident: Incident) -> bool:
    return incident.is_restored or incident.phase in _OVER or is_cancelled(incident)


def _is_surely_open(state: NodeState, incident: Incident, now_ms: int) -> bool:
    young_ms = now_ms - state.settings.timing.late_after_ms
    if incident.opened_ms is not None and incident.opened_ms >= young_ms:
        return True
    if incident.received_ms is None:
        return incident.key < 0
    is_pressed_lately = incident.pressed_ms is not None and incident.pressed_ms >= young_ms
    return is_pressed_lately or state.central.path is PathPhase.PROVEN
