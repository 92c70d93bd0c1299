"""The fleet page as somebody gets it who is signed in, from a board that stands still."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta

import httpx
from msgspec.structs import replace

from central.core.rights import Scope
from central.core.view import NodeLine
from central.web.app import create_app
from central.web.fleet import Asked, chosen, units_of
from tests.support.fleet_lines import NOW
from tests.support.town_office import COOKIE, TownOffice, open_session
from tools.central_pictures import StillBoard, night_board
from wire.snapshots import RoleEntry, RoleSlug

ORIGIN = "http://localhost:8080"


def board_of(*lines: NodeLine) -> StillBoard:
    return StillBoard(replace(night_board(), at=NOW, nodes=lines))


def names(lines: Sequence[NodeLine], asked: Asked) -> list[str]:
    board = board_of(*lines).board(Scope())
    return [one.line.premises for one in chosen(units_of(board), asked)]


def ask(
    path: str, lines: Sequence[NodeLine] = (), role: RoleSlug = "cctv", *, later: timedelta = timedelta()
) -> httpx.Response:
    """As somebody who signed in ``later`` ago."""

    async def run() -> httpx.Response:
        times = [NOW]
        office = TownOffice(now=lambda: times[0])
        gate = office.gate()
        account = office.add("Ada Fix", role).account
        office.change(account, roles=(RoleEntry(role=role, schemes=(1,)),))
        gate.take_people(office.snapshot())
        app = create_app(board_of(*lines), gate, inter_font_dir=None, notice="", now=lambda: times[0])
        cookies = {COOKIE: await open_session(gate, account)}
        times[0] += later
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, cookies=cookies) as client,
        ):
            return await client.get(path)

    return asyncio.run(run())


def told(html: str) -> str:
    """As read aloud: no tags, single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
