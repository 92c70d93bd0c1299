"""Alerts go on while the office hangs, imports, or is restored from a backup (C2, C4).

With a real broker, central, nodes, office and publisher. What happened is read where it arrives: at the shop's node,
and in what central keeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import csv
import io
import shutil
import sqlite3
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Action, Close, Done, StartDuty
from demo.office import Office
from demo.office_person import OfficePerson, closing
from demo.opening import open_town
from demo.premises import ADDRESSES, TownPlan
from demo.scripts.stage import PATIENCE_S, Stage
from demo.visitor import Visitor
from demo.watch_room import PERSON, card_of

pytestmark = pytest.mark.integration

HART = 1
ROWS = 1_000
ALERTS = 3
SHOP, NEIGHBOUR = ADDRESSES[:2]
LOOK_EVERY_S = 0.05


@dataclass
class Scene:
    """A town with its co-ordinator at the office's pages, and its PCSO signed in at central and on duty."""

    stage: Stage
    office: Office
    co_ordinator: OfficePerson
    pcso: OfficePerson

    @property
    def copy(self) -> Path:
        """Of the office's database, as it was at the beginning."""
        return self.office.folder / "copy.sqlite3"

    def numbers(self) -> dict[str, int]:
        """Of the lists of people and premises that central keeps; 0 = none. This office has no rota."""
        return {
            kind: max((int(path.name.split("-")[1]) for path in self._kept(kind)), default=0)
            for kind in ("people", "premises")
        }

    async def has_newer(self, than: dict[str, int]) -> bool:
        """Whether both have a higher number."""
        return all(number > than[kind] for kind, number in self.numbers().items())

    async def is_at_central(self, premises: str) -> bool:
        """Whether central keeps the office's premises of this name."""
        while True:
            with contextlib.suppress(FileNotFoundError):  # replaced meanwhile by a newer one
                return any(f'"{premises}"' in path.read_text(encoding="utf-8") for path in self._kept("premises"))

    async def act(self, action: Action) -> None:
        """As the PCSO, at central's page."""
        assert isinstance(await self.pcso.act(action), Done)

    async def press(self) -> str:
        """An attack at the shop, up to central's receipt at its node; returns the alert's id."""
        shop = self.stage.premises(SHOP.key)
        alert = await self.stage.press(shop, "attack")
        await self.stage.until_fact("receipt", shop.node, alert)
        return alert

    async def answer(self, alert: str) -> None:
        """The PCSO sees it on central's board, acknowledges and closes it; the shop's node learns both."""
        shop = self.stage.premises(SHOP.key)

        async def is_seen() -> bool:
            return card_of(await self.pcso.board(), alert) is not None

        await until("the PCSO saw the alert", is_seen)
        await self.act(Acknowledge(alert))
        await self.stage.until_acknowledged(shop, alert)
        await self.act(Close(alert, "Attended"))
        await self.stage.until_fact("closed", shop.node, alert)

    async def check_page(self) -> None:
        """Central's page is there, and has nothing against the office's lists."""
        page = await self.pcso.central.open(self.stage.town.watch_room.url)
        assert (HTTPStatus.OK, True, False) == (page.status, PERSON.name in page.words, "lower than" in page.words)

    async def add_premises(self, *names: str) -> None:
        """The co-ordinator imports them."""
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(("Name", "Member", "Street or area", "Schemes"))
        rows.writerows((name, f"{name} Ltd", "High St", "HART") for name in names)
        await self.co_ordinator.import_premises(out.getvalue())

    def _kept(self, kind: str) -> list[Path]:
        return list((self.stage.town.folder / "central" / "snapshots").glob(f"{kind}-*.json"))


async def until(what: str, is_so: Callable[[], Awaitable[bool]]) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not await is_so():
        assert time.monotonic() < give_up_s, what
        await asyncio.sleep(LOOK_EVERY_S)


async def opened() -> AsyncGenerator[Scene]:
    async with (
        open_town(plan=TownPlan((SHOP, NEIGHBOUR), has_office=True)) as town,
        contextlib.AsyncExitStack() as browsers,
    ):
        assert town.office is not None
        urls = {"office_url": town.office.url, "central_url": town.watch_room.url}
        co_ordinator = OfficePerson("Alex Grant", "co-ordinator", **urls)
        pcso = OfficePerson(PERSON.name, "pcso", **urls)
        for person in (co_ordinator, pcso):
            browsers.push_async_callback(person.close)
        await co_ordinator.join(town.office.first_link)
        await pcso.join(await co_ordinator.invite(pcso.name, pcso.role, [HART]))
        scene = Scene(Stage(town), town.office, co_ordinator, pcso)
        await until("the PCSO was let in", pcso.is_let_in)
        await scene.act(StartDuty("page"))
        with (
            contextlib.closing(sqlite3.connect(scene.office.folder / "office.sqlite3")) as whole,
            contextlib.closing(sqlite3.connect(scene.copy)) as kept,
        ):
            whole.backup(kept)
        yield scene


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def scene(loop: asyncio.Runner) -> Iterator[Scene]:
    """Once, because its start takes longest."""
    scenes = opened()
    yield loop.run(anext(scenes))
    loop.run(scenes.aclose())


