"""What a fleet folder is on a disk that cannot do everything."""

from __future__ import annotations

from pathlib import Path

import pytest

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
