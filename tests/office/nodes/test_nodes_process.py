"""The program as a process: it starts, answers over TLS, ends in order, and says what is wrong with its files."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from office.nodes.app import MachinePort
from office.nodes.config import load_configuration
from runtime.config import ConfigError
from runtime.logs import FactLog
from runtime.service import Service
from tests.support.asking_town import HART, AskingTown, Unit
from tests.support.fleet_broker import DEADLINE_S

COMMAND = (sys.executable, "-m", "watchlink.cli", "office", "nodes", "--config")


@pytest.mark.integration
def test_program_answers_and_ends_in_order(tmp_path: Path) -> None:
    town = AskingTown(tmp_path)
    with subprocess.Popen([*COMMAND, str(town.config)], stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            listening = json.loads(program.stdout.readline())
            unit = Unit(town, int(listening["url"].rstrip("/").rpartition(":")[2]))
            assert (HART,) == unit.asks().schemes
            unit.ask()

            program.terminate()

            assert 0 == program.wait(DEADLINE_S)
            unit.close()
        finally:
            program.kill()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("nodes/nodes.toml", b"[web]\nprot = 1\n", "unknown key web.prot; did you mean 'port'?"),
        ("nodes/gallery.key", b"zz", "gallery key"),
        ("nodes/ca.pem", b"none", "not PEM certificates"),
        ("authority.pub", b"00" * 32, "not an Ed25519 public key"),
        ("directory.json", b"{}", "no directory of this town's authority"),
    ],
)
def test_program_says_which_of_its_files_cannot_be_used(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    town = AskingTown(tmp_path)
    town.write(name, data)
    with pytest.raises(ConfigError) as caught:
        MachinePort(load_configuration(town.config), FactLog(io.StringIO()), Service())
    assert words in str(caught.value)
