"""A sound device whose clock is the test: ALSA's own ``file`` plugin between two named pipes.

What the test writes is what the radio's loudspeaker says, block by block; what the device plays is read back exactly.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import queue
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from node.core.air import BLOCK_BYTES, BLOCK_MS
from node.hw.radio import alsa, audio
from node.hw.radio.audio import SoundDevice

_F_SETPIPE_SZ = 1031
WITHIN_S = 60.0
_CONFIGURATION = """</usr/share/alsa/alsa.conf>
pcm.radio_in {{ type file file "/dev/null" infile "{folder}/in" format raw slave.pcm {{ type null }} }}
pcm.radio_out {{ type file file "{folder}/out" format raw slave.pcm {{ type null }} }}
"""


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the device wait long: on a busy machine ALSA's programs, and this one, may stand still for seconds."""
    for name in ("_LIST_WITHIN_S", "_END_WITHIN_S"):
        monkeypatch.setattr(alsa, name, WITHIN_S)
    monkeypatch.setattr(audio, "_JOIN_S", WITHIN_S)
    for name in ("_OPEN_WITHIN_MS", "_QUIET_MAX_MS", "_STUCK_BLOCKS"):
        monkeypatch.setattr(audio, name, 1_000 * int(WITHIN_S))


class SoundBench:
    """Both ends of the two pipes."""

    def __init__(self, folder: Path) -> None:
        self.configuration = folder / "asound.conf"
        self.configuration.write_text(_CONFIGURATION.format(folder=folder))
        for name in ("in", "out"):
            os.mkfifo(folder / name)
        self._in = os.open(folder / "in", os.O_RDWR)
        self._out = os.open(folder / "out", os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._out, _F_SETPIPE_SZ, 4_096)  # so that the device takes no more than is read of it
        self.blocks: queue.Queue[bytes] = queue.Queue()
        self.failures: queue.Queue[str] = queue.Queue()
        self.played = b""

    def say(self, block: bytes = bytes(BLOCK_BYTES)) -> None:
        """The radio's loudspeaker says a block: one tick of the device's clock."""
        with suppress(BlockingIOError):
            os.write(self._in, block)

    def pump(self, block: bytes = bytes(BLOCK_BYTES)) -> bytes:
        """One tick, the whole way: returns the block as the node received it."""
        self.say(block)
        received = self.blocks.get(timeout=WITHIN_S)
        # Once its buffers are full the device gives out a block for each that it takes.
        select.select([self._out], [], [], 1.0 if self.played else 0.02)
        self.read(BLOCK_BYTES)
        return received

    def pump_until(self, is_true: Callable[[], bool], ticks: int = 1_000) -> None:
        """Tick until it is true; then read what has left the device and still lies in the bench's own pipe."""
        for _ in range(ticks):
            if is_true():
                self.read()
                return
            self.pump()
        raise TimeoutError("it has not happened")

    def read(self, count: int = 1 << 20) -> None:
        with suppress(BlockingIOError):
            self.played += os.read(self._out, count)

    def open(self, device: SoundDevice) -> None:
        """Start it while the loudspeaker is silent, as a real one is."""
        self.played = b""
        self.say()
        device.start(self.blocks.put, self.failures.put)
        self.blocks.get(timeout=WITHIN_S)

    @contextmanager
    def talking(self, source: Callable[[int], bytes]) -> Iterator[None]:
        """Let the loudspeaker say ``source(tick)`` for ever, and record what is played, while somebody else listens.

        As fast as a real one, and no faster: modems keep up with that only.
        """
        is_over = threading.Event()

        def talk() -> None:
            due_s = time.monotonic()
            for tick in itertools.count():
                if is_over.wait(max(0.0, due_s - time.monotonic())):
                    return
                self.say(source(tick))  # waits while nobody listens, which is not made up for
                self.read(BLOCK_BYTES)
                due_s = max(due_s + BLOCK_MS / 1000, time.monotonic())

        talker = threading.Thread(target=talk, name="loudspeaker")
        talker.start()
        try:
            yield
        finally:
            is_over.set()
            with suppress(BlockingIOError):  # nobody listens any more, and it may wait for somebody who does
                os.set_blocking(self._in, False)
                os.read(self._in, 1 << 20)
            talker.join(WITHIN_S)

    def close(self) -> None:
        os.close(self._in)
        os.close(self._out)
