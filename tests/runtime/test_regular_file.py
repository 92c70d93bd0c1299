"""Whoever may write in a folder holds up nobody who reads there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.regular_file import NoFileError, read_regular


def test_file_is_read_to_a_byte_above_the_bound(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")

    assert (read_regular(file, 5), read_regular(file, 3)) == (b"12345", b"1234")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()

    with pytest.raises(NoFileError):
        read_regular(path, 5)


def test_link_is_followed_unless_it_may_not_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    link = tmp_path / "link"
    link.symlink_to("file")

    assert read_regular(link, 5) == b"12345"
    with pytest.raises(OSError, match="symbolic"):
        read_regular(link, 5, may_be_link=False)
