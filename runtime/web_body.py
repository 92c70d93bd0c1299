"""A request's body, up to a size."""

from __future__ import annotations

from starlette.requests import Request


async def read_body(request: Request, bytes_max: int) -> bytes | None:
    """All of it, or ``None`` if it is larger than allowed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            return None
    return body
