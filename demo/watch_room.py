"""A person at central: reads the board and acts, over the same HTTP routes as the page."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

import msgspec

from central.core.view import (
    Acknowledge,
    Action,
    AddNote,
    Board,
    Card,
    Close,
    Done,
    EndDuty,
    Person,
    Refused,
    SetOnTheWay,
    StartDuty,
)
from central.web.guard import ACTION_HEADER
from demo.notice import NeverCameError

_TIMEOUT_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1
_Answer: Final = Done | Refused
PERSON: Final = Person(role="pcso", name="J Patel")
"""Who answers in the scripts."""


class RefusedError(Exception):
    """Central refused; the message is its reason."""


class WatchRoom:
    """A client of central's page.

    Attributes:
        url: where a browser finds it.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def board(self) -> Board:
        """The board now.

        Raises:
            OSError: central is not there.
        """
        return msgspec.json.decode(await asyncio.to_thread(self._get, "board.json"), type=Board)

    async def board_when(self, what: str, is_so: Callable[[Board], bool], within_s: float = 120.0) -> Board:
        """Wait for a board with ``is_so`` true; central may be away meanwhile.

        Raises:
            NeverCameError: not within that time.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        board = await self.board()
                    except (OSError, msgspec.MsgspecError):
                        board = None  # down, or killed in the middle of an answer
                    if board is not None and is_so(board):
                        return board
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError as e:
            raise NeverCameError(f"{what} (waited {within_s:.0f} s)") from e

    async def start_duty(self, by: Person = PERSON) -> None:
        """Start duty."""
        await self.act(StartDuty(), by)

    async def end_duty(self, by: Person = PERSON) -> None:
        """End duty."""
        await self.act(EndDuty(), by)

    async def acknowledge(self, incident: str, by: Person = PERSON) -> None:
        """Acknowledge the incident."""
        await self.act(Acknowledge(incident), by)

    async def set_on_the_way(self, incident: str, by: Person = PERSON) -> None:
        """Set the person as on the way."""
        await self.act(SetOnTheWay(incident), by)

    async def note(self, incident: str, text: str, by: Person = PERSON) -> None:
        """Add a note."""
        await self.act(AddNote(incident, text), by)

    async def close(self, incident: str, outcome: str, by: Person = PERSON) -> None:
        """Close the incident."""
        await self.act(Close(incident, outcome), by)

    async def act(self, action: Action, by: Person) -> None:
        """Carry out one action; returns after central's commit.

        Raises:
            RefusedError: central refused.
            OSError: central is not there.
        """
        body = msgspec.json.encode({"action": action, "by": by})
        answer = msgspec.json.decode(await asyncio.to_thread(self._post, body), type=_Answer)
        if isinstance(answer, Refused):
            raise RefusedError(answer.reason)

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - our own loopback URL
            data: bytes = answer.read()
        return data

    def _post(self, body: bytes) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - our own loopback URL
            self.url + "actions", body, {"content-type": "application/json", ACTION_HEADER: "1"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                data: bytes = answer.read()
        except urllib.error.HTTPError as e:
            with e:
                data = e.read()
        return data


def card_of(board: Board, incident: str) -> Card | None:
    """The incident's card, or ``None``."""
    return next((card for card in board.cards if card.incident == incident), None)
