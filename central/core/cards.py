"""Incidents as others see them: cards for the page, states for members."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from central.core.incident import Incident
from central.core.timing import Timing
from central.core.view import Card, MemberLine
from wire.directory import Directory
from wire.ids import NodeId, node_text
from wire.kinds import PRIORITY
from wire.limits import NAME_CHARS_MAX
from wire.messages import Answer, IncidentState, MemberAnswer
from wire.text import display_text


@lru_cache(maxsize=65_536)
def shown_name(name: str) -> str:
    """A name out of the directory, fit to show. The same few come again and again, and cleaning is not cheap."""
    return display_text(name, NAME_CHARS_MAX)


def premises_of(node: NodeId, directory: Directory) -> str:
    """The name to show; the node's number if it was struck from the directory altogether."""
    sender = directory.senders.get(node)
    return shown_name(sender.premises) if sender else node_text(node)


def place_of(node: NodeId, directory: Directory) -> str:
    """Where it is."""
    sender = directory.senders.get(node)
    return shown_name(sender.place) if sender else ""


def slugs_of(schemes: tuple[int, ...], directory: Directory) -> tuple[str, ...]:
    """Slugs of those schemes that (still) exist."""
    return tuple(directory.schemes[number].slug for number in schemes if number in directory.schemes)


def card_of(incident: Incident, directory: Directory, timing: Timing) -> Card:
    """The incident as an alert card."""
    node = incident.id.node
    is_answered = incident.state == "answered" and incident.answered_at is not None
    return Card(
        incident=incident.id.text,
        revision=incident.revision,
        node=node_text(node),
        premises=premises_of(node, directory),
        place=place_of(node, directory),
        schemes=slugs_of(incident.schemes, directory),
        kind=incident.kind.slug,
        priority=PRIORITY[incident.kind],
        state=incident.state,
        pressed_at=incident.pressed_at,
        arrived_at=incident.arrived_at,
        path=incident.path.value,
        paths=tuple(path.value for path in incident.paths),
        relay="" if incident.relay is None else premises_of(incident.relay, directory),
        is_untold=incident.is_untold,
        is_late=incident.is_late,
        is_silent=incident.is_silent,
        is_drill=incident.is_drill,
        is_clock_ahead=incident.is_clock_ahead,
        cancelled=incident.cancelled,
        answered_by=incident.answered_by,
        answered_at=incident.answered_at,
        assigned_to=incident.assigned_to,
        outcome=incident.outcome,
        alert_count=incident.alert_count,
        members=tuple(
            MemberLine(node_text(member), premises_of(member, directory), press.response, press.at)
            for member, press in incident.members.items()
        ),
        history=tuple(incident.history),
        undo_until=incident.answered_at + timing.undo_within if is_answered and incident.answered_at else None,
    )


def state_of(incident: Incident, scheme: str, directory: Directory, expires_at: datetime) -> IncidentState:
    """The incident as the members of ``scheme`` (a slug) are told."""
    node = incident.id.node
    by, at = incident.answered_by, incident.answered_at
    return IncidentState(
        incident=incident.id.text,
        revision=incident.revision,
        scheme=scheme,
        node=node_text(node),
        premises=premises_of(node, directory),
        place=place_of(node, directory),
        kind=incident.kind.slug,
        priority=PRIORITY[incident.kind],
        state=incident.state,
        opened_at=incident.pressed_at or incident.arrived_at,
        expires_at=expires_at,
        late=incident.is_late,
        silent=incident.is_silent,
        drill=incident.is_drill,
        cancelled=incident.cancelled,
        answer=Answer(role=by.role, name=by.name, at=at) if by and at else None,
        members=tuple(
            MemberAnswer(
                node=node_text(member), premises=premises_of(member, directory), response=press.response, at=press.at
            )
            for member, press in incident.members.items()
        ),
    )
