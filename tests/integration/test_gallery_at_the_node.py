"""A real node and the gallery's end of its socket: a breach goes the button's own way (G9, N2, N8)."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from gallery.net.node_socket import NodeSocket
from runtime.unix_address import socket_address
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import BOTH, SHOP, Town
from wire.frames import Alert
from wire.gallery_socket import Accepted
from wire.kinds import AlertKind, LeftWhenAsked

pytestmark = pytest.mark.integration

StartNode = Callable[[str], NodeProcess]
StartCentral = Callable[[], CentralStandIn]
NAME: Final = "gallery.sock"


def with_gallery(town: Town, node: str) -> Path:
    """The node's file names a socket; returns its path."""
    file = town.folder(node) / "node.toml"
    file.write_text(file.read_text(encoding="utf-8") + f'\n[gallery]\nsocket = "{NAME}"\n', encoding="utf-8")
    return town.folder(node) / NAME


@pytest.fixture
def gallery(quiet_town: Town) -> Iterator[Callable[[str], NodeSocket]]:
    """Starts the gallery's end beside a node."""
    started: list[NodeSocket] = []

    def start(node: str) -> NodeSocket:
        started.append(NodeSocket(quiet_town.folder(node) / NAME, lambda _event: None))
        started[-1].start()
        return started[-1]

    yield start
    for made in started:
        made.close()


def test_breach_is_stored_published_and_received_and_the_gallery_follows_it(
    town: Town, start_node: StartNode, start_central: StartCentral, gallery: Callable[[str], NodeSocket]
) -> None:
    with_gallery(town, BOTH)
    central = start_central()
    central.speaks = ("person",)
    node, ours = start_node(BOTH), gallery(BOTH)
    central.status("hart")
    wait_until(lambda: getattr(ours.told.state, "reach", "") == "central", "central has answered")

    answer = ours.alert("breach", 1, 42, "no").result(DEADLINE_S)
    assert isinstance(answer, Accepted)
    node.wait_for_fact("stored", kind="breach")
    central.wait_for(lambda: bool(central.alerts()), "the breach")
    frame = central.alerts()[0].frame
    assert isinstance(frame, Alert)
    assert (AlertKind.BREACH, (1,), 42, LeftWhenAsked.NO) == (frame.kind, frame.schemes, frame.about, frame.left)
    assert answer.incident == frame.id.text

    central.receipt(frame)
    node.wait_for_face("received")
    wait_until(lambda: [p.state for p in ours.told.progress] == ["received"], "the gallery knows it")


def is_connected(peer: socket.socket, path: Path) -> bool:
    """Try once."""
    try:
        with socket_address(path) as address:
            peer.connect(address)
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def hostile_peers(path: Path) -> Iterator[socket.socket]:
    """One that says what it may not, and one that asks for two thousand alerts and reads nothing."""
    flood = b'{"type":"alert","request":"%s","kind":"sighting","scheme":1,"person":7}\n'
    for said in (b"\x00" * 100_000, b"".join(flood % os.urandom(16).hex().encode() for _ in range(2_000))):
        peer = socket.socket(socket.AF_UNIX)
        wait_until(partial(is_connected, peer, path), "the node listens")
        peer.settimeout(0)
        with suppress(OSError):
            peer.send(said)
        yield peer


def test_hostile_gallery_neither_stops_the_button_nor_the_node(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """It floods, says what it may not, and hangs; the press is received all the same."""
    path = with_gallery(town, SHOP)
    central, node = start_central(), start_node(SHOP)
    with ExitStack() as peers:
        for peer in hostile_peers(path):
            peers.enter_context(peer)
        node.put("attack", "low")  # The flood is "pressed" too.
        node.wait_for_fact("stored", kind="attack")
        node.put("attack", "high")
        central.wait_for(lambda: any(_is_attack(s.frame) for s in central.alerts()), "the press")
        central.receipt(next(s.frame for s in central.alerts() if _is_attack(s.frame)))
        node.wait_for_fact("receipt")
        assert node.stop() == 0
    assert len([fact for fact in node.facts if fact["fact"] == "stored" and fact["kind"] == "sighting"]) <= 6


def _is_attack(frame: object) -> bool:
    return isinstance(frame, Alert) and frame.kind is AlertKind.ATTACK


def test_breach_without_a_network_is_kept_and_delivered_later(
    quiet_town: Town, start_node: StartNode, start_central: StartCentral, gallery: Callable[[str], NodeSocket]
) -> None:
    """Offline too (G9). A central that was never heard gets it without the person."""
    with_gallery(quiet_town, SHOP)
    node, ours = start_node(SHOP), gallery(SHOP)
    assert isinstance(ours.alert("breach", 1, 42, "yes").result(DEADLINE_S), Accepted)
    node.wait_for_face("undelivered")
    quiet_town.broker.start()
    try:
        central = start_central()
        central.wait_for(lambda: bool(central.alerts()), "the breach")
        frame = central.alerts()[0].frame
        assert isinstance(frame, Alert)
        assert (AlertKind.BREACH, 0) == (frame.kind, frame.about)
        central.receipt(frame)
        node.wait_for_face("received")
    finally:
        node.kill()
        quiet_town.broker.stop()
