"""Archives that an enemy made: read within bounds, and never unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from runtime.archive import ArchiveError, read_archive

MB = 1 << 20
END = bytes(1024)
"""With which every archive ends; those that decompress pass over it."""


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def written(tmp_path: Path, *parts: bytes) -> Path:
    file = tmp_path / "pack.tar"
    file.write_bytes(b"".join(parts) + END)
    return file


def packed(file: Path, names: Iterable[str], compress: Callable[[bytes], bytes] = bytes) -> Path:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
    file.write_bytes(compress(data.getvalue()))
    return file


def read(file: Path) -> dict[str, bytes]:
    return dict(read_archive(file, files_max=3, bytes_max=MB))


def test_archive_is_read_by_name(tmp_path: Path) -> None:
    assert {"a": b"abc", "b/c": b"abc"} == read(packed(tmp_path / "pack.tar", ["a", "b/c"]))


def test_archive_may_be_as_large_as_its_bounds_and_no_larger(tmp_path: Path) -> None:
    assert 3 == len(read(packed(tmp_path / "pack.tar", "abc")))
    with pytest.raises(ArchiveError, match="far too large"):
        read(packed(tmp_path / "pack.tar", "abcd"))
    full, over = (written(tmp_path, header("a", size), bytes(size + -size % 512)) for size in (MB, MB + 1))
    with pytest.raises(ArchiveError, match="far too large"):
        read(over)
    assert full == over


@pytest.mark.parametrize("form", [gzip, lzma, bz2], ids=["gzip", "xz", "bzip2"])
def test_compressed_archive_is_not_decompressed(tmp_path: Path, form: Any) -> None:  # noqa: ANN401 - a module
    """A few kilobytes of it may be a thousand times as many."""
    with pytest.raises(ArchiveError, match="no archive"):
        read(packed(tmp_path / "pack.tar", "a", lambda data: form.compress(data) + END))


@pytest.mark.parametrize(
    "parts",
    [
        [header("a", 0, tarfile.SYMTYPE)],
        [header("a", 0, tarfile.FIFOTYPE)],
        [header("a", -512)],
        [header("a", -(1 << 40), tarfile.XHDTYPE)],
        [header("a"), header("a")],
        [header("a", 1 << 50)],
        [header("a", 1 << 40, tarfile.XHDTYPE)],
        [header("a", 1 << 40, tarfile.GNUTYPE_LONGNAME)],
        [header("a", 1 << 40, tarfile.GNUTYPE_SPARSE)],
        [header("x", 0, tarfile.XHDTYPE)] * 1500,
        [header("a", 5000)],
        [b"\xff" * 512],
    ],
    ids=[
        *("link", "pipe", "negative", "negative extension", "twice", "huge", "huge extension", "huge name", "holes"),
        *("extensions without end", "cut", "no archive"),
    ],
)
def test_hostile_archive_is_refused_in_little_memory(tmp_path: Path, parts: list[bytes]) -> None:
    file = written(tmp_path, *parts)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError):
            read(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * MB


def test_holes_are_not_filled(tmp_path: Path) -> None:
    """A file of one block says that it is as large as the bound."""
    sparse = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n" + b"31 GNU.sparse.realsize=1000000\n"
    extension = header("x", len(sparse), tarfile.XHDTYPE) + sparse.ljust(512, b"\0")
    file = written(tmp_path, extension, header("a", 512), b"0\n".ljust(512, b"\0"))

    with pytest.raises(ArchiveError, match="holds"):
        read(file)


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pack.tar")

    with pytest.raises(ArchiveError, match="is no file"):
        read(tmp_path / "pack.tar")


def test_file_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "pack.tar").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(ArchiveError, match="far too large"):
        read(tmp_path / "pack.tar")
