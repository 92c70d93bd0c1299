"""What somebody does on the page: sign in, lock, touch, report. Our own script asks, and is answered in JSON."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gallery.core.effects import SignIn
from gallery.core.events import Pin, PinChosen, ReportAlerted, ReportAsked, SignInAsked
from gallery.page.answers import NOT_SHOWN_ANY_MORE, report_answer, sign_in_answer, slowed
from gallery.page.finding import number_of
from gallery.page.ports import AlertAnswer, AlertAsked, AlertPort, AlertState, Person
from gallery.page.room import Room, reports_name
from gallery.page.streams import LOCK, TooManyPagesError
from gallery.page.visits import (
    Chosen,
    Reported,
    Shown,
    Typed,
    address_of,
    answered,
    as_json,
    bad,
    cookie_name,
    read,
    set_cookie,
)
from runtime.event_stream import EventStream
from runtime.slowing import Slowing

ALERT_S: Final = 12.0
"""Somebody is waiting, with somebody in front of them. The node’s socket answers before."""


class Still(msgspec.Struct, frozen=True):
    """What of a page must go now, by its place; and the names of list and reports as they are now."""

    gone: tuple[int, ...]
    list: str
    reports: str


class Acting:
    """The handlers.

    Args:
        alerts: asks the node for a report; ``None`` = it cannot be asked.
    """

    def __init__(self, room: Room, alerts: AlertPort | None = None) -> None:
        self._room = room
        self._alerts = alerts
        self._slowing = Slowing()

    async def sign_in(self, request: Request) -> Response:
        """Somebody typed a PIN or a start code."""
        typed = await read(request, Typed)
        if typed is None:
            return bad()
        address, now_s = address_of(request), time.monotonic()
        wait_s = self._slowing.wait_s(address, now_s)
        if wait_s > 0:
            return as_json(slowed(wait_s))
        attempt = secrets.token_urlsafe(32)
        asked = SignInAsked(attempt, typed.person, Pin(typed.secret), is_start_code=typed.is_start_code)
        answer = await answered(self._room.port.sign_in(asked))
        if answer is None:
            return _gone()
        if answer.outcome is SignIn.WRONG:
            self._slowing.note_failure(address, now_s)
        if answer.outcome is SignIn.OPEN:
            self._begin(attempt, address)
        response = as_json(sign_in_answer(answer))
        if answer.outcome in {SignIn.OPEN, SignIn.CHOOSE_PIN}:
            set_cookie(request, response, attempt)
        return response

    async def choose_pin(self, request: Request) -> Response:
        """Whoever gave the start code chose a PIN."""
        chosen = await read(request, Chosen)
        attempt = request.cookies.get(cookie_name(request))
        if chosen is None or attempt is None:
            return bad()
        answer = await answered(self._room.port.choose_pin(PinChosen(attempt, Pin(chosen.pin))))
        if answer is None:
            return _gone()
        if answer.outcome is SignIn.OPEN:
            self._begin(attempt, address_of(request))
        return as_json(sign_in_answer(answer))

    async def lock(self, request: Request) -> Response:
        """Somebody locks the page, or it locks itself. Of a gallery that hangs it is not told that it did."""
        session = request.cookies.get(cookie_name(request))
        if session is not None:
            self._room.port.sign_out(session)
            if not await answered(self._room.port.turn()):
                return Response(status_code=503)
        response = Response(status_code=204)
        set_cookie(request, response, "")
        return response

    async def use(self, request: Request) -> Response:
        """Somebody touches it."""
        session = self._room.session(request, self._room.port.snapshot())
        if session is None:
            return Response(status_code=403)
        self._room.use(session)
        return Response(status_code=204)

    async def report(self, request: Request) -> Response:
        """Somebody is here, or was seen: the alert goes by the node, and a report is written down for the office."""
        reported = await read(request, Reported)
        snapshot = self._room.port.snapshot()
        session = self._room.session(request, snapshot)
        if reported is None or (reported.kind == "breach") != (reported.left is not None):
            return bad()
        if session is None:
            return Response(status_code=403)
        self._room.use(session)
        person = self._room.indexed(snapshot).person(reported.scheme, reported.case)
        if person is None:
            return as_json(report_answer(AlertAnswer(AlertState.IMPOSSIBLE, text=NOT_SHOWN_ANY_MORE), is_kept=False))
        alert, kept = await asyncio.gather(self._alert(reported, person), self._keep(reported, person, session))
        self._room.port.alerted(ReportAlerted(reported.report, alert.incident))
        return as_json(report_answer(alert, is_kept=kept))

    async def _alert(self, reported: Reported, person: Person) -> AlertAnswer:
        if self._alerts is None:
            return AlertAnswer(AlertState.IMPOSSIBLE)
        asked = AlertAsked(reported.report, reported.kind, person.scheme, number_of(person), reported.left)
        return await answered(self._alerts.alert(asked), ALERT_S) or AlertAnswer(AlertState.UNKNOWN)

    async def _keep(self, reported: Reported, person: Person, session: str) -> bool:
        asked = ReportAsked(
            secrets.token_hex(16),
            session,
            person.scheme,
            person.case,
            person.text.reference,
            reported.kind,
            reported.left or "not-asked",
            reported.report,
        )
        answer = await answered(self._room.port.report(asked), ALERT_S)
        return answer is not None and answer.why is None

    async def still(self, request: Request) -> Response:
        """Something has changed: which of those that a page shows must go."""
        shown = await read(request, Shown)
        snapshot = self._room.port.snapshot()
        if shown is None:
            return bad()
        if self._room.session(request, snapshot) is None:
            return Response(status_code=403)
        now = {(one.scheme, one.case, one.since) for one in self._room.indexed(snapshot).people}
        gone = tuple(at for at, name in enumerate(shown.people) if name not in now)
        return as_json(Still(gone, self._room.indexed(snapshot).name, reports_name(snapshot)))

    async def stream(self, request: Request) -> Response:
        """What an open page is told."""
        session = self._room.session(request, self._room.port.snapshot())
        if session is None and request.query_params.get("page") == "open":
            return Response(LOCK, media_type="text/event-stream")
        try:
            listener = self._room.streams.join(session, address_of(request))
        except TooManyPagesError:
            return Response("Too many pages are open. Close some of them.", 503)
        listener.put(self._room.unit_piece(is_open=session is not None))
        if session is not None:
            self._room.keeping.joined(session, time.monotonic())

        def leave() -> None:
            if self._room.streams.leave(listener) and session is not None:
                self._room.keeping.left(session, time.monotonic())

        return EventStream(listener, leave)

    def _begin(self, session: str, address: str) -> None:
        self._slowing.forget(address)
        self._room.keeping.touched(session, time.monotonic())


def _gone() -> Response:
    return Response("The gallery does not answer.", 503)
