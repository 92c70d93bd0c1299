"""A town in which 200 people are asked all the time, by push and by text message: broker, central, notifier, a rota.

A group of premises presses every few seconds, and nobody answers. Each alert is for four schemes, each scheme asks
those whom the rota names, and each policy has one step. So central asks every group again when all others have had
their turn: more than a minute after, for nobody is told more often.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Final

import msgspec
import sqlalchemy as sa

from bench import town
from bench.crowd import Crowd, Presser
from bench.stand_ins import Outside
from central.config import load_configuration
from central.core.view import Person
from central.store.database import Database, engine_of
from central.store.rows import microseconds
from central.store.tables import PHONES
from demo.stand_in_office import StandInOffice
from demo.watch_room import WatchRoom
from provisioning.fleet import Fleet, NewNode
from runtime.atomic import PUBLIC, write_atomic
from wire.frames import Alert, encode
from wire.ids import FrameId, NodeId, parse_node
from wire.kinds import AlertKind
from wire.limits import SCHEMES_PER_NODE_MAX
from wire.signing import SigningKey
from wire.snapshots import PolicyEntry, RoleEntry, Rota, ShiftEntry, StepEntry, WayEntry, file_name, seal_snapshot

EVERY_S: Final = 13
"""So long it takes until the text gateway has taken a group's messages, eight at a time."""
GROUPS: Final = 5
PREMISES_EACH: Final = 4
PEOPLE_EACH: Final = 13
"""Of a scheme."""
PEOPLE: Final = PREMISES_EACH * SCHEMES_PER_NODE_MAX * PEOPLE_EACH
"""Asked by one group's alerts."""
QUIET: Final = "quiet"
"""The scheme of the premises that is measured: it has no policy."""
_FIRST: Final = 2
"""Number of the first scheme that asks."""
_CLOSER: Final = Person("cctv", "Ann Jones")
_HOUR: Final = timedelta(hours=1)


