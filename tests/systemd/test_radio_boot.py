"""A node with a radio under a real systemd, cut off from everybody: transmits from its cage, killed mid-over (N8, N10).

The sound device is a pair of pipes, the transmit key a file; everything between them is the real thing.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest

from provisioning.fleet import Fleet
from tests.support.booted_system import PATIENT_START_AND_STOP, Proof, boot, node_unit, product, written

pytestmark = pytest.mark.integration

RADIO: Final = """
[radio]
driver = "sound"
licence = "PROOF"
[radio.sound]
input = "radio_in"
output = "radio_out"
[radio.ptt]
method = "cm108"
hidraw = "/var/lib/watchlink-node/hidraw"
"""
SOUND_BENCH: Final = """
import os, time
os.umask(0)
for name in ("in", "out"):
    os.mkfifo(f"/run/sound-{name}", 0o666)
silence, played = os.open("/run/sound-in", os.O_RDWR), os.open("/run/sound-out", os.O_RDWR | os.O_NONBLOCK)
while True:
    os.write(silence, bytes(1764))
    try:
        os.read(played, 1764)
    except BlockingIOError:
        pass
    time.sleep(0.02)
"""
"""A sound device: 50 blocks of silence a second in, as many taken out."""
ALSA: Final = """
</usr/share/alsa/alsa.conf>
pcm.radio_in { type file file "/dev/null" infile "/run/sound-in" format raw slave.pcm { type null } }
pcm.radio_out { type file file "/run/sound-out" format raw slave.pcm { type null } }
"""
PRESS: Final = """
import pathlib, sys
from node.hw.fake_board_client import FakeBoardClient
with FakeBoardClient(pathlib.Path(sys.argv[1])) as board:
    board.press("attack", hold_ms=1_200)
"""
UNKEYED_WITHIN_MS: Final = 1_000


@pytest.fixture(scope="module")
def proof(debian_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Boot once, let ``radio-proof.sh`` do its work, and read what it saw."""
    folder = tmp_path_factory.mktemp("radio-boot")
    fleet = Fleet.init(folder / "town", schemes={"hart": "HART"})
    identity = fleet.node_folder(fleet.add("Boots", "High Street", ["hart"], profile="fake").node)
    with (identity / "node.toml").open("a") as config:
        config.write(RADIO)
    mounts = {
        **node_unit(),
        **product(
            folder,
            Path(__file__).with_name("radio-proof.sh"),
            drop_in=f"[Service]\nEnvironment=ALSA_CONFIG_PATH=/etc/proof-asound.conf\n{PATIENT_START_AND_STOP}",
        ),
        written(folder / "sound-bench.py", SOUND_BENCH): "/sound-bench.py",
        written(folder / "asound.conf", ALSA): "/etc/proof-asound.conf",
        written(folder / "press.py", PRESS): "/press.py",
    }
    return boot(debian_root, folder, mounts, {}, identity)


def facts(proof: Proof, kind: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in proof.text("node-log").splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("fact") == kind]


def test_press_without_a_network_keys_the_radio(proof: Proof) -> None:
    """N8: modem, sound and guard all work under the unit's locks."""
    assert (proof.folder / "keyed").exists(), proof.text("node-log")
    assert facts(proof, "over_started")


def test_node_has_adopted_its_identity_for_itself_alone(proof: Proof) -> None:
    assert proof.text("identity") == "watchlink-node 400 /var/lib/watchlink-node/signing.key\n"


def test_node_killed_mid_over_has_let_go_within_a_second(proof: Proof) -> None:
    """N10: ``kill -9``."""
    assert min(map(int, proof.text("unkeyed").split())) <= UNKEYED_WITHIN_MS


def test_nothing_that_the_radio_needs_is_locked_out(proof: Proof) -> None:
    """Dire Wolf's terminals and pipes, ALSA, espeak-ng, Python children: all start in the unit's cage."""
    said = [json.loads(line) for line in proof.text("node-log").splitlines() if line.startswith('{"level"')]

    assert [] == [line["message"] for line in said if line["level"] == "ERROR"]


def test_next_run_sends_what_the_killed_one_did_not_finish(proof: Proof) -> None:
    assert facts(proof, "over_ended"), proof.text("node-log")
    reports = [line.split()[2] for line in proof.text("line").splitlines()]
    # Off, the over that was killed, and the one that ended.
    assert ["00", "04", "00", "04", "00"] == [state for state, _ in groupby(reports)][:5], proof.text("line")


def test_node_with_its_children_stops_cleanly(proof: Proof) -> None:
    stopped = proof.properties("watchlink-node.stopped")

    assert ("inactive", "success") == (stopped["ActiveState"], stopped["Result"])
