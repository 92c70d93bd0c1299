"""``GET`` the newest signed directory: a node believes its signatures, and not this port."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from office.nodes.asking import Asking, refuse
from office.nodes.who_is_who import WhoIsWho

_SERIAL_DIGITS_MAX: Final = 19


class Directories:
    """Safe on the server's loop only.

    Args:
        asking: says who asks.
        who: has the directory.
    """

    def __init__(self, asking: Asking, who: WhoIsWho) -> None:
        self._asking = asking
        self._who = who

    async def newest(self, request: Request) -> Response:
        """Empty if the node has it already."""
        asker = self._asking.ask(request)
        if isinstance(asker, Response):
            return asker
        held = request.query_params.get("held", "0")
        if not (held.isascii() and held.isdecimal() and len(held) <= _SERIAL_DIGITS_MAX):
            return refuse(400, "malformed")
        data = self._who.directory_data if self._who.directory.serial > int(held) else b""
        return Response(data, media_type="application/json", headers={"cache-control": "no-store"})
