"""The broker's own log, which shows who was sent a message and who has confirmed it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

TELLS_OF_RELOADS: Final = "log_type information\n"
"""A line of Mosquitto's configuration: it logs that it rereads its rules."""
IN_FULL: Final = "log_type debug\n" + TELLS_OF_RELOADS
"""Every packet, too."""
REREADS: Final = "Reloading config."
"""In a line that it writes just before: whatever it takes after that line goes by the new rules."""
_PACKET: Final = re.compile(
    r"(?P<what>Received|Denied|Sending) PUBLISH (?:from|to) (?P<client>\S+)"
    r" \(d\d, q\d, r\d, m(?P<number>\d+), '(?P<topic>[^']*)'"
)
_CONFIRMED: Final = re.compile(r"Received PUBACK from (?P<client>\S+) \(Mid: (?P<number>\d+),")


class BrokerLog:
    """The growing log file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = path.stat().st_size if path.exists() else 0

    def lines(self) -> list[str]:
        """Whole lines written since the last call."""
        with self._path.open("rb") as log:
            log.seek(self._read_bytes)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        return whole.decode(errors="replace").splitlines()


class Handing:
    """One message's delivery by the broker.

    Attributes:
        is_denied: the broker's rules forbid it to its sender.
        has: clients whose programs have it: a client confirms a message after passing it on.
    """

    def __init__(self, sender: str, topic: str) -> None:
        self.is_denied = False
        self.has: set[str] = set()
        self._sender = sender
        self._topic = topic
        self._is_taken = False
        self._on_its_way: dict[str, str] = {}

    def take(self, line: str) -> None:
        """Take the next line logged after it was published."""
        if (confirmed := _CONFIRMED.search(line)) is not None:
            client, number = confirmed["client"], confirmed["number"]
            if self._on_its_way.get(client) == number:
                self.has.add(client)
            return
        packet = _PACKET.search(line)
        if packet is None or packet["topic"] != self._topic:
            return
        if packet["what"] == "Sending":
            if self._is_taken:
                self._on_its_way.setdefault(packet["client"], packet["number"])
        elif packet["client"] == self._sender:
            self._is_taken = True
            self.is_denied = packet["what"] == "Denied"
