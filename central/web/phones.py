"""The page on which somebody lets a phone wake them, and what a tap on a notice opens.

===== ===================== ======================================================================================
GET   /phones               my phones, and how to add this one
POST  /phones/add           {"endpoint": …, "p256dh": …, "auth": …}: this browser's subscription; sends it a test
GET   /phones/mine          for the service worker: as which phone of mine central knows this browser, and its key
POST  /phones/renew         as add: the browser changed its subscription by itself; only of a phone of mine
POST  /phones/test          {"phone": …}: sends a test
POST  /phones/remove        {"phone": …}
POST  /phones/duty          {"role": …}: sends each of them a test, by which its owner goes on duty
GET   /wake/{reference}     from a notice: proves a phone, begins a duty, or leads to card or room; after sign-in
GET   /sw.js                the service worker, which shows a notice
GET   /manifest.webmanifest for installing the page as an app
===== ===================== ======================================================================================

For people with a role that answers alerts. A notice says nothing by itself: what it names is shown to whom it concerns.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from central.core.board_port import BoardPort
from central.core.view import Card, Person, Refused, StartDuty
from central.phones import Phones, PhonesError, Tapped
from central.signin.gate import Visitor
from central.web.actions import NOT_YOUR_ROLE
from central.web.cookies import Cookies
from central.web.page import STATIC_DIR, Page
from central.web.reading import BodyError, read_body
from central.web.sign_in import SignInRoutes
from runtime.web_headers import WORKER_HEADERS
from wire.kinds import AlertKind
from wire.notices import SHIFT_REFERENCE, Subscription

BODY_BYTES_MAX: Final = 4_096
NOT_SET_UP: Final = "Phones are not set up at this central. The engineer can do that."
NOT_FOR_YOU: Final = "Your role is not asked about alerts."
SIGNED_OUT: Final = "You are signed out. Reload the page to sign in."
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Named(msgspec.Struct, frozen=True):
    phone: str


class _Asked(msgspec.Struct, frozen=True):
    role: str


_read_subscription: Final = msgspec.json.Decoder(Subscription).decode
_read_named: Final = msgspec.json.Decoder(_Named).decode
_read_asked: Final = msgspec.json.Decoder(_Asked).decode


class PhoneRoutes:
    """Over :class:`central.phones.Phones`; ``None`` = this central has no notifier."""

    def __init__(
        self, phones: Phones | None, board: BoardPort, page: Page, sign_in: SignInRoutes, cookies: Cookies
    ) -> None:
        self._phones = phones
        self._board = board
        self._page = page
        self._sign_in = sign_in
        self._cookies = cookies

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/phones", self.page, methods=["GET"]),
            Route("/phones/add", self.add, methods=["POST"]),
            Route("/phones/mine", self.mine, methods=["GET"]),
            Route("/phones/renew", self.renew, methods=["POST"]),
            Route("/phones/test", self.test, methods=["POST"]),
            Route("/phones/remove", self.remove, methods=["POST"]),
            Route("/phones/duty", self.duty, methods=["POST"]),
            Route("/wake/{reference}", self.wake, methods=["GET"]),
            Route("/sw.js", _static("js/sw.js", "text/javascript"), methods=["GET"]),
            Route("/manifest.webmanifest", _static("app.webmanifest", "application/manifest+json"), methods=["GET"]),
        ]

    async def page(self, request: Request) -> Response:
        """My phones."""
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return RedirectResponse("/", 303)
        if not visitor.rights.acting_roles:
            return _turned_away(visitor)
        phones = self._phones
        mine = () if phones is None else phones.of(visitor.session.account)
        html = self._page.draw(
            "phones.html",
            key="" if phones is None else phones.key,
            phones=[(one, "" if phones is None else phones.said(one.id)) for one in mine],
            not_set_up=NOT_SET_UP if phones is None else "",
        )
        return Response(html, 200, WORKER_HEADERS, "text/html")

    async def add(self, request: Request) -> Response:
        """This browser."""
        before = self._cookies.phone(request)

        def do(phones: Phones, visitor: Visitor, body: bytes) -> str:
            return phones.add(visitor.session.account, _read_subscription(body), before).id

        return await self._done(request, do)

    async def mine(self, request: Request) -> Response:
        """Whether the browser's subscription is still the one that is told."""
        visitor, phones = self._sign_in.visitor(request), self._phones
        if visitor is None or not visitor.rights.acting_roles or phones is None:
            return _turned_away(visitor)
        phone = self._cookies.phone(request)
        held = phones.held(visitor.session.account, phone)
        response = JSONResponse({"endpoint": "" if held is None else held.endpoint, "key": phones.key})
        if held is not None:
            self._cookies.keep_phone(response, phone)
        return response

    async def renew(self, request: Request) -> Response:
        """This browser, which central knows by its cookie."""
        before = self._cookies.phone(request)

        def do(phones: Phones, visitor: Visitor, body: bytes) -> str:
            return phones.renew(visitor.session.account, before, _read_subscription(body)).id

        return await self._done(request, do)

    async def test(self, request: Request) -> Response:
        """Once more."""

        def do(phones: Phones, visitor: Visitor, body: bytes) -> None:
            phones.test(visitor.session.account, _read_named(body).phone)

        return await self._done(request, do)

    async def remove(self, request: Request) -> Response:
        """No longer."""

        def do(phones: Phones, visitor: Visitor, body: bytes) -> None:
            phones.remove(visitor.session.account, _read_named(body).phone)

        return await self._done(request, do)

    async def duty(self, request: Request) -> Response:
        """Somebody goes on duty by their phone."""

        def do(phones: Phones, visitor: Visitor, body: bytes) -> None:
            role = _read_asked(body).role
            if role not in visitor.rights.acting_roles:
                raise PhonesError(NOT_YOUR_ROLE)
            phones.ask_for_duty(visitor.session.account, role)

        return await self._done(request, do)

    async def wake(self, request: Request) -> Response:
        """From a notice."""
        reference = request.path_params["reference"]
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return self._sign_in.door_to(request, reference if _REFERENCE.fullmatch(reference) else "")
        if reference == SHIFT_REFERENCE:
            room = RedirectResponse("/", 303)
            self._sign_in.forget_wake(room)
            return room
        tapped: Tapped | None = None
        place = ""
        if self._phones is not None and visitor.rights.acting_roles:
            try:
                tapped = await asyncio.to_thread(self._phones.prove, visitor.session.account, reference)
            except PhonesError as e:
                html = self._page.draw("woken.html", tapped=None, refused="", wrong=str(e))
                return Response(html, 503, media_type="text/html")
            if tapped is None:
                cards = self._board.board(visitor.rights.scope).cards
                place = _place_of(self._phones.incident(reference, (card.incident for card in cards)), cards)
        response: Response = RedirectResponse(f"/#{place}", 303)
        if not place:
            refused = await self._start_duty(visitor, tapped.role) if tapped is not None and tapped.role else ""
            html = self._page.draw("woken.html", tapped=tapped, refused=refused, wrong="")
            response = Response(html, 200, media_type="text/html")
        self._sign_in.forget_wake(response)
        return response

    async def _start_duty(self, visitor: Visitor, role: str) -> str:
        """By the phone that was just tapped; why not, or empty."""
        by = Person(role, visitor.person.name, visitor.session.account)
        outcome = await self._board.act(StartDuty(proof="phone"), by, visitor.rights)
        return outcome.reason if isinstance(outcome, Refused) else ""

    async def _done(self, request: Request, do: Callable[[Phones, Visitor, bytes], str | None]) -> Response:
        """``do`` returns as which phone this browser is known from now on, if it is another one."""
        try:
            body = await read_body(request, BODY_BYTES_MAX)
        except BodyError as e:
            return _refused(str(e), 413)
        except ClientDisconnect:
            return Response(status_code=400)
        # Only now: an account may have ended while the body was on its way.
        visitor, phones = self._sign_in.visitor(request), self._phones
        if visitor is None or not visitor.rights.acting_roles or phones is None:
            return _turned_away(visitor)
        try:
            phone = await asyncio.to_thread(do, phones, visitor, body)
        except PhonesError as e:
            return _refused(str(e), 409)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return _refused("This browser’s subscription cannot be used. Reload the page and try again.", 422)
        response = JSONResponse({"type": "done"})
        if phone:
            self._cookies.keep_phone(response, phone)
        return response


