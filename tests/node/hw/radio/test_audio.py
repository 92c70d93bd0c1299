"""The sound device, with ALSA's real programs on a device whose clock is the test (N8, N10, F6)."""

from __future__ import annotations

import gc
import os
import signal
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from node.core.air import BLOCK_BYTES
from node.hw.radio import alsa, audio
from node.hw.radio.alsa import SoundDeviceError
from node.hw.radio.audio import SILENCE_AHEAD_BYTES, SoundDevice
from tests.support.fleet_broker import wait_until
from tests.support.frozen_process import freeze
from tests.support.sound_bench import WITHIN_S, SoundBench, be_patient

pytestmark = pytest.mark.integration


def _block(value: int) -> bytes:
    return struct.pack("<h", value) * (BLOCK_BYTES // 2)


def _tone(blocks: int) -> bytes:
    """No two blocks alike, and no sample zero."""
    return b"".join(_block(1 + at) for at in range(blocks))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundBench]:
    bench = SoundBench(tmp_path)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(bench.configuration))
    be_patient(monkeypatch)
    yield bench
    bench.close()


@pytest.fixture
def device(bench: SoundBench) -> Iterator[SoundDevice]:
    device = SoundDevice("radio_in", "radio_out")
    bench.open(device)
    yield device
    device.close()


def _child(device: SoundDevice, direction: str) -> int:
    stream = device._stream
    assert stream is not None
    return next(program._process.pid for program in stream._programs if program.direction == direction)


def _stand_in(folder: Path, program: str, script: str) -> None:
    """A program of that name that behaves as hardware would make it."""
    file = folder / program
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_sound_device_hands_over_what_the_radio_says_block_by_block(bench: SoundBench, device: SoundDevice) -> None:
    said = [_block(value) for value in (7, -9, 32_767, -32_768)]
    assert [bench.pump(block) for block in said] == said


def test_sound_device_plays_an_over_whole_and_tells_its_end_only_after_the_last_sample(
    bench: SoundBench, device: SoundDevice
) -> None:
    """N10: unkeyed before the last sample has left, the burst would be cut off. Longer than any pipe, on purpose."""
    over = _tone(200)
    ends: list[tuple[str, bytes]] = []

    def ended(reason: str) -> None:
        bench.read()
        ends.append((reason, bench.played))

    device.play(over, ended)
    bench.pump_until(lambda: bool(ends))
    reason, played = ends[0]
    assert reason == ""
    assert played.lstrip(b"\0").startswith(over)
    for _ in range(10):
        bench.pump()
    assert len(ends) == 1
    assert bench.played.strip(b"\0") == over.strip(b"\0"), "and silence follows"
    assert device.figures().gaps == 0


def test_sound_device_starts_an_over_behind_no_more_than_its_own_buffers(
    bench: SoundBench, device: SoundDevice
) -> None:
    """Dead air before the burst is airtime and delay: at most the silence ahead, plus the device's ring."""
    bench.pump_until(lambda: bool(bench.played))
    for _ in range(20):
        bench.pump()
    before = len(bench.played)
    ends: list[str] = []
    device.play(_tone(10), ends.append)
    bench.pump_until(lambda: bool(ends))
    dead = bench.played[before:].index(b"\1\0") // BLOCK_BYTES
    ring_blocks = device.figures().ring_ms // 20
    assert ring_blocks == 4
    held_blocks = 1 + 4_096 // BLOCK_BYTES  # by the player, and by this bench's own pipe
    assert dead <= SILENCE_AHEAD_BYTES // BLOCK_BYTES + ring_blocks + held_blocks
    assert 0 < device.figures().start_ms <= 20 * (dead + ring_blocks + held_blocks)


def test_sound_device_stops_an_over_at_once_and_plays_the_next_one_whole(
    bench: SoundBench, device: SoundDevice
) -> None:
    """N10: what was flushed must not come out in front of the next over."""
    ends: list[str] = []
    device.play(_tone(150), ends.append)
    for _ in range(5):
        bench.pump()
    device.flush()
    assert ends == ["flushed"]
    flushed_at = len(bench.played)
    bench.pump_until(lambda: len(bench.played) >= flushed_at + 30 * BLOCK_BYTES)  # more than all buffers hold
    came_out = len(bench.played.strip(b"\0")) // BLOCK_BYTES
    assert came_out < 150 - 20
    device.flush()
    assert ends == ["flushed"]
    bench.played = b""
    following = _block(-5) * 30
    device.play(following, ends.append)
    bench.pump_until(lambda: len(ends) == 2)
    assert ends == ["flushed", ""]
    assert bench.played.strip(b"\0") == following


def test_sound_device_refuses_a_second_over_while_one_plays(bench: SoundBench, device: SoundDevice) -> None:
    ends: list[str] = []
    device.play(_tone(5), ends.append)
    with pytest.raises(SoundDeviceError, match="another over"):
        device.play(_tone(5), ends.append)
    bench.pump_until(lambda: bool(ends))
    assert ends == [""]


@pytest.mark.parametrize("direction", ["input", "output"])
def test_sound_device_that_is_lost_says_so_once_and_opens_again(
    bench: SoundBench, device: SoundDevice, direction: str
) -> None:
    """F5, N10: an over that was on its way has failed; nothing can be keyed until the device is back."""
    ends: list[str] = []
    device.play(_tone(150), ends.append)
    bench.pump()
    child = _child(device, direction)
    os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):  # the device has noticed before us
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    if direction == "output":
        bench.say()
    reason = bench.failures.get(timeout=WITHIN_S)
    assert f'sound {direction} "radio_{"in" if direction == "input" else "out"}"' in reason
    assert ends == [reason]
    with pytest.raises(SoundDeviceError, match="does not run"):
        device.play(_tone(1), ends.append)
    device.flush()
    while not bench.blocks.empty():
        bench.blocks.get_nowait()
    bench.open(device)
    assert bench.pump(_block(3)) == _block(3)
    assert bench.failures.empty()


