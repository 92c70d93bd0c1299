"""Root makes and opens backups in folders that belong to other users."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.backup_file import BackupError
from runtime.backup_workspace import locked


def test_lock_is_no_link_to_what_is_somebody_elses(tmp_path: Path) -> None:
    """It is given to the folder's owner: behind a link that they have put there, any file would be."""
    other = tmp_path / "shadow"
    other.write_text("root's")
    (tmp_path / ".lock").symlink_to(other)

    with pytest.raises(BackupError, match="cannot be used"):
        locked(tmp_path / ".lock", "held").__enter__()
