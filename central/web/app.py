"""The control-room page's routes over a :class:`central.core.board_port.BoardPort`.

===== ============= ==========================================================================
GET   /             the page, with the current board drawn in (readable without script); to a stranger, how to sign in
GET   /feed         Server-Sent Events, see :mod:`central.web.feed`
GET   /board.json   :class:`central.core.view.Board`
POST  /actions      :class:`central.web.actions.ActionRequest` → ``done`` 200, ``refused`` 409 or 4xx
GET   /fleet        every unit, those that need a person first, and /fleet.json: :mod:`central.web.fleet`
GET   /phones       my phones, and what a notice on one opens: :mod:`central.web.phones`
GET   /figures.csv  availability and delivery time of each path, two months; within 5 min of a second factor
GET   /healthz      200 if alerts can arrive and be stored, else 503; to a stranger, no more than that
GET   /static/…     the page's own files, and Inter if it is installed
===== ============= ==========================================================================

All but /healthz, /static/…, /sw.js and /manifest.webmanifest is for people who are signed in
(:mod:`central.web.sign_in`), and shows what they may see. Who acts is the session's to say, and never the browser's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from central.core.board_port import BoardPort
from central.core.rights import rights_of
from central.core.view import Person, Refused
from central.phones import Phones
from central.signin.errors import SignInError
from central.signin.gate import Gate
from central.web.actions import ACTION_BYTES_MAX, NOT_YOUR_ROLE, ActionError, decode_action
from central.web.cookies import Cookies
from central.web.feed import Feed, FeedFullError, FeedTiming, encode_shown
from central.web.figures import SECOND_FACTOR_WITHIN, FiguresLimit, figures_csv
from central.web.fleet import FleetRoutes
from central.web.guard import WAKE, Guard, Site
from central.web.page import STATIC_DIR, Page, inter_files
from central.web.phones import PhoneRoutes
from central.web.reading import BodyError, read_body
from central.web.session_streams import SessionStreams
from central.web.sign_in import SignInRoutes
from runtime.event_stream import EventStream
from wire.snapshots import PersonEntry

logger = logging.getLogger(__name__)

SOMEBODY_ELSE: Final = "Somebody else has signed in in this browser. Reload the page, then do it again."
TOO_MANY_FIGURES: Final = "You have taken the figures several times just now. Try again in ten minutes."
_OF_ATTACK: Final = 1


class _Routes:
    def __init__(
        self, board: BoardPort, streams: SessionStreams, feed: Feed, page: Page, sign_in: SignInRoutes
    ) -> None:
        self._board = board
        self._streams = streams
        self._feed = feed
        self._page = page
        self._sign_in = sign_in
        self._limit = FiguresLimit()

    async def page(self, request: Request) -> Response:
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return self._sign_in.door(request)
        if reference := self._sign_in.wake(request):
            return RedirectResponse(f"{WAKE}{reference}", 303)
        board = self._board.board(visitor.rights.scope)
        return HTMLResponse(self._page.render(board, self._sign_in.description(visitor)))

    async def feed(self, request: Request) -> Response:
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return _signed_out()
        after = request.query_params.get("after") or request.headers.get("last-event-id")
        try:
            listener = self._streams.join(visitor.session, after, visitor.rights.scope)
        except FeedFullError:
            return PlainTextResponse("Too many pages are open. Close some of them.", 503, {"retry-after": "5"})
        return EventStream(listener, partial(self._streams.leave, listener))

    async def board(self, request: Request) -> Response:
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return _signed_out()
        return Response(encode_shown(self._board.board(visitor.rights.scope)), media_type="application/json")

    async def figures(self, request: Request) -> Response:
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return _signed_out()
        shown_at, now_at = visitor.session.second_factor_at, self._sign_in.now_at
        if shown_at is None or now_at - shown_at > SECOND_FACTOR_WITHIN:
            return self._sign_in.door(request, SignInError("step-up"))
        if not self._limit.take(visitor.session.account, now_at):
            return PlainTextResponse(TOO_MANY_FIGURES, 429, {"retry-after": "600"})
        board = self._board.board(visitor.rights.scope)
        headers = {"content-disposition": f'attachment; filename="watchlink-figures-{board.at:%Y-%m-%d}.csv"'}
        return Response(figures_csv(board), media_type="text/csv", headers=headers)

    async def healthz(self, request: Request) -> Response:
        status = 200 if self._board.is_ok else 503
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return _json({"is_ok": self._board.is_ok}, status)
        board = self._board.board(visitor.rights.scope)
        health = {
            "is_ok": self._board.is_ok,
            "is_broker_linked": board.is_broker_linked,
            "is_disk_ok": board.is_disk_ok,
            "has_reserve": board.has_reserve,
            "boot_id": board.boot_id,
            "sequence": board.sequence,
            "on_watch": len(board.on_duty),
        }
        return _json(health, status)

    async def act(self, request: Request) -> Response:
        try:
            asked = decode_action(await _body(request))
        except ActionError as e:
            return _json(Refused(str(e)), e.status)
        except ClientDisconnect:
            return Response(status_code=400)
        # Only now: an account may have ended while the body was on its way.
        visitor = self._sign_in.visitor(request)
        if visitor is None:
            return _signed_out()
        acting = visitor.rights.acting_roles
        role = asked.role or (acting[0] if len(acting) == 1 else "")
        is_their_page = asked.account in {0, visitor.session.account}
        if not is_their_page or role not in acting:
            return _json(Refused(NOT_YOUR_ROLE), 403) if is_their_page else _json(Refused(SOMEBODY_ELSE), 409)
        by = Person(role, visitor.person.name, visitor.person.account)
        try:
            # Carried through even if the browser leaves meanwhile: the action is on its way to the disk.
            act = self._board.act(asked.action, by, visitor.rights)
            outcome = await asyncio.shield(asyncio.ensure_future(act))
        except Exception:
            logger.exception("an action failed: %s", type(asked.action).__name__)
            return _json(Refused("Central could not do this. Look at the card before you try again."), 500)
        return _json(outcome, 409 if isinstance(outcome, Refused) else 200)


def create_app(
    board: BoardPort,
    gate: Gate,
    *,
    inter_font_dir: Path | None,
    notice: str,
    phones: Phones | None = None,
    site: Site | None = None,
    timing: FeedTiming | None = None,
    now: Callable[[], datetime] | None = None,
) -> Starlette:
    """The application; its lifespan subscribes to ``board`` on the loop that serves it.

    Args:
        board: what to show; carries out actions.
        gate: says who is there, and what they may do.
        inter_font_dir: of Debian's fonts-inter; missing files mean the system's own font.
        notice: one sentence shown at the foot of the page, e.g. that it listens on this machine only.
        phones: people's phones; by default they are not set up.
        site: how browsers reach the page; by default as this machine alone, without TLS.
        timing: of the live feed; the defaults are the product's.
        now: the server's clock, aware UTC.
    """
    clock = now or _utc_now
    feed_timing = timing or FeedTiming()
    fonts = inter_files(inter_font_dir)
    page = Page(notice=notice, timing=feed_timing, has_inter=bool(fonts), now=clock, office_url=gate.office_url)
    feed = Feed(board, timing=feed_timing, page=page.digest, now=clock)
    reached = site or Site()
    streams = SessionStreams(feed)
    sign_in = SignInRoutes(gate, board, page, reached, phones)
    routes = _Routes(board, streams, feed, page, sign_in)
    gate.sessions.on_end(lambda session, _why: streams.end(session))
    gate.on_new_roles(streams.end)

    def has_attack(person: PersonEntry) -> bool:
        cards = board.board(rights_of(person.roles).scope).cards
        return any(card.priority == _OF_ATTACK and card.state != "closed" and not card.is_drill for card in cards)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:  # noqa: ARG001
        feed.open()
        gate.attach(asyncio.get_running_loop())
        tasks = [
            asyncio.create_task(feed.beat_for_ever()),
            asyncio.create_task(gate.sweep_for_ever(has_attack)),
        ]
        try:
            yield
        finally:
            feed.close()
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await gate.sessions.write()

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
            Route("/", routes.page, methods=["GET"]),
            *sign_in.routes(),
            Route("/feed", routes.feed, methods=["GET"]),
            Route("/board.json", routes.board),
            Route("/figures.csv", routes.figures),
            *FleetRoutes(board, page, sign_in).routes(),
            *PhoneRoutes(phones, board, page, sign_in, Cookies(reached)).routes(),
            Route("/healthz", routes.healthz),
            Route("/actions", routes.act, methods=["POST"]),
            Route("/static/inter/{name}", font),
            Mount("/static", _Static(directory=STATIC_DIR)),
        ],
        middleware=[Middleware(Guard, site=reached)],
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
    try:
        body = await read_body(request, ACTION_BYTES_MAX)
    except BodyError as e:
        raise ActionError(413, str(e)) from e
    if media_type != "application/json":
        raise ActionError(415, "Actions are sent as application/json.")
    return body


def _signed_out() -> Response:
    return _json(Refused("You are signed out. Reload the page to sign in."), 401)


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _utc_now() -> datetime:
    return datetime.now(UTC)
