"""Settings for a node as the fleet's engineer signs them (ADR 0032)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from provisioning.cli import main
from provisioning.configuring import Wish, sign, wished
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from provisioning.node_word import Word, in_words
from provisioning.records import encode_record, load_record
from wire.messages import Health, SettingsReport
from wire.node_settings import NodeSettings, PttSetting, SettingsFile, Words, open_settings

SHOP = "00000010"


class Clock(Protocol):
    """As in conftest."""

    pass_by: Callable[[timedelta], None]


@pytest.fixture
def town(fleet: Fleet) -> str:
    fleet.add("Corner Shop", "High St", ["hart"])
    fleet.add("Red Lion", "Mill Lane", ["pubwatch"])
    return str(fleet.layout.town)


def configure(town: str, *options: str, node: str = SHOP) -> int:
    return main(["configure", "--dir", town, node, *options])


def published(town: str) -> dict[str, NodeSettings]:
    """What central passes on, by node; each verified as a node does."""
    fleet = Fleet.open(Path(town))
    file = msgspec.json.decode(fleet.layout.settings.read_bytes(), type=SettingsFile)
    opened = [open_settings(msgspec.json.encode(one), fleet.folder.authority_public()) for one in file.nodes]
    assert not [one.problem for one in opened if one.problem]
    return {one.settings.node: one.settings for one in opened if one.settings is not None}


def test_configure_signs_what_was_asked_and_says_what_changes(
    town: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tmp_path / "words.toml"
    words.write_text('voice = "en-us"\nattack = "Code red"\n')
    options = ("--licence", "LG 123/1", "--ptt", "gpio:13", "--profile", "sh1106-128x64", "--phrases", str(words))

    assert 0 == configure(town, *options, "--yes")

    settings = published(town)[SHOP]
    assert ("LG 123/1", "sh1106-128x64", PttSetting(method="gpio", gpio=13)) == (
        settings.licence,
        settings.profile,
        settings.ptt,
    )
    assert Words(voice="en-us", attack="Code red") == settings.words
    said = capsys.readouterr().out
    assert "licence: as in its own file → LG 123/1" in said
    assert "transmit key: as in its own file → gpio:13" in said
    assert "words: as in its own file → voice “en-us”, attack “Code red”" in said


def test_configure_keeps_what_was_set_before_and_raises_the_serial(town: str) -> None:
    configure(town, "--licence", "LG 1", "--yes")
    first = published(town)[SHOP]
    configure(town, "--ptt", "cm108:/dev/hidraw1", "--yes")
    second = published(town)[SHOP]

    assert second.ptt is not None
    assert ("LG 1", "/dev/hidraw1", 3) == (second.licence, second.ptt.hidraw, second.ptt.cm108_pin)
    assert second.serial > first.serial


def test_configure_for_one_node_leaves_the_others(town: str) -> None:
    configure(town, "--licence", "LG 1", "--yes")
    configure(town, "--licence", "LG 2", "--yes", node="00000011")

    assert {SHOP: "LG 1", "00000011": "LG 2"} == {node: one.licence for node, one in published(town).items()}


def test_configure_goes_back_to_the_nodes_own_file(town: str) -> None:
    configure(town, "--licence", "LG 1", "--yes")
    assert 0 == configure(town, "--as-installed", "--yes")

    assert published(town)[SHOP].licence is None


def test_serial_follows_the_clock_so_that_an_old_copy_of_the_fleet_repeats_none(fleet: Fleet, clock: Clock) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    old = fleet.record
    for number in range(3):
        sign(fleet.folder, wished(fleet.record.node(node.node), Wish(licence=f"LG {number}"), fleet.now()))
    newest = fleet.record.node(node.node).settings
    assert newest is not None
    fleet.folder.commit(old)
    clock.pass_by(timedelta(minutes=5))

    assert wished(fleet.record.node(node.node), Wish(licence="LG 9"), fleet.now()).serial > newest.serial


def test_serial_rises_even_if_the_clock_was_set_back(fleet: Fleet, clock: Clock) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    sign(fleet.folder, first := wished(node, Wish(licence="LG 1"), fleet.now()))
    clock.pass_by(timedelta(days=-400))

    again = wished(fleet.record.node(node.node), Wish(licence="LG 2"), fleet.now())
    assert first.serial + 1 == again.serial


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Say what to set"),
        (("--show", "--licence", "LG 1"), "--show changes nothing"),
        (("--profile", "holographic"), "No hardware profile 'holographic'"),
        (("--licence", "LG\n1"), "no licence reference"),
        (("--ptt", "gpio:40"), "GPIO 40 cannot key"),
        (("--ptt", "gpio:"), "names no transmit key"),
        (("--ptt", "telepathy:5"), "names no transmit key"),
        (("--ptt", "cm108:/dev/hidraw0:99"), "has no pin 99"),
        (("--ptt", "serial-rts:/etc/shadow"), "is no device"),
        (("--phrases", "/dev/null/none.toml"), "cannot be read"),
    ],
)
def test_configure_signs_nothing_that_cannot_be(
    town: str, options: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == configure(town, *options, *(["--yes"] if options else []))
    assert says in capsys.readouterr().err
    assert not Fleet.open(Path(town)).layout.settings.exists()


@pytest.mark.parametrize("text", ['anthem = "la"', "attack = 7", 'attack = ""'])
def test_configure_refuses_words_that_cannot_be(
    town: str, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tmp_path / "words.toml"
    words.write_text(text)

    assert 2 == configure(town, "--phrases", str(words), "--yes")
    assert capsys.readouterr().err


def test_configure_without_a_terminal_shows_the_difference_and_signs_nothing(
    town: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == configure(town, "--licence", "LG 1")

    said = capsys.readouterr().err
    assert "licence: as in its own file → LG 1" in said
    assert "Nothing was signed. To sign it, give --yes." in said
    assert not Fleet.open(Path(town)).layout.settings.exists()


def test_configure_says_that_nothing_is_new(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(town, "--licence", "LG 1", "--yes")
    serial = published(town)[SHOP].serial

    assert 0 == configure(town, "--licence", "LG 1", "--yes")
    assert "has these settings already" in capsys.readouterr().out
    assert serial == published(town)[SHOP].serial


def test_revoked_node_takes_no_settings_and_has_none_any_more(fleet: Fleet, town: str) -> None:
    configure(town, "--licence", "LG 1", "--yes")
    fleet = Fleet.open(Path(town))
    struck = msgspec.structs.replace(fleet.record.node(SHOP), revoked_at=fleet.now())
    fleet.folder.commit(fleet.record.with_node(struck))
    fleet.folder.publish()

    assert {} == published(town)
    with pytest.raises(FleetInputError, match="is revoked"):
        wished(struck, Wish(licence="LG 2"), fleet.now())


def test_change_by_somebody_else_meanwhile_is_not_overwritten(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    mine = wished(node, Wish(licence="LG 1"), fleet.now())
    sign(fleet.folder, wished(node, Wish(ptt=PttSetting(method="gpio", gpio=13)), fleet.now()))

    with pytest.raises(FleetInputError, match="changed meanwhile"):
        sign(fleet.folder, mine)


def test_record_from_before_settings_is_read(fleet: Fleet, town: str) -> None:
    record = json.loads(encode_record(Fleet.open(Path(town)).record))
    for node in record["nodes"]:
        node.pop("settings")
    fleet.layout.record.write_text(json.dumps(record))

    assert [None, None] == [node.settings for node in load_record(fleet.layout.record).nodes]


def test_reload_command_brings_them_to_central(town: str, tmp_path: Path) -> None:
    mark = tmp_path / "told"

    assert 0 == configure(town, "--licence", "LG 1", "--yes", "--reload-command", f"touch {mark}")
    assert mark.exists()


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (None, "does not have them yet"),
        (SettingsReport(serial=6, state="taken"), "does not have them yet"),
        (SettingsReport(serial=7, state="waiting", reason="an alert here is open"), "waits: an alert here is open."),
        (SettingsReport(serial=7, state="trial"), "is trying them now"),
        (SettingsReport(serial=7, state="trial", reason="radio: mute"), "once no alert needs the unit: radio: mute"),
        (SettingsReport(serial=7, state="taken"), "has taken them"),
        (SettingsReport(serial=7, state="refused", reason="no such profile"), "has refused them: no such profile."),
        (SettingsReport(serial=7, state="returned", reason="radio: broken"), "good ones again: radio: broken."),
        (SettingsReport(serial=8, state="taken"), "Of newer ones, number 8, it says: It has taken them."),
    ],
)
def test_nodes_word_is_told_in_a_sentence(report: SettingsReport | None, says: str) -> None:
    assert says in in_words(Word(Health(state="armed", boot_id="b", settings=report)), 7)


def test_silence_of_a_node_and_of_the_broker_is_told(town: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "does not report now" in in_words(Word(), 7)
    assert 0 == configure(town, "--show")
    assert "nothing was ever set from here" in capsys.readouterr().out
    configure(town, "--licence", "LG 1", "--yes")
    assert 0 == configure(town, "--show")  # no broker runs
    said = capsys.readouterr().out
    assert "licence: LG 1" in said
    assert "The node could not be asked:" in said
