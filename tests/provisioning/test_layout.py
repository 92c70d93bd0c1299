"""What a fleet folder is: to the programs that read it, and on a disk that cannot do everything."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from central.config import load_configuration
from provisioning.fleet import Fleet


def test_node_folder_holds_the_newest_directory_also_where_files_cannot_be_linked(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A town may be kept on a USB stick."""

    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    node = fleet.add("Corner Shop", "High St", ["hart"])

    assert (fleet.node_folder(node.node) / "directory.json").read_bytes() == fleet.layout.directory.read_bytes()


def test_central_accepts_its_folder_and_looks_where_the_office_writes(tmp_path: Path) -> None:
    """Central's own reader. Until the lines of the office are uncommented, there is none."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    toml = fleet.layout.central / "central.toml"
    assert "" == load_configuration(toml).office_url
    text = toml.read_text().replace("# [office]", "[office]")
    toml.write_text(text.replace("# url", "url").replace("# snapshots", "snapshots"))

    joined = load_configuration(toml)

    assert "http://localhost:8090/" == joined.office_url
    assert fleet.layout.snapshots == joined.snapshots_dir.resolve()


def test_configuration_says_names_as_people_write_them(fleet: Fleet) -> None:
    """TOML knows no surrogates, so escaped as in JSON the second one could not be read at all."""
    node = fleet.add("Caffè Nero", "Swan 🦢 Lane", ["hart"])
    text = (fleet.node_folder(node.node) / "node.toml").read_text(encoding="utf-8")

    assert 'premises = "Caffè Nero"' in text
    assert "Swan 🦢 Lane" == tomllib.loads(text)["identity"]["place"]
