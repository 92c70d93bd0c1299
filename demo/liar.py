"""The liar, who controls the broker: hears and keeps everything, says and withholds what it likes on any topic.

It has no signing key. For messages that it would have kept for an hour, or withheld, it borrows the true signer's key
(:class:`Forge`): the bytes are those that it would have, without the hour's wait.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from demo.broker_log import IN_FULL, REREADS, BrokerLog, Handing
from demo.notice import NeverCameError
from demo.program import Life
from demo.town import Town
from provisioning.certificates import issue_client_certificate
from provisioning.fleet import Fleet
from runtime.atomic import PRIVATE, write_atomic
from runtime.mqtt_link import LinkHandlers, LinkSettings, PahoLink
from wire.ids import CENTRAL, CENTRAL_ALERTS_CLIENT, NodeId, node_text, parse_node
from wire.signing import SigningKey
from wire.subjects import NODES, SERVICES, subject_text
from wire.topics import CentralTopic, DownTopic, FrameTopic, IncidentTopic, UpTopic, parse_topic

NAME: Final = "liar"
CENTRALS: Final = tuple(subject_text(name, SERVICES) for name in (node_text(CENTRAL), CENTRAL_ALERTS_CLIENT))
"""Central's client ids, which the broker takes from certificates."""
OWN: Final = subject_text(NAME, SERVICES)
_HANDED_WITHIN_S: Final = 60.0
_OBEYED_WITHIN_S: Final = 60.0
_ORDERED_AGAIN_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.01


class Said(Struct, frozen=True):
    """One message on the broker."""

    topic: str
    payload: bytes
    signature: str | None


