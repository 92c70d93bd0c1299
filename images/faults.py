"""``make image-test``: what goes wrong with cards, releases, networks and clocks, each played with a unit in QEMU."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from central.core.view import Board
from demo.fitting import TownError
from images import card_faults
from images.boot import PATIENCE_S, Bench, Story
from images.card_faults import BadSectors
from images.errors import CardError
from images.maker import maker_in
from images.shelf import Shelf
from images.updates import TimeServer, Updates, check_boots, without_a_node
from images.variant import ASK_EVERY_S
from provisioning.bundles import MAKERS
from runtime.bundle_folder import BundleFolder, digest_of
from wire.fleet_files import RELEASE, RELEASES

QUIET_S: Final = 3.0 * ASK_EVERY_S
"""In that time a unit under test asks for a release, and for the time."""
SOME_S: Final = 10.0
"""Of a download that takes a minute."""
FROM_BYTE: Final = re.compile(r"fetching \S+ from byte (\d+)")
_MIB: Final = 1024 * 1024
_STORE: Final = "node/state/node.db"


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

    async def bad_twice(self) -> None:
        """Two versions without a node, one after the other: each goes back."""
        await self._on()
        before = await self._updates.facts()
        for _ in range(2):
            bad, bundle = await self._shelf.whole(without_a_node)
            await self._updates.publish(bundle)
            await self._updates.until(before.image, "returned", of=bad, because="The node did not start.")
            check_boots(self._bench, before.slot, before.slot)
            await self._updates.press()

    async def clock_and_download(self) -> None:
        """Nobody vouches for the time; then the power goes in a download, and then the service does."""
        updates, service = self._updates, self._bench.site.service
        new, bundle = await self._shelf.whole()
        self._times.is_silent = True
        await self._restart()
        before = await updates.facts()
        await updates.publish(bundle)
        await self._nothing_for(QUIET_S, new)
        await self._fetch_some()

        self._times.is_silent = True
        await self._restart()
        await updates.until(before.image, "waiting", of=new, because="The time is not known yet.")
        if FROM_BYTE.search(self._bench.said):
            raise CardError("a bundle was fetched before the time was known")
        await self._fetch_some()

        await service.kill()
        self._story.say("service_killed")
        await updates.until(before.image, "fetching", of=new, because=".")
        await service.start()
        self._story.say("service_started")
        after = await updates.until(new, "taken", of=new)
        began = [int(found) for found in FROM_BYTE.findall(self._bench.said)]
        if sorted(began) != began or not began or not began[0] or began[-1] <= began[0]:
            raise CardError(f"the download went on from bytes {began}")
        self._story.say("resumed", from_bytes=began)
        check_boots(self._bench, after.slot, after.slot)
        await updates.press()

    async def service(self) -> None:
        """The enrolment service has a damaged bundle, one of a stranger, one for other hardware, and an old release."""
        updates, site = self._updates, self._bench.site
        await self._on()
        before = await updates.facts()
        damaged, bundle = await self._shelf.small()
        await updates.publish(bundle, percent=1)
        await self._in_force(damaged)
        _damage(site.enrolment.parent / RELEASES, bundle)
        await updates.widen()
        self._story.say("damaged", bundle=bundle.name)
        why = "What came is not what the release names."
        await updates.until(before.image, "refused", of=damaged, because=why)
        old = (site.enrolment.parent / RELEASE).read_bytes()

        certificate, _ = maker_in(self._shelf.workshop.maker)
        makers = site.town.folder / RELEASES / MAKERS
        makers.write_bytes(certificate.read_bytes())
        strange, bundle = await self._shelf.small(maker=self._shelf.stranger())
        await self._refused(bundle, "none of")
        makers.unlink()
        await updates.publish(bundle)
        await updates.until(before.image, "refused", of=strange, because="RAUC: signature verification failed")

        _, bundle = await self._shelf.small(version="0.0.9.1")
        await self._refused(bundle, "is not newer than")
        other, bundle = await self._shelf.small(compatible="watchlink-pi")
        await updates.publish(bundle)
        await updates.until(before.image, "refused", of=other, because="It holds nothing for this hardware.")

        await site.service.kill()
        (site.enrolment.parent / RELEASE).write_bytes(old)
        await site.service.start()
        self._story.say("old_release", version=damaged)
        await self._nothing_for(QUIET_S, damaged)
        check_boots(self._bench, before.slot, before.slot)
        await updates.press()

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
        check_boots(self._bench, before.slot, before.slot)
        await updates.press()

    async def worn_card(self) -> None:
        """No sector of the card can be written any more."""
        updates = self._updates
        await self._on_with_fault("Memory card fault", "The card can no longer be written", BadSectors("write"))
        await updates.press()
        before = await updates.facts()
        new, bundle = await self._shelf.small()
        await updates.publish(bundle)
        await updates.until(before.image, "refused", of=new, because="This card can only be read")
        await updates.pause()  # On a good card it would be tried, and it is nothing that starts.

    async def bad_store(self) -> None:
        """The node's own store cannot be read."""
        card = self._bench.unit.card
        await self._bench.switch_off()
        await self._on_with_fault("FAULT", "store", BadSectors("read", card_faults.of_file(card, _STORE)))
        await self._updates.press()

    async def unreadable(self) -> None:
        """Nobody can read what the data partition is: the unit does not know who it is, and says so."""
        bench = self._bench
        await bench.switch_off()
        bench.unit.bad = (BadSectors("read", card_faults.of_superblock(bench.unit.card)),)
        await bench.switch_on()
        self._story.say("panel", words=await bench.says("Card out of order"))
        await self._on()
        await self._updates.press()

    async def unreadable_on_trial(self) -> None:
        """The new system cannot read the data partition, and the old one can: it comes back, and tries once more."""
        bench, updates = self._bench, self._updates
        await self._on()
        before = await updates.facts()
        new, bundle = await self._shelf.whole()
        await updates.publish(bundle)
        if not await updates.reach("switch", new):
            raise CardError(f"{new} was never tried")
        bench.unit.bad = (BadSectors("read", card_faults.of_superblock(bench.unit.card)),)
        await self._started_again("on trial, without its data")
        bench.unit.bad = ()
        await self._started_again("by the guard")
        check_boots(bench, before.slot, before.slot)
        after = await updates.until(new, "taken", of=new)
        check_boots(bench, after.slot, after.slot)
        await updates.press()

    async def full_card(self) -> None:
        """Nothing is free on the data partition."""
        bench, updates = self._bench, self._updates
        await bench.switch_off()
        card_faults.fill(bench.unit.card)
        await self._on_with_fault("Memory card fault", "The card is full")
        before = await updates.facts()
        await updates.press()
        new, bundle = await self._shelf.small()
        await updates.publish(bundle)
        await updates.until(before.image, "fetching", of=new, because="The card lacks")
        await updates.press()
        await updates.pause()
        await bench.switch_off()
        card_faults.make_room(bench.unit.card)

    async def _on(self, *bad: BadSectors) -> None:
        """The unit is armed, on a card with these bad sectors: as it is, if it is already."""
        bench = self._bench
        if not bench.unit.is_on or bench.unit.bad != bad:
            await self._restart(*bad)

    async def _restart(self, *bad: BadSectors) -> None:
        bench = self._bench
        await bench.switch_off()
        bench.unit.bad = bad
        await bench.start()
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

    async def _in_force(self, version: str) -> None:
        site = self._bench.site
        await site.town.notice.until(
            lambda: site.said("release", version=version, is_in_force=True) is not None,
            f"the enrolment service has {version} in force",
            PATIENCE_S,
        )

    async def _fetch_some(self) -> None:
        """Let the time be known, and a download go on for a while. By the console: central hears of it too late."""
        unit = self._bench.unit
        since = len(unit.console)
        self._times.is_silent = False
        await asyncio.to_thread(
            unit.wait_for, lambda said: FROM_BYTE.search(said) is not None, "a download", PATIENCE_S, since=since
        )
        await asyncio.sleep(SOME_S)

    async def _started_again(self, why: str) -> None:
        unit, starts = self._bench.unit, len(self._bench.unit.starts)
        await asyncio.to_thread(unit.wait_for, lambda _: len(unit.starts) > starts, f"a start {why}", PATIENCE_S)
        self._story.say("started_again", why=why, partition=unit.starts[-1])

    async def _nothing_for(self, wait_s: float, version: str) -> None:
        """The unit does nothing about a release."""
        await asyncio.sleep(wait_s)
        facts = await self._updates.facts()
        if facts.update is not None and facts.update.version == version:
            raise CardError(f"the unit was to do nothing about {version}, and is {facts.update}")
        self._story.say("nothing_done", version=version, clock=facts.clock)

    async def _refused(self, bundle: Path, why: str) -> None:
        try:
            await self._updates.publish(bundle)
        except TownError as e:
            if why not in str(e):
                raise
            self._story.say("not_published", why=str(e).splitlines()[-1])
            return
        raise CardError(f"{bundle.name} was published, which is to be refused: {why}")


def _damage(folder: Path, bundle: Path) -> None:
    """Change a byte where nobody sees it: a disk that forgets leaves time and size of a file as they were."""
    file = BundleFolder(folder).path_of(digest_of(bundle))
    before = file.stat()
    with file.open("r+b") as changing:
        changing.seek(before.st_size // 2)
        byte = changing.read(1)[0]
        changing.seek(before.st_size // 2)
        changing.write(bytes([byte ^ 1]))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


FAULTS: Final[dict[str, Callable[[Faults], Awaitable[None]]]] = {
    "bad-twice": Faults.bad_twice,
    "clock": Faults.clock_and_download,
    "service": Faults.service,
    "slot": Faults.slot,
    "worn-card": Faults.worn_card,
    "store": Faults.bad_store,
    "unreadable": Faults.unreadable,
    "full-card": Faults.full_card,
    "unreadable-on-trial": Faults.unreadable_on_trial,
}
"""In the order in which they are played."""
