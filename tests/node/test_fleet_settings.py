"""Settings from the fleet on the node's disk and over its own file (ADR 0032)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.config import NodeConfig, load_config
from node.core.air import Phrase
from node.core.trial import CUT_SHORT, Before, Kept, Settled
from node.fleet_settings import FILE
from node.hw.radio.unkey import configured_lines
from node.radio_config import RadioConfig, RadioTable, radio_config
from provisioning.fleet import Fleet
from runtime.config import ConfigError
from tests.support.fleet_broker import free_port
from wire.node_settings import NodeSettings, PttSetting, Words, open_settings, seal_settings
from wire.signing import SigningKey

NODE, OTHER = "00000010", "00000011"
RADIO = """
[radio]
driver = "sound"
licence = "OLD 1"
[radio.ptt]
method = "gpio"
gpio = 12
[radio.speech]
neutral_phrase = "Tango"
"""


class Bench:
    """One node's folder, and the authority's key."""

    def __init__(self, tmp_path: Path) -> None:
        fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port())
        fleet.add("Corner Shop", "High St", ["hart"])
        self.file = fleet.node_folder(NODE) / "node.toml"
        self.file.write_text(self.file.read_text() + RADIO)
        self.state = self.file.parent / "state"
        self.key = SigningKey(bytes.fromhex((fleet.layout.authority / "authority.key").read_text().strip()))

    def sealed(self, serial: int = 7, node: str = NODE, key: SigningKey | None = None, **what: Any) -> Settled:  # noqa: ANN401
        settings = msgspec.structs.replace(
            NodeSettings(node=node, serial=serial, made_at=datetime(2026, 11, 27, tzinfo=UTC)), **what
        )
        return Settled(serial, seal_settings(settings, key or self.key))

    def put(self, kept: Kept) -> None:
        self.state.mkdir(exist_ok=True)
        (self.state / FILE).write_bytes(msgspec.json.encode(kept))

    def on_disk(self) -> Kept:
        return msgspec.json.decode((self.state / FILE).read_bytes(), type=Kept)

    def load(self, *, is_start: bool = True) -> NodeConfig:
        return load_config(self.file, "", is_start=is_start)

    def objection(self, **what: Any) -> str:  # noqa: ANN401
        data = self.sealed(**what).data
        return self.load().fleet_settings.objection(open_settings(data, self.key.public))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def licence(config: NodeConfig) -> str:
    return config.radio.table.licence


def test_settings_stand_above_the_nodes_own_file(bench: Bench) -> None:
    ptt = PttSetting(method="cm108", hidraw="/dev/hidraw3", cm108_pin=4)
    words = Words(attack="Code red", voice="en-us", neutral="")
    bench.put(Kept(good=bench.sealed(licence="NEW 2", profile="sh1106-128x64", ptt=ptt, words=words), newest=7))
    config = bench.load()
    radio = config.radio.table

    assert ("NEW 2", "sh1106-128x64") == (radio.licence, config.profile)
    assert ("cm108", "/dev/hidraw3", 4) == (radio.ptt.method, radio.ptt.hidraw, radio.ptt.cm108_pin)
    assert ("en-us", "", {Phrase.ATTACK: "Code red"}) == (
        radio.speech.voice,
        radio.speech.neutral_phrase,
        radio.speech.words.by_phrase,
    )


def test_what_settings_do_not_say_is_as_in_the_nodes_own_file(bench: Bench) -> None:
    bench.put(Kept(good=bench.sealed(words=Words(attack="Code red")), newest=7))
    radio = bench.load().radio.table

    assert ("OLD 1", 12, "Tango") == (radio.licence, radio.ptt.gpio, radio.speech.neutral_phrase)


def test_trial_begins_on_the_disk_before_it_is_used_and_only_once(bench: Bench) -> None:
    good, new = bench.sealed(5, licence="GOOD 1"), bench.sealed(7, licence="NEW 2")
    bench.put(Kept(good=good, newest=5).tried(new, Before()))

    assert "GOOD 1" == licence(bench.load(is_start=False))
    assert "NEW 2" == licence(bench.load())
    assert bench.on_disk().is_begun
    assert "NEW 2" == licence(bench.load(is_start=False))  # 'node check' beside the node sees what it uses
    assert "GOOD 1" == licence(bench.load())
    assert ("returned", CUT_SHORT) == (bench.on_disk().state, bench.on_disk().reason)


def test_without_a_disk_that_notes_it_there_is_no_trial(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    bench.put(Kept().tried(bench.sealed(licence="NEW 2"), Before()))
    monkeypatch.setattr("node.fleet_settings.write_atomic", refuse)
    config = bench.load()

    assert "OLD 1" == licence(config)
    assert "No space left" in config.fleet_settings.kept.reason


@pytest.mark.parametrize("what", ["another node's", "another town's", "another serial's", "damaged"])
def test_kept_settings_that_are_not_this_nodes_count_for_nothing(bench: Bench, what: str) -> None:
    good = {
        "another node's": bench.sealed(node=OTHER, licence="NEW 2"),
        "another town's": bench.sealed(key=SigningKey(b"\1" * 32), licence="NEW 2"),
        "another serial's": Settled(9, bench.sealed(licence="NEW 2").data),
        "damaged": Settled(7, b"{"),
    }[what]
    bench.put(Kept(good=good, newest=7, state="taken"))
    config = bench.load()

    assert "OLD 1" == licence(config)
    assert "returned" == config.fleet_settings.kept.state


@pytest.fixture
def unusable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The licence NEW 2 is one with which no node of this version can start."""

    def checked(path: Path, table: RadioTable, *more: Any) -> RadioConfig:  # noqa: ANN401 - passed on
        if table.licence == "NEW 2":
            raise ConfigError("no such licence")
        return radio_config(path, table, *more)

    monkeypatch.setattr("node.config.radio_config", checked)


