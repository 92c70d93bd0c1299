"""The town's office: its configuration, its programs, and what the demo makes in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from demo.fitting import TownError, run
from demo.lent_database import keep, lend
from demo.office_people import DemoAccount, DemoStaff, Made, Shop
from demo.program import Program
from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.office import change_keys, read_office_key
from provisioning.proposals import Proposals, link, read_proposals

PAGES: Final = "office"
PUBLISHER: Final = "publisher"
PAPERS: Final = "papers"
_LINK: Final = re.compile(r"https?://\S+")
_PUBLISHED_WITHIN_S: Final = 300.0
_LOOK_EVERY_S: Final = 0.05


class Office:
    """An office of this run.

    Attributes:
        folder: its files.
        config: ``office.toml``.
        url: of its pages, by the name for which passkeys work.
        pages, publisher, papers: its programs; the last makes PDFs.
        first_link: for the first co-ordinator; empty before :meth:`found`.
        accounts: one of each role; none before :meth:`people`.
        staff: one of each premises, in their order; likewise.
    """

    def __init__(self, town: Path, port: int, central_url: str) -> None:
        self.folder = town / "office"
        self.config = self.folder / "office.toml"
        self.url = f"http://localhost:{port}/"
        self.first_link = ""
        self.accounts: tuple[DemoAccount, ...] = ()
        self.staff: tuple[DemoStaff, ...] = ()
        self.pages: Program
        self.publisher: Program
        self.papers: Program
        self._socket = self.folder / "papers.sock"
        self._town = town
        self._premises: tuple[int, ...] = ()
        self.folder.mkdir(mode=0o700)
        self.config.write_text(
            f"""\
authority_file = "../central/authority.pub"
directory_file = "../directory.json"

[web]
port = {port}

[central]
url = {json.dumps(central_url)}

[papers]
socket = "{self._socket.name}"
""",
            encoding="utf-8",
        )

    @property
    def programs(self) -> tuple[Program, Program]:
        """Those without which people cannot work: pages and publisher."""
        return (self.pages, self.publisher)

    def command(self, *words: str) -> list[str]:
        """``watchlink office WORDS --config …``."""
        return [sys.executable, "-m", "watchlink.cli", "office", *words, "--config", str(self.config)]

    def papers_command(self) -> list[str]:
        """``watchlink office papers …``."""
        return [sys.executable, "-m", "watchlink.cli", "office", "papers", "--socket", str(self._socket)]

    async def found(self) -> None:
        """Make its database and keys as an engineer would, and let the fleet trust it.

        Raises:
            TownError: a command failed.
        """
        database = self.folder / "office.sqlite3"
        if lend(database):
            await run(self.command("migrate"))
            keep(database)
        told = await run(self.command("init"))
        link_text = _LINK.search(told)
        if link_text is None:
            raise TownError(f"the office said no sign-in link:\n{told}")
        self.first_link = link_text[0]
        folder = self._fleet()
        change_keys(folder, trust=read_office_key(self.folder / "publisher" / "snapshot.pub", folder))

    async def people(self, shops: Sequence[Shop]) -> None:
        """Make an account of each role, the town's premises, and a year of cases.

        Raises:
            TownError: it failed.
        """
        told = await run([sys.executable, "-m", "demo.office_people", str(self.config)], msgspec.json.encode(shops))
        made = msgspec.json.decode(told, type=Made)
        self.accounts, self.staff, self._premises = made.accounts, made.staff, made.premises

    async def join(self, nodes: Sequence[str]) -> None:
        """Join each shop's premises with its node, once they are published.

        Raises:
            TownError: they were not published.
        """
        folder, proposals = self._fleet(), await self.proposals(len(self._premises))
        for node, premises in zip(nodes, self._premises, strict=True):
            link(folder, node, proposals, premises)

    async def proposals(self, count: int) -> Proposals:
        """What is published, once it has ``count`` premises.

        Raises:
            TownError: it has not, within a minute.
        """
        folder, snapshots = self._fleet(), self.folder / "snapshots"
        give_up_s = time.monotonic() + _PUBLISHED_WITHIN_S
        while time.monotonic() < give_up_s:
            with contextlib.suppress(FleetInputError):  # none yet
                proposals = read_proposals(folder, snapshots)
                if len(proposals.entries) == count:
                    return proposals
            await asyncio.sleep(_LOOK_EVERY_S)
        raise TownError(f"the office has not published {count} premises within {_PUBLISHED_WITHIN_S:.0f} s")

    async def link(self, nodes: Mapping[str, str], count: int = 0) -> None:
        """Join nodes with the premises of the same name, by the engineer's command.

        Args:
            nodes: premises' name → node; of others there is none.
            count: of the premises that are published; 0 = as many as nodes.

        Raises:
            TownError: the command failed.
        """
        proposals = await self.proposals(count or len(nodes))
        fleet = [sys.executable, "-m", "watchlink.cli", "fleet"]
        where = ["--dir", str(self._town), "--snapshot", str(self.folder / "snapshots")]
        for number, entry in proposals.entries.items():
            if entry.name in nodes:
                await run([*fleet, "link", nodes[entry.name], "--proposal", str(number), *where])

    def _fleet(self) -> FleetFolder:
        return FleetFolder.open(self._town, lambda: datetime.now(UTC))
