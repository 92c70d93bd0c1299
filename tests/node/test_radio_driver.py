"""A radio that cannot be used at all takes no button with it (N1, N8)."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from node import radio_driver
from node.app import NodeApp
from node.config import load_config
from node.core.controls import Part
from provisioning.fleet import Fleet, NewNode
from runtime.logs import FactLog
from runtime.service import Service

NODE = "00000010"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
    file = fleet.node_folder(NODE) / "node.toml"
    file.write_text(f'{file.read_text()}\n[radio]\ndriver = "kiss-tnc"\n')
    return file


def _fault_of(file: Path) -> str:
    app = NodeApp(load_config(file, ""), FactLog(io.StringIO()), Service())
    try:
        app._turn()
        return app._state.faults[Part.RADIO].detail
    finally:
        app._close()


def test_node_without_the_drivers_library_arms_and_tells_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serial", None)
    monkeypatch.delitem(sys.modules, "node.net.radio.kiss_tnc", raising=False)

    assert "serial is not installed" in _fault_of(file)


def test_node_whose_radio_cannot_be_made_arms_and_tells_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_many(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(radio_driver, "_radio", too_many)

    assert "Too many open files" in _fault_of(file)
