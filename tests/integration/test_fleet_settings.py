"""Settings from the fleet by a real broker, central and node: taken, taken back, never before an alert (ADR 0032)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.core.view import Close, Done, Person
from node.core.air import BLOCK_BYTES
from node.core.trial import Kept
from node.fleet_settings import FILE
from node.hw.radio.phrases import SpokenPhrases
from node.hw.radio.sentences import sentences
from provisioning import configure_commands
from provisioning.cli import main
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import PUB, SHOP, Town
from tests.support.sound_bench import SoundBench
from wire.ids import NodeId, parse_node
from wire.messages import Health
from wire.node_settings import NodeSettings, SettingsFile, seal_settings
from wire.signing import SigningKey
from wire.topics import Down, DownTopic

pytestmark = pytest.mark.integration

QUICK = "[settings]\nsteady_ms = 10000\ntrial_ms = 120000\n"
"""Long enough for a press in mid-trial, and for a modem that a busy machine starts late to be no fault."""
RADIO = """
[radio]
driver = "sound"
licence = "BR/1"
[radio.sound]
input = "radio_in"
output = "radio_out"
[radio.ptt]
method = "cm108"
hidraw = "/dev/null"
[radio.times]
path_test_first_ms = 600000
"""
NODE: NodeId = parse_node(SHOP)
RENDER_WITHIN_S = 600.0


class Unit:
    """A node, started again as systemd does whenever it has ended."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = environment
        self.process = NodeProcess(folder, env=environment)

    def started_again(self) -> NodeProcess:
        """As soon as it has ended in order."""
        wait_until(lambda: self.process.process.poll() is not None, "the node starts again with other settings")
        assert 0 == self.process.stop()
        self.process = NodeProcess(self.folder, env=self._environment)
        return self.process

    def kept(self) -> Kept:
        return msgspec.json.decode((self.folder / "state" / FILE).read_bytes(), type=Kept)


@pytest.fixture(autouse=True)
def _busy_node_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configure_commands, "SHOW_WITHIN_S", DEADLINE_S)


@pytest.fixture
def sound(tmp_path: Path) -> Iterator[SoundBench]:
    bench = SoundBench(tmp_path)
    with bench.talking(lambda _tick: bytes(BLOCK_BYTES)):
        yield bench
    bench.close()


@pytest.fixture
def central(town: Town) -> Iterator[CentralProgram]:
    config = town.fleet.layout.central / "central.toml"
    web_port = town.fleet.record.central.web_port
    config.write_text(config.read_text().replace(f"port = {web_port}", f"port = {free_port()}"))
    with running_central(config) as central:
        yield central


@pytest.fixture
def unit(town: Town, central: CentralProgram, sound: SoundBench) -> Iterator[Unit]:
    """With a radio that works."""
    folder = town.folder(SHOP)
    (folder / "node.toml").write_text((folder / "node.toml").read_text() + QUICK + RADIO)
    unit = Unit(folder, {"ALSA_CONFIG_PATH": str(sound.configuration)})
    central.wait_for_board(lambda board: any(line.node == SHOP and line.radio for line in board.nodes), "it is there")
    yield unit
    unit.process.kill()


def configure(town: Town, *options: str) -> int:
    return main(["configure", "--dir", str(town.fleet.layout.town), SHOP, *options])


def test_new_phrase_is_taken_and_a_key_that_does_not_work_is_taken_back_for_an_alert(
    town: Town, central: CentralProgram, unit: Unit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # New words: tried, taken, spoken.
    words = tmp_path / "words.toml"
    words.write_text('attack = "Code red"\n')
    assert 0 == configure(town, "--phrases", str(words), "--yes")
    assert "words: as in its own file → attack “Code red”" in capsys.readouterr().out
    unit.started_again()
    central.wait_for_fact("settings", node=SHOP, state="taken")
    new = {phrase: text.replace("Attack.", "Code red.") for phrase, text in sentences("Corner Shop", "High St").items()}
    book = SpokenPhrases(new, "en-gb", unit.folder / "state" / "phrases")
    # Speech is made when nothing else is to be done, which on a busy machine is seldom.
    wait_until(lambda: not book.missing(), "every sentence is ready to be spoken", RENDER_WITHIN_S)
    assert 0 == configure(town, "--show")
    assert "It has taken them." in capsys.readouterr().out
    good = unit.kept().good.serial

    # A device that is not there: refused, and nothing else happens.
    assert 0 == configure(town, "--ptt", "serial-rts:/dev/not-there", "--yes")
    central.wait_for_fact("settings", node=SHOP, state="refused")
    capsys.readouterr()
    assert 0 == configure(town, "--show")
    assert "It has refused them: /dev/not-there is not there." in capsys.readouterr().out

    # One that is there and does not key: tried. An alert pressed meanwhile arrives, and is not interrupted.
    assert 0 == configure(town, "--ptt", "cm108:/dev/full:3", "--yes")
    node = unit.started_again()
    node.press("assist")
    card = central.card(node.wait_for_fact("stored", kind="assist")["alert"])
    wait_until(lambda: unit.kept().state == "returned", "the trial is over")
    assert node.process.poll() is None
    assert Done is type(central.act(Close(card.incident, "a drill"), Person("cctv", "Ann Jones")))
    unit.started_again()
    central.wait_for_fact("settings", node=SHOP, state="returned")
    assert (good, good) == (unit.kept().good.serial, unit.kept().in_force.serial)
    assert "/dev/full" in unit.kept().reason
    assert "No space left" in unit.kept().reason
    central.wait_for_board(
        lambda board: any(
            line.node == SHOP and any("settings: tried, and taken back" in fault for fault in line.faults)
            for line in board.nodes
        ),
        "central's page says so",
    )


def test_settings_that_are_old_foreign_or_not_the_authoritys_are_refused_at_the_node(
    town: Town, start_central: Callable[[], CentralStandIn], start_node: Callable[[str], NodeProcess]
) -> None:
    authority = SigningKey(bytes.fromhex((town.fleet.layout.authority / "authority.key").read_text().strip()))
    central = start_central()
    node = start_node(SHOP)
    central.status("hart")
    central.wait_for(lambda: bool(central.health(NODE)), "it is linked")
    assert 0 == configure(town, "--licence", "LG 1", "--yes")
    (mine,) = msgspec.json.decode(town.fleet.layout.settings.read_bytes(), type=SettingsFile).nodes
    settings = msgspec.json.decode(mine.document, type=NodeSettings)
    topic = str(DownTopic(NODE, Down.SETTINGS))

    def offer(**changes: Any) -> None:  # noqa: ANN401
        central.say(topic, seal_settings(msgspec.structs.replace(settings, **changes), authority))

    def newest() -> Health:
        return central.health(NODE)[-1]

    offer(node=PUB)
    central.say(topic, seal_settings(settings, SigningKey(b"x" * 32)))
    central.say(topic, b'{"document":"e30=","signature":""}')
    offer(profile="holographic")
    central.wait_for(lambda: newest().settings is not None, "it has judged the one that is its own")
    offer(serial=settings.serial - 1)
    central.wait_for(lambda: "old settings" in newest().rejected, "and drops an older one")

    said = newest()
    assert said.settings is not None
    assert ("refused", settings.serial, 0) == (said.settings.state, said.settings.serial, said.settings.in_force)
    assert "holographic" in said.settings.reason
    assert (1, 2, 1) == tuple(
        said.rejected.get(reason, 0) for reason in ("settings of another node", "settings signature", "old settings")
    )
    assert node.process.poll() is None
