"""Looking at a picture: allowed, logged on the disk, and only then shown.

A list is one look, with one record (case 0), however many faces stand in it. What that record lets be seen after it, in
the same session, is the small pictures of those who stood in it, which write none of their own.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from gallery.core.effects import NotShown, RefuseView, ShowPicture, StoreViews
from gallery.core.events import Started, ViewAsked
from gallery.core.readable import Why, why_not, why_off
from gallery.core.state import LISTS_MAX, Listed, State, Storing
from gallery.core.turn import Turn, with_key
from wire.gallery_views import VIEWS_MAX, ViewHead, ViewRecord, head_of, write_view

QUEUE_MAX: Final = 1_000
UNDELIVERED_MAX: Final = 100_000
"""Views that wait for the office: months of a busy counter, some 20 MB. Beyond, nothing is shown."""
LISTS: Final = frozenset({"list", "search"})


def started(turn: Turn, event: Started) -> None:
    """Where the log has come to."""
    turn.state.head, turn.state.delivered = event.chain, event.delivered


def asked(turn: Turn, event: ViewAsked) -> None:
    """A picture, or a list, is about to be shown."""
    why = _why_not(turn.state, event)
    listed = _listed(turn.state, event) if why is None else None
    if listed is not None:
        _show(turn, event, listed)
        return
    if why is None and len(turn.state.queue) >= QUEUE_MAX:
        why = NotShown.BUSY
    if why is None and turn.state.head.n - turn.state.delivered + len(turn.state.queue) >= UNDELIVERED_MAX:
        why = NotShown.LOG_FULL
    if why is not None:
        turn.order(RefuseView(event.request, why))
        return
    turn.state.queue = (*turn.state.queue, event)


def _why_not(state: State, event: ViewAsked) -> Why | NotShown | None:
    session = state.sessions.get(event.session)
    if session is None or state.now_ms >= session.ends_ms:
        return NotShown.SIGNED_OUT
    if event.kind in LISTS and not event.case:
        return _why_no_list(state, event.scheme)
    gallery = state.galleries.get(event.scheme)
    if gallery is None:
        return Why.SCHEME_LEFT
    line = gallery.lines.get(event.case)
    if line is None:
        return Why.WITHDRAWN
    if event.kind in LISTS and _listed(state, event) is None:
        return NotShown.NOT_LOGGED
    return why_not(state.now, gallery, line)


def _listed(state: State, event: ViewAsked) -> Listed | None:
    """The list of which this is a small picture; ``None`` = it is none, or nobody was told of that list."""
    if event.kind not in LISTS or not event.case:
        return None
    line = state.galleries[event.scheme].lines[event.case]
    return state.sessions[event.session].list_of(event.scheme, line)


def _why_no_list(state: State, scheme: int) -> Why | None:
    """A list of one scheme, or of all (0): one that is on is enough."""
    galleries = [one for one in state.galleries.values() if one.title.is_allowed and scheme in {0, one.scheme}]
    reasons = [why_off(state.now, one) for one in galleries] or [Why.SCHEME_LEFT]
    return None if None in reasons else reasons[0]


def settle(turn: Turn) -> None:
    """Store what waits, all at once: one write to the disk for a whole page of faces."""
    state = turn.state
    while state.queue and not state.storing:
        _store(turn)


def _store(turn: Turn) -> None:
    state = turn.state
    batch, state.queue = state.queue[:VIEWS_MAX], state.queue[VIEWS_MAX:]
    if not state.may_store:
        _refuse(turn, batch)
        return
    storing: list[Storing] = []
    head = state.head
    for event in batch:
        why = _why_not(state, event)
        if why is not None:
            turn.order(RefuseView(event.request, why))
            continue
        storing.append(_record(state, event, head))
        head = head_of(storing[-1].view)
    state.storing = tuple(storing)
    if storing:
        views = tuple(one.view for one in storing)
        turn.store(lambda ticket: StoreViews(ticket, views))


def _record(state: State, event: ViewAsked, head: ViewHead) -> Storing:
    record = ViewRecord(
        n=head.n + 1,
        at_s=max(0, state.clock.floor_s(state.now_ms)),
        is_proven=state.clock.is_proven,
        staff=state.sessions[event.session].person,
        scheme=event.scheme,
        case=event.case,
        kind=event.kind,
        before=head.digest,
    )
    return Storing(event, write_view(record))


def stored(turn: Turn, *, is_done: bool) -> None:
    """They are on the disk: show what may still be shown. Or none of them is: show nothing."""
    state = turn.state
    batch, state.storing = state.storing, ()
    if not is_done:
        _refuse(turn, tuple(one.asked for one in batch))
        return
    state.head = head_of(batch[-1].view)
    for one in batch:
        event = one.asked
        why = _why_not(state, event)
        if why is not None:
            turn.order(RefuseView(event.request, why))
        else:
            _show(turn, event, Listed(one.view.record.n, one.view.record.at_s, event.people))


def _show(turn: Turn, event: ViewAsked, record: Listed) -> None:
    state = turn.state
    if not event.case:
        session = state.sessions[event.session]
        listed = replace(session, lists=(record, *session.lists)[:LISTS_MAX])
        state.sessions = with_key(state.sessions, event.session, listed)
    turn.order(
        ShowPicture(
            event.request, event.session, event.scheme, event.case, event.kind, number=record.n, at_s=record.at_s
        )
    )


def _refuse(turn: Turn, events: tuple[ViewAsked, ...]) -> None:
    for event in events:
        turn.order(RefuseView(event.request, NotShown.NOT_LOGGED))
