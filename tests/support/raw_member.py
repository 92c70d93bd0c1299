"""A member's certificate and key with a raw client: says what it is told to, once, and keeps what it hears."""

from __future__ import annotations

import time

from provisioning.fleet import Fleet
from tests.support.central_program import CentralProgram
from tests.support.fleet_broker import Listener, wait_until
from wire.answers import DigestReceipt
from wire.frames import Alert, Receipt, Response, decode, encode
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind
from wire.signing import SigningKey, sign_message

ROOT = "watchlink/1"


class Node:
    """A member's certificate and key, and a raw client that uses them."""

    def __init__(self, fleet: Fleet, name: str, scheme: str, number: int) -> None:
        self.name, self.scheme, self.schemes = name, scheme, (number,)
        self.id = NodeId(int(name, 16))
        folder = fleet.node_folder(name)
        self.key = SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip()))
        self.client = Listener(fleet.record.broker.port, folder, name)
        for topic in (
            f"{ROOT}/node/{name}/down/+",
            f"{ROOT}/scheme/{scheme}/incident",
            f"{ROOT}/scheme/{scheme}/central",
        ):
            self.client.subscribe(topic)

    def alert(
        self,
        counter: int,
        kind: AlertKind = AlertKind.ASSIST,
        *,
        incident: int | None = None,
        schemes: tuple[int, ...] | None = None,
        at_s: int | None = None,
    ) -> Alert:
        """A press of this member's, now, which opens an incident of its own."""
        return Alert(
            self.id,
            counter,
            int(time.time()) if at_s is None else at_s,
            kind,
            counter if incident is None else incident,
            self.schemes if schemes is None else schemes,
        )

    def send(self, frame: Alert | Response, key: SigningKey | None = None) -> bytes:
        """To its own topic, whatever the frame says."""
        data = encode(frame, key or self.key)
        self.client.publish(f"{ROOT}/scheme/{self.scheme}/frame/{self.name}", data)
        return data

    def up(self, channel: str, payload: bytes) -> None:
        """To central, signed."""
        topic = f"{ROOT}/node/{self.name}/up/{channel}"
        self.client.publish(topic, payload, sign_message(self.key, topic, payload))

    def heard(self, suffix: str) -> list[bytes]:
        """Payloads of the topics that end so."""
        return [payload for topic, payload in tuple(self.client.received) if topic.endswith(suffix)]

    def receipts(self) -> list[Receipt | DigestReceipt]:
        """Those that came, in order; of either kind."""
        frames = [decode(payload).frame for payload in self.heard("/down/receipt")]
        return [frame for frame in frames if isinstance(frame, Receipt | DigestReceipt)]

    def wait_for_receipt(self, counter: int, count: int = 1) -> Receipt | DigestReceipt:
        """The newest, when there are ``count`` of them."""
        target = FrameId(self.id, counter)

        def found() -> list[Receipt | DigestReceipt]:
            return [receipt for receipt in self.receipts() if receipt.target == target]

        wait_until(lambda: len(found()) >= count, f"receipt {count} for {target.text}")
        return found()[-1]


def wait_for_link(central: CentralProgram) -> None:
    """A raw client sends once only, and before central's first subscription the broker keeps nothing for it."""
    central.wait_for_board(lambda board: board.is_broker_linked, "the broker is linked")
