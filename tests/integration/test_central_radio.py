"""Central and a real broker, with relays that bring what was on the air: answers over the path that works (N8, N9)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Done, Person
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import KILL_BEFORE_RECEIPT, CentralProgram, running_central
from tests.support.fleet_broker import free_port, running_broker, wait_until
from tests.support.raw_member import Node, wait_for_link
from wire.admission import admit
from wire.answers import DigestReceipt, DigestReceiptBatch
from wire.directory import open_directory
from wire.frames import Acknowledgement, Alert, Frame, PathTest, Receipt, ReceiptBatch, encode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, AnswerState
from wire.kinds import Path as FramePath
from wire.messages import Health, RadioReport, encode_message
from wire.signing import PublicKey, SigningKey

pytestmark = pytest.mark.integration

SHOP, BAKERY, GATEWAY = "00000010", "00000011", "00000012"
PRESSER = NodeId(0x10)
CCTV = Person("cctv", "Ann Jones")


class Air:
    """A town in which Corner Shop has no network: what it says is brought by whoever hears it."""

    def __init__(self, fleet: Fleet, central: CentralProgram) -> None:
        self.central = central
        authority = PublicKey(bytes.fromhex((fleet.layout.authority / "authority.pub").read_text()))
        self.directory = open_directory(fleet.layout.directory.read_bytes(), authority)
        seed = (fleet.node_folder(SHOP) / "signing.key").read_text().strip()
        self.key = SigningKey(bytes.fromhex(seed))
        self.bakery = Node(fleet, BAKERY, "hart", 1)
        self.gateway = Node(fleet, GATEWAY, "hart", 1)
        for node in (self.bakery, self.gateway):
            node.up("health", encode_message(Health(state="armed", boot_id="n1", radio=RadioReport(state="ready"))))
        central.wait_for_board(
            lambda b: sum(n.radio is not None and n.radio.state == "ready" for n in b.nodes) == 2,
            "both radios are known",
        )

    def press(self, counter: int, kind: AlertKind = AlertKind.ATTACK) -> bytes:
        """The shop presses; its signed bytes are on the air."""
        return encode(Alert(PRESSER, counter, int(time.time()), kind, counter, (1,)), self.key)

    def asked_of(self, node: Node) -> list[tuple[Frame, bytes]]:
        """What this node was asked to put on the air, each admitted as any receiver does."""
        return [(admit(data, self.directory, None).frame, data) for data in node.heard("/down/air")]

    def answers_of(self, node: Node) -> list[tuple[Acknowledgement, bytes]]:
        """People's, among them."""
        return [(frame, data) for frame, data in self.asked_of(node) if isinstance(frame, Acknowledgement)]

    def wait_for(self, node: Node, count: int) -> list[tuple[Frame, bytes]]:
        """As soon as it was asked for so many."""
        wait_until(lambda: len(self.asked_of(node)) >= count, f"{count} frames for the air; {self.asked_of(node)}")
        return self.asked_of(node)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add_all(
        [
            NewNode("Corner Shop", "High St", ["hart"]),
            NewNode("Bakery", "High St", ["hart"]),
            NewNode("Control room radio", "Town Hall", ["hart"], kind="gateway"),
        ]
    )
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


@contextlib.contextmanager
def on_air(fleet: Fleet, before: str = "") -> Iterator[Air]:
    """Central runs, and both radios are known."""
    with running_central(fleet.layout.town / "central" / "central.toml", before) as central:
        wait_for_link(central)
        air = Air(fleet, central)
        with contextlib.closing(air.bakery.client), contextlib.closing(air.gateway.client):
            yield air


