"""What the page shows: who must not be in here, one of them, the other tabs. Each view is on the disk before."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Final

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gallery.core.effects import NotShown, RefuseView
from gallery.core.events import ViewAsked
from gallery.core.words import NOT_SHOWN, Words
from gallery.page.answers import refused_words
from gallery.page.drawing import Drawing, off_words, title_of
from gallery.page.finding import PAGE, Wanted, wanted
from gallery.page.ports import Opened, Person, Snapshot
from gallery.page.room import Room, name_of, nearby_name, reports_name
from gallery.page.visits import answered, cookie_name, set_cookie
from gallery.pictures.marking import NotShownError, Pictures, words_of_view
from gallery.pictures.terms import CARD_WIDTH, PORTRAIT_WIDTH
from wire.gallery_lines import PhotographSize

Name = tuple[int, int, int]
"""Of a person as they are now: scheme, case and ``since``."""
MARKED_AT_ONCE: Final = 4
"""Requests that wait for the one child: each holds a photograph."""


class Showing:
    """The handlers."""

    def __init__(self, room: Room, drawing: Drawing, pictures: Pictures) -> None:
        self._room = room
        self._drawing = drawing
        self._pictures = pictures
        self._marking: CapacityLimiter | None = None

    async def gallery(self, request: Request) -> Response:
        """Who must not be in here. The way from a page that has locked itself signs out first."""
        if "locked" in request.query_params:
            return self._signed_out(request)
        snapshot = self._room.port.snapshot()
        session = self._room.session(request, snapshot)
        if session is None:
            return self._locked(request, snapshot)
        looked_for = wanted(
            request.query_params.get("q", ""),
            request.query_params.getlist("only"),
            request.query_params.get("page", ""),
        )
        index = self._room.indexed(snapshot)
        name, written = index.name, _names(index.found(looked_for, snapshot.now_s), looked_for)
        if off_words(snapshot) is None and index.people:
            refused = await self._view(session, 0, 0, "search" if looked_for.query else "list", written)
            if isinstance(refused, RefuseView):
                return self._refused(request, refused)
        # While it was written down somebody may have gone; whoever has come is shown once that is written down, too.
        snapshot = self._room.port.snapshot()
        off = off_words(snapshot)
        index = self._room.indexed(snapshot)
        found = index.found(looked_for, snapshot.now_s) if off is None else []
        return self._page(
            "gallery",
            request,
            snapshot,
            list=name,
            people=[one for one in found if _name(one) in written],
            count=len(found),
            total=len(index.people),
            pages=-(-len(found) // PAGE),
            wanted=looked_for,
            off=off,
            names={one.scheme: one.name for one in snapshot.schemes},
            some_off=[one for one in snapshot.schemes if one.off is not None] if off is None else [],
            coming=sum(one.coming for one in snapshot.schemes),
        )

    async def person(self, request: Request) -> Response:
        """One of them, with the large photograph and what to do."""
        snapshot = self._room.port.snapshot()
        session = self._room.session(request, snapshot)
        if session is None:
            return self._locked(request, snapshot)
        scheme, case = request.path_params["scheme"], request.path_params["case"]
        shown = await self._view(session, scheme, case, "person")
        if isinstance(shown, RefuseView):
            return self._refused(request, shown)
        snapshot = self._room.port.snapshot()
        person = self._room.indexed(snapshot).person(scheme, case)
        if person is None:
            return self._words(request, snapshot, NOT_SHOWN[NotShown.BUSY], 503)
        return self._page(
            "person",
            request,
            snapshot,
            person=person,
            title=title_of(person),
            scheme_name=next((one.name for one in snapshot.schemes if one.scheme == scheme), ""),
        )

    async def card(self, request: Request) -> Response:
        """A photograph in a list."""
        return await self._photograph(request, "list", CARD_WIDTH)

    async def portrait(self, request: Request) -> Response:
        """A photograph on a person's page."""
        return await self._photograph(request, "photograph", PORTRAIT_WIDTH)

    async def report_page(self, request: Request) -> Response:
        """How to report."""
        return self._tab(request, "report", reports=reports_name(self._room.port.snapshot()))

    async def advice(self, request: Request) -> Response:
        """Where advice will be."""
        return self._tab(request, "advice")

    async def status(self, request: Request) -> Response:
        """What is known of the gallery and of the unit."""
        snapshot = self._room.port.snapshot()
        return self._tab(request, "status", off=off_words(snapshot), list=self._room.indexed(snapshot).name)

    async def _photograph(self, request: Request, kind: str, width_max: int) -> Response:
        snapshot = self._room.port.snapshot()
        session = self._room.session(request, snapshot)
        scheme, case = request.path_params["scheme"], request.path_params["case"]
        person = self._room.indexed(snapshot).person(scheme, case)
        if session is None or person is None or not person.sizes or person.since != request.path_params["since"]:
            return Response(status_code=404)
        size: PhotographSize = "portrait" if "portrait" in person.sizes else "small"
        opened = await answered(self._room.port.view(_view(session, scheme, case, kind), size))
        if opened is None or isinstance(opened, RefuseView) or opened.photograph is None:
            return Response(status_code=404)
        name, staff = name_of(snapshot, session), snapshot.sessions.get(session, 0)
        text = words_of_view(snapshot.premises, name, staff, opened.at_s, opened.number)
        if self._marking is None:
            self._marking = CapacityLimiter(MARKED_AT_ONCE)
        mark = partial(self._pictures.marked, opened.photograph, text, width_max)
        try:
            jpeg = await to_thread.run_sync(mark, limiter=self._marking)
        except NotShownError:
            return Response(status_code=404)
        if session not in self._room.port.snapshot().sessions:
            return Response(status_code=404)  # locked in the meantime
        return Response(jpeg, media_type="image/jpeg")

    async def _view(
        self, session: str, scheme: int, case: int, kind: str, people: frozenset[Name] = frozenset()
    ) -> Opened | RefuseView:
        asked = _view(session, scheme, case, kind, people)
        answer = await answered(self._room.port.view(asked))
        return answer or RefuseView(asked.request, NotShown.BUSY)

    def _tab(self, request: Request, tab: str, **values: object) -> Response:
        snapshot = self._room.port.snapshot()
        if self._room.session(request, snapshot) is None:
            return self._locked(request, snapshot)
        return self._page(tab, request, snapshot, **values)

    def _refused(self, request: Request, refused: RefuseView) -> Response:
        snapshot = self._room.port.snapshot()
        if refused.why is NotShown.SIGNED_OUT:
            return self._locked(request, snapshot)
        return self._words(request, snapshot, refused_words(refused), 404)

    def _words(self, request: Request, snapshot: Snapshot, words: Words, status: int) -> Response:
        response = self._page("refused", request, snapshot, words=words)
        response.status_code = status
        return response

    def _locked(self, request: Request, snapshot: Snapshot) -> Response:
        if request.url.path != "/":
            return RedirectResponse("/", 303)
        return HTMLResponse(self._draw("locked", snapshot, off=off_words(snapshot)))

    def _signed_out(self, request: Request) -> Response:
        response = RedirectResponse("/", 303)
        session = request.cookies.get(cookie_name(request))
        # Another site's link bears none, and locks nobody.
        if session is not None:
            self._room.port.sign_out(session)
            set_cookie(request, response, "")
        return response

    def _page(self, tab: str, request: Request, snapshot: Snapshot, **values: object) -> Response:
        name = name_of(snapshot, request.cookies.get(cookie_name(request), ""))
        return HTMLResponse(self._draw(tab, snapshot, name=name, **values))

    def _draw(self, tab: str, snapshot: Snapshot, **values: object) -> str:
        unit, alerts = self._room.unit(), self._room.alerts(snapshot)
        return self._drawing.draw(
            f"{tab}.html", {**values, "snapshot": snapshot, "unit": unit, "alerts": alerts, "nearby": nearby_name(unit)}
        )


def _view(session: str, scheme: int, case: int, kind: str, people: frozenset[Name] = frozenset()) -> ViewAsked:
    return ViewAsked(secrets.token_hex(16), session, scheme, case, kind, people)


def _name(person: Person) -> Name:
    return person.scheme, person.case, person.since


def _names(found: list[Person], looked_for: Wanted) -> frozenset[Name]:
    """Of those on this page of a list."""
    return frozenset(_name(one) for one in found[(looked_for.page - 1) * PAGE : looked_for.page * PAGE])
