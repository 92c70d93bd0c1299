"""Dire Wolf as a codec (N8, N9): what its bursts take, and what becomes of it when something ends or hangs."""

from __future__ import annotations

import gc
import itertools
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from node.core.air import BLOCK_BYTES, LADDER, RATE_HZ, Mode, burst_ms
from node.net.radio import codec
from node.net.radio.codec import Codec
from node.net.radio.direwolf import MODEMS, DireWolf
from node.net.radio.errors import CodecError, EncodeStopped
from node.net.radio.kiss import Command, encode_kiss
from tests.support.frozen_process import freeze
from tests.support.radio_rig import NODES, await_so
from wire.limits import FRAME_BYTES_MAX

pytestmark = pytest.mark.integration

SILENCE = bytes(BLOCK_BYTES)
BURST_MS_MAX = 1_000


class Workbench:
    """A codec, kept alive by whoever waits, and what it said."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.rejected: list[str] = []
        self.codec = Codec(NODES[0], self.frames.append, self.rejected.append)

    def step(self) -> None:
        self.codec.step(time.monotonic_ns() // 1_000_000, is_quiet=True)
        self.codec.collect()

    def wait(self, is_so: Callable[[], bool]) -> None:
        def has_come() -> bool:
            self.step()
            return is_so()

        await_so(has_come)

    def wait_proven(self) -> None:
        self.wait(lambda: self.codec.is_proven and not self.codec.problems)

    def wait_idle(self, mode: Mode) -> None:
        """Until the probe's audio would have been sent."""
        child = self.codec._slots[mode].child
        assert child is not None
        await_so(lambda: time.monotonic_ns() // 1_000_000 > child.busy_until_ms)

    def encode(self, mode: Mode, *frames: bytes) -> bytes:
        return self.codec.encode(mode, frames, lambda: False)


@pytest.fixture
def bench() -> Iterator[Workbench]:
    bench = Workbench()
    bench.wait_proven()
    yield bench
    bench.codec.close()


def has_heard(bench: Workbench, frame: bytes) -> bool:
    return frame in bench.frames


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # It may end while it is looked at.
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_bursts_are_as_long_as_the_core_plans_them(bench: Workbench) -> None:
    for mode in LADDER:
        for length in (79, 89, FRAME_BYTES_MAX):
            samples = bench.encode(mode, os.urandom(length))

            assert len(samples) * 1000 / (2 * RATE_HZ) == pytest.approx(burst_ms(mode, length), abs=5)


def test_longest_frame_takes_a_second_at_most(bench: Workbench) -> None:
    samples = bench.encode(Mode.IL2P_1200, bytes(FRAME_BYTES_MAX))

    assert len(samples) * 1000 / (2 * RATE_HZ) <= BURST_MS_MAX


def test_codec_hears_every_mode_it_sends_once(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine a modem may be seconds behind the other, as on the air it never is.
    monkeypatch.setattr(codec, "_ECHO_MS", 60_000)
    sent = [os.urandom(FRAME_BYTES_MAX) for _ in LADDER]
    for mode, frame in zip(LADDER, sent, strict=True):
        samples = 2 * (bench.encode(mode, frame) + 5 * SILENCE)
        for at in range(0, len(samples), BLOCK_BYTES):
            bench.codec.feed(samples[at : at + BLOCK_BYTES])
            time.sleep(0.006)  # three times as fast as on the air
        bench.wait(partial(has_heard, bench, frame))

    bench.codec.feed(5 * SILENCE)
    bench.step()
    assert sent == bench.frames


def test_encoder_that_hangs_is_replaced_within_the_same_over(bench: Workbench) -> None:
    pid = bench.codec.pids[Mode.IL2P_1200]
    bench.wait_idle(Mode.IL2P_1200)
    freeze(pid)
    samples = bench.encode(Mode.IL2P_1200, b"x" * 89)

    assert samples
    assert not is_alive(pid)
    assert "gave 0 of" in "".join(bench.codec.problems)
    bench.wait_proven()


def test_encoder_that_is_dead_is_replaced_within_the_same_over(bench: Workbench) -> None:
    os.kill(bench.codec.pids[Mode.IL2P_300], signal.SIGKILL)

    assert bench.encode(Mode.IL2P_300, b"x" * 89)


def test_encoding_that_is_not_wanted_any_more_stops(bench: Workbench) -> None:
    bench.wait_idle(Mode.IL2P_1200)
    freeze(bench.codec.pids[Mode.IL2P_1200])
    asked = itertools.count()
    with pytest.raises(EncodeStopped):
        bench.codec.encode(Mode.IL2P_1200, (b"x" * 89,), lambda: next(asked) > 2)

    # It was not waited for until it counted as hung.
    assert "gave 0 of" not in "".join(bench.codec.problems)


def test_children_that_die_are_told_and_started_again(bench: Workbench) -> None:
    before = bench.codec.pids
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    bench.wait(lambda: bench.codec.problem is not None)
    problem = bench.codec.problem
    bench.wait_proven()

    assert "signal 9" in (problem or "")
    assert set(before.values()).isdisjoint(bench.codec.pids.values())


def test_receiver_that_hangs_is_started_again(bench: Workbench) -> None:
    pid = bench.codec.pids[Mode.IL2P_1200]
    freeze(pid)

    def is_noticed() -> bool:
        bench.codec.feed(50 * SILENCE)
        return "stopped to listen" in "".join(bench.codec.problems)

    bench.wait(is_noticed)
    bench.wait_proven()

    assert not is_alive(pid)


def test_codec_without_dire_wolf_says_so_and_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    bench = Workbench()
    bench.step()

    assert "not installed" in (bench.codec.problem or "")
    with pytest.raises(CodecError, match="not installed"):
        bench.encode(Mode.IL2P_1200, b"x")
    bench.codec.close()


def test_noise_is_no_frame_and_costs_no_memory(bench: Workbench) -> None:
    noise = random.Random(1)
    second = array("h", (noise.randint(-20_000, 20_000) for _ in range(RATE_HZ))).tobytes()
    blocks = [second[at : at + BLOCK_BYTES] for at in range(0, len(second), BLOCK_BYTES)]

    def hear(seconds: int) -> None:
        for _ in range(seconds):
            for block in blocks:
                bench.codec.feed(block)
                time.sleep(0.001)
            bench.step()

    def resident_bytes() -> int:
        pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in bench.codec.pids.values()]
        return sum(map(int, pages)) * resource.getpagesize()

    hear(10)
    gc.collect()
    before = resident_bytes()
    hear(50)

    assert bench.frames == []
    assert resident_bytes() - before < 1 << 20
    # They have listened to all of it, and still do.
    frame = os.urandom(FRAME_BYTES_MAX)
    samples = bench.encode(Mode.IL2P_1200, frame) + 5 * SILENCE
    for at in range(0, len(samples), BLOCK_BYTES):
        bench.codec.feed(samples[at : at + BLOCK_BYTES])
        time.sleep(0.006)
    bench.wait(partial(has_heard, bench, frame))


def test_children_have_no_port_open(bench: Workbench) -> None:
    for pid in bench.codec.pids.values():
        ends = [str(end.readlink()) for end in Path(f"/proc/{pid}/fd").iterdir()]

        assert not [end for end in ends if end.startswith("socket:")]


def test_children_end_with_a_program_that_is_killed() -> None:
    """Kill -9 leaves no orphan."""
    code = """
import sys, time
from tests.integration.test_radio_modems import Workbench
bench = Workbench()
bench.wait_proven()
print(*bench.codec.pids.values(), flush=True)
time.sleep(60)
"""
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    pids = [int(pid) for pid in program.stdout.readline().split()]
    program.kill()
    program.wait()
    program.stdout.close()

    assert len(pids) == len(LADDER)
    await_so(lambda: not any(map(is_alive, pids)))


def test_malformed_kiss_from_a_child_is_dropped_and_counted() -> None:
    child = DireWolf(MODEMS[0])
    try:
        child.await_listening(lambda: False)
        garbage = b"\xc0\x00\xdb!" + os.urandom(400).replace(b"\xc0", b"") + b"\xc0\xc0\x5cother port\xc0"
        # Written at its end of the line, as if it came from the child.
        os.write(child._terminal, garbage + encode_kiss(Command.DATA, b"whole"))
        frames = child.wait_received(60_000)

        assert [b"whole"] == frames
        assert child.dropped_frames >= 1
    finally:
        child.close()