def start(bench: Bench) -> str:
    """The licence that it starts with, or why it does not."""
    try:
        return licence(bench.load())
    except ConfigError as e:
        return str(e)


@pytest.mark.usefixtures("unusable")
def test_trial_with_which_no_node_starts_is_over_and_does_not_loop(bench: Bench) -> None:
    """Until now it was noted as begun, and whatever looked at it next failed before it could be taken back."""
    bench.put(Kept(good=bench.sealed(5, licence="GOOD 1"), newest=5).tried(bench.sealed(7, licence="NEW 2"), Before()))

    assert "GOOD 1" == start(bench)
    kept = bench.load(is_start=False).fleet_settings.kept
    assert ("returned", True) == (kept.state, "no such licence" in kept.reason)
    assert "GOOD 1" == start(bench)
    assert ("returned", CUT_SHORT) == (bench.on_disk().state, bench.on_disk().reason)


@pytest.mark.usefixtures("unusable")
def test_taken_settings_with_which_no_node_starts_leave_the_nodes_own_file(bench: Bench) -> None:
    """A newer program may be stricter. The last good ones stay on the disk, for one that can use them."""
    bench.put(Kept(good=bench.sealed(5, licence="NEW 2"), newest=5, state="taken"))

    assert "OLD 1" == start(bench)
    report = bench.load().fleet_settings.kept.report()
    assert report is not None
    assert ("returned", 5, 0) == (report.state, report.serial, report.in_force)
    assert (5, "taken") == (bench.on_disk().good.serial, bench.on_disk().state)


@pytest.mark.parametrize("data", [b"", b"{", b'{"good":7}', b"\xff"])
def test_damaged_file_is_as_none(bench: Bench, data: bytes) -> None:
    bench.state.mkdir()
    (bench.state / FILE).write_bytes(data)

    assert "OLD 1" == licence(bench.load())


def test_profile_that_this_version_does_not_know_keeps_no_node_from_starting(bench: Bench) -> None:
    bench.put(Kept(good=bench.sealed(profile="holographic"), newest=7))
    config = bench.load()

    assert "fake" != config.profile
    assert "holographic" in config.fleet_settings.kept.reason


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"profile": "holographic"}, "no hardware profile 'holographic'"),
        ({"ptt": PttSetting(method="serial-rts", serial="/dev/nothing-here")}, "/dev/nothing-here is not there"),
        ({"ptt": PttSetting(method="cm108", hidraw="/dev/nothing-here")}, "/dev/nothing-here is not there"),
        ({"ptt": PttSetting(method="gpio", gpio=26)}, "GPIO 26 cannot key a transmitter here: the button test"),
        ({"ptt": PttSetting(method="gpio", gpio=17)}, "the LED"),
        ({"ptt": PttSetting(method="gpio", gpio=27)}, "the panel"),
        ({"profile": "adafruit-128x64-bonnet", "ptt": PttSetting(method="gpio", gpio=22)}, "the button cancel"),
        ({"words": Words(attack="危険")}, "no voice can say"),
        ({"profile": "adafruit-128x64-bonnet"}, "buttons on other pins than ssd1309-128x64"),
        ({"profile": "waveshare-sh1106-hat-i2c"}, "buttons on other pins"),
        ({"profile": "fake"}, "buttons on other pins"),
    ],
)
def test_node_that_cannot_be_so_says_why(bench: Bench, what: dict[str, Any], says: str) -> None:
    assert says in bench.objection(**what)


@pytest.mark.parametrize(
    "what",
    [
        {"licence": "NEW 2"},
        {"profile": "sh1106-128x64"},
        {"ptt": PttSetting(method="gpio", gpio=13)},
        {"ptt": PttSetting(method="cm108", hidraw="/dev/null")},
        {"words": Words(attack="Code red")},
    ],
)
def test_node_that_can_be_so_has_no_objection(bench: Bench, what: dict[str, Any]) -> None:
    assert "" == bench.objection(**what)


def test_unkey_puts_off_the_line_in_use_first_and_every_other_that_may_have_been_keyed(bench: Bench) -> None:
    good = bench.sealed(5, ptt=PttSetting(method="gpio", gpio=13))
    new = bench.sealed(7, ptt=PttSetting(method="gpio", gpio=22))
    bench.put(Kept(good=good).tried(new, Before()).at_start())

    def pins() -> list[int]:
        return [line.gpio for line in configured_lines(bench.file.read_text(), bench.file.parent)]

    assert [22, 13, 12] == pins()
    bench.put(bench.on_disk().returned("radio"))
    assert [13, 22, 12] == pins()
    (bench.state / FILE).write_bytes(b"{")
    assert [12] == pins()
