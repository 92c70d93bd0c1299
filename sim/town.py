"""A town: its keys, directory, premises and central, wired to one broker and watched by the invariants."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from itertools import permutations
from typing import Final

import msgspec
from msgspec import Struct

from node.core.settings import RadioSettings, Settings
from sim.air import BLIND_MS, Carrier, SimAir
from sim.broker import SimBroker
from sim.central_actor import SimCentral
from sim.invariants import FLOODER, Invariants
from sim.node_actor import EPOCH_S, SimNode
from sim.plants import Plant
from sim.timeline import Timeline
from wire.directory import Directory, DirectoryDocument, SchemeEntry, SenderEntry, open_directory, seal_directory
from wire.ids import CENTRAL, FIRST_PREMISES_NODE, NodeId, node_text
from wire.signing import SigningKey

SCHEMES: Final = (
    SchemeEntry(number=1, slug="hart", name="HART"),
    SchemeEntry(number=2, slug="pubwatch", name="Pub Watch"),
)
EVERYWHERE: Final = frozenset(scheme.number for scheme in SCHEMES)
MEMBERSHIPS: Final = ((1,), (1,), (2,), (1, 2), (1,), (2,))
STRANGER: Final = NodeId(0xBAD)
"""Has a key, but is in no directory."""
LICENCE: Final = "sim/1"
GATEWAY: Final = "Gateway"


class RadioPlan(Struct, frozen=True):
    """A town with radios: every premises has one, and central a gateway.

    Attributes:
        unlicensed: positions of premises that may only listen.
        neutral: positions of premises whose scheme has neutral words for silent attacks.
        capture_db: the stronger of two carriers is heard if it is this much stronger; ``None`` = neither is.
    """

    blind_ms: int = BLIND_MS
    capture_db: float | None = None
    unlicensed: frozenset[int] = frozenset()
    neutral: frozenset[int] = frozenset()

    def settings(self, at: int) -> RadioSettings:
        """The radio settings of the premises at this position."""
        licence = "" if at in self.unlicensed else LICENCE
        return RadioSettings(licence=licence, has_neutral_phrase=at in self.neutral)


class Town:
    """The whole town, before anything happens.

    Attributes:
        nodes: the premises', in order of their ids.
        gateway: central's own radio, in a town with radios; ``stations``: the nodes and it.
        air: in a town with radios.
        keys: of every sender; the adversary uses them too.
    """

    def __init__(
        self,
        seed: int,
        node_count: int,
        plant: Plant | None = None,
        radio: RadioPlan | None = None,
        *,
        has_flooder: bool = False,
    ) -> None:
        self.timeline = Timeline(seed)
        self.broker = SimBroker(self.timeline)
        self.radio = radio
        self.air = SimAir(self.timeline, blind_ms=radio.blind_ms, capture_db=radio.capture_db) if radio else None
        self._authority = _key("authority")
        ids = [NodeId(FIRST_PREMISES_NODE + at) for at in range(node_count)]
        self.memberships = {node: frozenset(MEMBERSHIPS[at % len(MEMBERSHIPS)]) for at, node in enumerate(ids)}
        if radio is not None:  # The gateway comes last, and is in every scheme.
            ids.append(NodeId(FIRST_PREMISES_NODE + node_count))
            self.memberships[ids[-1]] = EVERYWHERE
        self.keys = {node: _key(node_text(node)) for node in (*ids, CENTRAL, STRANGER, FLOODER)}
        self._serial = 1
        self._document = self._first_document(ids, node_count, plant, has_flooder=has_flooder)
        sealed = seal_directory(self._document, self._authority)
        self.invariants = Invariants(self.timeline, self.memberships)
        self.central = SimCentral(
            key=self.keys[CENTRAL],
            authority=self._authority.public,
            directory=sealed,
            timeline=self.timeline,
            broker=self.broker,
            invariants=self.invariants,
            plant=plant,
        )
        self.stations = [
            SimNode(
                Settings(
                    node=node,
                    premises=f"Shop {at}" if at < node_count else GATEWAY,
                    place="High St",
                    scheme_numbers=tuple(sorted(self.memberships[node])),
                    is_attack_silent=at % 3 == 1,
                    version="sim",
                    radio=radio.settings(at) if radio else None,
                ),
                key=self.keys[node],
                authority=self._authority.public,
                directory=sealed,
                timeline=self.timeline,
                broker=self.broker,
                invariants=self.invariants,
                plant=plant,
                air=self.air,
            )
            for at, node in enumerate(ids)
        ]
        self.nodes, self.gateway = self.stations[:node_count], self.stations[-1] if radio else None
        self.invariants.central_disk = self.central.disk
        self.invariants.trust.reached = self._reached
        self.invariants.nodes = {node.id: node for node in self.stations}
        if self.air is not None:
            if self.air.has_capture:
                for one, other in permutations(self.stations, 2):
                    self.air.level_db[one.name, other.name] = self.timeline.chance.uniform(-20, 0)
            by_name = {node.name: node for node in self.stations}

            def transmitted(carrier: Carrier) -> None:
                if carrier.sender in by_name:
                    self.invariants.air.transmitted(by_name[carrier.sender], carrier)

            self.air.on_carrier = transmitted
        self.broker.admit(self.central, frozenset())
        for node in self.stations:
            slugs = frozenset(scheme.slug for scheme in SCHEMES if scheme.number in self.memberships[node.id])
            self.broker.admit(node, slugs)

    def _first_document(
        self, ids: list[NodeId], premises_count: int, plant: Plant | None, *, has_flooder: bool
    ) -> DirectoryDocument:
        central = SenderEntry(
            node=node_text(CENTRAL),
            key=self.keys[CENTRAL].public.raw,
            premises="Central",
            kind="central",
            # From a central that signs, no receipt without a digest is believed.
            signs=plant is not Plant.RECEIPT_WITHOUT_DIGEST,
        )
        named = [(node, f"Shop {at}" if at < premises_count else GATEWAY) for at, node in enumerate(ids)]
        if has_flooder:
            named.append((FLOODER, "Stolen unit"))
        members = (
            SenderEntry(
                node=node_text(node),
                key=self.keys[node].public.raw,
                premises=name,
                place="High St",
                schemes=tuple(sorted(self.memberships.get(node, EVERYWHERE))),
                kind="gateway" if name == GATEWAY else "premises",
                signs=True,
                office_premises=node,
            )
            for node, name in named
        )
        issued_at = datetime.fromtimestamp(EPOCH_S, UTC)
        return DirectoryDocument(serial=1, issued_at=issued_at, schemes=SCHEMES, senders=(central, *members))

    @property
    def newest_directory(self) -> Directory:
        """The directory that central has."""
        return open_directory(self.central.directory, self._authority.public)

    def _reached(self, nodes: Iterable[NodeId]) -> Iterable[NodeId]:
        is_heard = self.central.is_running and self.broker.is_through(CENTRAL)
        return filter(self.broker.is_through, nodes) if is_heard else ()

    def start(self) -> None:
        """Start central and every station."""
        self.central.start()
        for node in self.stations:
            node.start()

    def revoke(self, node: NodeId) -> None:
        """Strike a node from the directory, as the fleet does."""
        self._serial += 1
        now_at = self.central.now_at
        self._document = msgspec.structs.replace(
            self._document,
            serial=self._serial,
            senders=tuple(
                msgspec.structs.replace(sender, revoked_at=now_at) if sender.node == node_text(node) else sender
                for sender in self._document.senders
            ),
        )
        self.timeline.note("fleet", f"revokes {node_text(node)}")
        self.central.use_directory(seal_directory(self._document, self._authority))


@cache
def _key(name: str) -> SigningKey:
    return SigningKey(hashlib.sha256(name.encode()).digest())
