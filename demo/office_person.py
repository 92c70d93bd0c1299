"""A person with an account at the office: what they do in their browser, and what they have on phone and paper."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Final, Self

import httpx
import msgspec
import pyotp

from central.core.view import Action, Board, Done, Refused
from central.web.guard import ACTION_HEADER
from demo.office_people import DemoAccount
from demo.visitor import LostError, Page, Visitor
from wire.snapshots import RoleSlug

_LINK: Final = re.compile(r"https?://\S+/join/\S+")
_SECRET: Final = re.compile(r"Type this into the app: ([A-Z2-7]{16,})")
_CODE: Final = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")
_CODE_S: Final = 30
_DOOR: Final = "Sign in at the office"
_WITH_PASSWORD: Final = "Sign in with password"  # noqa: S105 - words on a button
_WITH_CODE: Final = "Continue"
_Answer: Final = Done | Refused


@contextlib.asynccontextmanager
async def closing(people: Sequence[OfficePerson]) -> AsyncIterator[None]:
    """Close everybody's browser at the end."""
    try:
        yield
    finally:
        for person in people:
            await person.close()


class OfficePerson:
    """Somebody who is invited, signs in, and acts.

    Attributes:
        name: for people.
        office, central: two browsers on one machine, each with its own cookies.
        codes: one-time codes on paper, the next one first.
    """

    def __init__(self, name: str, role: RoleSlug, *, office_url: str, central_url: str) -> None:
        self.name = name
        self.role = role
        self.codes: list[str] = []
        self.office = Visitor()
        self.central = self.office  # one browser: cookies ignore ports, each program has names of its own
        self._office_url = office_url
        self._central_url = central_url
        self._username = name.rsplit(maxsplit=1)[-1].lower()
        self._password = secrets.token_urlsafe(12)
        self._secret = ""
        self._used = -1
        self._codes_behind = 0

    @classmethod
    def of(cls, account: DemoAccount, *, office_url: str, central_url: str) -> Self:
        """Somebody whom the demo made. They use codes of half a minute ago, and leave those of now to their person."""
        person = cls(account.name, account.role, office_url=office_url, central_url=central_url)
        person._username, person._password = account.username, account.password
        person._secret, person._codes_behind = account.totp_secret, 1
        return person

    @property
    def username(self) -> str:
        """What they sign in with."""
        return self._username

    async def close(self) -> None:
        """Close the browser."""
        await self.office.close()

    async def open(self, path: str) -> Page:
        """Open a page of the office; if it wants the second factor again, show it."""
        page = await self.office.open(f"{self._office_url}{path}")
        if "/again/" in page.url:
            page = await self.office.submit(_WITH_CODE, code=await self._code())
        return page

    async def join(self, link: str) -> None:
        """Open the invitation, choose a password, and set up an authenticator app.

        Raises:
            LostError: a page is not as expected.
        """
        await self.office.open(link)
        await self.office.submit(
            "Make my account", username=self._username, password=self._password, again=self._password
        )
        await self.office.follow("Set up an app")
        found = _SECRET.search(self.office.page.words)
        if found is None:
            raise LostError(f"no secret for the app: {self.office.page.words[:400]}")
        self._secret = found[1]
        page = await self.office.submit(_WITH_CODE, code=await self._code())
        if "recovery" not in page.words.lower():
            raise LostError(f"no recovery codes were shown: {page.words[:400]}")

    async def invite(self, name: str, role: RoleSlug, schemes: Sequence[int]) -> str:
        """Invite somebody; returns the link to hand over.

        Raises:
            LostError: it was not made.
        """
        await self.office.open(f"{self._office_url}people/invite/")
        page = await self.office.submit(
            "Make the invitation", name=name, role=role, schemes=[str(one) for one in schemes]
        )
        link = _LINK.search(page.words)
        if link is None:
            raise LostError(f"no link for {name}: {page.words[:400]}")
        return link[0]

    async def import_premises(self, csv_file: str) -> None:
        """Import a CSV file of premises.

        Raises:
            LostError: it was refused.
        """
        await self.office.open(f"{self._office_url}premises/import/")
        await self.office.submit("Continue", {"file": ("premises.csv", csv_file.encode())})
        page = await self.office.submit("Import")
        if page.status != HTTPStatus.OK:
            raise LostError(f"the file was refused: {page.words[:400]}")

    async def print_codes(self) -> None:
        """Make a sheet of one-time codes.

        Raises:
            LostError: none were shown.
        """
        await self.office.open(f"{self._office_url}account/printed-codes/")
        page = await self.office.submit("Make a sheet of ten codes")
        self.codes = _CODE.findall(page.words)
        if not self.codes:
            raise LostError(f"no codes were shown: {page.words[:400]}")

    async def end_account(self, name: str) -> None:
        """End somebody's account.

        Raises:
            LostError: it was refused.
        """
        await self.office.open(f"{self._office_url}people/")
        await self.office.follow(name)
        await self.office.follow("End this account")
        page = await self.office.submit("End the account")
        if page.status != HTTPStatus.OK:
            raise LostError(f"the account was not ended: {page.words[:400]}")

    async def sign_in_wrongly(self) -> str:
        """Try a wrong password in a new browser; returns what the page says."""
        stranger = Visitor()
        try:
            await stranger.open(f"{self._office_url}sign-in/")
            page = await stranger.submit(_WITH_PASSWORD, login=self._username, password=secrets.token_urlsafe(12))
            return page.words
        finally:
            await stranger.close()

    async def enter(self) -> None:
        """Go from central's door by the office into the control room.

        Raises:
            LostError: not let in.
        """
        await self.central.open(self._central_url)
        await self._come_in()
        self._check_inside()

    async def is_let_in(self) -> bool:
        """Whether :meth:`enter` succeeds: central reads the office's list a moment after it is published."""
        try:
            await self.enter()
        except LostError:
            return False
        return True

    async def tap(self, reference: str) -> Page:
        """Tap a notice: central's page opens on what it names, after the sign-in if need be.

        Raises:
            LostError: not let in.
        """
        page = await self.central.open(f"{self._central_url}wake/{reference}")
        if any(words.startswith(_DOOR) for words in page.links):
            await self._come_in()
        return self.central.page

    async def begin_anew(self) -> None:
        """Take a browser that is signed in nowhere."""
        await self.office.close()
        self.office = self.central = Visitor()

    async def enter_by_code(self) -> None:
        """Use the next code on paper.

        Raises:
            LostError: not let in.
        """
        await self.central.open(self._central_url)
        await self.central.submit("Sign in with this code", username=self._username, code=self.codes.pop(0))
        self._check_inside()

    async def is_inside(self) -> bool:
        """Whether central still lets them in."""
        return (await self.read_central("board.json")).status_code == HTTPStatus.OK

    async def is_out(self) -> bool:
        """Whether central has signed them out: it says so. A central that is away or broken has not."""
        return (await self.read_central("board.json")).status_code == HTTPStatus.UNAUTHORIZED

    async def read_central(self, path: str) -> httpx.Response:
        """A page of central's, without leaving the open one.

        Raises:
            OSError: central is not there.
        """
        try:
            return await self.central.read(f"{self._central_url}{path}")
        except httpx.HTTPError as e:
            raise OSError(str(e)) from e

    async def ask_central(self, path: str, body: bytes) -> httpx.Response:
        """What the script of a page of central's sends.

        Raises:
            OSError: central is not there.
        """
        headers = {"content-type": "application/json", ACTION_HEADER: "1"}
        try:
            return await self.central.send(f"{self._central_url}{path}", body, headers)
        except httpx.HTTPError as e:
            raise OSError(str(e)) from e

    async def board(self) -> Board:
        """What they see.

        Raises:
            OSError: central is not there, or lets them in no longer.
        """
        answer = await self.read_central("board.json")
        if answer.status_code != HTTPStatus.OK:
            raise OSError(f"central answered {answer.status_code}")
        return msgspec.json.decode(answer.content, type=Board)

    async def act(self, action: Action) -> Done | Refused:
        """Press a button on central's page.

        Raises:
            OSError: central is not there.
        """
        answer = await self.ask_central("actions", msgspec.json.encode({"action": action, "role": self.role}))
        return msgspec.json.decode(answer.content, type=_Answer)

    def _check_inside(self) -> None:
        page = self.central.page
        if page.status != HTTPStatus.OK or self.name not in page.words:
            raise LostError(f"{self.name} is not in the control room: {page.url} says {page.words[:300]}")

    async def _come_in(self) -> None:
        """From central's door; at the office, if need be, with password and code."""
        page = await self.central.follow(_DOOR)
        if any(_WITH_PASSWORD in form.buttons for form in page.forms):
            page = await self.office.submit(_WITH_PASSWORD, login=self._username, password=self._password)
        # Asked for again at the door where an earlier one was refused: it was used already, or came too late.
        if any(_WITH_CODE in form.buttons for form in page.forms):
            await self.office.submit(_WITH_CODE, code=await self._code())
        await self.central.follow("Open the control room")

    async def _code(self) -> str:
        """The app's: it shows each for half a minute, and the office takes each once."""
        self._used = max(self._used + 1, int(time.time()) // _CODE_S - self._codes_behind)
        await asyncio.sleep((self._used + self._codes_behind) * _CODE_S - time.time())
        return pyotp.TOTP(self._secret).at(self._used * _CODE_S)
