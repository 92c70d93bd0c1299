"""N9: speech that could not be made once is made again, and central and staff know meanwhile."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from node.app import NodeApp
from node.config import load_config
from provisioning.fleet import Fleet, NewNode
from runtime.logs import FactLog
from runtime.service import Service

pytestmark = [pytest.mark.integration, pytest.mark.finding(9)]

WITHIN_S = 300.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A node with a licensed radio that stays away: only its speech is looked at."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
    file = fleet.node_folder("00000010") / "node.toml"
    radio = '[radio]\ndriver = "fake"\nlicence = "OFCOM 1"\n[radio.fake]\nair_socket = "nowhere.sock"\n'
    file.write_text(f"{file.read_text()}\n{radio}")
    return file


def _until(app: NodeApp, is_so: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > end_s:
            raise TimeoutError(f"not in time: {what}")
        app._turn()


def test_speech_whose_renderer_was_killed_is_told_and_made_again(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("espeak-ng")
    assert real is not None
    stand_in = tmp_path / "bin" / "espeak-ng"
    stand_in.parent.mkdir()
    once = f"[ -e {tmp_path}/killed ] || {{ touch {tmp_path}/killed; kill -9 $PPID; exit 1; }}"
    stand_in.write_text(f'#!/bin/sh\n{once}\nexec {real} "$@"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    app = NodeApp(load_config(file, ""), FactLog(io.StringIO()), Service())

    def faults() -> dict[str, str]:
        return {part.value: fault.detail for part, fault in app._state.faults.items()}

    try:
        _until(app, lambda: "speech" in faults(), "the fault is told")
        assert "speech program failed" in faults()["speech"]
        _until(app, lambda: "speech" not in faults(), "it is made again")
    finally:
        app._close()
    sentences = list(file.parent.rglob("attack-*.s16"))

    assert 1 == len(sentences)