def _place_of(incident: str, cards: Collection[Card]) -> str:
    """Where a tap leads, after the page's ``#``: a card's key, and ``/`` with why it is not that of the incident.

    The incident's card, or that which stands for all of its premises, if it waits for an answer; else the most urgent
    that does (``/another``), for the message may have stood for several; ``/unknown``, if it may have been a test. With
    none, the incident's own, if it is still there (``/none``).

    Args:
        incident: that the notice names; empty = it is not known (any more).
        cards: that its reader may see.

    Returns:
        Empty: nothing is known of it, and nothing waits.
    """
    node = incident.partition("-")[0]
    own = next((card for card in cards if card.incident == incident), None) or next(
        (card for card in cards if card.through and card.node == node), None
    )
    if own is not None and _waits(own):
        return own.key
    urgent = min(filter(_waits, cards), key=lambda card: (card.is_drill, card.priority, card.arrived_at), default=None)
    if urgent is not None:
        return f"{urgent.key}/{'another' if incident else 'unknown'}"
    return f"{own.key if own else ''}/none" if incident else ""


def _waits(card: Card) -> bool:
    """For an answer, or for somebody to hear that it was pressed again. Tests are answered by Watchlink itself."""
    is_unheard = card.state == "unanswered" or (card.state != "closed" and card.pressed_again_at is not None)
    return is_unheard and card.kind != AlertKind.TEST.slug


def _turned_away(visitor: Visitor | None) -> Response:
    if visitor is None:
        return _refused(SIGNED_OUT, 401)
    return _refused(NOT_SET_UP, 409) if visitor.rights.acting_roles else _refused(NOT_FOR_YOU, 403)


def _refused(reason: str, status: int) -> Response:
    return JSONResponse({"type": "refused", "reason": reason}, status)


def _static(name: str, media_type: str) -> Callable[[Request], Response]:
    def answer(_request: Request) -> Response:
        return FileResponse(STATIC_DIR / name, media_type=media_type, headers={"cache-control": "no-cache"})

    return answer
