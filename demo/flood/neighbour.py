"""An honest member that presses again and again: ``python -m demo.flood.neighbour FOLDER NODE HOST PORT``.

Prints ``ready``, then a line for each receipted press: when it was pressed and how many milliseconds later the receipt
came, by the machine's monotonic clock. Repeats a press every two seconds, as a node does. Ends when its standard input
ends, once every press is receipted or 25 s old, and prints how many were not.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from wire.errors import DecodeError
from wire.frames import Alert, DigestReceipt, Receipt, decode, encode
from wire.ids import parse_node
from wire.kinds import AlertKind
from wire.signing import SigningKey
from wire.topics import Down, DownTopic, FrameTopic

PRESS_EVERY_S: Final = 0.25
REPEAT_AFTER_S: Final = 2.0
LOST_AFTER_S: Final = 25.0


class Neighbour:
    """The member's certificate, key and presses."""

    def __init__(self, folder: Path, node: str, host: str, port: int) -> None:
        self._id = parse_node(node)
        self._key = SigningKey(bytes.fromhex((folder / "signing.key").read_text().strip()))
        self._counter = self._first = int(time.time())
        self._lock = threading.Lock()
        # By counter: when it was pressed, when it was last sent, its bytes.
        self._open: dict[int, tuple[float, float, bytes]] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=node, protocol=mqtt.MQTTv5)
        self._client.tls_set(str(folder / "ca.pem"), str(folder / "client.pem"), str(folder / "client.key"))
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: say("ready")
        self._client.on_message = lambda _client, _data, message: self._take(bytes(message.payload))
        self._client.on_socket_open = _send_at_once
        self._client.connect(host, port)
        self._client.loop_start()

    def press(self) -> None:
        """Press once more, in the same incident."""
        self._counter += 1
        frame = Alert(
            self._id,
            self._counter,
            int(time.time()),
            kind=AlertKind.ASSIST,
            incident=self._first + 1,
            schemes=(1,),
        )
        self._send(self._counter, encode(frame, self._key), time.monotonic())

    def repeat(self) -> int:
        """Resend what is due; returns how many were given up as lost."""
        now_s, lost = time.monotonic(), 0
        with self._lock:
            waiting = list(self._open.items())
        for counter, (pressed_s, sent_s, data) in waiting:
            if now_s - pressed_s > LOST_AFTER_S:
                with self._lock:
                    lost += self._open.pop(counter, None) is not None
            elif now_s - sent_s > REPEAT_AFTER_S:
                self._send(counter, data, pressed_s)
        return lost

    @property
    def is_all_receipted(self) -> bool:
        """Whether every press has its receipt."""
        return not self._open

    def _subscribe(self, *_: object) -> None:
        self._client.subscribe(str(DownTopic(self._id, Down.RECEIPT)))

    def _send(self, counter: int, data: bytes, pressed_s: float) -> None:
        with self._lock:
            self._open[counter] = (pressed_s, time.monotonic(), data)
        self._client.publish(str(FrameTopic("hart", self._id)), data, qos=1)

    def _take(self, payload: bytes) -> None:
        now_s = time.monotonic()
        try:
            frame = decode(payload).frame
        except DecodeError:
            return
        if isinstance(frame, Receipt | DigestReceipt):
            with self._lock:
                known = self._open.pop(frame.target.counter, None)
            if known is not None:
                say(f"{known[0]:.6f} {(now_s - known[0]) * 1000:.3f}")


def _send_at_once(_client: mqtt.Client, _data: object, sock: mqtt.SocketLike) -> None:
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Press until standard input ends."""
    folder, node, host, port = sys.argv[1:]
    has_ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        has_ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    neighbour = Neighbour(Path(folder), node, host, int(port))
    lost = 0
    while not has_ended.wait(PRESS_EVERY_S):
        neighbour.press()
        lost += neighbour.repeat()
    while not neighbour.is_all_receipted:
        lost += neighbour.repeat()
        time.sleep(0.1)
    say(f"lost {lost}")


if __name__ == "__main__":
    main()