def test_alert_over_the_air_is_receipted_and_acknowledged_over_the_air(fleet: Fleet) -> None:
    """N8, N9: two relays, one alert; a signed receipt through the gateway, and a person's answer twice."""
    with on_air(fleet) as air:
        data = air.press(7)
        air.bakery.up("heard", data)
        air.gateway.up("heard", data)
        fact = air.central.wait_for_fact("committed", alert="00000010-7")
        receipt, _ = air.wait_for(air.gateway, 1)[0]
        card = air.central.card("00000010-7")
        assert isinstance(air.central.act(Acknowledge("00000010-7"), CCTV), Done)
        wait_until(lambda: len(air.answers_of(air.gateway)) >= 2, "the answer, and the answer once more")

        assert ("radio", BAKERY) == (fact["path"], fact["relay"])
        assert isinstance(receipt, Receipt | DigestReceipt)
        assert (FrameId(PRESSER, 7), False) == (receipt.target, receipt.late)
        assert ("radio", ("radio",), "Bakery", 1) == (card.path, card.paths, card.relay, card.alert_count)
        answers = air.answers_of(air.gateway)
        assert [AnswerState.ANSWERED] * 2 == [frame.state for frame, _ in answers]
        assert 1 == len({bytes_ for _, bytes_ in answers})
        assert 1 == air.central.count("committed")
        assert [] == air.asked_of(air.bakery)


def test_storm_over_the_air_is_receipted_in_batches(fleet: Fleet) -> None:
    """N9: each frame for the air names what was committed in the last seconds, too."""
    with on_air(fleet) as air:
        for counter in range(1, 5):
            air.bakery.up("heard", air.press(counter))
            air.wait_for(air.gateway, counter)
        frames = [frame for frame, _ in air.asked_of(air.gateway)]

    assert isinstance(frames[-1], ReceiptBatch | DigestReceiptBatch)
    batches = [frame for frame in frames if isinstance(frame, ReceiptBatch | DigestReceiptBatch)]
    named = {entry.target for frame in batches for entry in frame.targets}
    assert {FrameId(PRESSER, counter) for counter in range(1, 5)} == named
    assert max(len(frame.targets) for frame in batches) > 1


def test_path_test_over_the_air_is_told_as_a_figure_and_answered_there(fleet: Fleet) -> None:
    """N11."""
    with on_air(fleet) as air:
        frame = PathTest(PRESSER, 9, int(time.time()), FramePath.RADIO)
        air.bakery.up("heard", encode(frame, air.key))
        [(receipt, _)] = air.wait_for(air.gateway, 1)
        air.central.wait_for_fact("path_test", alert="00000010-9", relay=BAKERY)
        board = air.central.wait_for_board(lambda b: any(n.radio and n.radio.heard_at for n in b.nodes), "heard")

    assert isinstance(receipt, Receipt | DigestReceipt)
    assert FrameId(PRESSER, 9) == receipt.target
    assert () == board.cards


def test_garbage_forgery_and_a_flood_by_a_relay_neither_show_nor_speak(fleet: Fleet) -> None:
    """What a stolen relay brings is counted to it, and answered with nothing."""
    with on_air(fleet) as air:
        forged = encode(Alert(PRESSER, 7, 0, AlertKind.ATTACK, 7, (1,)), air.bakery.key)
        for data in (forged, b"", bytes(96), b"x" * 65_000, *[bytes([0x11]) * 90] * 200):
            air.bakery.up("heard", data)
        air.gateway.up("heard", air.press(8))
        air.wait_for(air.gateway, 1)
        air.central.wait_for_board(lambda b: any(r.reason == "relay flood" for r in b.rejected), "the flood is told")
        air.central.card("00000010-8")  # Which the page may learn after the gateway.
        rejected = air.central.rejected()

        assert ["00000010-8"] == [card.incident for card in air.central.board().cards]
        assert 1 == rejected["signature", BAKERY]
        assert all(sender == BAKERY for _, sender in rejected)
        assert 1 == len(air.asked_of(air.gateway))


def test_alert_over_the_air_survives_a_kill_between_commit_and_receipt(fleet: Fleet) -> None:
    """N2: it is on disk; when the sender says it again, it is answered, and it is one alert that came by radio."""
    with on_air(fleet, KILL_BEFORE_RECEIPT) as air:
        data = air.press(7)
        air.bakery.up("heard", data)
        air.central.wait()
    with on_air(fleet) as air:
        before = air.central.card("00000010-7")
        air.bakery.up("heard", data)
        # Two if that is long after the broker has said again what the kill left without its PUBACK.
        for receipt, _ in air.wait_for(air.gateway, 1):
            assert isinstance(receipt, Receipt | DigestReceipt)
            assert FrameId(PRESSER, 7) == receipt.target
        assert ("radio", "Bakery", 1) == (before.path, before.relay, before.alert_count)
        assert before.revision == air.central.card("00000010-7").revision
