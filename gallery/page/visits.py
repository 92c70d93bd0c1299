"""A request of the page: what its body says, whose cookie it bears, and how it is answered."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gallery.page.ports import Left
from runtime.web_body import read_body

BODY_BYTES_MAX: Final = 4_096
ANSWER_S: Final = 60.0
SHOWN_MAX: Final = 64
_SECRET_CHARS_MAX: Final = 40
_NUMBER_MAX: Final = 2**53

T = TypeVar("T")
Number = Annotated[int, msgspec.Meta(ge=0, le=_NUMBER_MAX)]


class Typed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who somebody says they are, and what they typed."""

    person: Number
    secret: Annotated[str, msgspec.Meta(max_length=_SECRET_CHARS_MAX)]
    is_start_code: bool = False


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A PIN that somebody chose."""

    pin: Annotated[str, msgspec.Meta(max_length=_SECRET_CHARS_MAX)]


class Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who is here, or was seen."""

    report: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    kind: Literal["breach", "sighting"]
    scheme: Number
    case: Number
    left: Left | None = None


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page shows: scheme, case and ``since`` of each."""

    people: Annotated[tuple[tuple[Number, Number, Number], ...], msgspec.Meta(max_length=SHOWN_MAX)]


def cookie_name(request: Request) -> str:
    """Under TLS the browser keeps other hosts from setting it. Cookies ignore ports, so it bears ours."""
    _, port = request.scope["server"]
    return f"{'__Host-' if request.scope['scheme'] == 'https' else ''}watchlink_gallery_{port}"


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Give the browser its session; empty = it has none any more."""
    response.set_cookie(
        cookie_name(request),
        value,
        max_age=None if value else 0,
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )


def address_of(request: Request) -> str:
    """Where it came from."""
    return request.client.host if request.client is not None else ""


async def read(request: Request, of: type[T]) -> T | None:
    """What a body says; ``None`` = nothing that our own page says."""
    body = await read_body(request, BODY_BYTES_MAX)
    try:
        return None if body is None else msgspec.json.decode(body, type=of)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


async def answered(future: Future[T], within_s: float = ANSWER_S) -> T | None:
    """What the gallery answers; ``None`` = it does not, or it is stopping."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), within_s)
    except (TimeoutError, asyncio.CancelledError) as e:
        if isinstance(e, asyncio.CancelledError) and not future.cancelled():
            raise
        return None
    except Exception:  # noqa: BLE001 - the gallery has written down what went wrong
        return None


def as_json(data: object) -> Response:
    """Answer the script."""
    return Response(msgspec.json.encode(data), media_type="application/json")


def bad() -> Response:
    """Answer somebody who is none of our scripts."""
    return Response("This is not what our own page sends.", 400)
