"""Reads a request's body, bounded."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

DISCARDED_BYTES_MAX: Final = 4_194_304
"""How much of a body that is too long is read and thrown away, so that the browser gets to see the answer."""


class BodyError(ValueError):
    """The body is too long."""


async def read_body(request: Request, bytes_max: int) -> bytes:
    """The whole body.

    Raises:
        BodyError: longer than ``bytes_max``.
        ClientDisconnect: the browser left.
    """
    body, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= bytes_max:
            body += piece
        elif size > DISCARDED_BYTES_MAX:
            break
    if size > bytes_max:
        raise BodyError(f"The request is longer than {bytes_max} bytes.")
    return bytes(body)
