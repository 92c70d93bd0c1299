"""A browser at central's page, with the office and the gate behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx

from central.signin.gate import Gate
from central.web.app import create_app
from central.web.guard import Site
from tests.central.web.scripted_board import NOTICE, ScriptedBoard
from tests.support.town_office import DOOR, PRIYA, KeptSessions, TownOffice
from wire.printed_codes import code_text

ORIGIN = "http://localhost:8080"
CODE = code_text(bytes(range(10)))
Script = Callable[["Browser"], Coroutine[Any, Any, None]]


class Browser:
    """A browser at central's page, the office and the gate behind it."""

    def __init__(
        self, client: httpx.AsyncClient, office: TownOffice, gate: Gate, board: ScriptedBoard, store: KeptSessions
    ) -> None:
        self.client = client
        self.office = office
        self.gate = gate
        self.board = board
        self.store = store

    async def open(self, path: str = "/", **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        return await self.client.get(path, **more)

    async def enter(self, account: int = PRIYA, **changes: Any) -> httpx.Response:  # noqa: ANN401 - fields of the ticket
        """By the office, from the beginning."""
        await self.open()
        return await self.open("/enter", params={"ticket": self.office.ticket(account, self.secret, **changes)})

    async def act(self, action: str = "start-watch", **more: object) -> httpx.Response:
        return await self.client.post(
            "/actions", json={"action": {"type": action, "proof": "page"}, **more}, headers={"x-watchlink": "1"}
        )

    async def send(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(path, data=fields)

    def publish(self) -> None:
        self.gate.take_people(self.office.snapshot())

    @property
    def secret(self) -> str:
        return self.client.cookies[DOOR]


@asynccontextmanager
async def browsing(board: ScriptedBoard, site: Site | None = None, origin: str = ORIGIN) -> AsyncIterator[Browser]:
    office = TownOffice()
    store = KeptSessions()
    gate = office.gate(store)
    app = create_app(board, gate, inter_font_dir=None, notice=NOTICE, site=site)
    transport = httpx.ASGITransport(app)
    headers = {"origin": origin, "host": origin.partition("://")[2]}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=origin, headers=headers) as client,
    ):
        yield Browser(client, office, gate, board, store)


def in_browser(script: Script, board: ScriptedBoard | None = None) -> None:
    async def run() -> None:
        async with browsing(board or ScriptedBoard()) as browser:
            await script(browser)

    asyncio.run(run())
