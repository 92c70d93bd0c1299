"""The node as a real process with the fake board, its facts, and a stand-in for central that signs receipts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from node.hw.fake_board_client import FakeBoardClient
from provisioning.fleet import Fleet
from tests.support.fleet_broker import DEADLINE_S, Listener, wait_until
from wire.frames import Alert, DigestReceipt, Frame, SignedFrame, decode, encode, frame_digest
from wire.ids import CENTRAL, NodeId
from wire.messages import CentralStatus, Health, Sync, SyncAnswer, decode_message, encode_message
from wire.signing import SigningKey, sign_message
from wire.topics import ALL_FRAMES, ALL_UP, CentralTopic, Down, DownTopic, FrameTopic, Up, UpTopic, parse_topic


class NodeProcess:
    """``watchlink node`` and the board in front of it. Ended by its own pid."""

    def __init__(self, folder: Path, *, wait_until_armed: bool = True, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.facts: list[dict[str, Any]] = []
        self._is_reading = True
        self._has_read_all = False
        self._changed = threading.Condition()
        self._log = (folder / "log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "watchlink.cli", "node", "--config", str(folder / "node.toml")],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(env or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.board: FakeBoardClient | None = None
        if wait_until_armed:
            self.wait_for_fact("armed")
            self.open_board()

    def open_board(self) -> FakeBoardClient:
        self.board = FakeBoardClient(self.folder / "board.sock", connect_timeout_s=DEADLINE_S)
        return self.board

    def press(self, button: str) -> None:
        """Hold the button until the node calls it a press: on a busy machine a fixed time may pass in one gulp."""
        count = sum(fact["fact"] == "pressed" for fact in self.facts)
        self.put(button, "low")
        self.wait_for_fact("pressed", count + 1)
        self.put(button, "high")

    def put(self, button: str, level: str) -> None:
        """Its line to that level."""
        assert self.board
        self.board.set_level(button, level)

    def wait_for_face(self, face: str) -> None:
        assert self.board
        self.board.wait_for_face(face, timeout_s=DEADLINE_S)

    def wait_for_fact(self, fact: str, count: int = 1, **details: object) -> dict[str, Any]:
        """The ``count``-th fact of that name with those details."""

        def found() -> list[dict[str, Any]]:
            return [f for f in self.facts if f["fact"] == fact and details.items() <= f.items()]

        def is_over() -> bool:
            return len(found()) >= count or self._has_read_all  # It may have ended, and its last words be unread.

        with self._changed:
            if not self._changed.wait_for(is_over, DEADLINE_S):
                raise TimeoutError(f"no {fact} {details} among {self.facts}")
            assert len(found()) >= count, (fact, details, self.facts, self.log()[-2000:])
            return found()[count - 1]

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def stop_reading(self) -> None:
        """Close our end of its standard output."""
        assert self.process.stdout
        # Closing under a blocked reader waits for the next line, so the reader closes it itself.
        self._is_reading = False

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        return self._end(number)

    def _end(self, number: int) -> int:
        if self.board:
            self.board.close()
            self.board = None
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        if self.process.stdout:
            self.process.stdout.close()
        self._log.close()
        return status

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._changed:
                self.facts.append(json.loads(line))
                self._changed.notify_all()
            if not self._is_reading:
                self.process.stdout.close()
                break
        with self._changed:
            self._has_read_all = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


class CentralStandIn:
    """Central as a node sees it: takes frames and reports, and answers when it is told to.

    From its first status on it also answers syncs.
    """

    def __init__(self, fleet: Fleet, port: int) -> None:
        self._listener = Listener(port, fleet.layout.central)
        self._key = SigningKey(bytes.fromhex((fleet.layout.central / "signing.key").read_text()))
        self._counter = int(time.time())
        self._sequence = 0
        self._is_answering = False
        self.speaks: tuple[str, ...] = ()
        self._asked: dict[str, tuple[NodeId, str]] = {}
        self._listener.on_arrival = self._arrived
        for topic in (ALL_FRAMES, ALL_UP):
            self._listener.subscribe(topic)

    def frames(self) -> list[SignedFrame]:
        return [decode(p) for t, p in list(self._listener.received) if isinstance(parse_topic(t), FrameTopic)]

    def alerts(self) -> list[SignedFrame]:
        return [signed for signed in self.frames() if isinstance(signed.frame, Alert)]

    def health(self, node: NodeId) -> list[Health]:
        topic = str(UpTopic(node, Up.HEALTH))
        return [decode_message(p, Health) for t, p in list(self._listener.received) if t == topic]

    def say(self, topic: str, payload: bytes) -> None:
        self._listener.publish(topic, payload)

    def receipt(self, frame: Frame, *, signed_by: SigningKey | None = None) -> None:
        self._counter += 1
        digest = frame_digest(next(signed.data for signed in self.frames() if signed.frame.id == frame.id))
        receipt = DigestReceipt(CENTRAL, self._counter, int(time.time()), frame.id, digest)
        self.say(str(DownTopic(frame.sender, Down.RECEIPT)), encode(receipt, signed_by or self._key))

    def status(self, scheme: str) -> None:
        self._is_answering = True
        for node, nonce in self._asked.values():
            self._answer(node, nonce)
        self._asked.clear()
        now = datetime.now(UTC)
        status = CentralStatus(
            boot_id="stand-in",
            at=now,
            expires_at=now + timedelta(seconds=30),
            on_duty=("cctv",),
            sequence=self._next_sequence(),
        )
        self._say_signed(str(CentralTopic(scheme)), encode_message(status))

    def _arrived(self, topic_text: str, payload: bytes) -> None:
        topic = parse_topic(topic_text)
        if not (isinstance(topic, UpTopic) and topic.channel is Up.SYNC):
            return
        nonce = decode_message(payload, Sync).nonce
        if self._is_answering:
            self._answer(topic.node, nonce)
        else:
            self._asked[topic_text] = (topic.node, nonce)

    def _answer(self, node: NodeId, nonce: str) -> None:
        answer = SyncAnswer(
            boot_id="stand-in",
            counter_floor=0,
            nonce=nonce,
            at=datetime.now(UTC),
            sequence=self._next_sequence(),
            speaks=self.speaks,
        )
        self._say_signed(str(DownTopic(node, Down.SYNC)), encode_message(answer))

    def _say_signed(self, topic: str, payload: bytes) -> None:
        self._listener.send(topic, payload, sign_message(self._key, topic, payload))

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(condition, what)

    def close(self) -> None:
        self._listener.close()
