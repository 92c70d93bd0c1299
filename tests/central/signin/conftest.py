"""A gate with a clock that tests set, on the real disk and on the one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from central.signin.errors import SignInError
from central.signin.gate import Gate, GateStore
from central.store.database import Database, resolve_url
from central.store.sessions import SessionTable
from tests.support.town_office import PRIYA, KeptSessions, TownOffice
from wire.snapshots import PersonEntry

START = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)
SECRET = "s" * 43
AT = "192.168.1.20"


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GateStore]:
    """Both pass the same tests, so that the one in memory may stand for the other elsewhere."""
    if request.param == "memory":
        yield KeptSessions()
        return
    url = resolve_url("sqlite:///state/central.db", tmp_path)
    database = Database(url)
    table = SessionTable(database)
    database.open()
    yield table
    table.close()
    database.close()


class Door:
    """A gate, the office behind it, and the time."""

    def __init__(self, store: GateStore) -> None:
        self.store = store
        self.now_at = START
        self.wall_ahead = timedelta()
        self.s = 0.0
        self.attacked: set[int] = set()
        self.office = TownOffice(now=lambda: self.wall_at)
        self.gate = self.opened()

    def opened(self) -> Gate:
        """Central, started again on the same disk, with the people as they are."""
        gate = Gate(
            self.office.town,
            self.store,
            lambda: self.now_at,
            office_url="http://o/",
            wall_s=self.wall_s,
            clock_s=lambda: self.s,
        )
        gate.take_people(self.office.snapshot())
        return gate

    @property
    def wall_at(self) -> datetime:
        """By the wall clock, which may be set; the office's, too, unless a test says otherwise."""
        return self.now_at + self.wall_ahead

    def wall_s(self) -> float:
        """The same as Unix time."""
        return self.wall_at.timestamp()

    def wait(self, **span: float) -> None:
        self.now_at += timedelta(**span)
        self.s += timedelta(**span).total_seconds()

    def publish(self) -> None:
        self.gate.take_people(self.office.snapshot())

    async def enter(self, account: int = PRIYA, secret: str = SECRET, **changes: Any) -> str:  # noqa: ANN401 - fields of the ticket
        return await self.gate.by_ticket(self.office.ticket(account, secret, **changes), secret, AT)

    async def sweep(self) -> None:
        await self.gate.sweep(self.has_attack)

    def has_attack(self, person: PersonEntry) -> bool:
        return person.account in self.attacked

    def is_in(self, cookie: str) -> bool:
        return self.gate.visitor(cookie) is not None


@pytest.fixture
def door(store: GateStore) -> Door:
    return Door(store)


def on_loop(script: Coroutine[Any, Any, None]) -> None:
    asyncio.run(script)


async def refusal(attempt: Coroutine[Any, Any, str]) -> str:
    """Why somebody was not let in."""
    try:
        await attempt
    except SignInError as e:
        return e.refusal
    return "let in"


Script = Callable[[], Coroutine[Any, Any, None]]
