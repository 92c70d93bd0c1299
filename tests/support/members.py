"""A small town: whose nodes there are, their keys and the directory that names them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType

from wire.directory import Directory, SchemeEntry, Sender
from wire.frames import Frame, SignedFrame, encode
from wire.ids import CENTRAL, NodeId
from wire.signing import SigningKey

OURS = NodeId(0x10)
BOOTS = NodeId(0x11)
CAFE = NodeId(0x12)
PUB = NodeId(0x13)
THIEF = NodeId(0x14)
HART, PUBWATCH = 1, 2
NOON = datetime(2026, 11, 24, 14, 32, 0, tzinfo=UTC)
NOON_S = int(NOON.timestamp())


@cache
def key_of(node: NodeId) -> SigningKey:
    return SigningKey(hashlib.sha256(f"test {node}".encode()).digest())


def sender(node: NodeId, premises: str, place: str, *schemes: int, is_revoked: bool = False) -> Sender:
    return Sender(node, key_of(node).public, premises, place, frozenset(schemes), node == CENTRAL, is_revoked)


def directory(serial: int = 1, **changes: Sender) -> Directory:
    senders = [
        sender(CENTRAL, "Central", ""),
        sender(OURS, "Corner Shop", "High St", HART),
        sender(BOOTS, "Boots", "Gallowtree Gate", HART),
        sender(CAFE, "Cafe Nero", "Market Place", HART),
        sender(PUB, "The Globe", "Silver St", PUBWATCH),
        sender(THIEF, "Lost Node", "", HART, is_revoked=True),
        *changes.values(),
    ]
    schemes = [
        SchemeEntry(number=HART, slug="hart", name="HART"),
        SchemeEntry(number=PUBWATCH, slug="pubwatch", name="P"),
    ]
    return Directory(
        serial,
        MappingProxyType({s.node: s for s in senders}),
        MappingProxyType({s.number: s for s in schemes}),
    )


def signed(frame: Frame, key: SigningKey | None = None) -> SignedFrame:
    return SignedFrame(frame, encode(frame, key or key_of(frame.sender)))
