"""The member that floods, with its own certificate and key.

``python -m demo.flood.flooder KIND FOLDER NODE FOLDER NODE HOST PORT SECONDS``: its own folder and id, and those of
another stolen unit, whose frames it claims to have heard by radio. Prints how much it sent. The exit status is 1 if the
broker never accepted it, so that nothing was flooded.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

from demo.flood.line import Line, publication
from wire.frames import Alert, encode
from wire.ids import NodeId, parse_node
from wire.kinds import AlertKind, Capability
from wire.messages import Health, RadioReport, Sync, encode_message
from wire.signing import SigningKey, sign_message
from wire.topics import FrameTopic, Up, UpTopic

AT_ONCE: Final = 64
"""Messages in one write."""
PACKET_IDS: Final = range(1, 65_536)
"""MQTT 5, section 2.2.1."""
_UPTIME_MS: Final = 60_000
_COUNTER: Final = itertools.count(int(time.time()))


class Thief:
    """The flooding member, with its certificate and key."""

    def __init__(self, folder: Path, node: str) -> None:
        self.folder = folder
        self.id: NodeId = parse_node(node)
        self.key = SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip()))

    def frames(self) -> Iterator[bytes]:
        """Attacks, each valid and new."""
        return (publication(str(FrameTopic("hart", self.id)), self.alert()) for _ in itertools.count())

    def confirmed_frames(self) -> Iterator[bytes]:
        """The same by QoS 1: the broker must answer each, and nobody reads the answers."""
        topic = str(FrameTopic("hart", self.id))
        return (publication(topic, self.alert(), packet_id=number) for number in itertools.cycle(PACKET_IDS))

    def junk(self) -> Iterator[bytes]:
        """The shortest possible messages, on the alerts' topic."""
        return itertools.repeat(publication(str(FrameTopic("hart", self.id)), b"j"))

    def relays(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        """Others' frames that it claims to have heard by radio, signed as by a relay."""
        return (self._signed(Up.HEARD, frame) for frame in frames)

    def health(self, radio: RadioReport | None = None) -> Iterator[bytes]:
        """Signed health reports, each of another run."""
        reports = (
            Health(state="armed", boot_id=f"b{n}", uptime_ms=_UPTIME_MS, radio=radio, speaks=tuple(Capability))
            for n in itertools.count()
        )
        return (self._signed(Up.HEALTH, encode_message(report)) for report in reports)

    def sync(self) -> Iterator[bytes]:
        """Signed syncs, each new."""
        questions = (Sync(boot_id="b", nonce=secrets.token_hex(16)) for _ in itertools.count())
        return (self._signed(Up.SYNC, encode_message(question)) for question in questions)

    def packets(self) -> Iterator[bytes]:
        """Packets of a megabyte each."""
        return itertools.repeat(publication(str(UpTopic(self.id, Up.HEALTH)), b"p" * 1_000_000))

    def nothing(self) -> Iterator[bytes]:
        """Nothing: it only connects and disconnects, again and again."""
        return iter(())

    def alert(self) -> bytes:
        """An attack, valid and new."""
        counter = next(_COUNTER)
        frame = Alert(self.id, counter, int(time.time()), kind=AlertKind.ATTACK, incident=counter, schemes=(1,))
        return encode(frame, self.key)

    def _signed(self, channel: Up, payload: bytes) -> bytes:
        topic = str(UpTopic(self.id, channel))
        return publication(topic, payload, sign_message(self.key, topic, payload))


KINDS: Final = MappingProxyType[str, Callable[[Thief, Thief], Iterator[bytes]]](
    {
        "valid attacks": lambda thief, _other: thief.frames(),
        "valid attacks, QoS 1": lambda thief, _other: thief.confirmed_frames(),
        "junk on the frame topic": lambda thief, _other: thief.junk(),
        "relayed frames": lambda thief, other: thief.relays(other.alert() for _ in itertools.count()),
        "health": lambda thief, _other: thief.health(),
        "syncs": lambda thief, _other: thief.sync(),
        "1 MB packets": lambda thief, _other: thief.packets(),
        "reconnects": lambda thief, _other: thief.nothing(),
    }
)


def main() -> int:
    """Flood until the time is up, reconnecting at once when dropped; returns 0 if the broker accepted us."""
    kind, folder, node, other_folder, other_node, host, port, seconds = sys.argv[1:]
    thief, other = Thief(Path(folder), node), Thief(Path(other_folder), other_node)
    until_s = time.monotonic() + float(seconds)
    sent = attempts = connections = 0
    while time.monotonic() < until_s:
        attempts += 1
        with contextlib.suppress(OSError), Line(host, int(port), Path(folder), node) as line:
            connections += 1
            said = KINDS[kind](thief, other)
            while (batch := b"".join(itertools.islice(said, AT_ONCE))) and time.monotonic() < until_s:
                line.send(batch)
                sent += len(batch)
    sys.stdout.write(f"{sent:,} bytes in {connections} connections, {attempts - connections} refused\n")
    return 0 if connections else 1


if __name__ == "__main__":
    sys.exit(main())
