"""Who asks, by certificate, directory and lists."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from office.nodes.rules.asking import Asker, Certificate, Revoked, judge
from wire.directory import EMPTY_DIRECTORY, Directory, Sender
from wire.ids import NodeId
from wire.signing import SigningKey

NOW_S = 1_800_000_000
SHOP = Sender(
    node=NodeId(0x10),
    key=SigningKey(b"s" * 32).public,
    premises="Corner Shop",
    place="",
    schemes=frozenset({1}),
    is_central=False,
    is_revoked=False,
    office_premises=5,
    sealing_key=b"x" * 32,
)
CERTIFICATE = Certificate("CN=gallery-00000010,O=node", "CN=Watchlink nodes-1,O=node", 7, NOW_S - 10, NOW_S + 10)
LISTS = {CERTIFICATE.issuer: Revoked(frozenset({8}), NOW_S + 10)}


def directory(**more: Any) -> Directory:  # noqa: ANN401 - any field
    sender = msgspec.structs.replace(SHOP, **more)
    return msgspec.structs.replace(EMPTY_DIRECTORY, serial=1, senders=MappingProxyType({sender.node: sender}))


def test_gallery_of_a_premises_is_answered_by_what_the_directory_says() -> None:
    assert Asker(NodeId(0x10), 5, frozenset({1}), b"x" * 32) == judge(CERTIFICATE, directory(), LISTS, NOW_S)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"is_revoked": True}, "struck"),
        ({"is_central": True}, "unknown node"),
        ({"is_gateway": True}, "unknown node"),
        ({"node": NodeId(0x11)}, "unknown node"),
        ({"sealing_key": b""}, "no key"),
    ],
)
def test_node_is_refused_for_what_the_directory_says(fields: dict[str, Any], problem: str) -> None:
    assert problem == judge(CERTIFICATE, directory(**fields), LISTS, NOW_S)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"serial": 8}, "revoked"),
        ({"issuer": "CN=Watchlink nodes-2,O=node"}, "no list"),
        ({"ends_s": NOW_S}, "expired"),
        ({"begins_s": NOW_S + 1}, "expired"),
        ({"subject": "CN=00000010,O=node"}, "other certificate"),
        ({"subject": "CN=gallery-00000010"}, "other certificate"),
        ({"subject": "CN=gallery-00000010,O=services"}, "other certificate"),
        ({"subject": "CN=gallery-00000000,O=node"}, "other certificate"),
        ({"subject": "CN=gallery-0000001A,O=node"}, "other certificate"),
        ({"subject": "CN=gallery-00000010,O=node,O=node"}, "other certificate"),
    ],
)
def test_certificate_is_refused_for_what_it_says(fields: dict[str, Any], problem: str) -> None:
    assert problem == judge(msgspec.structs.replace(CERTIFICATE, **fields), directory(), LISTS, NOW_S)


def test_list_counts_until_it_ends() -> None:
    assert isinstance(judge(CERTIFICATE, directory(), LISTS, NOW_S + 9), Asker)
    later = msgspec.structs.replace(CERTIFICATE, ends_s=NOW_S + 99)
    assert "no list" == judge(later, directory(), LISTS, NOW_S + 10)
