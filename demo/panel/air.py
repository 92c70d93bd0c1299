"""The air strip of the panels' page: who is transmitting, the last overs, and the channel's controls.

===== ========================== ===================================================================
GET   /air/FILE                  a recording, or its spectrogram
POST  /air                       an order of :mod:`demo.air.orders`, such as ``{"do": "talk", "seconds": 8}``
===== ========================== ===================================================================
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.air.orders import JAMMER, SILENT_DBFS, SPEAKER, AirState, AnyOrder
from demo.air_link import AirLink, AirRefusedError
from demo.shop import Premises
from demo.town import Town

_FILE: Final = re.compile(r"over-\d{4,9}\.(wav|png)")
_SHOWN_MAX: Final = 6
_MEDIA: Final = {"wav": "audio/wav", "png": "image/png"}


class RadioState(msgspec.Struct, frozen=True):
    """The radio of one premises, in words and flags."""

    words: str
    is_on_air: bool = False
    is_stuck: bool = False
    is_welded: bool = False


class OverLine(msgspec.Struct, frozen=True):
    """One recorded over."""

    number: int
    who: str
    seconds: float
    words: str
    wav: str
    png: str


class AirLine(msgspec.Struct, frozen=True):
    """The strip.

    Attributes:
        words: who is on the air, as a sentence.
        level: 0 … 100.
        blocked: links that are cut: ids and names.
    """

    words: str
    level: int
    is_busy: bool
    is_jammed: bool
    is_talking: bool
    blocked: tuple[tuple[str, str, str], ...]
    overs: tuple[OverLine, ...]


def air_line(town: Town) -> AirLine | None:
    """As of now; ``None`` in a town without radio."""
    if town.air_link is None:
        return None
    state = town.air_link.state
    keyed = [_name(town, name) for name, one in state.stations.items() if one.is_keyed]
    if not state.stations:
        words = "The air's program is not running"
    elif keyed:
        words = f"On the air: {', '.join(keyed)}" + (" – more than one at once" if len(keyed) > 1 else "")
    else:
        words = "Nobody is on the air"
    return AirLine(
        words=words,
        level=round(100 * max(0.0, 1 - state.level_dbfs / SILENT_DBFS)),
        is_busy=bool(keyed),
        is_jammed=state.is_jammed,
        is_talking=state.is_talking,
        blocked=tuple((a, b, f"{_name(town, a)} and {_name(town, b)}") for a, b in state.blocked),
        overs=tuple(_over(town, state, index) for index in range(min(_SHOWN_MAX, len(state.recordings)))),
    )


def radio_state(town: Town, premises: Premises) -> RadioState | None:
    """As of now; ``None`` in a town without radio."""
    if town.air_link is None:
        return None
    state = town.air_link.state
    station = state.stations.get(premises.node)
    if station is None:
        return RadioState("not on the air")
    if station.is_stuck:
        return RadioState("KEY STUCK", is_on_air=True, is_stuck=True, is_welded=station.is_welded)
    if station.is_keyed:
        return RadioState("ON AIR", is_on_air=True, is_welded=station.is_welded)
    blocked = {pair for pair in state.blocked if premises.node in pair}
    heard = [
        _name(town, name)
        for name, other in state.stations.items()
        if other.is_keyed and tuple(sorted((name, premises.node))) not in blocked
    ]
    words = f"hears {' and '.join(heard)}" if heard else "listening"
    return RadioState(words, is_welded=station.is_welded)


class AirRoutes:
    """The air's routes."""

    def __init__(self, town: Town) -> None:
        self._town = town

    async def file(self, request: Request) -> Response:
        """A recording's sound or picture."""
        name = request.path_params["file"]
        found = _FILE.fullmatch(name)
        path = self._town.air_folder / name
        if self._town.air_link is None or found is None or not path.is_file():
            raise HTTPException(404, "No such recording: only the last few are kept.")
        return FileResponse(path, media_type=_MEDIA[found[1]])

    async def order(self, order: AnyOrder) -> Response | None:
        """Carry out an order; returns the refusal, if any."""
        link: AirLink | None = self._town.air_link
        if link is None:
            return JSONResponse({"reason": "This town has no radios. Start it with --radio."}, 404)
        try:
            await link.order(order)
        except AirRefusedError as e:
            return JSONResponse({"reason": str(e)}, 409)
        return None


class AudibleMiddleware:
    """ASGI middleware before the guard: this page, unlike central's, may play sound files of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_audibly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = f"media-src 'self'; {headers['content-security-policy']}"
            await send(message)

        await self._app(scope, receive, send_audibly if scope["type"] == "http" else send)


def _over(town: Town, state: AirState, index: int) -> OverLine:
    recording = state.recordings[index]
    who = " and ".join(_name(town, name) for name in recording.who)
    words = f"{who}, {recording.seconds:.1f} s, {recording.peak_dbfs:.0f} dBFS at its loudest"
    return OverLine(recording.number, who, recording.seconds, words, recording.wav, recording.png)


def _name(town: Town, station: str) -> str:
    return {SPEAKER: "someone talking", JAMMER: "a jammer"}.get(station) or town.name_of(station)
