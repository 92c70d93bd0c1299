"""The town's office: its configuration, its two programs, and what the demo makes in it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from demo.fitting import TownError
from demo.office_people import DemoAccount, Made, Shop
from demo.program import Program
from provisioning.folder import FleetFolder
from provisioning.office import change_keys, read_office_key
from provisioning.proposals import link, read_proposals

PAGES: Final = "office"
PUBLISHER: Final = "publisher"
_LINK: Final = re.compile(r"https?://\S+")
_PUBLISHED_WITHIN_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.05


class Office:
    """An office of this run.

    Attributes:
        folder: its files.
        config: ``office.toml``.
        url: of its pages, by the name for which passkeys work.
        pages, publisher: its programs.
        first_link: for the first co-ordinator; empty before :meth:`found`.
        accounts: one of each role; none before :meth:`people`.
    """

    def __init__(self, town: Path, port: int, central_url: str) -> None:
        self.folder = town / "office"
        self.config = self.folder / "office.toml"
        self.url = f"http://localhost:{port}/"
        self.first_link = ""
        self.accounts: tuple[DemoAccount, ...] = ()
        self.pages: Program
        self.publisher: Program
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
""",
            encoding="utf-8",
        )

    @property
    def programs(self) -> tuple[Program, Program]:
        """Pages and publisher."""
        return (self.pages, self.publisher)

    def command(self, *words: str) -> list[str]:
        """``watchlink office WORDS --config …``."""
        return [sys.executable, "-m", "watchlink.cli", "office", *words, "--config", str(self.config)]

    async def found(self) -> None:
        """Make its database and keys as an engineer would, and let the fleet trust it.

        Raises:
            TownError: a command failed.
        """
        told = await _run(self.command("init"))
        link_text = _LINK.search(told)
        if link_text is None:
            raise TownError(f"the office said no sign-in link:\n{told}")
        self.first_link = link_text[0]
        folder = self._fleet()
        change_keys(folder, trust=read_office_key(self.folder / "publisher" / "snapshot.pub", folder))

    async def people(self, shops: Sequence[Shop]) -> None:
        """Make an account of each role, and the town's premises.

        Raises:
            TownError: it failed.
        """
        told = await _run([sys.executable, "-m", "demo.office_people", str(self.config)], msgspec.json.encode(shops))
        made = msgspec.json.decode(told, type=Made)
        self.accounts, self._premises = made.accounts, made.premises

    async def join(self, nodes: Sequence[str]) -> None:
        """Join each shop's premises with its node, once they are published.

        Raises:
            TownError: they were not published.
        """
        folder, snapshots = self._fleet(), self.folder / "snapshots"
        try:
            async with asyncio.timeout(_PUBLISHED_WITHIN_S):
                while not list(snapshots.glob("premises-*.json")):  # noqa: ASYNC110 - a folder tells nobody
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError as e:
            raise TownError(f"the office has published no premises within {_PUBLISHED_WITHIN_S:.0f} s") from e
        proposals = read_proposals(folder, snapshots)
        for node, premises in zip(nodes, self._premises, strict=True):
            link(folder, node, proposals, premises)

    def _fleet(self) -> FleetFolder:
        return FleetFolder.open(self._town, lambda: datetime.now(UTC))


async def _run(command: Sequence[str], data: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate(data)
    if process.returncode:
        raise TownError(f"{' '.join(command[2:])} ended with status {process.returncode}:\n{err.decode()[-800:]}")
    return out.decode()
