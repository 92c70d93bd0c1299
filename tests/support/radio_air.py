"""Radios that hear one another: sound device and key of each in one object, and a thread that is their air."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable
from itertools import pairwise

from node.core.air import BLOCK_BYTES, BLOCK_MS

SILENCE = bytes(BLOCK_BYTES)


class AirRadio:
    """``AudioPort`` and ``PttPort`` on an :class:`Air`.

    Attributes:
        is_keyed: its key is down; keyed_count: how often it was.
        sent, sent_unkeyed: what it has played, with the key down and without.
        max_ms: what the key's guard was asked for.
        calls: of its methods, in order.
        key_problem, unkey_problem, start_problem, play_problem: raised as ``OSError``.
        is_stuck: plays nothing and never ends.
    """

    def __init__(self, air: Air) -> None:
        self.is_keyed = False
        self.keyed_count = 0
        self.sent = bytearray()
        self.sent_unkeyed = bytearray()
        self.key_problem = self.unkey_problem = self.start_problem = self.play_problem = ""
        self.is_stuck = False
        self.max_ms: list[int] = []
        self.calls: list[str] = []
        self._air = air
        self._lock = threading.RLock()
        self._on_block: Callable[[bytes], None] | None = None
        self._on_failed: Callable[[str], None] | None = None
        self._playing: tuple[bytes, int, Callable[[str], None]] | None = None

    # AudioPort

    def start(self, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]) -> None:
        if self.start_problem:
            raise OSError(self.start_problem)
        with self._lock:
            self.calls.append("start")
            self._on_block, self._on_failed = on_block, on_failed

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        if self.play_problem:
            raise OSError(self.play_problem)
        with self._lock:
            assert self._playing is None
            self.calls.append("play")
            self._playing = (samples, 0, on_end)

    def flush(self) -> None:
        with self._lock:
            self.calls.append("flush")
            playing, self._playing = self._playing, None
        if playing is not None:
            playing[2]("flushed")

    def close(self) -> None:
        with self._lock:
            self.calls.append("close")
            self.is_keyed = False
            self._on_block = self._on_failed = None
            self._playing = None

    # PttPort

    def key(self, max_ms: int) -> None:
        with self._lock:
            self.calls.append("key")
            self.max_ms.append(max_ms)
            if self.key_problem:
                raise OSError(self.key_problem)
            self.is_keyed = True
            self.keyed_count += 1

    def unkey(self) -> None:
        with self._lock:
            self.calls.append("unkey")
            if self.unkey_problem:
                raise OSError(self.unkey_problem)
            self.is_keyed = False

    # the air

    def fail(self, detail: str) -> None:
        """The device is pulled."""
        with self._lock:
            playing, self._playing = self._playing, None
            on_failed, self._on_failed, self._on_block = self._on_failed, None, None
        if playing is not None:
            playing[2](detail)
        if on_failed is not None:
            on_failed(detail)

    def forget_playing(self) -> None:
        """What plays ends without a word."""
        with self._lock:
            self._playing = None

    def next_block(self) -> bytes | None:
        """What it puts on the air in this tick; ``None`` = it is not keyed."""
        ended = None
        with self._lock:
            block = SILENCE
            if self._playing is not None and not self.is_stuck:
                samples, at, on_end = self._playing
                block = samples[at : at + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\0")
                self._playing = (samples, at + BLOCK_BYTES, on_end)
                if at + BLOCK_BYTES >= len(samples):
                    ended, self._playing = on_end, None
                (self.sent if self.is_keyed else self.sent_unkeyed).extend(block)
            is_keyed = self.is_keyed
        if ended is not None:
            ended("")
        return block if is_keyed else None

    def hear(self, block: bytes) -> None:
        """One tick's received block."""
        with self._lock:
            on_block = self._on_block
        if on_block is not None:
            on_block(block)


class Air:
    """Everybody hears the sum of everybody else, ``speed`` times as fast as on a real channel.

    Attributes:
        speed: as it is now.
        voice: blocks that a stranger's radio sends next, heard by all.
    """

    def __init__(self, radio_count: int, speed: float = 4.0) -> None:
        self.radios = [AirRadio(self) for _ in range(radio_count)]
        self.voice: list[bytes] = []
        self.blocks = 0
        self.speed = speed
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="air", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()

    def say(self, samples: bytes) -> None:
        """Somebody else speaks."""
        steps = pairwise([*range(0, len(samples), BLOCK_BYTES), len(samples)])
        self.voice.extend(samples[start:end].ljust(BLOCK_BYTES, b"\0") for start, end in steps)

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._is_over.is_set():
            # Held up, it is not made good: modems would get more at once than they can take.
            due_s = max(due_s + BLOCK_MS / 1000 / self.speed, time.monotonic())
            self._is_over.wait(max(0.0, due_s - time.monotonic()))
            self.blocks += 1
            sent = [radio.next_block() for radio in self.radios]
            voice = self.voice.pop(0) if self.voice else None
            for number, radio in enumerate(self.radios):
                # A radio that transmits hears nothing.
                others = [] if sent[number] is not None else [b for n, b in enumerate(sent) if n != number]
                radio.hear(_sum([b for b in (*others, voice) if b is not None]))


def _sum(blocks: list[bytes]) -> bytes:
    if not blocks:
        return SILENCE
    if len(blocks) == 1:
        return blocks[0]
    sums = map(sum, zip(*(array("h", block) for block in blocks), strict=True))
    return array("h", (max(-32768, min(32767, height)) for height in sums)).tobytes()
