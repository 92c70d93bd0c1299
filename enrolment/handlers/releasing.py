"""``GET /release`` and ``GET /release/bundles/SHA256``: what units are to run, for anybody who asks.

A town's units may all ask at once, for hundreds of megabytes each, and claims and renewals come by the same line. So
few bundles go out at a time, together at a bounded rate, and each in turns of some minutes: a unit that needs longer
goes on by ``Range``. Nothing is read from a path that a request names.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from typing import Final

from msgspec import json
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.types import Message, Receive, Scope, Send

from enrolment.releases import JudgedFile, Releases
from runtime.slowing import network_of
from runtime.web_connections import turn_away
from wire.enrolment import Refusal

AT_ONCE: Final = 8
"""Bundles that go out at the same time."""
OF_ADDRESS: Final = 2
"""To one address: shops may share one, and so may enemies."""
TURN_S: Final = 1_200.0
"""Then the connection is closed, in the middle of a bundle, and another unit may begin. The web server closes it after
ten seconds in which nothing was read."""
RETRY_S: Final = (60, 300)
"""When to ask again, drawn between these: units that are told at one moment do not come back at one."""


class Turns:
    """How many go out, in all and to each address. On the server's loop only."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def take(self, network: str) -> bool:
        """One more for this address; ``False`` = not now."""
        if self._taken.total() >= AT_ONCE or self._taken[network] >= OF_ADDRESS:
            return False
        self._taken[network] += 1
        return True

    def leave(self, network: str) -> None:
        """It is over."""
        self._taken[network] -= 1
        self._taken += Counter()  # Forgets those with none.


class Pace:
    """All bundles together go out no faster than this. On the server's loop only."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._free_at_s = 0.0

    async def wait(self, count: int) -> None:
        """Until so many bytes may go out."""
        now_s = time.monotonic()
        at_s = max(self._free_at_s, now_s)
        self._free_at_s = at_s + count / self._bytes_per_s
        await asyncio.sleep(at_s - now_s)


class Releasing:
    """Both answers.

    Args:
        releases: what is in force.
        bytes_per_s: of all bundles together.
    """

    def __init__(self, releases: Releases, bytes_per_s: float) -> None:
        self._releases = releases
        self._pace = Pace(bytes_per_s)
        self._turns = Turns()

    async def release(self, request: Request) -> Response:
        """The newest that is in force, signed."""
        held = self._releases.in_force
        if held is None:
            return _refusal("not ready", 503) if self._releases.is_awaited else _refusal("no release", 404)
        etag = f'"{held.release.serial}"'
        headers = {"etag": etag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(held.sealed, media_type="application/json", headers=headers)

    async def bundle(self, request: Request) -> Response:
        """Its bytes, whole or by ``Range``."""
        sha256 = request.path_params["sha256"]
        held = self._releases.in_force
        file = held.files.get(sha256) if held is not None else None
        if file is None or not file.is_unchanged:
            return _refusal("unknown bundle", 404)
        if "," in request.headers.get("range", ""):
            return _refusal("one range at a time", 416)
        network = network_of(request.client.host if request.client is not None else "")
        if not self._turns.take(network):
            return _refusal("slow down", 503)
        return _Going(file, sha256, self, network)

    async def send(self, going: FileResponse, network: str, scope: Scope, receive: Receive, send: Send) -> None:
        """One turn."""

        async def paced(message: Message) -> None:
            await self._pace.wait(len(message.get("body", b"")))
            await send(message)

        overdue = asyncio.get_running_loop().call_later(TURN_S, turn_away, scope)
        try:
            await FileResponse.__call__(going, scope, receive, paced)
        finally:
            overdue.cancel()
            self._turns.leave(network)


class _Going(FileResponse):
    """A bundle on its way."""

    def __init__(self, file: JudgedFile, sha256: str, releasing: Releasing, network: str) -> None:
        headers = {"etag": f'"{sha256}"', "cache-control": "public, immutable"}
        super().__init__(file.path, media_type="application/octet-stream", headers=headers)
        self._releasing = releasing
        self._network = network

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette."""
        await self._releasing.send(self, self._network, scope, receive, send)


def _refusal(problem: str, status: int) -> Response:
    first, last = RETRY_S
    retry_s = first + secrets.randbelow(last - first) if status == 503 else 0  # noqa: PLR2004 - come again
    headers = {"retry-after": str(retry_s)} if retry_s else None
    data = json.encode(Refusal(problem=problem, retry_s=retry_s))
    return Response(data, status_code=status, media_type="application/json", headers=headers)
