"""The town's places and commands: the fleet's folder, central's machine, the enrolment service, and who types what."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any, Final

from demo.fitting import TownError, machine_of, mosquitto_conf, run, watchlink
from demo.live.machine import PID_FILE, bare
from demo.ports import claim_ports
from demo.town import Town
from installation import places
from provisioning.fleet import Fleet

ENROLMENT: Final = "enrolment"
_READY_WITHIN_S: Final = 300.0


class Site:
    """What is where, and the commands of a person at a terminal. All raise :class:`TownError` if a command fails.

    Attributes:
        town: nothing of it runs yet.
        root: the folder that stands for the disk of central's machine.
        central: of its files, central's.
        enrolment: likewise, the enrolment service's.
        enrolment_port: of the service.
        facts: what the enrolment service has said.
    """

    def __init__(self, town: Town) -> None:
        self.town = town
        self.root = machine_of(town.folder)
        self.machine = bare(self.root)
        self.central = town.central_toml.parent
        self.enrolment = self.machine.path(places.ENROLMENT_TOML).parent
        (self.enrolment_port,) = claim_ports(1)
        self.facts: list[Mapping[str, Any]] = []
        command = watchlink("enrol", self.enrolment / "enrol.toml")
        self.service = town.program(ENROLMENT, command, "", take=self._take)
        town.others.append(self.service)

    @property
    def fleet(self) -> Fleet:
        """The fleet, as its folder has it now."""
        return Fleet.open(self.town.folder)

    @property
    def apply(self) -> list[str]:
        """``watchlink central install --from TOWN``, on central's machine."""
        where = ["--root", str(self.root), "--from", str(self.town.folder)]
        return [sys.executable, "-m", "demo.live.machine", *where]

    # -- commands -------------------------------------------------------------------------------------------------

    async def watchlink(self, *words: str) -> str:
        """``watchlink WORDS``."""
        return await run([sys.executable, "-m", "watchlink.cli", *words])

    async def manage(self, command: str, *words: str) -> str:
        """``watchlink fleet COMMAND --dir TOWN WORDS``."""
        return await self.watchlink("fleet", command, "--dir", str(self.town.folder), *words)

    async def manage_and_apply(self, command: str, *words: str) -> str:
        """The same, after which central's machine gets the fleet's files."""
        return await self.manage(command, *words, "--reload-command", shlex.join(self.apply))

    async def collect(self) -> None:
        """Take over the units that have claimed their premises."""
        await self.manage_and_apply("collect", "--from", str(self.enrolment / "changed" / "directory.json"))

    # -- what runs ------------------------------------------------------------------------------------------------

    async def install(self) -> tuple[str, str]:
        """Put broker, central and enrolment service in place, twice; returns what was said."""
        await self.manage("enrolment", "--host", self.town.plan.host, "--port", str(self.enrolment_port))
        return await self.install_again(), await run(self.apply)

    async def install_again(self) -> str:
        """Put in place what is missing; returns what was said."""
        said = await run(self.apply)
        # What an engineer writes there is kept.
        toml = self.town.central_toml
        toml.write_text(
            toml.read_text("utf-8").replace(places.CHANGED, str(self.machine.path(places.CHANGED))), "utf-8"
        )
        return said

    async def start(self) -> None:
        """Start the broker, the enrolment service and central, with the files that were installed."""
        self._write_broker_configuration()
        await self.town.bring_up(self.town.broker)
        self.machine.path(PID_FILE).write_text(f"{self.town.broker.pid}\n")
        await self.manage_and_apply("delegate", str(self.enrolment / "delegate.pub"), "--yes")
        await self.service.start()

        def is_up() -> bool:
            self.service.check()
            return self.said("listening") is not None

        await self.town.notice.until(is_up, "the enrolment service listens", _READY_WITHIN_S)
        await self.town.bring_up(self.town.central)

    def _write_broker_configuration(self) -> None:
        """As it was installed, with the folders where they are here."""
        text = self.machine.path(f"{places.BROKER}/mosquitto.conf").read_text(encoding="utf-8")
        for folder in (places.BROKER, "/var/lib/mosquitto"):
            text = text.replace(f" {folder}/", f" {self.machine.path(folder)}/")
        # This machine may not have the broker's user. Started by anybody but root, Mosquitto ignores the line.
        text = text.replace("\nuser mosquitto\n", "\nuser root\n")
        mosquitto_conf(self.town.folder, self.town.plan).write_text(text, encoding="utf-8")

    def _take(self, line: Mapping[str, Any]) -> None:
        self.facts.append(line)
        self.town.notice.tell()

    def said(self, fact: str, **details: object) -> Mapping[str, Any] | None:
        """The enrolment service's first fact with those details."""
        return next((one for one in self.facts if one.get("fact") == fact and details.items() <= one.items()), None)


def code_in(said: str) -> str:
    """The claim code on the label that was printed.

    Raises:
        TownError: there is none.
    """
    for line in said.splitlines():
        if line.strip().startswith("Claim code"):
            return line.split("Claim code", 1)[1].strip()
    raise TownError(f"no label was printed:\n{said}")