def test_sound_device_that_takes_nothing_any_more_is_lost(
    bench: SoundBench, device: SoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped player looks alive. The recorder's clock tells."""
    monkeypatch.setattr(audio, "_STUCK_BLOCKS", 30)
    ends: list[str] = []
    device.play(_tone(150), ends.append)
    freeze(_child(device, "output"))
    # The radio talks on: a busy machine stops the player only after it has taken once more, and the count begins anew.
    with bench.talking(lambda _: bytes(BLOCK_BYTES)):
        assert bench.failures.get(timeout=WITHIN_S) == 'sound output "radio_out" has stopped taking sound'
    assert ends == ['sound output "radio_out" has stopped taking sound']


def test_sound_device_that_gives_nothing_any_more_is_lost(
    bench: SoundBench, device: SoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "_QUIET_MAX_MS", 50)
    bench.say()
    assert bench.failures.get(timeout=WITHIN_S) == 'sound input "radio_in" has stopped giving sound'


def test_sound_device_closed_in_the_middle_of_an_over_ends_it_and_its_programs(
    bench: SoundBench, device: SoundDevice
) -> None:
    ends: list[str] = []
    children = [_child(device, direction) for direction in ("input", "output")]
    device.play(_tone(150), ends.append)
    device.close()
    device.close()
    assert ends == ["the sound device was closed"]
    assert bench.failures.empty(), "nobody has to be told of what was asked for"
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_sound_device_leaves_no_thread_and_no_descriptor_behind(bench: SoundBench) -> None:
    def held() -> set[object]:
        return {*Path("/proc/self/fd").iterdir(), *threading.enumerate()}

    gc.collect()  # what tests before this one left behind; a thread of theirs may still end
    before = held()
    for _ in range(3):
        device = SoundDevice("radio_in", "radio_out")
        bench.open(device)
        device.close()
    with pytest.raises(SoundDeviceError):
        SoundDevice("radio_in", "nowhere").start(bench.blocks.put, bench.failures.put)
    gc.collect()
    assert set() == held() - before


@pytest.mark.parametrize("name", ["plughw:CARD=Gone", "nowhere"])
def test_sound_device_that_is_not_there_is_told_with_those_that_are(bench: SoundBench, name: str) -> None:
    with pytest.raises(SoundDeviceError) as told:
        SoundDevice("radio_in", name).start(bench.blocks.put, bench.failures.put)
    assert f'no sound output named "{name}"' in str(told.value)
    assert "radio_out" in str(told.value)


def test_sound_device_without_alsas_programs_names_the_package(
    bench: SoundBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(SoundDeviceError, match="apt-get install alsa-utils"):
        SoundDevice("radio_in", "radio_out").start(bench.blocks.put, bench.failures.put)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("audio open error: Device or resource busy", "is in use by another program"),
        ("audio open error: Permission denied", "Permission denied"),
    ],
)
def test_sound_device_that_cannot_be_opened_says_why(
    bench: SoundBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, told: str
) -> None:
    _stand_in(tmp_path, "aplay", f"echo 'ALSA lib pcm.c:1: noise' >&2; echo 'aplay: main:850: {words}' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SoundDeviceError, match=told):
        SoundDevice("radio_in", "radio_out").start(bench.blocks.put, bench.failures.put)


def test_sound_device_counts_the_gaps_of_an_over_and_the_longest_buffer(
    bench: SoundBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A mixer below may hold more than was asked for: the over ends only when that has drained as well."""
    setup = "".join(
        f"printf '  rate         : {rate}\\n  buffer_size  : {frames}\\n  boundary     : 1\\n' >&2\n"
        for rate, frames in ((44_100, 3_528), (48_000, 16_000))
    )
    _stand_in(
        tmp_path,
        "aplay",
        f"{setup}echo 'underrun!!! (at least 3.1 ms long)' >&2\nhead -c 20000 >/dev/null\n"
        "echo 'underrun!!! (at least 9.9 ms long)' >&2\nexec cat >/dev/null",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    device = SoundDevice("radio_in", "radio_out")
    bench.open(device)
    stream = device._stream
    assert stream is not None
    wait_until(lambda: stream._player.gaps == 1, "it has run dry")
    ends: list[str] = []
    ticks = 0
    device.play(_tone(20), ends.append)
    wait_until(lambda: stream._player.gaps == 2, "it has run dry in the over")
    while not ends and ticks < 200:
        bench.say()
        bench.blocks.get(timeout=WITHIN_S)
        wait_until(lambda: not stream._in_pipe(), "it has taken what there was")
        ticks += 1
    assert ends == [""]
    assert device.figures().ring_ms == 333
    assert ticks >= 333 // 40, "this player takes all that is there, two blocks at each tick"
    assert device.figures().gaps == 1, "the one before the over is nobody's loss"
    assert "ran dry 1 times" in caplog.text
    device.close()


def test_device_names_lists_cards_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    be_patient(monkeypatch)
    listing = "null\\n    Discard\\ndefault\\nplughw:CARD=Device,DEV=0\\n    USB PnP\\nhw:CARD=Device,DEV=0\\n"
    _stand_in(tmp_path, "arecord", f"printf '{listing}'")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert alsa.device_names("input") == ("plughw:CARD=Device,DEV=0", "default")
