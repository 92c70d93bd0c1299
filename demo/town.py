"""The town: its fleet folder, its broker, central and nodes, and the cables between them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from demo.air.orders import CONTROL_SOCKET
from demo.air_link import AirLink
from demo.board import BoardLink
from demo.cable import Cable
from demo.chronicle import CENTRAL, Chronicle
from demo.fitting import (
    TownError,
    central_toml,
    complete,
    fake_socket,
    join_central,
    join_notifier,
    mosquitto,
    mosquitto_conf,
    new_node,
    route,
    watchlink,
)
from demo.gallery import Galleries, make_keys
from demo.guardian_pipe import Guardian
from demo.lent_phrases import keep, lend
from demo.node_records import shown_on_disk
from demo.office import PAGES, PAPERS, PUBLISHER, Office
from demo.office_people import Shop
from demo.phones import NOTIFIER, TownPhones
from demo.ports import EVERYWHERE, LOOPBACK, answers, claim_ports
from demo.premises import GATEWAY, SCHEMES, Address, TownPlan
from demo.program import FactTaker, Program, ProgramFailedError
from demo.shop import Premises
from demo.stand_in_office import StandInOffice
from demo.watch_room import WatchRoom
from installation import places
from node.store.database import DATABASE_NAME
from provisioning.fleet import Fleet

BROKER: Final = "broker"
AIR: Final = "air"
_UP: Final = {PAGES: "listening", PUBLISHER: "publishing", PAPERS: "listening", NOTIFIER: "listening"}
"""By which fact each of these says that it is up."""
_READY_WITHIN_S: Final = 300.0


def _phrases_of(folder: Path) -> Path:
    """Where a node keeps its sentences."""
    return folder / "state" / "phrases"


class Town:
    """Everything that runs. Made by :func:`open_town`.

    Attributes:
        folder: the fleet folder.
        temporary: where its programs put temporary files.
        notice: told after each change of anything here.
        chronicle: every fact.
        broker, central: the programs; ``central_cable`` connects them.
        others: programs that a script has started besides.
        premises: by key, in the order of the plan's addresses; then who moved in.
        gone: nodes that are no more: nobody expects to see anything there.
        gateway: central's own radio; ``None`` in a town without radio.
        air: the program between the radios; ``air_link``: the connection to it; likewise.
        watch_room: people at central.
        office: its office; ``None`` in a town where one only stands in.
        galleries: of its premises; ``None`` in a town without.
        phones: of its people, and the notifier; likewise.
    """

    def __init__(self, folder: Path, guardian: Guardian, chronicle: Chronicle, plan: TownPlan | None = None) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.plan = plan or TownPlan()
        self.notice = chronicle.notice
        self.chronicle = chronicle
        self._guardian = guardian
        self._cables: list[Cable] = []
        addresses = (*self.plan.addresses, GATEWAY) if self.plan.has_radio else self.plan.addresses
        broker_port, web_port, central_port, office_port, *node_ports = claim_ports(4 + len(addresses))
        self._broker_port = broker_port
        try:
            fleet = Fleet.init(
                folder,
                schemes=SCHEMES,
                host=self.plan.host,
                bind=LOOPBACK if self.plan.host == LOOPBACK else EVERYWHERE,
                port=broker_port,
                web_port=web_port,
                broker_folder=places.BROKER if self.plan.is_bare else "",
                broker_user="mosquitto" if self.plan.is_bare else "",
            )
            records = fleet.add_all([new_node(address) for address in addresses])
            if self.plan.has_galleries:
                make_keys(fleet, [record.node for record in records])
            self.temporary.mkdir()
            if self.plan.has_radio:
                self.air_folder.mkdir()
        except OSError as e:
            raise TownError(f"the fleet's folder could not be made: {e}") from e
        stand_in = None if self.plan.has_office else StandInOffice.found(fleet)
        self.watch_room = WatchRoom(f"http://localhost:{web_port}/", stand_in)
        self.others: list[Program] = []
        self.gone: set[str] = set()
        self.broker = self.program(BROKER, [mosquitto(), "-c", str(mosquitto_conf(folder, self.plan))], "")
        self.central_cable = self._cable(central_port)
        route(fleet.layout.central / "central.toml", broker_port, central_port, self.plan.host)
        self.central_toml = central_toml(folder, self.plan)
        self.central = self.program("central", watchlink("central", self.central_toml), CENTRAL)
        self._made = {
            address.key: self._premises(address, record.node, fleet.node_folder(record.node), port)
            for address, record, port in zip(addresses, records, node_ports, strict=True)
        }
        self.office = self._office(office_port) if self.plan.has_office else None
        self.phones = TownPhones(folder, self.watch_room.url, self.program) if self.plan.has_phones else None
        if self.phones is not None:
            join_notifier(fleet.layout.central / "central.toml", self.phones.socket)
        self.galleries: Galleries | None = None
        if self.plan.has_galleries and self.office is not None:
            shops = [self._made[address.key].node for address in self.plan.addresses]
            self.galleries = Galleries(
                fleet,
                self.office.folder,
                shops,
                self.program,
                self._cable,
                are_on_benches=self.plan.has_benches,
            )
        self.gateway = self._made.pop(GATEWAY.key, None)
        self.premises: Mapping[str, Premises] = MappingProxyType(self._made)
        self.air: Program | None = None
        self.air_link: AirLink | None = None
        if self.plan.has_radio:
            command = [sys.executable, "-m", "demo.air", "--folder", str(self.air_folder)]
            self.air = self.program(AIR, command, "")
            self.air_link = AirLink(self.air_folder / CONTROL_SOCKET, self.notice.tell)

    # -- making -------------------------------------------------------------------------------------------------

    def _premises(self, address: Address, node: str, folder: Path, port: int) -> Premises:
        toml = folder / "node.toml"
        route(toml, self._broker_port, port)
        complete(toml, self.plan, self.air_folder)
        if self.plan.has_radio:
            lend(node, _phrases_of(folder))
        return Premises(
            address,
            node,
            self.program(node, watchlink("node", toml), node),
            BoardLink(folder / fake_socket(toml), self.notice.tell),
            self._cable(port),
            folder / "state" / DATABASE_NAME,
        )

    def _office(self, port: int) -> Office:
        office = Office(self.folder, port, self.watch_room.url)
        office.pages = self.program(PAGES, office.command("serve"), PAGES)
        office.publisher = self.program(PUBLISHER, office.command("publish"), PUBLISHER)
        office.papers = self.program(PAPERS, office.papers_command(), PAPERS)
        join_central(self.folder / "central" / "central.toml", office.url)
        return office

    def _cable(self, port: int, to_port: int = 0) -> Cable:
        cable = Cable(port, to_port or self._broker_port)
        self._cables.append(cable)
        return cable

    def program(self, name: str, command: list[str], node: str, take: FactTaker | None = None) -> Program:
        """One that is not started yet.

        Args:
            name: of its log.
            command: its command line.
            node: in whose name its facts are chronicled.
            take: who gets its facts instead.
        """

        def chronicle(line: Mapping[str, Any]) -> None:
            self.chronicle.take(node, line)

        return Program(
            name,
            command,
            self.folder / f"{name}.log",
            temporary=self.temporary,
            take_fact=take or chronicle,
            tell_child=self._guardian.tell,
            on_change=self.notice.tell,
        )

    async def move_in(self, key: str, address: Address, node: str, folder: Path) -> Premises:
        """A unit that has claimed its premises: from now on it is of the town. Its node is not started yet.

        Args:
            key: its name in scripts.
            address: where it is.
            node: its number.
            folder: its files, as it has made them.
        """
        (port,) = claim_ports(1)
        self._made[key] = premises = self._premises(address, node, folder, port)
        await premises.cable.lay()
        return premises

    # -- what runs ------------------------------------------------------------------------------------------------

    @property
    def programs(self) -> tuple[Program, ...]:
        """All programs, in starting order."""
        air = () if self.air is None else (self.air,)
        office = () if self.office is None else (self.office.pages, self.office.publisher, self.office.papers)
        phones = () if self.phones is None else (self.phones.notifier,)
        galleries = () if self.galleries is None else self.galleries.programs
        nodes = (one.program for one in self.everywhere)
        return (self.broker, *air, self.central, *phones, *nodes, *office, *galleries, *self.others)

    @property
    def everywhere(self) -> tuple[Premises, ...]:
        """Each premises, and the gateway."""
        return (*self.premises.values(), *(() if self.gateway is None else (self.gateway,)))

    @property
    def air_folder(self) -> Path:
        """Folder of the air's sockets and recordings."""
        return self.folder / AIR

    def premises_of(self, node: str) -> Premises | None:
        """The premises with that node, or the gateway."""
        return next((premises for premises in self.everywhere if premises.node == node), None)

    def name_of(self, node: str) -> str:
        """The name of the premises with that node; the id itself if there is none."""
        premises = self.premises_of(node)
        return premises.name if premises else node

    def warned_by(self, presser: Premises) -> tuple[Premises, ...]:
        """The premises to be warned of ``presser``'s alerts."""
        there = (other for other in self.premises.values() if other.node not in self.gone)
        return tuple(other for other in there if other.is_warned_by(presser))

    def scheme_name(self, slug: str) -> str:
        """The scheme's name for people."""
        return SCHEMES[slug]

    def now_ms(self) -> float:
        """Now, on the facts' clock."""
        return time.monotonic_ns() / 1_000_000

    async def start(self) -> None:
        """Start everything; returns when each node is armed and central's page answers. A bare town has nothing."""
        for cable in self._cables:
            try:
                await cable.lay()
            except OSError as e:
                raise TownError(f"a cable could not be laid: {e}") from e
        if self.plan.is_bare:
            return
        await self._start_broker()
        if self.air is not None:
            await self._start_air(self.air)
        nodes = (self._start_node(p) for p in self.everywhere)
        if self.office is None:
            await asyncio.gather(self._start_central(), *nodes)
        else:
            await asyncio.gather(self._open_office(self.office), *nodes)

    async def _open_office(self, office: Office) -> None:
        """As an engineer would: found it, trust it, then start central; its people only if nobody is to be invited."""
        await office.found()
        phones = () if self.phones is None else (self.phones.notifier,)
        await asyncio.gather(self._start_central(), self._start_office(office), *map(self.bring_up, phones))
        if self.phones is not None and self.plan.has_people:
            await self.phones.hand_out(office, self.watch_room.url)

    async def _start_office(self, office: Office) -> None:
        if self.plan.has_people:
            shops = [
                Shop(one.address.premises, one.address.place, one.address.schemes) for one in self.premises.values()
            ]
            await office.people(shops)
        await asyncio.gather(*(self._start_until_says(one, _UP[one.name], one.name) for one in office.programs))
        if self.plan.has_papers:
            # Nobody waits for it: it loads for seconds, and the first PDF is wanted later.
            await office.papers.start()
        if self.plan.has_people:
            await office.join([one.node for one in self.premises.values()])
        if self.galleries is not None:
            # After the publisher, which makes the key of the port.
            for one in self.galleries.programs:
                await self._start_gallery(self.galleries, one)

    async def stop(self) -> None:
        """Stop everything: nodes first, the broker last."""
        for premises in self.everywhere:
            for button in premises.board.held:
                premises.board.drive(button, is_low=False)
        galleries = () if self.galleries is None else self.galleries.programs
        await asyncio.gather(*(one.stop() for one in (*galleries, *(p.program for p in self.everywhere))))
        await asyncio.gather(*(p.board.disconnect() for p in self.everywhere))
        if self.plan.has_radio:
            for premises in self.everywhere:
                keep(premises.node, _phrases_of(premises.database.parents[1]))
        if self.office is not None:
            await asyncio.gather(*(one.stop() for one in (*self.office.programs, self.office.papers)))
        phones = () if self.phones is None else (self.phones.notifier,)
        await asyncio.gather(self.central.stop(), *(one.stop() for one in (*phones, *self.others)))
        if self.phones is not None:
            self.phones.close()
        if self.air is not None and self.air_link is not None:
            await self.air_link.disconnect()
            await self.air.stop()
        await self.broker.stop()
        for cable in self._cables:
            await cable.take_up()

    async def kill(self, program: Program) -> None:
        """SIGKILL, after which everything it has said has been read."""
        await program.kill()
        premises = self.premises_of(program.name)
        if premises is not None:
            await premises.cable.break_connections()
            await premises.board.disconnect()
            self._read_last_words(premises)
        elif program is self.central:
            await self.central_cable.break_connections()
        elif program is self.air and self.air_link is not None:
            await self.air_link.disconnect()
        self.chronicle.say(self.now_ms(), "killed", self._id_of(program), program=program.name)

    def _read_last_words(self, premises: Premises) -> None:
        """Add what its panel had shown but it could not report: a report after its restart then means shown twice."""
        told = {fact.alert for fact in self.chronicle.all("shown", node=premises.node)}
        for alert in set(shown_on_disk(premises.database)) - told:
            self.chronicle.take(premises.node, {"at_ms": self.now_ms(), "fact": "shown", "alert": alert})

    async def restart(self, program: Program) -> None:
        """Start it again; returns when it is up."""
        await self.bring_up(program)
        self.chronicle.say(self.now_ms(), "restarted", self._id_of(program), program=program.name)

    async def bring_up(self, program: Program) -> None:
        """Start it; returns when it is up."""
        premises = self.premises_of(program.name)
        if program is self.broker:
            await self._start_broker()
        elif program is self.central:
            await self._start_central()
        elif program is self.air:
            await self._start_air(program)
        elif premises is not None:
            await self._start_node(premises)
        elif self.galleries is not None and self.galleries.told_by(program):
            await self._start_gallery(self.galleries, program)
        else:
            await self._start_until_says(program, _UP[program.name], program.name)

    async def cut_network(self, *where: Premises) -> None:
        """Unplug the network cables there."""
        for premises in where:
            for cable in self._cables_of(premises):
                await cable.pull()
            self.chronicle.say(self.now_ms(), "network_cut", premises.node)

    def restore_network(self, *where: Premises) -> None:
        """Plug the network cables in again there."""
        for premises in where:
            for cable in self._cables_of(premises):
                cable.plug_in()
            self.chronicle.say(self.now_ms(), "network_restored", premises.node)

    def _id_of(self, program: Program) -> str:
        return CENTRAL if program is self.central else program.name if self.premises_of(program.name) else ""

    async def _start_broker(self) -> None:
        await self.broker.start()
        async with _deadline("the broker"):
            while not await answers(self._broker_port):
                self._check(self.broker)
                await asyncio.sleep(0.02)
        self._check(self.broker)

    async def _start_air(self, air: Program) -> None:
        await self._start_until_says(air, "on_air", "")
        assert self.air_link is not None
        await self.air_link.connect()

    async def _start_central(self) -> None:
        await self._start_until_says(self.central, "listening", CENTRAL)

    async def _start_node(self, premises: Premises) -> None:
        await self._start_until_says(premises.program, "armed", premises.node)
        await premises.board.connect()

    async def _start_gallery(self, galleries: Galleries, program: Program) -> None:
        told = galleries.told_by(program)
        assert told is not None
        await self._start_until_says(program, *told)

    def _cables_of(self, premises: Premises) -> tuple[Cable, ...]:
        gallery = None if self.galleries is None else self.galleries.of.get(premises.node)
        return (premises.cable,) if gallery is None else (premises.cable, gallery.cable)

    async def _start_until_says(self, program: Program, fact: str, node: str) -> None:
        since = len(self.chronicle)
        await program.start()

        def is_up() -> bool:
            self._check(program)
            return self.chronicle.find(fact, node=node, since=since) is not None

        await self.notice.until(is_up, f"{program.name} said '{fact}'", _READY_WITHIN_S)

    def _check(self, program: Program) -> None:
        try:
            program.check()
        except ProgramFailedError as e:
            raise TownError(str(e)) from e


@contextlib.asynccontextmanager
async def _deadline(what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            yield
    except TimeoutError as e:
        raise TownError(f"{what} did not come up within {_READY_WITHIN_S:.0f} s") from e
