"""A new unit: a card with a seed, from which it becomes a premises' node."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from msgspec import Struct

from demo.fitting import TownError
from demo.live.site import Site
from demo.ports import LOOPBACK
from demo.premises import Address
from demo.shop import Premises
from runtime.atomic import PRIVATE, write_atomic
from wire.seed import SEED_FILE


class Unit(Struct, frozen=True):
    """A Raspberry Pi, as far as its files go.

    Attributes:
        node: its number.
        address: its premises.
        folder: its disk; its card is mounted in ``card``.
    """

    node: str
    address: Address
    folder: Path

    @property
    def card(self) -> Path:
        """Where the seed is, until it was used."""
        return self.folder / "card"

    async def prepare(self, site: Site, code: str) -> None:
        """Write its card, with the code on its label: ``watchlink fleet seed``."""
        self.card.mkdir(parents=True)
        label = self.folder / "label"
        write_atomic(label, code.encode(), PRIVATE)
        where = ["--enrolment", f"{LOOPBACK}:{site.enrolment_port}", "--code-file", str(label)]
        await site.manage("seed", self.node, "--to", str(self.card), *where)
        label.unlink()

    async def claim(self, *, is_once: bool = False) -> tuple[int, str]:
        """``watchlink node enrol``, as at its first start; returns status and words."""
        words = ["--seed", str(self.card / SEED_FILE), "--config", str(self.folder / "node.toml"), "--profile", "fake"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watchlink.cli", "node", "enrol", *words, *(["--once"] if is_once else [])),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def start(self, site: Site, key: str) -> Premises:
        """Start its node, once it has claimed its premises."""
        premises = await site.town.move_in(key, self.address, self.node, self.folder)
        await site.town.bring_up(premises.program)
        return premises


async def armed_unit(site: Site, key: str, unit: Unit, code: str) -> Premises:
    """A unit that nobody looks at on its way.

    Raises:
        TownError: it could not claim its premises.
    """
    await unit.prepare(site, code)
    status, said = await unit.claim()
    if status:
        raise TownError(f"{unit.address.premises} could not be claimed:\n{said}")
    return await unit.start(site, key)
