"""``watchlink node radio-check``: what it says of missing parts, and that it never transmits unasked (N10, F6)."""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from node import radio_check as checking
from node.cli import main
from node.config import load_config
from node.core.air import BLOCK_BYTES, RATE_HZ
from node.core.radio.levels import level, ratio
from node.hw.radio.alsa import SoundDeviceError
from node.hw.radio.ptt import PttError
from node.hw.radio.ptt_guarded import GuardedPtt
from node.net.radio.over import silence
from node.radio_check import RadioCheck, RadioCheckOptions, tone
from node.step import Outcome, Step
from provisioning.fleet import Fleet, NewNode
from tests.support.sound_bench import SoundBench, be_patient

_SOUND = '[radio]\ndriver = "sound"\nlicence = "{licence}"\n'


def _noise(rms_dbfs: float) -> bytes:
    chance = random.Random(3)
    deviation = 32_768 * ratio(rms_dbfs)
    return array("h", (round(chance.gauss(0, deviation)) for _ in range(BLOCK_BYTES // 2))).tobytes()


QUIET, SPEECH = _noise(-72), _noise(-15)


def conversation(tick: int) -> bytes:
    """Half a second of speech in each second, for four seconds; then nobody."""
    return SPEECH if tick < 200 and tick // 25 % 2 else QUIET


@pytest.fixture
def file(tmp_path: Path) -> Path:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Boots $(touch x)", "High St", ["hart"], profile="fake")])
    return fleet.node_folder("00000010") / "node.toml"


def radio(file: Path, table: str) -> Path:
    """``file`` with that ``[radio]`` at its end, in place of whatever it had."""
    text = file.read_text().split("[radio]")[0]
    file.write_text(f"{text}\n{table}")
    return file


@dataclass
class FakeAudio:
    """A sound device that says a conversation, and remembers what it is given."""

    problem: str = ""
    source: Callable[[int], bytes] = conversation
    then: Callable[[int], bytes] = lambda _: QUIET
    refusal: str = ""
    played: list[bytes] = field(default_factory=list)
    deeds: list[str] = field(default_factory=list)

    def start(self, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]) -> None:
        if self.problem:
            raise SoundDeviceError(self.problem)
        self.on_block, self.on_failed = on_block, on_failed

    def told(self, text: str) -> None:
        """Say what somebody who waits for it would hear."""
        for tick in range(1_000):
            block = self.source(tick) if text.startswith("listening") else self.then(tick)
            if not block:
                self.on_failed("gone")
                return
            self.on_block(block)

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        if self.refusal:
            raise SoundDeviceError(self.refusal)
        self.deeds.append("play")
        self.played.append(samples)
        on_end("")

    def flush(self) -> None:
        self.deeds.append("flush")

    def close(self) -> None:
        self.deeds.append("closed")


@dataclass
class FakePtt:
    """A key that remembers."""

    deeds: list[str]
    problem: str = ""
    sticks: str = ""

    def key(self, max_ms: int) -> None:
        self.deeds.append("key")
        self.problem = self.sticks

    def unkey(self) -> None:
        if self.problem:
            raise PttError(self.problem)
        self.deeds.append("unkey")

    def close(self) -> None:
        self.deeds.append("let go")


def run(file: Path, audio: FakeAudio, ptt: FakePtt | None = None, *, transmit: bool = False) -> dict[str, Step]:
    """The steps with sound, by name."""
    check = RadioCheck(load_config(file, ""), RadioCheckOptions(4, is_transmitting=transmit), audio.told)
    parts = audio, ptt or FakePtt(audio.deeds)
    check._open = lambda: parts  # type: ignore[method-assign]
    return {step.name: step for step in check._with_sound()}


def test_radio_check_without_a_radio_says_so_and_is_not_good(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    radio(file, '[radio]\ndriver = "none"\n')
    assert main(["radio-check", "--config", str(file)]) == 1
    assert capsys.readouterr().out.startswith("BAD  radio: no radio is configured: alerts go by the network alone\n")


def test_radio_check_speaks_json_on_request(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    radio(file, '[radio]\ndriver = "none"\n')
    main(["radio-check", "--json", "--config", str(file)])
    assert json.loads(capsys.readouterr().out) == {
        "step": "radio",
        "outcome": "bad",
        "text": "no radio is configured: alerts go by the network alone",
        "advice": 'set driver under [radio] in node.toml to "sound" or "kiss-tnc"',
        "figures": {},
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_radio_check_by_somebody_else_than_the_node_leaves_nothing_behind(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What root had made, the node could not replace, and alerts would go without words."""
    radio(file, _SOUND.format(licence=""))
    state = load_config(file, "").state_dir
    state.mkdir(exist_ok=True)
    os.chown(state, 65_534, -1)
    assert main(["radio-check", "--config", str(file)]) == 1
    assert "sudo setpriv --reuid=nobody" in capsys.readouterr().out
    assert not (state / "phrases").exists()


@pytest.mark.parametrize("seconds", ["0", "x", "601", "-3"])
def test_radio_check_refuses_to_listen_for_no_time_or_for_ever(file: Path, seconds: str) -> None:
    with pytest.raises(SystemExit):
        main(["radio-check", "--seconds", seconds, "--config", str(file)])


def test_radio_check_that_is_all_good_listens_and_puts_the_key_off_only(file: Path) -> None:
    """N10: nothing is transmitted unless asked for."""
    audio = FakeAudio()
    steps = run(radio(file, _SOUND.format(licence="BR/1")), audio)
    assert {name: step.outcome for name, step in steps.items()} == {
        "sound": Outcome.OK,
        "input": Outcome.OK,
        "carrier": Outcome.OK,
        "key": Outcome.OK,
        "transmit": Outcome.NOT_DONE,
    }
    assert audio.deeds == ["unkey", "let go", "closed"]


def test_radio_check_never_transmits_without_a_licence(file: Path) -> None:
    """N10: transmit is off until a licence reference is configured, whatever is asked for."""
    audio = FakeAudio()
    steps = run(radio(file, _SOUND.format(licence="")), audio, transmit=True)
    assert steps["transmit"].outcome is Outcome.BAD
    assert "no licence reference" in steps["transmit"].text
    assert "key" not in audio.deeds
    assert audio.played == []


def test_radio_check_transmits_on_request_keyed_before_and_unkeyed_after(file: Path) -> None:
    audio = FakeAudio()
    steps = run(radio(file, _SOUND.format(licence="BR/1")), audio, transmit=True)
    assert steps["transmit"].outcome is Outcome.OK
    assert audio.deeds == ["unkey", "key", "play", "unkey", "let go", "closed"]
    (over,) = audio.played
    lead = over[: len(silence(350))]
    assert not any(lead)
    assert over[len(lead) :].startswith(tone(1_000))


def test_radio_check_does_not_talk_over_anybody(file: Path) -> None:
    """N10: a test waits for a clear channel, and gives up rather than break in."""
    audio = FakeAudio(then=lambda tick: SPEECH if tick // 10 % 2 else QUIET)
    steps = run(radio(file, _SOUND.format(licence="BR/1")), audio, transmit=True)
    assert steps["transmit"].outcome is Outcome.BAD
    assert "never clear" in steps["transmit"].text
    assert "key" not in audio.deeds


def test_radio_check_unkeys_when_the_sound_device_refuses(file: Path) -> None:
    audio = FakeAudio(refusal="the sound device does not run")
    steps = run(radio(file, _SOUND.format(licence="BR/1")), audio, transmit=True)
    assert steps["transmit"].text == "the sound device does not run"
    assert audio.deeds == ["unkey", "key", "unkey", "let go", "closed"]


def test_radio_check_whose_key_does_not_let_go_says_that_it_may_be_on(file: Path) -> None:
    """N10: whatever else went wrong, nobody is told that it is off."""
    audio = FakeAudio(refusal="the sound device does not run")
    ptt = FakePtt(audio.deeds, sticks="GPIO 12: stays high")
    steps = run(radio(file, _SOUND.format(licence="BR/1")), audio, ptt, transmit=True)
    assert steps["transmit"].outcome is Outcome.BAD
    assert steps["transmit"].text == "the transmit key may be ON: GPIO 12: stays high"
    assert "off" not in steps["transmit"].advice


def test_radio_check_with_a_key_that_does_not_move_goes_no_further(file: Path) -> None:
    audio = FakeAudio()
    ptt = FakePtt(audio.deeds, problem="GPIO 12 is held by another program")
    steps = run(radio(file, _SOUND.format(licence="BR/1")), audio, ptt, transmit=True)
    assert steps["key"].outcome is Outcome.BAD
    assert "transmit" not in steps
    assert audio.played == []


def test_radio_check_tells_whose_sound_device_it_is(file: Path) -> None:
    steps = run(radio(file, _SOUND.format(licence="")), FakeAudio('sound input "x" is in use by another program'))
    assert "systemctl stop watchlink-node" in steps["sound"].advice
    assert "input" not in steps
    assert steps["key"].outcome is Outcome.OK, "one missing part does not hide another"


def test_radio_check_lists_the_devices_that_are_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "device_names", lambda direction: ("plughw:CARD=Device,DEV=0",))
    steps = run(radio(file, _SOUND.format(licence="")), FakeAudio('no sound input named "x"'))
    assert steps["sound"].advice == "inputs: plughw:CARD=Device,DEV=0; outputs: plughw:CARD=Device,DEV=0"


def test_radio_check_says_when_the_device_goes_while_listening(file: Path) -> None:
    steps = run(radio(file, _SOUND.format(licence="")), FakeAudio(source=lambda tick: QUIET if tick < 50 else b""))
    assert "stopped while listening" in steps["input"].text


def test_radio_check_of_a_tnc_names_the_port_that_does_not_open(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    radio(file, '[radio]\ndriver = "kiss-tnc"\nlicence = "BR/1"\n[radio.tnc]\nport = "/dev/nothing-here"\n')
    assert main(["radio-check", "--config", str(file)]) == 1
    out = capsys.readouterr().out
    assert "ok   licence: transmits under BR/1" in out
    assert "BAD  tnc:" in out
    assert "/dev/nothing-here" in out


def test_radio_check_of_a_tnc_without_its_library_says_what_to_install(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    radio(file, '[radio]\ndriver = "kiss-tnc"\nlicence = "BR/1"\n')
    assert main(["radio-check", "--config", str(file)]) == 1
    assert "apt-get install python3-serial" in capsys.readouterr().out


def test_tone_is_as_high_as_a_burst_and_not_higher() -> None:
    assert level(tone(1_000)).peak_dbfs == pytest.approx(-6.0, abs=0.1)
    assert len(tone(1_000)) == 2 * RATE_HZ


@pytest.mark.integration
def test_radio_check_without_the_modem_says_what_to_install(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    radio(file, _SOUND.format(licence=""))
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["radio-check", "--config", str(file)]) == 1
    out = capsys.readouterr().out
    assert "BAD  modem: Dire Wolf cannot be run" in out
    assert "apt-get install direwolf" in out
    assert "BAD  sentences: espeak-ng is not installed" in out
    assert "BAD  sound: arecord is not installed" in out


@pytest.mark.integration
def test_radio_check_walks_the_whole_way_with_real_programs(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """N9, N10, F6: modem, sentences, sound device and key as on a Pi; the wires end at the test."""
    key = tmp_path / "hidraw"
    key.touch()
    bench = SoundBench(tmp_path)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(bench.configuration))
    monkeypatch.chdir(tmp_path)
    be_patient(monkeypatch)
    for name, value in {
        "_PROVEN_WITHIN_MS": 120_000,
        "_DECODED_WITHIN_MS": 120_000,
        "_PHRASES_WITHIN_S": 1_800.0,
        "_BLOCK_WITHIN_S": 60.0,
        "_OVER_MARGIN_S": 60.0,
    }.items():
        monkeypatch.setattr(checking, name, value)
    of_guard = GuardedPtt.__init__.__kwdefaults__
    assert of_guard is not None
    for name in ("answer_s", "start_s"):
        monkeypatch.setitem(of_guard, name, 60.0)
    radio(
        file,
        _SOUND.format(licence="BR/1")
        + '[radio.sound]\ninput = "radio_in"\noutput = "radio_out"\n'
        + f'[radio.ptt]\nmethod = "cm108"\nhidraw = "{key}"\n',
    )
    with bench.talking(conversation):
        status = main(["radio-check", "--json", "--transmit", "--seconds", "3", "--config", str(file)])
    steps = {step["step"]: step for step in map(json.loads, capsys.readouterr().out.splitlines())}
    bench.close()
    assert {name: step["outcome"] for name, step in steps.items() if step["outcome"] != "ok"} == {}
    assert status == 0
    assert [name for name in steps if name.startswith("loop")] == ["loop 1200-il2p", "loop 1200-fx25", "loop 300-il2p"]
    assert steps["transmit"]["figures"]["gaps"] == 0
    assert tone(1_000) in bench.played
    states = [state for state, _ in itertools.groupby(report[2:3] for report in _reports(key))]
    assert len(states) == 3, "off, keyed, off"
    assert states[0] == states[2]
    assert not (tmp_path / "x").exists(), "the premises is called Boots $(touch x)"


def _reports(key: Path) -> list[bytes]:
    """A CM108's HID reports, of five bytes each."""
    raw = key.read_bytes()
    return [raw[at : at + 5] for at in range(0, len(raw), 5)]
