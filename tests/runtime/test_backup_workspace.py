"""Root makes and opens backups in folders that belong to other users."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.backup_file import BackupError
from runtime.backup_workspace import locked, move, place
from tests.support.other_disk import other_disk


def test_lock_is_no_link_to_what_is_somebody_elses(tmp_path: Path) -> None:
    """It is given to the folder's owner: behind a link that they have put there, any file would be."""
    other = tmp_path / "shadow"
    other.write_text("root's")
    (tmp_path / ".lock").symlink_to(other)

    with pytest.raises(BackupError, match="cannot be used"):
        locked(tmp_path / ".lock", "held").__enter__()


def test_file_comes_to_another_disk_whole_and_with_its_mode(tmp_path: Path) -> None:
    """A database on the system's disk, photographs on another: ``rename`` refuses."""
    file = tmp_path / "file"
    file.write_bytes(b"state")
    file.chmod(0o640)
    with other_disk(tmp_path) as other:
        (other / ".file.part").write_bytes(b"of a restore that was killed")

        move(file, other / "file")

        assert (b"state", 0o640) == ((other / "file").read_bytes(), (other / "file").stat().st_mode & 0o777)
        assert (False, ["file"]) == (file.exists(), [path.name for path in other.iterdir()])
        place(other / "file", tmp_path / "back", tmp_path)
        assert (b"state", 0o600) == ((tmp_path / "back").read_bytes(), (tmp_path / "back").stat().st_mode & 0o777)


def test_link_in_the_way_of_a_copy_is_not_followed(tmp_path: Path) -> None:
    """Root restores into a folder of the pages' user."""
    file, theirs = tmp_path / "file", tmp_path / "shadow"
    file.write_bytes(b"state")
    theirs.write_bytes(b"root's")
    with other_disk(tmp_path) as other:
        for name in ("file", ".file.part"):
            (other / name).symlink_to(theirs)

        move(file, other / "file")

        assert (b"state", b"root's") == ((other / "file").read_bytes(), theirs.read_bytes())
        assert not (other / "file").is_symlink()
