"""People at central: they sign in, read the board and act, over the same HTTP routes as the page."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
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
from demo.stand_in_office import SESSION_COOKIE, NotSignedInError, StandInOffice

_TIMEOUT_S: Final = 120.0
"""A busy machine is no page that hangs."""
_LOOK_EVERY_S: Final = 0.1
_Answer: Final = Done | Refused
PERSON: Final = Person(role="pcso", name="J Patel")
"""Who answers in the scripts."""


class RefusedError(Exception):
    """Central refused; the message is its reason."""


class WatchRoom:
    """People at central's page, each signed in by the office when they first do something.

    Attributes:
        url: where a browser finds it.
    """

    def __init__(self, url: str, office: StandInOffice | None) -> None:
        self.url = url
        self._stand_in = office
        self._cookies: dict[int, str] = {}

    @property
    def _office(self) -> StandInOffice:
        assert self._stand_in is not None, "in a town with an office, people sign in themselves"
        return self._stand_in

    async def board(self) -> Board:
        """The board now.

        Raises:
            OSError: central is not there.
        """
        return msgspec.json.decode(await asyncio.to_thread(self._ask, "board.json", PERSON), type=Board)

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
        await self.act(StartDuty("page"), by)

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

    async def act(self, action: Action, by: Person) -> Done:
        """Carry out one action; returns after central's commit.

        Raises:
            RefusedError: central refused.
            OSError: central is not there.
        """
        body = msgspec.json.encode({"action": action, "role": by.role})
        answer = msgspec.json.decode(await asyncio.to_thread(self._ask, "actions", by, body), type=_Answer)
        if isinstance(answer, Refused):
            raise RefusedError(answer.reason)
        return answer

    def _ask(self, path: str, person: Person, body: bytes | None = None) -> bytes:
        """As ``person``; one whose session central has ended signs in again, once."""
        status, data = _send(self.request(path, person, body))
        if status == HTTPStatus.UNAUTHORIZED:
            del self._cookies[self._office.account_of(person)]
            _, data = _send(self.request(path, person, body))
        return data

    def _sign_in(self, account: int) -> str:
        """Central reads the office's list a moment after it is written."""
        give_up_s = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                return self._office.sign_in(self.url, account)
            except NotSignedInError as e:
                if time.monotonic() > give_up_s:
                    raise OSError(str(e)) from e
                time.sleep(_LOOK_EVERY_S)

    def request(self, path: str, person: Person = PERSON, body: bytes | None = None) -> urllib.request.Request:
        """What the person's browser would send; they sign in first if need be."""
        account = self._office.account_of(person)
        if account not in self._cookies:
            self._cookies[account] = self._sign_in(account)
        cookie = f"{SESSION_COOKIE}={self._cookies[account]}"
        headers = {"content-type": "application/json", ACTION_HEADER: "1", "cookie": cookie}
        return urllib.request.Request(self.url + path, body, headers)  # noqa: S310 - our own loopback URL


def _send(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - as above
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read()


def card_of(board: Board, incident: str) -> Card | None:
    """The incident's card, or ``None``."""
    return next((card for card in board.cards if card.incident == incident), None)
