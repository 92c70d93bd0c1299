"""A real node and the gallery's end of its socket: a breach goes the button's own way (G9, N2, N8)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from gallery import panel_visits
from gallery.net.node_socket import NodeSocket
from gallery.panel_visits import PanelVisits
from gallery.pictures import marking
from gallery.pictures.marking import Pictures
from node.core.gallery_state import AT_ONCE
from node.core.press.persons import REFILL_MS
from runtime.unix_address import socket_address
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.gallery_card import Published
from tests.support.gallery_running import PIN, RunningGallery
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import BOTH, SHOP, Town
from wire.frames import Alert
from wire.gallery_socket import Accepted
from wire.gallery_views import read_views
from wire.kinds import AlertKind, LeftWhenAsked

pytestmark = pytest.mark.integration

StartNode = Callable[[str], NodeProcess]
StartCentral = Callable[[], CentralStandIn]
NAME: Final = "gallery.sock"
TAPS_MAX: Final = 5
TAP_S: Final = 10.0
RELEASE_S: Final = 0.05
"""More than the node's debounce: no other sign tells that a release has counted."""
FACE: Final = Path(__file__).parents[2] / "demo" / "faces" / "nobody-07.jpg"


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
        made.stop()


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


def test_panel_shows_the_gallery_until_an_alert_wants_it(
    town: Town,
    start_node: StartNode,
    start_central: StartCentral,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """G5: buttons, socket, core, card and panel are real; whoever signs in pages, and a press has the panel at once."""
    # A busy machine is no child that hangs, and no thread.
    monkeypatch.setattr(marking, "DEADLINE_S", DEADLINE_S)
    monkeypatch.setattr(panel_visits, "_STOP_WAIT_S", DEADLINE_S)
    path = with_gallery(town, BOTH)
    central, node = start_central(), start_node(BOTH)
    central.status("hart")
    node.wait_for_face("ready")
    shop = RunningGallery(tmp_path / "card").start()
    pictures, ours = Pictures(), NodeSocket(path, shop.running.put)
    visits = PanelVisits(shop.running, pictures, ours.say)
    ours.lend(visits)
    hart = Published().issue(17, "Nora Nobody", FACE.read_bytes())
    shop.told(hart)
    shop.until(shop.shows(17))
    shop.arrive(hart)
    shop.until(lambda: bool(shop.people()[0].sizes))
    shop.running.sign_out(shop.sign_in())
    visits.start()
    ours.start()
    try:
        wait_until(lambda: ours.told.state is not None, "the node has told its state")
        tap(node, "seen")
        node.wait_for_face("gallery")
        wait_until(lambda: node.board is not None and node.board.view.headline == "LOCKED", "the gallery has answered")
        tap(node, "responding")
        for digit in PIN.text:
            for _ in range(int(digit) + 1):
                tap(node, "seen")
            tap(node, "responding")
        tap(node, "test")
        wait_until(lambda: kinds(shop) == ["panel"], "the look is in the log")

        press_and_be_received(node, central)
        shop.until(lambda: not shop.running.snapshot().sessions)
    finally:
        ours.stop()
        assert visits.stop()
        pictures.close()
        shop.end()


def press_and_be_received(node: NodeProcess, central: CentralStandIn) -> None:
    node.put("attack", "low")
    node.wait_for_fact("stored", kind="attack")
    node.put("attack", "high")
    central.wait_for(lambda: bool(central.alerts()), "the press")
    central.receipt(central.alerts()[0].frame)
    node.wait_for_face("received")


def tap(node: NodeProcess, button: str) -> None:
    """Held until the panel shows what came of it: on a busy machine a fixed time may pass in one gulp."""
    board = node.board
    assert board
    before = board.view.png
    for _ in range(TAPS_MAX):
        node.put(button, "low")
        with suppress(TimeoutError):
            wait_until(lambda: board.view.png != before, "the panel has changed", TAP_S)
        node.put(button, "high")
        time.sleep(RELEASE_S)
        if board.view.png != before:
            return
    raise AssertionError(f"{button} changes nothing")


def kinds(shop: RunningGallery) -> list[str]:
    return [view.record.kind for view in read_views(shop.store.views_after(0))]


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
    since_s = time.monotonic()
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
    sightings = [fact for fact in node.facts if fact["fact"] == "stored" and fact["kind"] == "sighting"]
    assert len(sightings) <= AT_ONCE + (time.monotonic() - since_s) * 1_000 // REFILL_MS


def test_gallery_that_hangs_while_it_has_the_panel_holds_up_nothing(
    town: Town, start_node: StartNode, start_central: StartCentral
) -> None:
    """It has connected, is lent the panel, and neither reads nor says anything any more (N1, N2, G5)."""
    path = with_gallery(town, BOTH)
    central, node = start_central(), start_node(BOTH)
    central.status("hart")
    node.wait_for_face("ready")
    with socket.socket(socket.AF_UNIX) as hung:
        wait_until(partial(is_connected, hung, path), "the node listens")
        hung.settimeout(DEADLINE_S)
        assert hung.recv(1)
        tap(node, "seen")
        node.wait_for_face("gallery")

        press_and_be_received(node, central)
        assert node.stop() == 0


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
