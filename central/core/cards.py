"""Incidents as others see them: cards for the page, states for members."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal

from central.core.asking import Stands
from central.core.asking_lines import AskingLine
from central.core.audience import audience_of
from central.core.groups import Shown
from central.core.incident import LEFT_WORDS, Incident
from central.core.timing import Timing
from central.core.view import Card, MemberLine, NodeLine
from wire.directory import Directory
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import PRIORITY, AlertKind, LeftWhenAsked, reference_text
from wire.limits import NAME_CHARS_MAX
from wire.messages import Answer, Asked, IncidentState, MemberAnswer
from wire.text import display_text

NOT_DRAWN: Final = "– central has a fault and cannot show the rest"
_SURE: Final = (
    *("incident", "key", "stands_for", "through", "revision", "node", "kind", "priority", "state", "arrived_at"),
    *("path", "is_silent", "is_drill", "closed_at", "alert_count", "scheme_numbers"),
    *("urgent_kind", "urgent_count", "pressed_again_at", "again_kind", "again_priority"),
)

_LEFT: Final[dict[LeftWhenAsked, Literal["yes", "no", "not-asked"]]] = {
    LeftWhenAsked.YES: "yes",
    LeftWhenAsked.NO: "no",
    LeftWhenAsked.NOT_ASKED: "not-asked",
}


@lru_cache(maxsize=65_536)
def shown_name(name: str) -> str:
    """A name from the directory, cleaned for display. Cached: the same few come again and again."""
    return display_text(name, NAME_CHARS_MAX)


def premises_of(node: NodeId, directory: Directory) -> str:
    """The premises' name for display; the node's number if not in the directory."""
    sender = directory.senders.get(node)
    return shown_name(sender.premises) if sender else node_text(node)


def is_struck_off(node: NodeId, directory: Directory) -> bool:
    """Whether its earlier word no longer counts: revoked, or no longer in the directory."""
    sender = directory.senders.get(node)
    return sender is None or sender.is_revoked


def place_of(node: NodeId, directory: Directory) -> str:
    """The place for display; empty if not in the directory."""
    sender = directory.senders.get(node)
    return shown_name(sender.place) if sender else ""


def slugs_of(schemes: tuple[int, ...], directory: Directory) -> tuple[str, ...]:
    """Slugs of those of these schemes that (still) exist."""
    return tuple(directory.schemes[number].slug for number in schemes if number in directory.schemes)


def card_of(
    incident: Incident,
    directory: Directory,
    timing: Timing,
    shown: Shown | None = None,
    asking: Iterable[Stands] = (),
) -> Card:
    """The incident as an alert card.

    Args:
        incident: the one that it shows.
        directory: names it.
        timing: how long an answer may be taken back.
        shown: ``None`` for a card that stands for nothing else.
        asking: where it stands, or of a card that stands for many one of them.
    """
    shown = shown or Shown(incident.id, incident.id)
    node = incident.id.node
    is_answered = incident.state == "answered" and incident.answered_at is not None
    return Card(
        incident=incident.id.text,
        key=shown.key.text,
        stands_for=shown.stands_for,
        through=shown.through,
        revision=incident.revision,
        node=node_text(node),
        premises=premises_of(node, directory),
        place=place_of(node, directory),
        schemes=slugs_of(incident.schemes, directory),
        scheme_numbers=audience_of(node, incident.schemes, directory),
        kind=incident.kind.slug,
        priority=PRIORITY[incident.kind],
        state=incident.state,
        pressed_at=incident.pressed_at,
        arrived_at=incident.arrived_at,
        path=incident.path.value,
        paths=tuple(path.value for path in incident.paths),
        relay="" if incident.relay is None else premises_of(incident.relay, directory),
        relay_node="" if incident.relay is None else node_text(incident.relay),
        is_untold=incident.is_untold,
        is_late=incident.is_late,
        is_silent=incident.is_silent,
        is_drill=incident.is_drill,
        is_clock_ahead=incident.is_clock_ahead,
        cancelled=incident.cancelled,
        answered_by=incident.answered_by,
        answered_at=incident.answered_at,
        answered_after_s=incident.answered_after_s,
        coming=incident.coming,
        coming_at=incident.coming_at,
        coming_said_by=incident.coming_said_by,
        closed_by=incident.closed_by,
        closed_at=incident.closed_at,
        assigned_to=incident.assigned_to,
        outcome=incident.outcome,
        alert_count=incident.alert_count,
        members=tuple(
            MemberLine(node_text(member), premises_of(member, directory), press.response, press.at)
            for member, press in incident.members.items()
            if not is_struck_off(member, directory)
        ),
        history=tuple(incident.history),
        undo_until=incident.answered_at + timing.undo_within if is_answered and incident.answered_at else None,
        person=_reference(incident, directory),
        person_scheme=incident.schemes[0] if incident.person else 0,
        left=LEFT_WORDS[incident.left] if incident.person and incident.kind is AlertKind.BREACH else "",
        asking=tuple(_asking_line(stands, directory) for stands in asking),
        **_behind(incident, shown),
    )


def _behind(incident: Incident, shown: Shown) -> dict[str, Any]:
    """What was pressed again, and what is more urgent than the incident that the card shows."""
    again, urgent = shown.again_kind, shown.urgent
    return {
        "pressed_again_at": shown.again_at or (incident.arrived_at if shown.is_again else incident.pressed_again_at),
        "again_kind": "" if again is None else again.slug,
        "again_priority": 0 if again is None else PRIORITY[again],
        "urgent_kind": "" if urgent is None else urgent[0].slug,
        "urgent_count": 0 if urgent is None else urgent[1],
    }


def _asking_line(stands: Stands, directory: Directory) -> AskingLine:
    asking = stands.asking
    scheme = directory.schemes.get(asking.scheme)
    name = shown_name(scheme.name) if scheme is not None else f"scheme {asking.scheme}"
    if asking.role is None:
        return AskingLine(scheme=asking.scheme, scheme_name=name, round=asking.round, since=stands.since)
    return AskingLine(
        scheme=asking.scheme,
        scheme_name=name,
        role=asking.role,
        names=tuple(one.name for one in asking.people),
        round=asking.round,
        step=asking.step + 1,
        steps=len(asking.steps),
        since=stands.since,
        until=stands.until,
        next_role=asking.steps[(asking.step + 1) % len(asking.steps)].role,
    )


def _reference(incident: Incident, directory: Directory) -> str:
    if not incident.person:
        return ""
    scheme = directory.schemes.get(incident.schemes[0])
    return reference_text(str(incident.schemes[0]) if scheme is None else scheme.slug, incident.person)


def bare_card(incident: Incident, shown: Shown) -> Card:
    """The sure facts of an incident that cannot be drawn: people must still see it and be able to answer it."""
    return Card(
        incident=incident.id.text,
        key=shown.key.text,
        stands_for=shown.stands_for,
        through=shown.through,
        revision=incident.revision,
        node=node_text(incident.id.node),
        premises=node_text(incident.id.node),
        place=NOT_DRAWN,
        schemes=(),
        scheme_numbers=incident.schemes,
        kind=incident.kind.slug,
        priority=PRIORITY[incident.kind],
        state=incident.state,
        pressed_at=None,
        arrived_at=incident.arrived_at,
        path=incident.path.value,
        is_late=False,
        is_silent=incident.is_silent,
        is_drill=incident.is_drill,
        closed_at=incident.closed_at,
        alert_count=incident.alert_count,
        **_behind(incident, shown),
    )


def bared(card: Card) -> Card:
    """The same for a card that was drawn but cannot be sent."""
    sure = {name: getattr(card, name) for name in _SURE}
    return Card(premises=card.node, place=NOT_DRAWN, schemes=(), pressed_at=None, is_late=False, **sure)


def bare_line(text: str, scheme_numbers: tuple[int, ...] = ()) -> NodeLine:
    """The same for a premises; ``text``: its number."""
    return NodeLine(
        node=text,
        premises=text,
        place=NOT_DRAWN,
        schemes=(),
        scheme_numbers=scheme_numbers,
        state="fault",
        since=None,
        last_seen_at=None,
    )


def state_of(incident: Incident, scheme: str, directory: Directory, expires_at: datetime) -> IncidentState:
    """The incident as told to the members of ``scheme`` (a slug)."""
    node = incident.id.node
    by, at = incident.answered_by, incident.answered_at
    is_breach = incident.person and incident.kind is AlertKind.BREACH
    press = FrameId(node, incident.answered_press).text if incident.answered_press else None
    if incident.state == "on-the-way":
        by, at = incident.coming, incident.coming_at
    number = next((one.number for one in directory.schemes.values() if one.slug == scheme), 0)
    stands = incident.asking.get(number)
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
        live_at=incident.live_at,
        stamped_at=incident.stamped_at,
        silent=incident.is_silent,
        drill=incident.is_drill,
        cancelled=incident.cancelled,
        answer=Answer(role=by.role, name=by.name, at=at, press=press, after_s=incident.answered_after_s)
        if by and at
        else None,
        members=tuple(
            MemberAnswer(
                node=node_text(member), premises=premises_of(member, directory), response=press.response, at=press.at
            )
            for member, press in incident.members.items()
            if not is_struck_off(member, directory)
        ),
        person=incident.person or None,
        asked=None if stands is None else Asked(role=stands.asking.role, since=stands.since),
        left=_LEFT[incident.left] if is_breach else None,
    )
