"""Serves the front panels while the town runs."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from demo.fitting import TownError
from demo.panel.app import create_app
from demo.ports import LOOPBACK
from demo.town import Town
from runtime.web_server import WebServer, listen


class FrontPanels:
    """Front panels of a town, in the demo's own process and loop.

    Attributes:
        url: where a browser finds them.
    """

    def __init__(self, town: Town, port: int = 0) -> None:
        try:
            listener = listen(LOOPBACK, port)
        except OSError as e:
            raise TownError(f"port {port} for the front panels is in use: choose another --panel-port") from e
        self.url = f"http://localhost:{listener.getsockname()[1]}/"
        app = create_app(town)
        self._server = WebServer(app, listener, end_streams=app.state.feed.close)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._server.serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        if self._serving is not None:
            await self._serving
