"""Searches what programs leave behind for what only memory may hold: names, keys, and pieces of pictures.

A picture is found by any 64 bytes of it that stand together: they hold a whole block of 32 of the picture's own.
What all JPEGs share (their tables) is no picture: only what follows the beginning of the scan is searched for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct

BLOCK_BYTES: Final = 32
_START_OF_SCAN: Final = b"\xff\xda"
_VARIED: Final = 12
"""A block with fewer different bytes may stand anywhere."""
_MARK_BYTES: Final = 8
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_FILE_BYTES_MAX: Final = 268_435_456


class Leak(Struct, frozen=True):
    """Something was found.

    Attributes:
        what: was searched for.
        path: where it is.
    """

    what: str
    path: Path


class Needles:
    """What is searched for."""

    def __init__(self) -> None:
        self._texts: list[tuple[str, bytes]] = []
        self._blocks: dict[bytes, str] = {}

    def name(self, name: str) -> None:
        """Of a person, whole or in parts, in each case and as programs write text."""
        for part in {name, *name.split()}:
            for written in (part, part.lower(), part.upper()):
                for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                    self._texts.append((f"name {name}", written.encode(encoding)))

    def key(self, what: str, key: bytes) -> None:
        """Its bytes, and as programs write them."""
        for written in (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"=")[:-1]):
            self._texts.append((what, written))

    def picture(self, what: str, jpeg: bytes) -> None:
        """Any piece of it."""
        scan = jpeg[jpeg.find(_START_OF_SCAN) :]
        for at in range(0, len(scan) - BLOCK_BYTES + 1, BLOCK_BYTES):
            block = scan[at : at + BLOCK_BYTES]
            if len(set(block)) >= _VARIED:
                self._blocks[block] = what

    @property
    def whats(self) -> set[str]:
        """What is searched for, in words."""
        return {what for what, _ in self._texts} | set(self._blocks.values())

    def samples(self) -> Iterator[bytes]:
        """One piece of each."""
        yield from dict(self._texts).values()
        yield from {what: block for block, what in self._blocks.items()}.values()

    def found_in(self, data: bytes) -> set[str]:
        """What of it is in there, as it stands or in base64, as JSON carries bytes."""
        carried = b"\n".join(map(_decoded, _BASE64.findall(data)))
        return self._found_in(data) | self._found_in(carried)

    def _found_in(self, data: bytes) -> set[str]:
        found = {what for what, written in self._texts if written in data}
        return found | set(self._pictures_in(data))

    def _pictures_in(self, data: bytes) -> Iterator[str]:
        if len(data) < BLOCK_BYTES or not self._blocks:
            return
        # The first eight bytes of each block, at every place: whatever is there is then compared whole.
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), _MARK_BYTES)
        marks = np.ascontiguousarray(windows).view("<u8").ravel()
        wanted = np.unique(np.frombuffer(b"".join(block[:_MARK_BYTES] for block in self._blocks), "<u8"))
        for at in np.flatnonzero(np.isin(marks, wanted)):
            what = self._blocks.get(data[at : at + BLOCK_BYTES])
            if what is not None:
                yield what


def _decoded(text: bytes) -> bytes:
    text = text.translate(bytes.maketrans(b"-_", b"+/"))
    whole = text[: len(text) // 4 * 4]
    rest = text[len(whole) :]
    # One digit alone is nothing; two or three are a byte or two.
    return base64.b64decode(whole) + (base64.b64decode(rest.ljust(4, b"=")) if len(rest) > 1 else b"")


def search(needles: Needles, folders: Iterable[Path], but: Iterable[Path] = ()) -> list[Leak]:
    """What of it is in files below these folders.

    Args:
        needles: what to look for.
        folders: all below them is read, whatever it is called.
        but: folders and files that may hold it.
    """
    allowed = tuple(but)
    return [
        Leak(what, path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not any(path.is_relative_to(one) for one in allowed)
        for what in sorted(needles.found_in(_read(path)))
    ]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES_MAX)
    except OSError:
        return b""  # gone meanwhile