class Liar:
    """Connected under a name that the broker's rules allow everything.

    Attributes:
        kept: all messages, oldest first.
    """

    def __init__(self, town: Town) -> None:
        """Break into the broker's machine: a certificate, a line in its rules, and its full log."""
        fleet = Fleet.open(town.folder)
        folder = town.folder / NAME
        folder.mkdir(mode=0o700)
        fleet.layout.write_certificate(folder, "client", issue_client_certificate(fleet.issuer(SERVICES), NAME))
        self._town = town
        self._acl = town.folder / "broker" / "acl"
        self._rules = self._acl.read_text(encoding="utf-8") + f"\nuser {OWN}\ntopic readwrite #\n"
        self._withheld: set[tuple[str, str]] = set()
        with (town.folder / "broker" / "mosquitto.conf").open("a", encoding="utf-8") as settings:
            settings.write(IN_FULL)
        self._log = self._since_order = BrokerLog(town.broker.log)
        self._is_obeyed = True
        self._obey()
        self.kept: list[Said] = []
        self._link = PahoLink(
            LinkSettings(
                host="127.0.0.1",
                port=fleet.record.broker.port,
                ca_file=str(town.folder / "broker" / "ca.pem"),
                certificate_file=str(folder / "client.pem"),
                key_file=str(folder / "client.key"),
            ),
            NAME,
            LinkHandlers(
                on_up=lambda: None,
                on_down=lambda _detail, _is_permanent: None,
                on_message=lambda topic, payload, signature: self.kept.append(Said(topic, payload, signature)),
                on_published=lambda _token: None,
            ),
            subscriptions=("#",),
            is_echo_wanted=False,
        )
        self._link.start()

    @property
    def is_up(self) -> bool:
        """Whether it is connected and hears everything."""
        return self._link.is_up

    def say(self, said: Said) -> None:
        """Publish it unchanged."""
        self._link.publish(said.topic, said.payload, qos=1, signature=said.signature)

    async def tell(self, *said: Said) -> list[str]:
        """Publish one after the other, each once its receivers have the previous one.

        Returns:
            a sentence for each receiver not reached; empty if all receivers have every message.
        """
        return [sentence for one in said for sentence in await self._hand_over(one)]

    async def _hand_over(self, said: Said) -> list[str]:
        wanted = self._readers(said.topic)
        if not wanted:
            return [f"nobody is there to read {said.topic}"]
        handing = Handing(OWN, said.topic)
        self._log.lines()
        if not self._link.publish(said.topic, said.payload, qos=1, signature=said.signature):
            return [f"the liar's own connection did not take {said.topic}"]
        until_s = asyncio.get_running_loop().time() + _HANDED_WITHIN_S
        while any(handing.has.isdisjoint(names) for names in wanted) and asyncio.get_running_loop().time() < until_s:
            await asyncio.sleep(_LOOK_EVERY_S)
            for line in self._log.lines():
                handing.take(line)
            if handing.is_denied:
                return [f"the broker did not take {said.topic}"]
        return [f"{names[0]} was not handed {said.topic}" for names in wanted if handing.has.isdisjoint(names)]

    def _readers(self, topic: str) -> list[tuple[str, ...]]:
        """Running receivers that it is not withheld from, each by its client ids, any of which will do."""
        nodes = [one for one in self._town.everywhere if one.program.life is Life.RUNNING]
        found: list[tuple[str, ...]] = []
        match parse_topic(topic):
            case UpTopic():
                found = [CENTRALS]
            case DownTopic(node=node):
                found = [(_client(one.node),) for one in nodes if one.node == node_text(node)]
            case FrameTopic(scheme=scheme):
                found = [CENTRALS, *((_client(one.node),) for one in nodes if scheme in one.address.schemes)]
            case IncidentTopic(scheme=scheme) | CentralTopic(scheme=scheme):
                found = [(_client(one.node),) for one in nodes if scheme in one.address.schemes]
        open_to = [tuple(name for name in names if (name, topic) not in self._withheld) for names in found]
        return [names for names in open_to if names]

    def withhold(self, topic: str, *readers: str) -> None:
        """From now on the broker silently delivers nothing on this topic to these clients or nodes."""
        self._withheld |= {(_client(reader), topic) for reader in readers}
        self._obey()

    def let_through(self, *topics: str) -> None:
        """Stop withholding on these topics; none given = on all. What was withheld is lost."""
        self._withheld = {(reader, topic) for reader, topic in self._withheld if topics and topic not in topics}
        self._obey()

    async def until_obeyed(self) -> None:
        """Return once the broker goes by the latest of these orders: it rereads its rules when it has its turn.

        Only once it is up: before that the broker's log may not tell.

        Raises:
            NeverCameError: it did not.
        """
        loop = asyncio.get_running_loop()
        begun_s = ordered_s = loop.time()
        while not self._is_obeyed:
            if loop.time() > begun_s + _OBEYED_WITHIN_S:
                raise NeverCameError(f"the broker reread its rules (waited {_OBEYED_WITHIN_S:.0f} s)")
            if loop.time() > ordered_s + _ORDERED_AGAIN_S:
                # It forgets an order that comes while it carries out the one before.
                ordered_s = loop.time()
                self._order()
            self._is_obeyed = any(REREADS in line for line in self._since_order.lines())
            await asyncio.sleep(_LOOK_EVERY_S)

    def stop(self) -> None:
        """Say goodbye."""
        self._link.stop()

    def _obey(self) -> None:
        denials = "".join(f"\nuser {reader}\ntopic deny {topic}\n" for reader, topic in sorted(self._withheld))
        # Whole, because the broker may be reading it for the change before, and half of it refuses what members say.
        write_atomic(self._acl, (self._rules + denials).encode(), PRIVATE)
        self._since_order, self._is_obeyed = BrokerLog(self._town.broker.log), self._town.broker.pid is None
        self._order()

    def _order(self) -> None:
        if self._town.broker.pid is not None:
            os.kill(self._town.broker.pid, signal.SIGHUP)


class Forge:
    """Signs as the true signers did, once.

    Attributes:
        central: central's key.
        authority: the fleet's, which signs directories.
    """

    def __init__(self, central: SigningKey, authority: SigningKey, nodes: Mapping[str, SigningKey]) -> None:
        self.central = central
        self.authority = authority
        self._nodes = nodes

    @classmethod
    def of_town(cls, town: Town) -> Forge:
        """A forge with the keys on the town's disks."""
        return cls(
            _key(town.folder / "central" / "signing.key"),
            _key(town.folder / "authority" / "authority.key"),
            {one.node: _key(town.folder / "nodes" / one.node / "signing.key") for one in town.everywhere},
        )

    def of(self, node: NodeId | str) -> SigningKey:
        """A sender's key."""
        number = parse_node(node) if isinstance(node, str) else node
        return self.central if number == CENTRAL else self._nodes[node_text(number)]


def _client(name: str) -> str:
    """The client id of a node, or the one that is given."""
    return name if name in CENTRALS else subject_text(name, NODES)


def _key(path: Path) -> SigningKey:
    return SigningKey(bytes.fromhex(path.read_text(encoding="utf-8").strip()))
