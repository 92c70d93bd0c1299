"""Reads a small tar archive that somebody carried here, within bounds: it may be damaged, or made by an enemy.

Nothing is unpacked by it, and nothing is decompressed: a compressed one is refused. What is read is in memory, so the
file, the number of its members and the sum of what they say they hold are all bounded before they are read.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from runtime.regular_file import NoFileError, read_regular

HEADERS_BYTES_MAX: Final = 4096
"""Of one member: its header, an extended one, and what fills up the last block."""
_END: Final = bytes(1024)
"""Two empty blocks."""


class ArchiveError(Exception):
    """The file is no archive within the bounds. The message is the end of a sentence that begins with the file."""


def read_archive(file: Path | BinaryIO, *, files_max: int, bytes_max: int) -> Iterator[tuple[str, bytes]]:
    """Name and contents of each regular file in it, one after the other; a name comes once.

    Args:
        file: not compressed; or a stream, which is read to its end.
        files_max: how many there may be.
        bytes_max: how much they may hold together.

    Raises:
        ArchiveError: too large, too many, damaged, or something else than regular files is in it.
        OSError: it cannot be read.
    """
    data = _read(file, bytes_max + files_max * HEADERS_BYTES_MAX)
    if not data.endswith(_END):
        # Cut between two members it would seem whole, to Python's reader too.
        raise ArchiveError("is damaged, or no archive")
    names: set[str] = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                # Python's reader goes back and forth by sizes that are negative, and makes zeros of holes.
                if not member.isfile() or member.issparse() or member.size < 0 or member.name in names:
                    raise ArchiveError(f"holds {member.name!r}")
                names.add(member.name)
                bytes_max -= member.size
                if len(names) > files_max or bytes_max < 0:
                    raise ArchiveError("is far too large")
                contents = archive.extractfile(member)
                assert contents is not None  # of a regular file
                yield member.name, contents.read()
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as e:
        raise ArchiveError("is damaged, or no archive") from e


def _read(file: Path | BinaryIO, bytes_max: int) -> bytes:
    try:
        data = read_regular(file, bytes_max) if isinstance(file, Path) else file.read(bytes_max + 1)
    except NoFileError as e:
        raise ArchiveError("is no file") from e
    if len(data) > bytes_max:
        raise ArchiveError("is far too large")
    return data
