"""The panels' routes.

===== ========================== ===================================================================
GET   /                          all front panels, and what can be killed
GET   /premises/ID               one of them, large
GET   /premises/ID/oled.png      its OLED as it is now
GET   /authenticator             the people of this run, with their codes; 404 in a town without an office
GET   /authenticator.json        the codes now
GET   /events                    Server-Sent Events: ``hello`` with the browser's number, then states
POST  /premises/ID/button        ``{"button": "attack", "level": "low", "client": "3"}``
POST  /premises/ID/part          ``{"part": "oled", "state": "fail"}``, or ``mend``
POST  /premises/ID/cable         ``{"state": "out"}``, or ``in``
POST  /programs/NAME             ``{"do": "kill"}``, or ``start``
===== ========================== ===================================================================

The air's routes are in :mod:`demo.panel.air`, those of phones in :mod:`demo.panel.phones`. A press from a browser that
has no open stream gets 409: nobody would let go of it. An order is answered when it is done, with its number in
``x-orders-done``; each state says how many orders were done before it, so that a page can tell whether a state includes
its order.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Literal

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from central.web.guard import Guard, Site
from demo.air.orders import AnyOrder
from demo.chronicle import Fact
from demo.fitting import TownError
from demo.office import PAGES, PAPERS, PUBLISHER
from demo.office_people import DemoAccount
from demo.panel.air import AirRoutes, AudibleMiddleware
from demo.panel.authenticator import codes_of
from demo.panel.holds import Holds
from demo.panel.phones import PushSet, phones_of, set_push
from demo.panel.state import BUTTONS, PARTS, TownState, state_of
from demo.phones import NOTIFIER
from demo.program import Life, Program
from demo.shop import Premises
from demo.story import TOLD, sentence_of
from demo.town import Town

_HERE: Final = Path(__file__).parent
_BODY_BYTES_MAX: Final = 1_024
_HAPPENED_MAX: Final = 30
_SETTLE_S: Final = 0.03
_HEARTBEAT_S: Final = 5.0
_TITLES: Final = {
    "central": "Central",
    "broker": "The broker",
    "air": "The air between the radios",
    PAGES: "The office's pages",
    PUBLISHER: "The office's publisher",
    PAPERS: "The office's papers",
    NOTIFIER: "The notifier",
}
_ClientText = Annotated[str, msgspec.Meta(max_length=16)]


class Levelled(msgspec.Struct, forbid_unknown_fields=True):
    """An electrical level of a button's pin."""

    button: Literal["attack", "assist", "seen", "responding", "cancel", "test"]
    level: Literal["low", "high"]
    client: _ClientText


class PartSet(msgspec.Struct, forbid_unknown_fields=True):
    """Break or mend a part."""

    part: Literal["oled", "buttons", "sounder", "led"]
    state: Literal["fail", "mend"]


class CableSet(msgspec.Struct, forbid_unknown_fields=True):
    """The network cable."""

    state: Literal["in", "out"]


class ProgramOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Kill or start a program."""

    do: Literal["kill", "start"]


class PanelHub:
    """The routes and the open streams; ``close`` ends the streams, so that the server can stop."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._holds = Holds()
        self._clients = itertools.count(1)
        self._closing = asyncio.Event()
        self._happened: deque[str] = deque(maxlen=_HAPPENED_MAX)
        self._starting = asyncio.Lock()
        self._orders_done = 0
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(town=town, buttons=BUTTONS, parts=PARTS, titles=_TITLES)
        self.air = AirRoutes(town)
        self._index = environment.get_template("index.html")
        self._one = environment.get_template("premises.html")
        self._phones = environment.get_template("phones.html")
        self._authenticator = environment.get_template("authenticator.html")
        town.chronicle.listen(self._hear)

    def close(self) -> None:
        """End every stream."""
        self._closing.set()

    async def index(self, _request: Request) -> Response:
        """All front panels."""
        return HTMLResponse(self._index.render(state=self._state()))

    async def one(self, request: Request) -> Response:
        """One front panel, large."""
        premises = self._premises(request)
        state = self._state()
        return HTMLResponse(self._one.render(premises=premises, panel=state.panels[premises.node]))

    async def authenticator(self, _request: Request) -> Response:
        """Who can sign in, and with what."""
        accounts = self._accounts()
        codes = codes_of(accounts)
        lines = tuple(zip(accounts, codes.lines, strict=True))
        return HTMLResponse(self._authenticator.render(accounts=lines, codes=codes))

    async def codes(self, _request: Request) -> Response:
        """The codes now."""
        return Response(msgspec.json.encode(codes_of(self._accounts())), media_type="application/json")

    async def phones(self, _request: Request) -> Response:
        """What has come to people's phones."""
        return HTMLResponse(self._phones.render(phones=phones_of(self._town)))

    async def phones_now(self, _request: Request) -> Response:
        """The same for the page's script."""
        return Response(msgspec.json.encode(phones_of(self._town)), media_type="application/json")

    async def phone(self, request: Request) -> Response:
        """Let a push service refuse, or work again."""
        set_push(self._town, request.path_params["number"], await _order(request, PushSet))
        return self._done()

    async def picture(self, request: Request) -> Response:
        """The OLED's picture, or 204 if its node shows none."""
        png = self._premises(request).board.view.png
        return Response(png, media_type="image/png") if png else Response(status_code=204)

    async def events(self, _request: Request) -> Response:
        """The live state."""
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def button(self, request: Request) -> Response:
        """Drive a pin."""
        premises, order = self._premises(request), await _order(request, Levelled)
        if order.level == "high":
            self._holds.let_go(premises.board, order.button, order.client)
        elif not self._holds.hold(premises.board, order.button, order.client):
            raise HTTPException(409, "This page is not connected to the demo. Press again.")
        return self._done()

    async def part(self, request: Request) -> Response:
        """Break or mend a part."""
        premises, order = self._premises(request), await _order(request, PartSet)
        premises.board.set_part(order.part, is_failing=order.state == "fail")
        return self._done()

    async def cable(self, request: Request) -> Response:
        """Pull the network cable out, or put it back."""
        premises, order = self._premises(request), await _order(request, CableSet)
        if order.state == "out":
            await self._town.cut_network(premises)
        else:
            self._town.restore_network(premises)
        return self._done()

    async def air_order(self, request: Request) -> Response:
        """Change the air."""
        refusal = await self.air.order(await _order(request, AnyOrder))
        return refusal or self._done()

    async def program(self, request: Request) -> Response:
        """Kill a program, or start it again."""
        program, order = self._program(request), await _order(request, ProgramOrder)
        async with self._starting:
            try:
                if order.do == "kill" and program.life is Life.RUNNING:
                    await self._town.kill(program)
                elif order.do == "start" and program.life is not Life.RUNNING:
                    await self._town.restart(program)
            except TownError as e:
                return JSONResponse({"reason": str(e)}, 503)
        return self._done()

    def _state(self) -> TownState:
        return state_of(self._town, tuple(self._happened), self._orders_done)

    def _done(self) -> Response:
        self._orders_done += 1
        self._town.notice.tell()
        return Response(status_code=204, headers={"x-orders-done": str(self._orders_done)})

    def _hear(self, fact: Fact) -> None:
        if fact.fact in TOLD:
            self._happened.appendleft(f"{fact.at_ms / 1000:.1f} s – {sentence_of(fact, self._town.name_of)}")

    def _premises(self, request: Request) -> Premises:
        premises = self._town.premises_of(request.path_params["node"])
        if premises is None:
            raise HTTPException(404, "No such premises.")
        return premises

    def _accounts(self) -> tuple[DemoAccount, ...]:
        if self._town.office is None:
            raise HTTPException(404, "This town has no office.")
        return self._town.office.accounts

    def _program(self, request: Request) -> Program:
        name = request.path_params["name"]
        for program in self._town.programs:
            if program.name == name:
                return program
        raise HTTPException(404, "No such program.")

    async def _stream(self) -> AsyncGenerator[str, None]:
        client = str(next(self._clients))
        self._holds.enter(client)
        try:
            yield f"event: hello\ndata: {client}\n\n"
            async for state in self._states():
                yield state
        finally:
            # However the browser left, nothing stays pressed.
            self._holds.leave(client)

    async def _states(self) -> AsyncIterator[str]:
        closing = asyncio.ensure_future(self._closing.wait())
        last = b""
        try:
            while not closing.done():
                changed = asyncio.ensure_future(self._town.notice.next())
                state = msgspec.json.encode(self._state())
                # The heartbeat is how the server notices a browser that is gone.
                yield f"event: state\ndata: {state.decode()}\n\n" if state != last else ": still here\n\n"
                last = state
                await asyncio.wait((changed, closing), timeout=_HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                await asyncio.sleep(_SETTLE_S)
        finally:
            closing.cancel()


def create_app(town: Town) -> Starlette:
    """The application; its ``state.feed`` is the hub, for :class:`runtime.web_server.WebServer`."""
    hub = PanelHub(town)
    app = Starlette(
        routes=[
            Route("/", hub.index),
            Route("/authenticator", hub.authenticator),
            Route("/authenticator.json", hub.codes),
            Route("/phones", hub.phones),
            Route("/phones.json", hub.phones_now),
            Route("/phones/{number:int}", hub.phone, methods=["POST"]),
            Route("/events", hub.events, methods=["GET"]),
            Route("/premises/{node}", hub.one),
            Route("/premises/{node}/oled.png", hub.picture),
            Route("/premises/{node}/button", hub.button, methods=["POST"]),
            Route("/premises/{node}/part", hub.part, methods=["POST"]),
            Route("/premises/{node}/cable", hub.cable, methods=["POST"]),
            Route("/air", hub.air_order, methods=["POST"]),
            Route("/air/{file}", hub.air.file, methods=["GET"]),
            Route("/programs/{name}", hub.program, methods=["POST"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(AudibleMiddleware), Middleware(Guard, site=Site())],
    )
    app.state.feed = hub
    return app


async def _order(request: Request, kind: type | UnionType) -> Any:  # noqa: ANN401 - whatever the kind is
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_BYTES_MAX:
            raise HTTPException(413, "The request is too long.")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise HTTPException(422, f"A panel cannot do that: {e}.") from e
