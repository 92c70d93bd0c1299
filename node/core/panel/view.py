"""Which alert has the panel when there are several, and for how long.

1. A silent attack of ours: the idle face. A neighbour's face that is already there may stay; no new one comes (N4).
2. Our own incident while central is not known to have it: nothing else for its first minute. No longer, for an outage
   may last for days, and neighbours' alerts must be seen in it (N5).
3. Otherwise our own (while there is something to tell of it) and the neighbours' take turns of ``page_turn_ms``: those
   never shown first, the more urgent before the less, then round and round. A more urgent one does not wait, and
   nobody waits for the end of an incident of ours that is over.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.incident.hush import is_hushed, was_silent
from node.core.incident.sounder import play_for_neighbour
from node.core.neighbours import alerts as neighbours
from node.core.radio.weekly_test import is_unanswered_test
from node.core.state import Incident, Neighbour, NodeState, View
from node.core.table import PASSING, UNSETTLED, Phase
from node.core.turn import Turn
from wire.ids import FrameId
from wire.kinds import PRIORITY, AlertKind

_Page = tuple[FrameId | None, bool]
"""A neighbour's incident, or none and whether it is our own."""
_OWN: Final[_Page] = (None, True)
_OVER: Final = frozenset({Phase.CANCELLED, Phase.CLOSED})


def own_to_show(state: NodeState, now_ms: int) -> Incident | None:
    """Our incident that the panel should tell of now: the newest with something to tell, a real one before a test."""
    if is_hushed(state, now_ms):
        return None
    found = []
    for key in reversed(state.recent):
        incident = state.incidents.get(key)
        if incident is not None and _has_face(state, incident, now_ms):
            found.append(incident)
    real = [incident for incident in found if incident.kind is not AlertKind.TEST]
    return next(iter(real or found), None)


def settle(turn: Turn) -> Incident | None:
    """At the end of a step: decide who has the panel, and let a neighbour's alert that gets it first be heard.

    Returns:
        Our own incident that the panel and the LED should tell of, on display now or in its turn.
    """
    own = own_to_show(turn.state, turn.now_ms)
    hushed = is_hushed(turn.state, turn.now_ms)
    before = turn.state.view
    wanted = _choose(turn.state, own, turn.now_ms, hushed=hushed)
    is_news = own is not None and wanted == (None, True) and own.changed_ms > before.since_ms
    is_over = turn.now_ms - before.since_ms >= turn.timing.page_turn_ms
    if wanted != (before.neighbour, before.is_own):
        was_other = before.neighbour is not None or before.is_own
        turn.state.view = View(wanted[0], wanted[1], turn.now_ms, was_other)
    elif is_news or is_over:
        turn.state.view = replace(before, since_ms=turn.now_ms, was_other=False)
    entry = _entry(turn.state, turn.state.view.neighbour)
    if entry is not None and not entry.is_sounded and not hushed:
        neighbours.sounded(turn, entry)
        is_new = turn.now_ms - entry.arrived_ms <= turn.timing.neighbour_inverted_ms
        # What waited for the end of a silent attack of ours is not heard after it (N4).
        is_heard = entry.is_urgent and not was_silent(turn.state, entry.arrived_ms)
        if not entry.cancel_counter and (is_heard or (is_new and not entry.is_late)):
            play_for_neighbour(turn, entry)
    return own


def next_moment_ms(state: NodeState, own: Incident | None) -> int | None:
    """When the panel next changes hands by itself."""
    pages = len(state.neighbours) + (own is not None)
    is_held = (own is not None and _holds(state, own, state.now_ms)) or is_hushed(state, state.now_ms)
    if pages < 2 or is_held:  # noqa: PLR2004
        return None
    return state.view.since_ms + state.settings.timing.page_turn_ms


def _has_face(state: NodeState, incident: Incident, now_ms: int) -> bool:
    if incident.is_restored and incident.phase in PASSING and not incident.waiting:
        return False  # Whatever it was, it is not known to be so now.
    if incident.is_silent:
        return False  # Dots on the idle face are all there ever is of it (N4).
    # What was received once, and is not heard of since a restart, must not stand before NO LINK for days.
    is_old_news = incident.kind is AlertKind.TEST or incident.is_restored
    passes = incident.phase in PASSING or (is_old_news and incident.phase is Phase.RECEIVED)
    since_ms = incident.changed_ms
    if is_unanswered_test(incident) and incident.received_ms is not None:
        since_ms = incident.received_ms  # That central closes it by itself some time later is no news.
    return not passes or now_ms - since_ms < state.settings.timing.outcome_shown_ms


def _choose(state: NodeState, own: Incident | None, now_ms: int, *, hushed: bool) -> _Page:
    view = state.view
    here = _entry(state, view.neighbour)
    if hushed:
        return (view.neighbour if here else None), False
    if own is not None and (_holds(state, own, now_ms) or _is_news(own, view)):
        return _OWN
    fresh = next((n for n in state.neighbours if not neighbours.is_shown(state, n)), None)
    # What is over at our own place never keeps somebody else's live alert from being seen (N5).
    is_over = own is not None and own.phase in _OVER and fresh is not None
    is_own_here = view.is_own and own is not None and not is_over
    is_turn_over = now_ms - view.since_ms >= state.settings.timing.page_turn_ms
    if not is_turn_over and (is_own_here or (here is not None and not _gives_way(state, here, fresh))):
        return view.neighbour, view.is_own
    if fresh is not None and fresh is not here:
        return fresh.incident, False
    return _following(state, own, (view.neighbour, view.is_own))


def _holds(state: NodeState, own: Incident, now_ms: int) -> bool:
    """Whether our own incident keeps the panel for itself."""
    return own.phase in UNSETTLED and now_ms - own.changed_ms < state.settings.timing.outcome_shown_ms


def _following(state: NodeState, own: Incident | None, page: _Page) -> _Page:
    """The page after this one, round and round; the first if this one is gone; the idle face if there is none."""
    pages = [(n.incident, False) for n in state.neighbours] + ([_OWN] if own is not None else [])
    if not pages:
        return None, False
    return pages[(pages.index(page) + 1) % len(pages)] if page in pages else pages[0]


def _is_news(own: Incident, view: View) -> bool:
    return own.changed_ms > view.since_ms or (own.changed_ms == view.since_ms and not view.is_own)


def _gives_way(state: NodeState, here: Neighbour, fresh: Neighbour | None) -> bool:
    """Whether an alert that was never shown takes the panel from the one on display before its turn is over."""
    if fresh is None or fresh is here:
        return False
    gap = PRIORITY[here.kind] - PRIORITY[fresh.kind]
    return gap > 0 or (gap == 0 and neighbours.is_shown(state, here))


def _entry(state: NodeState, incident: FrameId | None) -> Neighbour | None:
    return None if incident is None else next((n for n in state.neighbours if n.incident == incident), None)
