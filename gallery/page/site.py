"""The page as one ASGI application: who may open it, its routes, and what it does while it is open."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Final

from cryptography import x509
from msgspec import Struct
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery.core.effects import CloseSession, RedrawPages
from gallery.page.access import FIT, PLAIN, Knock, is_this_machine, refusal
from gallery.page.acting import Acting
from gallery.page.drawing import STATIC_DIR, Drawing, inter_files
from gallery.page.fitting import Reached, fit_routes
from gallery.page.pace import Pace
from gallery.page.ports import AlertPort, GalleryPort, NodeStates
from gallery.page.room import Room
from gallery.page.routes import routes
from gallery.page.showing import Showing
from gallery.page.streams import BEAT, BEAT_S, REDRAW
from gallery.pictures.marking import Pictures
from runtime.web_headers import FORM_HEADERS, SECURITY_HEADERS, TRANSPORT_SECURITY

UPKEEP_S: Final = 1.0
_IMMUTABLE: Final = "max-age=3600"


class PageSettings(Struct, frozen=True):
    """What the page is told once.

    Attributes:
        names: by which browsers reach it, besides the unit's addresses.
        inter_folder: of the font; ``None`` = the system's is used.
        root: the town's web CA, for who fits a tablet; ``None`` = it is not known yet.
        reached: where tablets find the page.
    """

    names: frozenset[str] = frozenset()
    inter_folder: Path | None = None
    root: Callable[[], x509.Certificate | None] = lambda: None
    reached: Reached = Reached()


class Site:
    """The application, and what keeps it up to date while it is served.

    Args:
        port: the gallery.
        settings: what it is told once.
        alerts: asks the node for a report; ``None`` = it cannot be asked.
        node_state: of the unit; ``None`` = it is not asked.
        pictures: read photographs; ``None`` = the page's own.

    Attributes:
        app: what is served.
        room: who has it open.
    """

    def __init__(
        self,
        port: GalleryPort,
        settings: PageSettings,
        *,
        alerts: AlertPort | None = None,
        node_state: NodeStates | None = None,
        pictures: Pictures | None = None,
    ) -> None:
        self._port = port
        self.room = Room(port, node_state)
        self._pictures = pictures or Pictures()
        self._loop: asyncio.AbstractEventLoop | None = None
        fonts = inter_files(settings.inter_folder)
        drawing = Drawing(has_inter=bool(fonts))
        showing = Showing(self.room, drawing, self._pictures)
        application = Starlette(
            routes=[
                *routes(showing, Acting(self.room, alerts)),
                *fit_routes(drawing, settings.root, settings.reached),
                *(Route(f"/static/inter/{name}", _file(path)) for name, path in fonts.items()),
                Mount(drawing.static, StaticFiles(directory=STATIC_DIR)),
            ],
            lifespan=self.kept_up,
        )
        self.app: ASGIApp = Door(application, settings.names)
        port.changed(self._changed)

    def end_streams(self) -> None:
        """On the loop: open pages hold up no stop."""
        self.room.streams.end()

    @contextlib.asynccontextmanager
    async def kept_up(self, _application: Starlette | None = None) -> AsyncGenerator[None, None]:
        """While it is served. For the server, as its lifespan."""
        self._loop = asyncio.get_running_loop()
        upkeep = asyncio.create_task(self._keep_up())
        try:
            yield
        finally:
            self._loop = None
            upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upkeep
            self._pictures.close()

    def _changed(self, effect: CloseSession | RedrawPages) -> None:
        """On the gallery's thread."""
        self._on_loop(partial(self._tell, effect))

    def _on_loop(self, call: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            # It may close between the two lines.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(call)

    def _beat(self, _turned: Future[bool]) -> None:
        """On the gallery's thread: a page that does not hear of its turns locks itself."""
        self._on_loop(partial(self.room.streams.tell, BEAT))

    def _tell(self, effect: CloseSession | RedrawPages) -> None:
        if isinstance(effect, CloseSession):
            self.room.streams.lock(effect.session)
        else:
            self.room.streams.tell(REDRAW)

    async def _keep_up(self) -> None:
        """Lock what should be locked, and tell open pages how the unit is. Nothing to do costs next to nothing."""
        told, beat_s = (b"", b""), 0.0
        while True:
            await asyncio.sleep(UPKEEP_S)
            now_s = time.monotonic()
            for session in self.room.keeping.overdue(self._port.snapshot().sessions, now_s):
                self._port.sign_out(session)
            if not self.room.streams.are_open:
                continue
            unit = self.room.unit_piece(is_open=True), self.room.unit_piece(is_open=False)
            if unit != told:
                told = unit
                self.room.streams.tell(*unit)
            if now_s - beat_s >= BEAT_S:
                beat_s = now_s
                self._port.turn().add_done_callback(self._beat)


class Door:
    """ASGI middleware: refuses a request, or passes it on and adds headers to the answer."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names
        self._pace = Pace()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        knock = _knock(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (SECURITY_HEADERS | FORM_HEADERS).items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", _IMMUTABLE if knock.path.startswith("/static/") else "no-store")
                # A browser would remember it for every program on this machine's own name.
                if knock.is_tls and not is_this_machine(knock):
                    headers["strict-transport-security"] = TRANSPORT_SECURITY
            await send(message)

        refused = refusal(knock, self._names)
        answer: ASGIApp = self._app
        if refused is not None:
            leads_to_fit = refused is PLAIN and knock.path == "/"
            answer = RedirectResponse(FIT, 303) if leads_to_fit else PlainTextResponse(refused.text, refused.status)
        elif self._pace.is_too_fast(knock.client, time.monotonic()):
            answer = PlainTextResponse("Too much was asked for at once. Wait a moment.", 429, {"retry-after": "2"})
        await answer(scope, receive, send_with_headers)


def _knock(scope: Scope) -> Knock:
    client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
    return Knock(
        scope["method"],
        scope["path"],
        is_tls=scope["scheme"] == "https",
        client=client[0],
        server=server[0],
        port=server[1] or 0,
        headers=Headers(scope=scope),
    )


def _file(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        return FileResponse(path)

    return answer
