"""Files that the fleet brings while a program runs."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.watched_file import WatchedFile


def test_pipe_in_a_files_place_holds_nobody_up(tmp_path: Path) -> None:
    faults: list[str] = []
    file = tmp_path / "claims.json"
    file.write_bytes(b"good")
    watched = WatchedFile(file, bytes.decode, 10, faults.append)
    assert watched.look()

    file.unlink()
    os.mkfifo(file)

    assert not watched.look()
    assert watched.contents == "good"
    assert faults == [f"{file} cannot be read: it is not a file"]
