"""The page's application over a scripted board, without and with the real server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

from central.web.app import create_app
from tests.central.web.scripted_board import NOTICE, ScriptedBoard, ScriptedServer
from tests.support.town_office import COOKIE, TownOffice, open_session

OpenClient = Callable[[ScriptedBoard], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def open_client() -> OpenClient:
    """A client of the application in this process, as our own page on loopback would be, with Priya Shah signed in."""

    @asynccontextmanager
    async def open_one(board: ScriptedBoard) -> AsyncGenerator[httpx.AsyncClient, None]:
        gate = TownOffice().gate()
        app = create_app(board, gate, inter_font_dir=None, notice=NOTICE)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url="http://127.0.0.1:8080",
                headers={"x-watchlink": "1", "origin": "http://127.0.0.1:8080"},
                cookies={COOKIE: await open_session(gate)},
            ) as client,
        ):
            yield client

    return open_one


@pytest.fixture
def server() -> Generator[ScriptedServer, None, None]:
    """The real server on a free port."""
    started = ScriptedServer(ScriptedBoard())
    yield started
    started.stop()
