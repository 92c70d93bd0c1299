"""What a node itself says of its settings: its next health, signed by it, heard at the broker."""

from __future__ import annotations

import contextlib
import queue
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion

from provisioning.broker import PROOF_USER
from provisioning.certificates import issue_client_certificate
from provisioning.enforcement import PROOF_LIFE
from provisioning.errors import FleetError
from provisioning.folder import FleetFolder
from provisioning.records import NodeRecord
from runtime.tls import client_context
from wire.errors import DecodeError
from wire.limits import TEXT_CHARS_MAX
from wire.messages import Health, decode_message
from wire.signing import PublicKey, verify_message
from wire.subjects import SERVICES
from wire.text import display_text
from wire.topics import Up, UpTopic

WAITS_MAX: Final = 100
_STATES: Final = {
    "waiting": "It has them, and waits: {reason}.",
    "trial": "It is trying them now.",
    "ending": "It tried them, and goes back to the last good ones once no alert needs the unit: {reason}.",
    "taken": "It has taken them.",
    "refused": "It has refused them: {reason}. Nothing changed there.",
    "returned": "It tried them, and took the last good ones again: {reason}.",
}


class Word(Struct, frozen=True):
    """What was heard.

    Attributes:
        health: the node's; ``None`` = none came in time.
        problem: why nobody could listen, if so.
    """

    health: Health | None = None
    problem: str = ""


def in_words(word: Word, serial: int) -> str:
    """For the engineer: what became of the settings with that serial."""
    if word.problem:
        return f"The node could not be asked: {word.problem}."
    if word.health is None:
        return (
            "The node does not report now: it is off, or without a network. It takes them when it is back. (If it does"
            " report: the broker lets the fleet listen after the next 'watchlink fleet renew-crl'.)"
        )
    report = word.health.settings
    if report is None or report.serial < serial:
        return "It does not have them yet. Central offers them every half minute; have the files been brought there?"
    state = "ending" if report.state == "trial" and report.reason else report.state
    said = _STATES.get(state, state).format(reason=display_text(report.reason, TEXT_CHARS_MAX))
    return said if report.serial == serial else f"Of newer ones, number {report.serial}, it says: {said}"


def ask_node(folder: FleetFolder, node: NodeRecord, within_s: float) -> Word:
    """Listen for the node's next health. Only what it has signed itself counts."""
    topic, key = str(UpTopic(node.id, Up.HEALTH)), PublicKey(bytes.fromhex(node.key))
    heard: queue.Queue[Word] = queue.Queue(WAITS_MAX)

    def take(_client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - paho's
        given = getattr(message.properties, "UserProperty", ())
        signature = next((value for name, value in given if name == "signature"), "")
        with contextlib.suppress(DecodeError, queue.Full):
            payload = bytes(message.payload)
            verify_message(key, topic, payload, signature)
            health = decode_message(payload, Health)
            if health.state != "lost":
                heard.put_nowait(Word(health))

    try:
        with _connected(folder, topic, take):
            return heard.get(timeout=within_s)
    except queue.Empty:
        return Word()
    except (OSError, FleetError) as e:
        return Word(problem=str(e))


@contextlib.contextmanager
def _connected(folder: FleetFolder, topic: str, take: mqtt.CallbackOnMessage) -> Iterator[None]:
    """Subscribed, under the name that proves revocations: the ACL lets it hear health, and nothing else."""
    broker = folder.record.broker
    certificate = issue_client_certificate(folder.issuer(SERVICES), PROOF_USER, now=folder.now(), life=PROOF_LIFE)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    with tempfile.TemporaryDirectory(prefix="watchlink-word-") as place:
        pem, secret = Path(place) / "client.pem", Path(place) / "client.key"
        pem.write_bytes(certificate.certificate_pem)
        secret.write_bytes(certificate.key_pem)
        client.tls_set_context(client_context(folder.layout.trusted, pem, secret, lambda _: None))

    def subscribe(*_: Any) -> None:  # noqa: ANN401 - paho's
        client.subscribe(topic)

    client.on_connect = subscribe
    client.on_message = take
    client.connect(broker.host, broker.port, clean_start=True)
    client.loop_start()
    try:
        yield
    finally:
        client.disconnect()
        client.loop_stop()
