"""Somebody at a shop's counter, at the gallery's page: what they do on its screen, and what they read there.

They know their name, the start code that they were given, and the PIN that they choose. The page's own script is
played: it asks in JSON, and holds a stream open for as long as the page is.
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
import secrets
from http import HTTPStatus
from typing import Any, Final

import httpx
import msgspec
from msgspec import Struct

from demo.visitor import LostError, Page, Visitor

_STAFF: Final = re.compile(r'data-person="([0-9]+)"[^>]*>\s*<bdi>([^<]*)</bdi>')
_CARD: Final = re.compile(
    r'data-person="([0-9]+) ([0-9]+) ([0-9]+)".*?<bdi>([^<]*)</bdi>.*?Banned until ([^<]*)<', re.DOTALL
)
_LOCKED: Final = "is-locked"


class Card(Struct, frozen=True):
    """A person in the list.

    Attributes:
        scheme, case, since: as the page calls them.
        until: the last day, in words.
    """

    scheme: int
    case: int
    since: int
    name: str
    until: str

    @property
    def path(self) -> str:
        """Of their page."""
        return f"people/{self.scheme}/{self.case}"


class _Told(Struct, frozen=True):
    """A piece of the stream, as far as it is of reports."""

    progress: dict[str, tuple[bool, str]] = {}


class ShopPerson:
    """A member of staff with the shop's tablet in their hands.

    Attributes:
        name: as the page lists them.
        pin: that they choose.
        tablet: its browser; ``tablet.page`` is what it shows.
        progress: what the open page last said of each alert that was reported on it, by incident.
    """

    def __init__(self, name: str, url: str, pin: str = "") -> None:
        self.name = name
        # Few presses on the unit's own buttons, which count up; its last digit keeps it from being a row of repeats.
        self.pin = pin or "".join(secrets.choice("0123") for _ in range(5)) + "4"
        self.tablet = Visitor()
        self.progress: dict[str, str] = {}
        self._url = url
        self._stream: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Put the tablet away."""
        if self._stream is not None:
            self._stream.cancel()
            await asyncio.gather(self._stream, return_exceptions=True)
            self._stream = None
        await self.tablet.close()

    async def begin(self, start_code: str) -> None:
        """Give the start code, and choose a PIN: they are in.

        Raises:
            LostError: the page does not let them.
        """
        number = await self._number()
        await self._post("sign-in", "choose-pin", person=number, secret=start_code, is_start_code=True)
        await self._post("pin", "open", pin=self.pin)
        self._open()

    async def sign_in(self) -> None:
        """Type the PIN.

        Raises:
            LostError: the page does not let them in.
        """
        await self._post("sign-in", "open", person=await self._number(), secret=self.pin)
        self._open()

    async def look(self, query: str = "") -> list[Card]:
        """Open the list, or search it; returns who is in it.

        Raises:
            LostError: the page is locked.
        """
        await self._use()
        page = await self.tablet.open(f"{self._url}{f'?q={query}' if query else ''}")
        if _LOCKED in page.html:
            raise LostError(f"the page of {self._url} is locked: {page.words[:300]}")
        return [
            Card(int(scheme), int(case), int(since), html.unescape(name), until)
            for scheme, case, since, name, until in _CARD.findall(page.html)
        ]

    async def open(self, card: Card) -> Page:
        """Open a person's page; what it says may be why they are not shown."""
        await self._use()
        return await self.tablet.open(f"{self._url}{card.path}")

    async def photograph(self, card: Card, size: str = "portrait") -> bytes:
        """The picture of an open page, ``card`` or ``portrait``; empty = it is not shown."""
        answer = await self.tablet.read(f"{self._url}{card.path}/{card.since}/{size}.jpg")
        return answer.content if answer.status_code == HTTPStatus.OK else b""

    async def report(self, card: Card, kind: str, left: str | None = None) -> dict[str, Any]:
        """Press *Here now* and then how it went, or *Seen nearby*; returns what the page says then."""
        body = {"report": secrets.token_hex(16), "kind": kind, "scheme": card.scheme, "case": card.case, "left": left}
        return await self._ask("report", body)

    async def words(self, path: str = "") -> str:
        """What a page says."""
        with contextlib.suppress(httpx.HTTPError):
            return (await self.tablet.open(f"{self._url}{path}")).words
        return ""

    async def lock(self) -> None:
        """Press the lock."""
        await self._ask("lock", {})

    async def _number(self) -> int:
        page = await self.tablet.open(self._url)
        found = {html.unescape(name): int(number) for number, name in _STAFF.findall(page.html)}
        if self.name not in found:
            raise LostError(f"{self.name} is not on the page of {self._url}, only {list(found)}: {page.words[:300]}")
        return found[self.name]

    async def _post(self, path: str, wanted: str, **body: object) -> None:
        answer = await self._ask(path, body)
        if answer.get("outcome") != wanted:
            raise LostError(f"{self.name} is not let in: {answer}")

    async def _send(self, path: str, body: object) -> httpx.Response:
        headers = {"content-type": "application/json", "x-watchlink": "1", "origin": self._url.rstrip("/")}
        return await self.tablet.send(f"{self._url}{path}", msgspec.json.encode(body), headers)

    async def _ask(self, path: str, body: object) -> dict[str, Any]:
        answer = await self._send(path, body)
        if not answer.content:
            return {}
        try:
            found: dict[str, Any] = msgspec.json.decode(answer.content)
        except msgspec.DecodeError as e:
            raise LostError(f"{path} of {self._url} answers {answer.status_code}: {answer.text[:200]}") from e
        return found

    async def _use(self) -> None:
        """Touch the page. Whoever finds it locked, because nobody did for a minute, types the PIN again."""
        if (await self._send("use", {})).status_code == HTTPStatus.FORBIDDEN:
            await self.sign_in()

    def _open(self) -> None:
        """The page is open from now on: its script holds the stream."""
        if self._stream is not None:
            self._stream.cancel()
        self._stream = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            await self.tablet.listen(f"{self._url}stream?page=open", self._hear)

    def _hear(self, line: str) -> None:
        data = line.removeprefix("data:")
        if data != line:
            told = msgspec.json.decode(data, type=_Told)
            self.progress |= {incident: words for incident, (_, words) in told.progress.items()}
