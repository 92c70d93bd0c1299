"""The radio as ``node.toml`` configures it, whole but for the wires: modem, sound device, key, sentences (N9, N10)."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from node.config import load_config
from node.core.air import BLOCK_BYTES, BLOCK_MS, KEY_UP_MS, RATE_HZ, SPEECH_GAP_MS, Mode, Phrase
from node.core.events import Event, FrameReceived, OverEnded, OverStarted
from node.event_queue import EventQueue
from node.hw.radio.phrases import SpokenPhrases
from node.hw.radio.sentences import sentences
from node.net.radio.sound_modem import SoundModem
from node.radio_driver import open_radio
from provisioning.fleet import Fleet, NewNode
from tests.support.radio_rig import burst_of
from tests.support.sound_bench import SoundBench, be_patient

pytestmark = pytest.mark.integration

NODE = "00000010"
WITHIN_S = 300.0
MS_BYTES = 2 * RATE_HZ // 1000
_Kind = TypeVar("_Kind", bound=Event)


class Loudspeaker:
    """What the radio says: silence, and now and then something else."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()

    def say(self, sound: bytes) -> None:
        padded = sound.ljust(-(-len(sound) // BLOCK_BYTES) * BLOCK_BYTES, b"\0")
        self._waiting.extend(padded[at : at + BLOCK_BYTES] for at in range(0, len(padded), BLOCK_BYTES))

    def __call__(self, tick: int) -> bytes:
        return self._waiting.popleft() if self._waiting else bytes(BLOCK_BYTES)


class Loop:
    """The node's loop, as far as it waits."""

    def __init__(self) -> None:
        self.queue = EventQueue()

    def wait(self, kind: type[_Kind]) -> _Kind:
        end_s = time.monotonic() + WITHIN_S
        while time.monotonic() < end_s:
            found = self.queue.get(1_000)
            if found is not None and isinstance(found[0], kind):
                return found[0]
        raise AssertionError(f"no {kind.__name__}")


def _await(is_so: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_radio_on_a_sound_device_hears_sends_and_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    be_patient(monkeypatch)
    key = tmp_path / "hidraw"
    key.touch()
    bench = SoundBench(tmp_path)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(bench.configuration))
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Boots", "High St", ["hart"], profile="fake")])
    file = fleet.node_folder(NODE) / "node.toml"
    file.write_text(
        file.read_text().split("[radio]")[0]
        + '\n[radio]\ndriver = "sound"\nlicence = "BR/1"\n'
        + '[radio.sound]\ninput = "radio_in"\noutput = "radio_out"\n'
        + f'[radio.ptt]\nmethod = "cm108"\nhidraw = "{key}"\n'
    )
    config = load_config(file, "")
    said = sentences("Boots", "High St")
    book = SpokenPhrases(said, "en-gb", config.radio.phrase_dir)
    book.start()
    assert book.wait(WITHIN_S)
    loudspeaker, loop = Loudspeaker(), Loop()
    radio = open_radio(config, loop.queue)
    assert isinstance(radio, SoundModem)
    try:
        with bench.talking(loudspeaker):
            radio.start()
            _await(lambda: radio.is_ready)
            heard = os.urandom(89)
            loudspeaker.say(burst_of(heard))
            assert loop.wait(FrameReceived).data == heard

            bench.played = b""
            radio.transmit(1, (os.urandom(89),), Mode.IL2P_1200, Phrase.ATTACK)
            loop.wait(OverStarted)
            loop.wait(OverEnded)
            # The bench's own pipe is no part of the device: what it holds has left the device already.
            has_left = len(bench.played) + 4 * BLOCK_BYTES
            _await(lambda: len(bench.played) >= has_left)
            played = bench.played[:has_left]
    finally:
        radio.close()
        bench.close()

    sentence = book.samples(Phrase.ATTACK)
    assert sentence is not None
    assert played.rstrip(b"\0").endswith(sentence.rstrip(b"\0")), "unkeyed only after its last sample"
    bursts = played[: played.index(sentence)].strip(b"\0")
    assert 900 < len(bursts) / MS_BYTES < 1_000
    between = len(played[played.index(bursts) + len(bursts) : played.index(sentence)]) / MS_BYTES
    assert SPEECH_GAP_MS <= between < SPEECH_GAP_MS + 2 * BLOCK_MS
    keyed = [state for state, _ in itertools.groupby(report[2] for report in _reports(key))]
    assert [bool(state) for state in keyed] == [False, True, False]
    lead = len(played) - len(played.lstrip(b"\0"))
    assert KEY_UP_MS <= lead / MS_BYTES


def _reports(key: Path) -> list[bytes]:
    """A CM108's HID reports, of five bytes each."""
    raw = key.read_bytes()
    return [raw[at : at + 5] for at in range(0, len(raw), 5)]