def test_person_whose_code_was_refused_gives_the_next_at_the_door(loop: asyncio.Runner, scene: Scene) -> None:
    """The office asks for the code alone then. A demo whose people stood there never began."""

    async def happen() -> None:
        person = copy.copy(scene.pcso)
        person.office = person.central = Visitor()
        async with closing([person]):
            person._secret = "A" * 32  # another's app
            assert not await person.is_let_in()
            person._secret = scene.pcso._secret
            assert await person.is_let_in()

    loop.run(happen())


def test_alert_is_receipted_and_answered_while_the_pages_hang(loop: asyncio.Runner, scene: Scene) -> None:
    """They take connections and answer none."""

    async def happen() -> None:
        await scene.office.pages.freeze()
        try:
            asked = asyncio.create_task(scene.co_ordinator.office.read(f"{scene.office.url}people/"))
            await scene.answer(await scene.press())
            await scene.check_page()
            assert not asked.done()
        finally:
            scene.office.pages.thaw()
        assert HTTPStatus.OK == (await asked).status_code

    loop.run(happen())


def test_alert_is_receipted_and_answered_while_the_publisher_hangs(loop: asyncio.Runner, scene: Scene) -> None:
    async def happen() -> None:
        await scene.office.publisher.freeze()
        try:
            await scene.add_premises("Thaw & Son")
            await scene.answer(await scene.press())
            await scene.check_page()
            assert not await scene.is_at_central("Thaw & Son")
        finally:
            scene.office.publisher.thaw()
        await until("central had what was added meanwhile", lambda: scene.is_at_central("Thaw & Son"))

    loop.run(happen())


def test_alerts_are_receipted_and_answered_while_the_office_imports(loop: asyncio.Runner, scene: Scene) -> None:
    """A file of 1,000 rows through the page, and the next, until the last of them has been answered."""

    async def import_until(is_over: asyncio.Event) -> int:
        count = 0
        while not is_over.is_set():
            await scene.add_premises(*(f"Shop {number}" for number in range(count, count + ROWS)))
            count += ROWS
        return count

    async def happen() -> None:
        is_over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            importing = tasks.create_task(import_until(is_over))
            for _ in range(ALERTS):
                await scene.answer(await scene.press())
            is_over.set()
        await scene.check_page()
        last = f"Shop {importing.result() - 1}"
        await until("central had the last row", lambda: scene.is_at_central(last))

    loop.run(happen())


def test_open_alert_is_answered_while_the_office_is_restored(loop: asyncio.Runner, scene: Scene) -> None:
    """As docs/office.md has it. Numbers of snapshots do not go back."""

    async def restore() -> None:
        for program in scene.office.programs:
            await program.stop()
        database = scene.office.folder / "office.sqlite3"
        shutil.copy(scene.copy, database)
        for rest in ("-wal", "-shm"):
            database.with_name(database.name + rest).unlink(missing_ok=True)
        for words, status in (
            (("migrate",), 0),
            (("audit", "protect"), 0),
            (("audit", "verify"), 1),
            (("audit", "restored"), 0),
        ):
            command = await asyncio.create_subprocess_exec(
                *scene.office.command(*words), stdout=asyncio.subprocess.PIPE
            )
            said, _ = await command.communicate()
            assert (words, status) == (words, command.returncode), said
        for program in scene.office.programs:
            await scene.stage.town.restart(program)

    async def happen() -> None:
        first = scene.numbers()
        await scene.add_premises("Since the copy")
        await scene.co_ordinator.print_codes()
        await until("central had both", lambda: scene.has_newer(first))
        before = scene.numbers()
        alert = await scene.press()
        await asyncio.gather(restore(), scene.answer(alert))

        async def has_restored() -> bool:
            # Newer alone may be what the office had published before it was ended, and central had not taken yet.
            return await scene.has_newer(before) and not await scene.is_at_central("Since the copy")

        await until("central took the restored lists for newer ones", has_restored)
        await scene.answer(await scene.press())
        await scene.check_page()

    loop.run(happen())
