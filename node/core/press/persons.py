"""A breach or a sighting about a person of the gallery (G9, G10): asked for by the gallery, it goes a press's own way.

It is for the person's one scheme, never silent, and says who by the number of the reference, once central is known to
understand that (ADR 0036).
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.effects import AlertDraft
from node.core.events import AlertAsked
from node.core.gallery_state import AT_ONCE, Person, Request
from node.core.press import drafts, requests
from node.core.press.joining import joined_about
from node.core.radio import phrases
from node.core.radio.bucket import spend
from node.core.state import NodeState
from node.core.turn import Turn
from wire.gallery_socket import NotRaised
from wire.kinds import CentralCapability

REFILL_MS: Final = 20_000


def asked(turn: Turn, event: AlertAsked) -> None:
    """The gallery asks for an alert: raise it, or say why not."""
    if requests.answer_again(turn, event.request):
        return
    reason = _objection(turn, event)
    if reason is not None:
        requests.refuse(turn, event.request, reason)
        return
    about = Person(event.scheme, event.person)
    incident = joined_about(turn.state, event.kind, about, turn.now_ms)
    is_understood = CentralCapability.PERSON in (turn.state.central.speaks or ())
    content = AlertDraft(
        event.kind,
        incident.key if incident else None,
        (event.scheme,),
        silent=False,
        drill=False,
        about=event.person if is_understood else 0,
        left=event.left if is_understood else event.left.NOT_ASKED,
    )
    requests.remember(turn, Request(event.request, draft=turn.state.next_draft))
    if content.about:
        phrases.prepare(turn, event.kind, about)
    drafts.begin(turn, content, incident, turn.now_ms, is_hidden=False, about=about)


def _objection(turn: Turn, event: AlertAsked) -> NotRaised | None:
    state = turn.state
    if not state.is_started:
        return NotRaised.NOT_ARMED
    if not _is_ours(state, event.scheme):
        return NotRaised.SCHEME
    left = spend(state.gallery.tokens, turn.now_ms, AT_ONCE, REFILL_MS)
    if left is None:
        return NotRaised.RATE
    turn.state.gallery = replace(state.gallery, tokens=left)
    return None


def _is_ours(state: NodeState, scheme: int) -> bool:
    """Whether a member of that scheme stands here: else every receiver would refuse the frame, for ever."""
    ourselves = state.directory.senders.get(state.settings.node)
    return scheme in state.settings.scheme_numbers and (ourselves is None or scheme in ourselves.schemes)