class AskingTown:
    """Its folder. The first node is the one to measure.

    Attributes:
        fleet: all premises.
        delivered: messages that phones and gateway took so far, while :meth:`notifier` runs.
        failed: messages that did not go out, but for those that were called off.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._log = log
        self._folder = folder
        self._web_port = town.free_port()
        schemes = [f"s{number}" for number in range(_FIRST, _FIRST + GROUPS * PREMISES_EACH * SCHEMES_PER_NODE_MAX)]
        named = {QUIET: "Quiet"} | {slug: f"Scheme {slug}" for slug in schemes}
        self.fleet = Fleet.init(folder, schemes=named, port=town.free_port(), web_port=self._web_port)
        asking = [
            NewNode(f"Shop {place}", "High St", schemes[place : place + SCHEMES_PER_NODE_MAX], profile="fake")
            for place in range(0, len(schemes), SCHEMES_PER_NODE_MAX)
        ]
        self.fleet.add_all([NewNode("Corner Shop", "High St", [QUIET], profile="fake"), *asking])
        self._config = self.fleet.layout.central / "central.toml"
        with self._config.open("a") as file:
            file.write(f'[notifier]\nsocket = "{folder / "notifier.socket"}"\n')
        self._office = StandInOffice.found(self.fleet)
        self._room = WatchRoom(f"http://127.0.0.1:{self._web_port}/", self._office)
        self._list_people(range(_FIRST, _FIRST + len(schemes)))
        self._counter = 0
        self._open: list[FrameId] = []
        self.delivered = self.failed = 0

    @contextlib.contextmanager
    def central(self) -> Iterator[Popen[str]]:
        """Central, once it listens."""
        with town.central(self.fleet, self._log) as process:
            yield process

    @contextlib.contextmanager
    def notifier(self) -> Iterator[Popen[str]]:
        """The notifier, once it listens, with all phones and the text gateway beside it. Before :meth:`central`."""
        phones = str(GROUPS * PEOPLE)
        with town.program("-m", "bench.stand_ins", str(self._folder), phones, log=self._log) as outside:
            assert outside.stdout is not None
            said = msgspec.json.decode(outside.stdout.readline(), type=Outside)
            self._keep_phones(said)
            config = self._folder / "notifier.toml"
            (self._folder / "sms.url").write_text(said.gateway)
            config.write_text(
                '[central]\nsocket = "notifier.socket"\n'
                f'[push]\ncontact = "mailto:engineer@town.example"\nca_file = "{said.ca_file}"\n'
                'allowed_networks = ["127.0.0.0/8"]\n[sms]\ngateway_file = "sms.url"\n'
            )
            with town.program("-m", "watchlink.cli", "notifier", "--config", str(config), log=self._log) as process:
                town.wait_for(process, lambda fact: fact["fact"] == "listening")
                counting = threading.Thread(target=self._count, args=(process,))
                counting.start()
                yield process
                process.terminate()
                counting.join()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """From the first message that went out: people are asked, all the time."""
        stop, before = threading.Event(), self.delivered
        pressing = threading.Thread(target=lambda: asyncio.run(self._press(stop)))
        pressing.start()
        try:
            deadline_s = time.monotonic() + town.START_DEADLINE_S
            while self.delivered == before:
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"nobody was told: see {self._log}")
                time.sleep(0.1)
            yield
        finally:
            stop.set()
            pressing.join()
        asyncio.run(self._close())

    async def _press(self, stop: threading.Event) -> None:
        self._counter += 1
        async with contextlib.AsyncExitStack() as stack:
            crowds = [
                await stack.enter_async_context(Crowd(self.fleet.record.broker.port, self._pressers(group)))
                for group in range(GROUPS)
            ]
            for crowd in crowds:
                await crowd.press_all()
                self._open += [FrameId(presser.node, self._counter) for presser in crowd.pressers]
                if await asyncio.to_thread(stop.wait, EVERY_S):
                    return

    def _pressers(self, group: int) -> list[Presser]:
        first = 1 + group * PREMISES_EACH
        found = []
        for record in self.fleet.nodes[first : first + PREMISES_EACH]:
            folder = self.fleet.node_folder(record.node)
            key = SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip()))
            alert = self._alert(parse_node(record.node), self._schemes_of(record.node))
            found.append(Presser(alert.sender, f"s{alert.schemes[0]}", folder, encode(alert, key)))
        return found

    def _alert(self, node: NodeId, schemes: tuple[int, ...]) -> Alert:
        return Alert(node, self._counter, int(time.time()), AlertKind.ASSIST, self._counter, schemes)

    def _schemes_of(self, node: str) -> tuple[int, ...]:
        place = [record.node for record in self.fleet.nodes[1:]].index(node) * SCHEMES_PER_NODE_MAX + _FIRST
        return tuple(range(place, place + SCHEMES_PER_NODE_MAX))

    async def _close(self) -> None:
        while self._open:
            await self._room.close(self._open.pop().text, "false alarm", _CLOSER)

    def _list_people(self, schemes: range) -> None:
        now_at = datetime.now(UTC).replace(microsecond=0)
        shifts = []
        for scheme in schemes:
            for _ in range(PEOPLE_EACH):
                account = self._office.add("Sam Lee", "pcso", scheme).account
                way = WayEntry(way="sms", to=f"+4477009{account:05}")
                self._office.change(account, ways=(way,))
                begins_at, ends_at = now_at - _HOUR, now_at + 24 * _HOUR
                shifts.append(
                    ShiftEntry(role="pcso", scheme=scheme, account=account, begins_at=begins_at, ends_at=ends_at)
                )
        # Whoever closes them has a role in the first scheme of each.
        firsts = schemes[::SCHEMES_PER_NODE_MAX]
        roles = tuple(
            RoleEntry(role="cctv", schemes=tuple(firsts[at : at + SCHEMES_PER_NODE_MAX]))
            for at in range(0, len(firsts), SCHEMES_PER_NODE_MAX)
        )
        self._office.change(self._office.add(_CLOSER.name).account, roles=roles)
        self._office.publish()
        step = StepEntry(role="pcso", wait_s=GROUPS * EVERY_S, ways=("push", "sms"))
        policies = tuple(PolicyEntry(scheme=scheme, kinds=("assist",), version=1, steps=(step,)) for scheme in schemes)
        rota = Rota(
            number=1,
            made_at=now_at,
            audit=self._office.audit,
            through=now_at + 24 * _HOUR,
            shifts=tuple(shifts),
            policies=policies,
        )
        data = seal_snapshot(rota, self._office.town, self._office.key)
        write_atomic(self.fleet.layout.snapshots / file_name("rota", 1), data, PUBLIC)

    def _keep_phones(self, outside: Outside) -> None:
        """As central does once a test was tapped there."""
        database = Database(load_configuration(self._config).database)
        database.open()
        now_us = microseconds(datetime.now(UTC))
        accounts = [account for account, person in self._office.people.items() if person.ways]
        rows = [
            {
                "id": f"{account:032x}",
                "account": account,
                "added_us": now_us,
                "proven_us": now_us,
                **msgspec.to_builtins(phone),
            }
            for account, phone in zip(accounts, outside.phones, strict=True)
        ]
        engine = engine_of(database.url)
        with engine.begin() as connection:
            connection.execute(sa.insert(PHONES), rows)
        engine.dispose()
        database.close()

    def _count(self, process: Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.delivered += '"delivered"' in line
            self.failed += '"failed"' in line and '"called-off"' not in line
