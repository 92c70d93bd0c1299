"""The control-room page's routes over a :class:`central.core.view.BoardPort`.

===== ============= ==========================================================================
GET   /             the page, with the current board drawn in (readable without script)
GET   /feed         Server-Sent Events, see :mod:`central.web.feed`
GET   /board.json   :class:`central.core.view.Board`
POST  /actions      :class:`central.web.actions.ActionRequest` → ``done`` 200, ``refused`` 409 or 4xx
GET   /figures.csv  availability and delivery time of each path of each premises, this month and the last
GET   /healthz      200 if alerts can arrive and be stored, else 503
GET   /static/…     the page's own files, and Inter if it is installed
===== ============= ==========================================================================
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from central.core.rights import TABLE, WHOLE_TOWN, Rights
from central.core.view import BoardPort, Refused
from central.web.actions import ACTION_BYTES_MAX, ActionError, decode_action
from central.web.feed import Feed, FeedFullError, FeedTiming, encode_shown
from central.web.figures import figures_csv
from central.web.guard import Guard
from central.web.page import STATIC_DIR, Page, inter_files
from central.web.stream import FeedStream

logger = logging.getLogger(__name__)

EVERY_RIGHT = Rights(frozenset((role, scheme) for role in TABLE for scheme in range(1, 256)))
"""Until people sign in here."""

_DISCARDED_BYTES_MAX = 4_194_304
"""How much of a body that is too long is read and thrown away, so that the browser gets to see the answer."""


class _Routes:
    def __init__(self, board: BoardPort, feed: Feed, page: Page) -> None:
        self._board = board
        self._feed = feed
        self._page = page

    async def page(self, request: Request) -> Response:  # noqa: ARG002
        return HTMLResponse(self._page.render(self._board.board(WHOLE_TOWN)))

    async def feed(self, request: Request) -> Response:
        after = request.query_params.get("after") or request.headers.get("last-event-id")
        try:
            listener = self._feed.join(after, WHOLE_TOWN)
        except FeedFullError:
            return PlainTextResponse("Too many pages are open. Close some of them.", 503, {"retry-after": "5"})
        return FeedStream(self._feed, listener)

    async def board(self, request: Request) -> Response:  # noqa: ARG002
        return Response(encode_shown(self._board.board(WHOLE_TOWN)), media_type="application/json")

    async def figures(self, request: Request) -> Response:  # noqa: ARG002
        name = f"watchlink-figures-{self._board.board(WHOLE_TOWN).at:%Y-%m-%d}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(figures_csv(self._board.board(WHOLE_TOWN)), media_type="text/csv", headers=headers)

    async def healthz(self, request: Request) -> Response:  # noqa: ARG002
        board = self._board.board(WHOLE_TOWN)
        is_ok = board.is_broker_linked and board.is_disk_ok
        health = {
            "is_ok": is_ok,
            "is_broker_linked": board.is_broker_linked,
            "is_disk_ok": board.is_disk_ok,
            "has_reserve": board.has_reserve,
            "boot_id": board.boot_id,
            "sequence": board.sequence,
            "on_watch": len(board.on_duty),
            "streams": self._feed.listener_count,
        }
        return _json(health, 200 if is_ok else 503)

    async def act(self, request: Request) -> Response:
        try:
            asked = decode_action(await _body(request))
        except ActionError as e:
            return _json(Refused(str(e)), e.status)
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            # Carried through even if the browser leaves meanwhile: the action is on its way to the disk.
            outcome = await asyncio.shield(asyncio.ensure_future(self._board.act(asked.action, asked.by, EVERY_RIGHT)))
        except Exception:
            logger.exception("an action failed: %s", type(asked.action).__name__)
            return _json(Refused("Central could not do this. Look at the card before you try again."), 500)
        return _json(outcome, 409 if isinstance(outcome, Refused) else 200)


def create_app(
    board: BoardPort,
    *,
    inter_font_dir: Path | None,
    notice: str,
    timing: FeedTiming | None = None,
    now: Callable[[], datetime] | None = None,
) -> Starlette:
    """The application; its lifespan subscribes to ``board`` on the loop that serves it.

    Args:
        board: what to show; carries out actions.
        inter_font_dir: of Debian's fonts-inter; missing files mean the system's own font.
        notice: one sentence shown at the foot of the page, e.g. that it listens on this machine only.
        timing: of the live feed; the defaults are the product's.
        now: the server's clock, aware UTC.
    """
    clock = now or _utc_now
    feed_timing = timing or FeedTiming()
    fonts = inter_files(inter_font_dir)
    page = Page(notice=notice, timing=feed_timing, has_inter=bool(fonts), now=clock)
    feed = Feed(board, timing=feed_timing, page=page.digest, now=clock)
    routes = _Routes(board, feed, page)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:  # noqa: ARG001
        feed.open()
        beats = asyncio.create_task(feed.beat_for_ever())
        try:
            yield
        finally:
            feed.close()
            beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beats

    async def font(request: Request) -> Response:
        file = fonts.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("No such font.", 404)
        return Response(
            await asyncio.to_thread(file.read_bytes),
            media_type="font/otf",
            headers={"cache-control": "private, max-age=86400"},
        )

    app = Starlette(
        routes=[
            Route("/", routes.page),
            Route("/feed", routes.feed, methods=["GET"]),
            Route("/board.json", routes.board),
            Route("/figures.csv", routes.figures),
            Route("/healthz", routes.healthz),
            Route("/actions", routes.act, methods=["POST"]),
            Route("/static/inter/{name}", font),
            Mount("/static", _Static(directory=STATIC_DIR)),
        ],
        middleware=[Middleware(Guard)],
        lifespan=lifespan,
    )
    app.state.feed = feed
    return app


class _Static(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        """As the base class, but the browser revalidates the file each time."""
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response


async def _body(request: Request) -> bytes:
    """At most :data:`ACTION_BYTES_MAX` bytes of JSON.

    Raises:
        ActionError: 413, 415.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= ACTION_BYTES_MAX:
            body += piece
        elif size > _DISCARDED_BYTES_MAX:
            break
    if size > ACTION_BYTES_MAX:
        raise ActionError(413, f"The request is longer than {ACTION_BYTES_MAX} bytes.")
    if media_type != "application/json":
        raise ActionError(415, "Actions are sent as application/json.")
    return bytes(body)


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _utc_now() -> datetime:
    return datetime.now(UTC)
