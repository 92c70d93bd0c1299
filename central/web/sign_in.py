"""The pages and routes by which people sign in and out.

===== ========================= ==================================================================================
GET   /                         without a session: the sign-in page
GET   /sign-in                  the sign-in page again, for the next shift
GET   /enter?ticket=…           the link from the office → 303 to /, or a page that says what to do
POST  /sign-in/passkey/begin    options for the browser's passkey dialog
POST  /sign-in/passkey/finish   the browser's answer → 200, or 403 with a sentence
POST  /sign-in/code             a printed code (form) → 303 to /, or the page again
GET   /session                  who am I here, and my other sessions
GET   /me.json                  the same for the page's script
POST  /sign-out                 (form) ends this session → 303 to /
POST  /sign-out-everywhere      (form) ends all of the person's sessions here → 303 to /
===== ========================= ==================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from central.core.board_port import BoardPort
from central.phones import Phones
from central.signin.errors import WHAT_TO_DO, SignInError
from central.signin.gate import Gate, Visitor
from central.signin.session import WARNED_BEFORE, Session
from central.web.cookies import Cookies, new_secret
from central.web.guard import ENTER, Site
from central.web.off_duty import OffDuty
from central.web.page import Page
from central.web.reading import BodyError, read_body
from central.web.sign_in_words import ENDED, NOT_IN_ORDER, RECORDED_ENDS, WAYS, role_titles
from runtime.web_headers import FORM_HEADERS, SECURITY_HEADERS
from wire.tickets import nonce_of

BODY_BYTES_MAX: Final = 16_384
_STATUS: Final = {
    "slow-down": 429,
    "too-fast": 429,
    "disk": 503,
    "no-office": 503,
    "no-people": 503,
    "struck": 503,
    "not-recorded": 503,
}
_REFUSED: Final = 403


class SignInRoutes:
    """Over a :class:`central.signin.gate.Gate`."""

    def __init__(self, gate: Gate, board: BoardPort, page: Page, site: Site, phones: Phones | None = None) -> None:
        self._gate = gate
        self._off_duty = OffDuty(gate, board)
        self._page = page
        self._site = site
        self._phones = phones
        self._cookies = Cookies(site)

    def routes(self) -> list[Route]:
        """All but ``GET /``."""
        return [
            Route(ENTER, self.enter, methods=["GET"]),
            Route("/sign-in", self.again, methods=["GET"]),
            Route("/sign-in/passkey/begin", self.begin_passkey, methods=["POST"]),
            Route("/sign-in/passkey/finish", self.finish_passkey, methods=["POST"]),
            Route("/sign-in/code", self.code, methods=["POST"]),
            Route("/session", self.session, methods=["GET"]),
            Route("/me.json", self.me, methods=["GET"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
            Route("/sign-out-everywhere", self.sign_out_everywhere, methods=["POST"]),
        ]

    @property
    def now_at(self) -> datetime:
        """By central's clock."""
        return self._gate.now()

    def visitor(self, request: Request) -> Visitor | None:
        """Who asks."""
        return self._gate.visitor(self._cookies.session(request))

    def door(self, request: Request, refused: SignInError | None = None, username: str = "") -> Response:
        """The sign-in page, and the browser's secret in a cookie."""
        secret = self._cookies.door(request) or new_secret()
        visitor = self.visitor(request)
        step_up = "&step_up=1" if refused is not None and refused.refusal == "step-up" else ""
        why_closed = self._gate.why_closed
        why = self._gate.sessions.why_ended(self._cookies.session(request))
        if visitor is None and why is None and self._cookies.has_left(request):
            why = "signed-out"
        said = str(refused) if refused else ENDED[why] if why else ""
        html = self._page.draw(
            "sign_in.html",
            said=said,
            is_refused=refused is not None,
            is_code_refused=refused is not None and refused.refusal in {"code", "slow-down"},
            is_signed_in=visitor is not None,
            why_closed=why_closed,
            closed=WHAT_TO_DO[why_closed] if why_closed else "",
            office_url=f"{self._gate.office_url}control-room/?nonce={nonce_of(secret)}{step_up}",
            username=username,
            warnings=self._gate.warnings() if visitor else self._gate.office_warnings() and (NOT_IN_ORDER,),
        )
        status = 200 if refused is None else _STATUS.get(refused.refusal, _REFUSED)
        response = Response(html, status, FORM_HEADERS, "text/html")
        if request.url.path == ENTER:
            # The address still has the ticket in it.
            response.headers["referrer-policy"] = SECURITY_HEADERS["referrer-policy"]
        self._cookies.open_door(request, response, secret)
        return response

    def door_to(self, request: Request, reference: str) -> Response:
        """The sign-in page; afterwards what a notice named is opened."""
        response = self.door(request)
        if reference:
            self._cookies.keep_wake(response, reference)
        return response

    def wake(self, request: Request) -> str:
        """What a notice named that was opened before its person had signed in; empty = nothing."""
        return self._cookies.wake(request)

    def forget_wake(self, response: Response) -> None:
        """It has been opened."""
        self._cookies.forget_wake(response)

    async def again(self, request: Request) -> Response:
        """The sign-in page, for somebody whose session ends soon."""
        return self.door(request)

    async def enter(self, request: Request) -> Response:
        """The link from the office."""
        ticket, secret = request.query_params.get("ticket", ""), self._cookies.door(request)
        try:
            cookie = await self._gate.by_ticket(ticket, secret, _address(request))
        except SignInError as e:
            return self.door(request, e)
        return self._let_in(request, cookie)

    async def begin_passkey(self, request: Request) -> Response:
        """Options for the passkey dialog."""
        secret = self._cookies.door(request) or new_secret()
        try:
            options = self._gate.passkey_challenge(secret, self._host(request), _address(request))
        except SignInError as e:
            return _refused(e)
        response = JSONResponse(options)
        self._cookies.open_door(request, response, secret)
        return response

    async def finish_passkey(self, request: Request) -> Response:
        """The passkey's answer."""
        try:
            answer = msgspec.json.decode(await read_body(request, BODY_BYTES_MAX), type=dict[str, Any])
            cookie = await self._gate.by_passkey(
                self._cookies.door(request),
                answer,
                host=self._host(request),
                origin=self._site.origin(request.headers["host"]),
                address=_address(request),
            )
        except SignInError as e:
            return _refused(e)
        except (BodyError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _refused(SignInError("passkey"))
        except ClientDisconnect:
            return Response(status_code=400)
        response = JSONResponse({"type": "done"})
        self._replace(request)
        self._cookies.begin(response, cookie)
        return response

    async def code(self, request: Request) -> Response:
        """A printed code."""
        username = ""
        try:
            fields = _fields(await read_body(request, BODY_BYTES_MAX))
            username = fields.get("username", "")[:64]
            cookie = await self._gate.by_code(username, fields.get("code", ""), _address(request))
        except SignInError as e:
            return self.door(request, e, username)
        except BodyError:
            return self.door(request, SignInError("code"))
        except ClientDisconnect:
            return Response(status_code=400)
        return self._let_in(request, cookie)

    async def session(self, request: Request) -> Response:
        """Who am I here."""
        visitor = self.visitor(request)
        if visitor is None:
            return RedirectResponse("/", 303)
        session = visitor.session
        html = self._page.draw(
            "session.html",
            me=visitor.person,
            session=session,
            way=WAYS[session.way],
            roles=role_titles(visitor.person),
            others=[one for one in self._gate.sessions.of_account(session.account) if one != session],
            ways=WAYS,
            is_on_duty=bool(self._off_duty.duties(session.account)),
            records=[] if "co-ordinator" not in visitor.rights.acting_roles else await self._gate.records(visitor),
            ended=RECORDED_ENDS,
            me_answers=bool(visitor.rights.acting_roles),
            warnings=self._warnings(visitor),
        )
        return Response(html, 200, FORM_HEADERS, "text/html")

    async def me(self, request: Request) -> Response:
        """The same for the script."""
        visitor = self.visitor(request)
        if visitor is None:
            return JSONResponse({"type": "refused", "reason": "You are signed out."}, 401)
        return Response(msgspec.json.encode(self.description(visitor)), media_type="application/json")

    def description(self, visitor: Visitor) -> dict[str, object]:
        """Who somebody is, for the page's script."""
        session = visitor.session
        return {
            "account": session.account,
            "name": visitor.person.name,
            "roles": visitor.rights.acting_roles,
            "expires_at": session.expires_at,
            "warn_from": session.expires_at - WARNED_BEFORE,
            "mark": WAYS[session.way] if session.is_marked else "",
            "warnings": self._warnings(visitor),
        }

    def _warnings(self, visitor: Visitor) -> tuple[str, ...]:
        # Of phones to those alone whom they are to wake: nobody else has the page on which to mend that.
        phones = self._phones if visitor.rights.acting_roles else None
        return (*self._gate.warnings(), *(phones.warnings(visitor.session.account) if phones else ()))

    async def sign_out(self, request: Request) -> Response:
        """End this session; with a person's last one, duty ends too."""
        visitor = self.visitor(request)
        return await self._out(request, () if visitor is None else (visitor.session,))

    async def sign_out_everywhere(self, request: Request) -> Response:
        """End all of the person's sessions here."""
        visitor = self.visitor(request)
        mine = () if visitor is None else self._gate.sessions.of_account(visitor.session.account)
        return await self._out(request, mine)

    async def _out(self, request: Request, sessions: Iterable[Session]) -> Response:
        for session in sessions:
            self._gate.sign_out(session)
        is_recorded = await self._gate.sessions.write()
        await self._off_duty.settle()
        response: Response = RedirectResponse("/", 303)
        if not is_recorded:
            response = self.door(request, SignInError("not-recorded"))
        self._cookies.end(response)
        return response

    def _let_in(self, request: Request, cookie: str) -> Response:
        response = RedirectResponse("/", 303, {"referrer-policy": SECURITY_HEADERS["referrer-policy"]})
        self._replace(request)
        self._cookies.begin(response, cookie)
        return response

    def _replace(self, request: Request) -> None:
        """The session that this browser had before is over."""
        before = self._gate.sessions.find(self._cookies.session(request))
        if before is not None:
            self._gate.sign_out(before, "replaced")

    def _host(self, request: Request) -> str:
        return self._site.host_name(request.headers["host"]) or ""


def _refused(error: SignInError) -> Response:
    return JSONResponse({"type": "refused", "reason": str(error)}, _STATUS.get(error.refusal, _REFUSED))


def _fields(body: bytes) -> dict[str, str]:
    """Of a form."""
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=8))
    except ValueError:
        return {}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
