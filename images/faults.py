"""``make image-test``: what goes wrong with cards, releases, networks and clocks, each played with a unit in QEMU."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from central.core.view import Board
from images import card_faults
from images.boot import PATIENCE_S, Bench, Story
from images.card_faults import BadSectors
from images.errors import CardError
from images.firmware import boot_partition
from images.shelf import Shelf
from images.updates import TimeServer, Updates

_MIB: Final = 1024 * 1024


class Faults:
    """Each act begins with a unit that is switched off or on, and leaves it with a system that works.

    Args:
        bench: where the unit is.
        story: is told.
        shelf: has bundles.
        times: the only time server.
    """

    def __init__(self, bench: Bench, story: Story, shelf: Shelf, times: TimeServer) -> None:
        self._bench = bench
        self._story = story
        self._shelf = shelf
        self._times = times
        self._updates = Updates(bench, story)

    async def play(self, names: Iterable[str]) -> None:
        """Play these of :data:`FAULTS`.

        Raises:
            CardError, NeverCameError: a fault did more harm than it may.
        """
        for name in names:
            self._story.say("fault", name=name)
            await FAULTS[name](self)

    async def slot(self) -> None:
        """The other system cannot be written."""
        bench, updates = self._bench, self._updates
        await self._on()
        before = await updates.facts()
        sector = card_faults.in_root(bench.unit.card, "a" if before.slot == "b" else "b", _MIB)
        await self._on(BadSectors("write", (sector,)))
        new, bundle = await self._shelf.small()
        await updates.publish(bundle)
        await updates.until(before.image, "refused", of=new, because="RAUC: ")
        self._check_boots(before.slot)
        await updates.press()

    async def worn_card(self) -> None:
        """No sector of the card can be written any more."""
        await self._on_with_fault("Memory card fault", "The card can no longer be written", BadSectors("write"))
        await self._updates.press()

    async def _on(self, *bad: BadSectors) -> None:
        """The unit is armed, on a card with these bad sectors: as it is, if it is already."""
        bench = self._bench
        if not bench.unit.is_on or bench.unit.bad != bad:
            await self._restart(*bad)

    async def _restart(self, *bad: BadSectors) -> None:
        bench = self._bench
        await bench.switch_off()
        bench.unit.bad = bad
        await bench.switch_on()
        await bench.armed()
        await bench.until_well()
        self._story.say("armed", bad_sectors=sum(len(one.sectors) or 1 for one in bad))

    async def _on_with_fault(self, panel: str, central: str, *bad: BadSectors) -> None:
        """Wait until panel and central say what is wrong."""
        bench = self._bench
        await bench.switch_off()
        bench.unit.bad = bad
        await bench.switch_on()
        shown = await bench.says(panel)
        told: list[str] = []

        def is_told(board: Board) -> bool:
            told.extend(
                fault for line in board.nodes if line.node == bench.node for fault in line.faults if central in fault
            )
            return bool(told)

        await bench.town.watch_room.board_when(f"central was told: {central}", is_told, PATIENCE_S)
        self._story.say("told", panel=shown, central=told[0])

    def _check_boots(self, slot: str | None) -> None:
        boots = boot_partition(self._bench.unit.card, is_trying=False)
        if boots != {"a": 2, "b": 3}.get(slot or ""):
            raise CardError(f"slot {slot} runs, and the card boots partition {boots} by itself")


FAULTS: Final[dict[str, Callable[[Faults], Awaitable[None]]]] = {
    "slot": Faults.slot,
    "worn-card": Faults.worn_card,
}
"""In the order in which they are played."""
