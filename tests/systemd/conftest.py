"""The Debian that these tests boot, and what was seen in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import msgspec
import pytest

from runtime.backup_file import new_identity
from tests.office.papers.conftest import paper, photograph, shops
from tests.office.people.pictures import drawn, png, saved
from tests.support import debian_root as debian
from tests.support.booted_system import PATIENT_START_AND_STOP, PROGRAM, Proof, boot, product
from tests.support.office_boot import documented, office_libraries
from tests.support.runbook import runbook

TRANSMITTER: Final = """
import pathlib, threading, time
from node.hw.radio.ptt import PttSettings
from node.hw.radio.ptt_guarded import GuardedPtt

def transmit_when_told():
    ptt, told = GuardedPtt(PttSettings(method="cm108", hidraw="/var/lib/watchlink-node/hidraw")), pathlib.Path("over")
    while True:
        is_told = told.exists()
        if is_told:
            told.unlink()
        while is_told:
            try:
                ptt.key(30_000)
                is_told = False
            except OSError:  # On a busy machine its guard takes long to start, or to answer.
                pass
        time.sleep(0.02)

if sys.argv[1:3] == ["node", "--config"]:
    threading.Thread(target=transmit_when_told, daemon=True).start()
from watchlink.cli"""
"""In the node's program: a radio's driver that begins an over when told. (The real one is in ``test_radio_boot``.)"""
LINE: Final = '[radio.ptt]\nmethod = "cm108"\nhidraw = "/var/lib/watchlink-node/hidraw"\n'
WATCHDOG_MS: Final = 10_000
SHORT_WATCHDOG: Final = f"[Service]\nWatchdogSec={WATCHDOG_MS}ms\n{PATIENT_START_AND_STOP}"
ORDER: Final = paper(name="", photograph=photograph(), premises=shops(40))


@pytest.fixture(scope="session")
def debian_root() -> Path:
    """Made on the first use."""
    if os.geteuid() != 0:
        pytest.skip("only root can build a root file system and boot it under systemd-nspawn")
    return debian.debian_root()


@pytest.fixture(scope="module")
def proof(request: pytest.FixtureRequest, debian_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """Boot once, let ``boot-proof.sh`` do its work, and read what it saw."""
    assert request.path.name == "test_boot.py", "another file's process would boot it again, for more than a minute"
    folder = tmp_path_factory.mktemp("boot")
    (folder / "srv").mkdir()
    of_office, of_keys = new_identity(), new_identity()
    office_toml = f'\n[backup]\nrecipients = ["{of_office.to_public()}"]\nkeys_recipients = ["{of_keys.to_public()}"]\n'
    here = Path(__file__).parent
    parts = ("office-proof.sh", "loss-proof.sh", "check-proof.sh", "late.py", "shop.py", "journal.py")
    program = PROGRAM.replace("\nfrom watchlink.cli", TRANSMITTER)
    return boot(
        debian_root,
        folder,
        {
            **product(folder, here / "boot-proof.sh", program, SHORT_WATCHDOG),
            **documented(folder),
            **runbook(folder),
            **{here / name: f"/{name}" for name in parts},
            here / "co_ordinator.py": "/co-ordinator.py",
            here / "unit_probe.py": "/unit-probe.py",
            put(folder / "line.toml", LINE.encode()): "/line.toml",
            put(folder / "office-backup.toml", office_toml.encode()): "/office-backup.toml",
            put(folder / "office-backup.key", str(of_office).encode()): "/office-backup.key",
            put(folder / "office-keys.key", str(of_keys).encode()): "/office-keys.key",
            put(folder / "order.json", msgspec.json.encode(ORDER)): "/order.json",
            put(folder / "photograph.jpg", saved(drawn(300, 400))): "/photograph.jpg",
            put(folder / "bomb.png", png(17_000, 17_000, data=bytes(20_000))): "/bomb.png",
        },
        {
            folder / "srv": "/srv",
            **office_libraries(folder),
        },
    )


def put(file: Path, data: bytes) -> Path:
    """The file, with that in it."""
    file.write_bytes(data)
    return file


def alerts_with(proof: Proof, fact: str) -> list[str]:
    """Of the unit's own, in the order in which it told of that."""
    facts = map(json.loads, proof.text("node-facts").splitlines())
    return [one["alert"] for one in facts if one["fact"] == fact]
