"""The phones of the town's people: the notifier that rings them, and the push service and text gateway behind it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec

from demo.fitting import TownError, watchlink
from demo.notice import NeverCameError
from demo.office import Office
from demo.office_people import DemoAccount
from demo.office_person import OfficePerson, closing
from demo.ports import LOOPBACK
from demo.program import Program
from demo.stand_in_phones import Phone, Shown, StandInPush, StandInTexts
from demo.visitor import LostError
from office.escalation.addresses import read_way
from runtime.atomic import PRIVATE, write_atomic

NOTIFIER: Final = "notifier"
_SOCKET: Final = "notifier.socket"
_PROVEN: Final = "It reached you"
_LOOK_EVERY_S: Final = 0.05
_WITHIN_S: Final = 300.0
"""As long as a town waits for its programs."""


class Handset:
    """Somebody's phone.

    Attributes:
        owner: their name.
        number: as they type it.
        browser: its browser, as far as a push service knows it.
        tapped: references of notices that its owner has tapped, which are gone from its screen.
    """

    def __init__(self, owner: str, number: str, browser: Phone, gateway: StandInTexts) -> None:
        self.owner = owner
        self.number = number
        self.browser = browser
        self.tapped: set[str] = set()
        self._gateway = gateway
        self._to = read_way(number).to

    @property
    def texts(self) -> tuple[str, ...]:
        """Text messages, the oldest first."""
        return tuple(words for to, words in self._gateway.texts if to == self._to)

    async def notice(self, occasion: str, since: int = 0) -> Shown:
        """The first notice of this occasion after ``since`` others.

        Raises:
            NeverCameError: none came.
        """
        found: list[Shown] = []

        async def is_there() -> bool:
            found[:] = [one for one in self.browser.shown[since:] if one.told["occasion"] == occasion]
            return bool(found)

        await _until(f"a notice of the occasion '{occasion}' on the phone of {self.owner}", is_there)
        return found[0]


class TownPhones:
    """All of a town, with what rings them.

    Args:
        town: its folder.
        central_url: of central's page, for text messages.
        make: makes a program that is not started yet: name of its log, its command line, in whose name it tells facts.

    Attributes:
        notifier: the program; ``socket``: where central orders it.
        push, gateway: what stands in for the companies.
        handsets: those that were given out, oldest first.
    """

    def __init__(self, town: Path, central_url: str, make: Callable[[str, list[str], str], Program]) -> None:
        folder = town / NOTIFIER
        folder.mkdir(mode=0o700)
        self.socket = folder / _SOCKET
        self.push = StandInPush(folder)
        self.gateway = StandInTexts()
        self.handsets: list[Handset] = []
        self.notifier = make(NOTIFIER, watchlink(NOTIFIER, _write(folder, central_url, self)), NOTIFIER)

    def give(self, owner: str, number: str) -> Handset:
        """A new phone, which rings for nobody yet."""
        self.handsets.append(Handset(owner, number, self.push.phone(), self.gateway))
        return self.handsets[-1]

    async def hand_out(self, office: Office, central_url: str) -> None:
        """Let those who have a number at the office be woken, each on a phone of their own, as they would themselves.

        Raises:
            TownError: it did not come to that.
        """

        async def set_up(account: DemoAccount) -> None:
            person = OfficePerson.of(account, office_url=office.url, central_url=central_url)
            async with closing((person,)):
                await _until(f"central let {person.name} in", person.is_let_in)
                await let_wake(person, self.give(account.name, account.phone))

        try:
            for account in office.accounts:
                if account.phone:
                    await set_up(account)
        except (LostError, NeverCameError, OSError) as e:
            raise TownError(str(e)) from e

    def close(self) -> None:
        """End what stands in."""
        self.push.close()
        self.gateway.close()


async def let_wake(person: OfficePerson, handset: Handset) -> None:
    """Somebody who is signed in at central lets their phone wake them, and taps the test that it is sent.

    Raises:
        LostError: the test proves nothing.
        NeverCameError: no test came.
        OSError: central refused the phone.
    """

    async def can_be_woken() -> bool:
        # Central hears of the notifier within a second or two.
        return "data-key" in (await person.read_central("phones")).text

    await _until("central offered to wake people by phone", can_be_woken)
    answer = await person.ask_central("phones/add", msgspec.json.encode(handset.browser.subscription))
    if answer.status_code != HTTPStatus.OK:
        raise OSError(f"central refused the phone of {person.name}: {answer.text}")
    reference = (await handset.notice("test")).told["reference"]
    page = await person.tap(reference)
    handset.tapped.add(reference)
    if _PROVEN not in page.words:
        raise LostError(f"the test on the phone of {person.name} proves nothing: {page.words[:300]}")


async def _until(what: str, is_so: Callable[[], Awaitable[bool]]) -> None:
    give_up_s = time.monotonic() + _WITHIN_S
    while not await is_so():
        if time.monotonic() > give_up_s:
            raise NeverCameError(f"{what} (waited {_WITHIN_S:.0f} s)")
        await asyncio.sleep(_LOOK_EVERY_S)


def _write(folder: Path, central_url: str, phones: TownPhones) -> Path:
    """The notifier's files; returns its configuration."""
    write_atomic(folder / "gateway", phones.gateway.url.encode(), PRIVATE)
    toml = folder / "notifier.toml"
    toml.write_text(
        f"""\
[central]
socket = "{_SOCKET}"
page = {json.dumps(central_url)}

[push]
contact = "mailto:engineer@town.example"
ca_file = "{phones.push.ca_file.name}"
allowed_networks = ["{LOOPBACK}/32"]

[sms]
gateway_file = "gateway"
""",
        encoding="utf-8",
    )
    return toml
