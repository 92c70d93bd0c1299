"""A directory larger than a packet, from its file through central and the broker to a node's disk (F2)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioning.fleet import Fleet
from tests.support.central_program import running_central
from tests.support.fleet_broker import free_port, running_broker, wait_until
from tests.support.node_process import NodeProcess
from tests.support.raw_member import wait_for_link
from wire.directory import DirectoryDocument, SenderEntry, open_directory, seal_directory
from wire.ids import NodeId, node_text
from wire.limits import PACKET_BYTES_MAX
from wire.signing import SigningKey

pytestmark = [pytest.mark.integration, pytest.mark.finding(15)]

SHOP = "00000010"
SENDERS = 5_000


def stranger(number: int) -> SenderEntry:
    key = SigningKey(number.to_bytes(32, "big")).public.raw
    return SenderEntry(node=node_text(NodeId(0x1000 + number)), key=key, premises=f"Shop {number}", schemes=(1,))


def test_directory_of_a_town_of_thousands_reaches_a_node_in_small_packets(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"], profile="fake")
    authority = SigningKey(bytes.fromhex((fleet.layout.authority / "authority.key").read_text().strip()))
    with (
        running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port),
        running_central(fleet.layout.central / "central.toml") as central,
        NodeProcess(fleet.node_folder(SHOP)) as node,
    ):
        wait_for_link(central)
        central.wait_for_board(lambda board: "ok" in {line.state for line in board.nodes}, "the node is heard")
        small = Fleet.open(fleet.layout.town).record.directory()
        large = DirectoryDocument(
            serial=small.serial + 1,
            issued_at=datetime.now(UTC),
            schemes=small.schemes,
            senders=(*small.senders, *map(stranger, range(SENDERS))),
        )
        sealed = seal_directory(large, authority)
        assert len(sealed) > 10 * PACKET_BYTES_MAX
        fleet.layout.directory.write_bytes(sealed)

        kept = node.folder / "state"
        wait_until(lambda: any(holds(file, sealed) for file in kept.rglob("*")), "the node has kept it")
        assert SENDERS + 2 == len(open_directory(sealed, authority.public).senders)
        node.wait_for_fact("armed")
        assert "not published" not in central.log.read_text()


def holds(file: Path, sealed: bytes) -> bool:
    """Whether the directory is somewhere in it: in the database, or still in its log."""
    with contextlib.suppress(FileNotFoundError):  # A log is removed with the connection that wrote it.
        return sealed[1_000:1_100] in file.read_bytes()
    return False
