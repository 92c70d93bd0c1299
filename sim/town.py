"""A town: its keys, its directory, its premises and central, wired to one broker and one watch."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

import msgspec

from node.core.settings import Settings
from sim.broker import SimBroker
from sim.central_actor import SimCentral
from sim.node_actor import EPOCH_S, SimNode
from sim.plants import Plant
from sim.timeline import Timeline
from sim.watch import Watch
from wire.directory import DirectoryDocument, SchemeEntry, SenderEntry, seal_directory
from wire.ids import CENTRAL, FIRST_PREMISES_NODE, NodeId, node_text
from wire.signing import SigningKey

SCHEMES: Final = (
    SchemeEntry(number=1, slug="hart", name="HART"),
    SchemeEntry(number=2, slug="pubwatch", name="Pub Watch"),
)
MEMBERSHIPS: Final = ((1,), (1,), (2,), (1, 2), (1,), (2,))
STRANGER: Final = NodeId(0xBAD)
"""Has a key, and is in no directory."""


class Town:
    """Everything there is, before anything happens.

    Attributes:
        nodes: in order of their ids.
        keys: of every sender, for the adversary's use too.
    """

    def __init__(self, seed: int, node_count: int, plant: Plant | None) -> None:
        self.timeline = Timeline(seed)
        self.broker = SimBroker(self.timeline)
        self._authority = _key("authority")
        ids = [NodeId(FIRST_PREMISES_NODE + at) for at in range(node_count)]
        self.keys = {node: _key(node_text(node)) for node in (*ids, CENTRAL, STRANGER)}
        self.memberships = {node: frozenset(MEMBERSHIPS[at % len(MEMBERSHIPS)]) for at, node in enumerate(ids)}
        self._serial = 1
        self._document = DirectoryDocument(
            serial=1,
            issued_at=datetime.fromtimestamp(EPOCH_S, UTC),
            schemes=SCHEMES,
            senders=(
                SenderEntry(
                    node=node_text(CENTRAL), key=self.keys[CENTRAL].public.raw, premises="Central", kind="central"
                ),
                *(
                    SenderEntry(
                        node=node_text(node),
                        key=self.keys[node].public.raw,
                        premises=f"Shop {at}",
                        place="High St",
                        schemes=tuple(sorted(self.memberships[node])),
                    )
                    for at, node in enumerate(ids)
                ),
            ),
        )
        sealed = seal_directory(self._document, self._authority)
        self.watch = Watch(self.timeline, self.memberships)
        self.central = SimCentral(
            key=self.keys[CENTRAL],
            authority=self._authority.public,
            directory=sealed,
            timeline=self.timeline,
            broker=self.broker,
            watch=self.watch,
            plant=plant,
        )
        self.nodes = [
            SimNode(
                Settings(
                    node=node,
                    premises=f"Shop {at}",
                    place="High St",
                    scheme_numbers=tuple(sorted(self.memberships[node])),
                    is_attack_silent=at % 3 == 1,
                    version="sim",
                ),
                key=self.keys[node],
                authority=self._authority.public,
                directory=sealed,
                timeline=self.timeline,
                broker=self.broker,
                watch=self.watch,
                plant=plant,
            )
            for at, node in enumerate(ids)
        ]
        self.watch.central_disk = self.central.disk
        self.watch.nodes = {node.id: node for node in self.nodes}
        self.broker.admit(self.central, frozenset())
        for node in self.nodes:
            slugs = frozenset(scheme.slug for scheme in SCHEMES if scheme.number in self.memberships[node.id])
            self.broker.admit(node, slugs)

    def start(self) -> None:
        """Everybody comes up."""
        self.central.start()
        for node in self.nodes:
            node.start()

    def revoke(self, node: NodeId) -> None:
        """Strike a node from the directory, as the fleet does it."""
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


def _key(name: str) -> SigningKey:
    return SigningKey(hashlib.sha256(name.encode()).digest())
