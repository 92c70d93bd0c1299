"""``make image-boot``: from a blank card to an alert, with the image that was built, in a town that runs here.

Broker, enrolment service and central are the programs that people install, and the fleet's commands are typed as
people type them. The unit is a machine of its own, in QEMU; of it only buttons, panel and firmware are played.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from central.core.view import Board, Card
from demo.live.opening import awaited_in
from demo.live.site import Site
from demo.opening import open_town
from demo.premises import ADDRESSES, TownPlan
from demo.town import Town
from images.errors import CardError
from images.firmware import FIRST_PARTITION, file_names
from images.unit import HOST, Machine, Unit, new_card
from node.hw.fake_board_client import BoardView, FakeBoardClient
from runtime.atomic import PRIVATE, write_atomic
from wire.seed import SEED_FILE

ARMED_WITHIN_S: Final = 60.0
"""From network up (F2). Told, not judged: an emulated machine computes ten to twenty times as slowly as a Pi."""
PATIENCE_S: Final = 600.0
CARD_MIB: Final = 3_000
_SHOP: Final = ADDRESSES[0]
_PLAN: Final = TownPlan((), host=HOST, is_bare=True)
_HOLD_S: Final = 2.0
_RECONNECT_S: Final = 0.5
_READY: Final = frozenset({"ready", "test-due"})


class Story:
    """Facts, as they happen, of the only card or of one by its number."""

    def __init__(self, *, is_json: bool, card: int = 0) -> None:
        self._is_json = is_json
        self._of: dict[str, object] = {"card": card} if card else {}
        self._began_s = time.monotonic()
        self._facts: list[tuple[float, str]] = []

    def say(self, fact: str, **details: object) -> float:
        """A fact; returns when it was, in seconds since the beginning."""
        at_s = time.monotonic() - self._began_s
        self._facts.append((at_s, fact))
        if self._is_json:
            line = json.dumps({"at_ms": round(at_s * 1000), "fact": fact, **self._of, **details})
        else:
            line = f"{at_s:7.1f} s  {fact:14} " + ", ".join(
                f"{name} {value}" for name, value in (self._of | details).items()
            )
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        return at_s


class Bench:
    """A town without units, and what a shop's staff do with one that is put there.

    Attributes:
        town, site: what runs here.
        unit: the machine.
        board: its buttons and its panel.
        node: its number.
    """

    def __init__(self, town: Town, site: Site, unit: Unit, node: str) -> None:
        self.town = town
        self.site = site
        self.unit = unit
        self.node = node
        self._switched_on_at = 0
        self._starts = 0
        self._board: FakeBoardClient | None = None

    @property
    def has_restarted(self) -> bool:
        """Whether it has started again since it was switched on."""
        return len(self.unit.starts) > self._starts

    @property
    def said(self) -> str:
        """What it has written to its console since it was switched on."""
        return self.unit.console[self._switched_on_at :]

    @property
    def board(self) -> FakeBoardClient:
        """Of the machine that is on; looked at anew when it has started again.

        Raises:
            ConnectionError: it is between two starts.
        """
        assert self._board is not None, "the unit is off"
        if not self._board.is_open:
            self._board.close()
            self._board = FakeBoardClient(self.unit.board, connect_timeout_s=_RECONNECT_S)
        return self._board

    async def switch_on(self) -> None:
        """Connect the power, and look at the panel."""
        await self.switch_off()
        self.unit.board.unlink(missing_ok=True)
        self._switched_on_at, self._starts = len(self.unit.console), len(self.unit.starts) + 1
        self.unit.switch_on()
        self._board = await asyncio.to_thread(FakeBoardClient, self.unit.board)

    async def start(self) -> None:
        """Switch it on, and wait until it is armed and central sees it well.

        Raises:
            CardError, NeverCameError: it does not come so far.
        """
        await self.switch_on()
        await self.armed()
        await self.until_well()

    async def switch_off(self) -> None:
        """Pull the plug."""
        if self._board is not None:
            await asyncio.to_thread(self._board.close)
            self._board = None
        await asyncio.to_thread(self.unit.cut)

    async def face(self, *faces: str, timeout_s: float = PATIENCE_S) -> str:
        """Wait for one of these faces of the panel.

        Raises:
            CardError: none came, or the unit has stopped.
        """
        return await self._until(lambda view: view.face in faces, f"the face {' or '.join(faces)}", timeout_s)

    async def armed(self, timeout_s: float = PATIENCE_S) -> str:
        """Wait until the panel says READY, with or without a fault.

        Raises:
            CardError: it never did, or the unit has stopped.
        """
        return await self._until(lambda view: view.face in _READY or view.headline == "READY", "READY", timeout_s)

    async def says(self, words: str, timeout_s: float = PATIENCE_S) -> str:
        """Wait until the panel has these words in one of its lines; returns all that it shows.

        Raises:
            CardError: it never had, or the unit has stopped.
        """
        await self._until(lambda view: any(words in one for one in (view.headline, *view.lines)), words, timeout_s)
        view = self.board.view
        return " / ".join((view.headline, *view.lines))

    async def press(self) -> Card:
        """Hold ATTACK, and wait until central's page has the card of it.

        Raises:
            CardError: it never had.
        """
        before = {card.incident for card in (await self.town.watch_room.board()).cards}
        # Without the time of this machine, which is not the other's.
        self.board.send({"button": "attack", "level": "low"})
        try:
            await asyncio.sleep(_HOLD_S)
        finally:
            self.board.send({"button": "attack", "level": "high"})

        def new(board: Board) -> Card | None:
            return next((card for card in board.cards if card.incident not in before and card.node == self.node), None)

        shown = await self.town.watch_room.board_when("central's page showed the attack", lambda b: new(b) is not None)
        card = new(shown)
        assert card is not None
        return card

    async def until_well(self) -> None:
        """Wait until central's page shows the unit as it should be."""

        def is_well(board: Board) -> bool:
            return any(line.node == self.node and line.state == "ok" for line in board.nodes)

        await self.town.watch_room.board_when("central saw the unit well", is_well, PATIENCE_S)

    async def _until(self, is_so: Callable[[BoardView], bool], what: str, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        view = BoardView()
        while True:
            with contextlib.suppress(ConnectionError):
                view = self.board.view
            if is_so(view):
                return view.face
            if time.monotonic() > deadline or not self.unit.is_on:
                raise CardError(f"never came: {what}; the panel shows {view.headline} {view.lines}")
            await asyncio.sleep(0.05)


async def on_a_bench(
    image: Path, folder: Path, story: Story, play: Callable[[Bench], Awaitable[None]], machine: Machine = "pc"
) -> None:
    """Set up a town, seed a card of the image, and play.

    Raises:
        CardError, TownError: something that must happen did not.
    """
    async with open_town(plan=_PLAN) as town:
        site = Site(town)
        await site.install()
        await site.start()
        said = await site.manage_and_apply(
            *("add", "--premises", _SHOP.premises, "--place", _SHOP.place, "--scheme", "hart", "--profile", "fake")
        )
        awaited = awaited_in(site, said, _SHOP)
        card = folder / "card.img"
        new_card(image, card, CARD_MIB)
        label = folder / "label"
        write_atomic(label, awaited.code.encode(), PRIVATE)
        await site.manage("seed-card", str(card), awaited.unit.node, "--code-file", str(label))
        label.unlink()
        story.say("seeded", node=awaited.unit.node, premises=_SHOP.premises)
        bench = Bench(town, site, Unit(card, folder, machine=machine), awaited.unit.node)
        try:
            await play(bench)
        finally:
            await bench.switch_off()


async def blank_card(bench: Bench, story: Story) -> None:
    """From power on to an answered attack."""
    began_s = story.say("switched_on")
    watching: asyncio.Future[None] | None = None
    try:
        await bench.switch_on()
        watching = asyncio.ensure_future(_tell_faces(bench, story))
        await bench.armed()
        armed_s = story.say("armed")
        await bench.until_well()
        story.say("seen_by_central")
        if SEED_FILE in file_names(bench.unit.card, FIRST_PARTITION):
            raise CardError("the seed is still on the card")
        story.say("seed_gone")
        card = await bench.press()
        story.say("alert", incident=card.incident, kind=card.kind, premises=card.premises)
        await bench.face("received")
        story.say("received")
        await bench.town.watch_room.start_duty()
        await bench.town.watch_room.acknowledge(card.incident)
        await bench.face("answered")
        story.say("answered")
    finally:
        if watching is not None:
            watching.cancel()
    story.say("measured", blank_card_to_armed_s=round(armed_s - began_s, 1))


async def _tell_faces(bench: Bench, story: Story) -> None:
    told = ""
    while True:
        view = bench.board.view
        if view.face != told:
            told = view.face
            story.say("panel", face=told, words=" / ".join((view.headline, *view.lines)))
        await asyncio.sleep(0.02)
