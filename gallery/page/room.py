"""What all handlers of the page share: the gallery, who is signed in by which page, and how the unit is.

On the page's loop alone.
"""

from __future__ import annotations

import time
from hashlib import sha256

from msgspec import Struct
from starlette.requests import Request

from gallery.page.drawing import NO_ANSWER
from gallery.page.finding import Index
from gallery.page.keeping import Keeping
from gallery.page.ports import GalleryPort, Nearby, NodeState, NodeStates, Person, Snapshot
from gallery.page.streams import Streams, piece
from gallery.page.visits import cookie_name


class Alert(Struct, frozen=True):
    """Another shop's alert about somebody, as pages say it.

    Attributes:
        reference: of whom.
        person: whom to open; ``None`` = they are not shown here.
    """

    nearby: Nearby
    reference: str
    person: Person | None


class Room:
    """See above.

    Args:
        port: the gallery.
        node_state: of the unit; ``None`` = it is not asked.
    """

    def __init__(self, port: GalleryPort, node_state: NodeStates | None = None) -> None:
        self.port = port
        self.streams = Streams()
        self.keeping = Keeping()
        self._node_state = node_state
        self._index: Index | None = None

    def session(self, request: Request, snapshot: Snapshot) -> str | None:
        """Whose page it is; one that should have been locked long ago is locked now."""
        session = request.cookies.get(cookie_name(request), "")
        if session not in snapshot.sessions:
            return None
        now_s = time.monotonic()
        if self.keeping.is_overdue(session, now_s):
            self.port.sign_out(session)
            return None
        self.keeping.seen(session, now_s)
        return session

    def use(self, session: str) -> None:
        """Somebody touched its page."""
        self.keeping.touched(session, time.monotonic())
        self.port.use(session)

    def indexed(self, snapshot: Snapshot) -> Index:
        """Its people, in order."""
        if self._index is None or self._index.schemes is not snapshot.schemes:
            self._index = Index(snapshot)
        return self._index

    def unit(self) -> NodeState:
        """The unit in words."""
        state = None if self._node_state is None else self._node_state()
        return NO_ANSWER if state is None else state

    def unit_piece(self, *, is_open: bool) -> bytes:
        """The same, as pages are told: their alerts by incident alone. How reports go on is for open pages."""
        state = self.unit()
        told = {
            "words": state.words,
            "needs_care": state.needs_care,
            "nearby": nearby_name(state),
            "progress": {one.incident: [one.is_at_central, one.words] for one in state.progress} if is_open else {},
        }
        return piece("unit", told)

    def alerts(self, snapshot: Snapshot) -> list[Alert]:
        """Those of other shops about people of galleries that are held here."""
        index = self.indexed(snapshot)
        schemes = {one.scheme: one for one in snapshot.schemes}
        return [
            Alert(one, schemes[one.scheme].reference(one.person), index.by_reference(one.scheme, one.person))
            for one in self.unit().nearby
            if one.scheme in schemes
        ]


def nearby_name(state: NodeState) -> str:
    """Of the alerts that a page shows: others have another."""
    return " ".join(f"{one.incident}.{one.kind}.{one.is_late:d}" for one in state.nearby)


def reports_name(snapshot: Snapshot) -> str:
    """Of the reports that a page shows: others, or another outcome, have another."""
    names = "\n".join(f"{one.report} {one.state} {one.words}" for one in snapshot.reports)
    return sha256(names.encode()).hexdigest()[:16]


def name_of(snapshot: Snapshot, session: str) -> str:
    """Who is signed in."""
    person = snapshot.sessions.get(session)
    return next((one.name for one in snapshot.staff if one.person == person), "")
