"""Searches what programs leave behind for what only memory may hold: names, keys, and pieces of pictures.

A picture is found by any 64 bytes of it that stand together: they hold a whole block of 32 of the picture's own.
What all JPEGs share (their tables) is no picture: only what follows the beginning of the scan is searched for. A face
on a panel is black and white, and an even part of it looks like part of anything: only varied blocks are searched for.
"""

from __future__ import annotations

import base64
import errno
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from PIL import Image

BLOCK_BYTES: Final = 32
_START_OF_SCAN: Final = b"\xff\xda"
_VARIED: Final = 12
"""A block with fewer different bytes may stand anywhere."""
_LEVELS: Final = 2
_VARIED_PIXELS: Final = 20
"""The same of a byte a pixel in two levels: of 25 rows of eight pixels in a block."""
_MARK_BYTES: Final = 8
_FIRST_BITS: Final = 20
_FIRST: Final = np.uint64((1 << _FIRST_BITS) - 1)
"""Of a mark: few places have them, and only those are looked at whole."""
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_FILE_BYTES_MAX: Final = 268_435_456

Sort = Literal["name", "key", "picture"]
_NOTHING: Final[Mapping[Path, Sort]] = MappingProxyType({})


class Leak(Struct, frozen=True):
    """Something was found.

    Attributes:
        what: was searched for.
        path: where it is.
    """

    what: str
    path: Path


class Needles:
    """What is searched for.

    Attributes:
        sorts: each, in words, and of which sort it is.
    """

    def __init__(self) -> None:
        self.sorts: dict[str, Sort] = {}
        self._names: dict[bytes, str] = {}
        self._keys: dict[bytes, str] = {}
        self._blocks: dict[bytes, str] = {}
        self._marks: npt.NDArray[np.uint64] | None = None
        self._is_begun = np.zeros(0, np.bool_)

    def name(self, name: str) -> None:
        """Of a person, whole or in parts, however it is capitalised, and as programs write text."""
        what = f"name {name}"
        self.sorts[what] = "name"
        for part in {name, *name.split()}:
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                self._names[part.encode(encoding).lower()] = what

    def key(self, what: str, key: bytes) -> None:
        """Its bytes, and as programs write them."""
        self.sorts[what] = "key"
        for written in (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"=")[:-1]):
            self._keys[written] = what

    def picture(self, what: str, jpeg: bytes) -> None:
        """Any piece of it."""
        self.pieces(what, jpeg[jpeg.find(_START_OF_SCAN) :])

    def panel(self, what: str, panel: Image.Image, face_px: int) -> None:
        """A face on a 1-bit panel, as it may lie in memory.

        By rows, alone and with the words beside it; in the pages of the panel's controller, eight rows a byte; and with
        a byte a pixel.

        Args:
            what: it is.
            panel: all of it (mode ``1``, both sides multiples of eight).
            face_px: side of the square on its left that is the face.
        """
        face = panel.crop((0, 0, face_px, face_px))
        lit = np.asarray(face)
        pages = np.packbits(lit.reshape(face_px // 8, 8, face_px), axis=1, bitorder="little")
        for form in (face.tobytes(), panel.tobytes(), pages.tobytes()):
            self.pieces(what, form)
        for form in (lit.astype(np.uint8).tobytes(), (lit * np.uint8(255)).tobytes()):
            # So many bytes say so little that a run of 64 may hold one varied block, wherever that begins.
            for shift in range(0, BLOCK_BYTES, 8):
                self.pieces(what, form[shift:])

    def pieces(self, what: str, data: bytes) -> None:
        """Any piece of bytes that look like no others: a scan, pixels, ciphertext."""
        self.sorts[what] = "picture"
        self._marks = None
        for at in range(0, len(data) - BLOCK_BYTES + 1, BLOCK_BYTES):
            block = data[at : at + BLOCK_BYTES]
            if _is_varied(block):
                self._blocks[block] = what

    def samples(self) -> Iterator[bytes]:
        """One piece of each."""
        yield from {what: piece for piece, what in (self._names | self._keys | self._blocks).items()}.values()

    def found_in(self, data: bytes) -> set[str]:
        """What of it is in there, as it stands or in base64, as JSON carries bytes."""
        carried = b"\n".join(map(_decoded, _BASE64.findall(data)))
        return self._found_in(data) | self._found_in(carried)

    def _found_in(self, data: bytes) -> set[str]:
        in_lower_case = data.lower()
        names = {what for written, what in self._names.items() if written in in_lower_case}
        keys = {what for written, what in self._keys.items() if written in data}
        return names | keys | set(self._pictures_in(data))

    def _pictures_in(self, data: bytes) -> Iterator[str]:
        if len(data) < BLOCK_BYTES or not self._blocks:
            return
        # The first eight bytes of each block, at every place: whatever is there is then compared whole.
        windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), _MARK_BYTES)
        marks = np.ascontiguousarray(windows).view("<u8").ravel()
        if self._marks is None:
            self._marks = np.unique(np.frombuffer(b"".join(block[:_MARK_BYTES] for block in self._blocks), "<u8"))
            self._is_begun = np.zeros(1 << _FIRST_BITS, np.bool_)
            self._is_begun[self._marks & _FIRST] = True
        likely = np.flatnonzero(self._is_begun[marks & _FIRST])
        found = marks[likely]
        for at in likely[self._marks[np.searchsorted(self._marks[:-1], found)] == found]:
            what = self._blocks.get(data[at : at + BLOCK_BYTES])
            if what is not None:
                yield what


def _is_varied(block: bytes) -> bool:
    """Whether it can be told from what stands elsewhere, and so can its beginning."""
    if len(set(block[:_MARK_BYTES])) == 1:
        return False
    if len(set(block)) > _LEVELS:
        return len(set(block)) >= _VARIED
    return len({block[at : at + 8] for at in range(BLOCK_BYTES - 7)}) >= _VARIED_PIXELS


def _decoded(text: bytes) -> bytes:
    text = text.translate(bytes.maketrans(b"-_", b"+/"))
    whole = text[: len(text) // 4 * 4]
    rest = text[len(whole) :]
    # One digit alone is nothing; two or three are a byte or two.
    return base64.b64decode(whole) + (base64.b64decode(rest.ljust(4, b"=")) if len(rest) > 1 else b"")


def search(needles: Needles, folder: Path, may_hold: Mapping[Path, Sort] = _NOTHING) -> list[Leak]:
    """What of it is in files below a folder, or in their names.

    Args:
        needles: what to look for.
        folder: all below it is read, whatever it is called.
        may_hold: files that may hold one sort of it.

    Raises:
        OSError: a file cannot be read, so nobody knows what is in it.
    """
    return [
        Leak(what, path)
        for path in sorted(folder.rglob("*"))
        for what in sorted(needles.found_in(os.fsencode(path.name) + b"\n" + _read(path)))
        if may_hold.get(path) != needles.sorts[what]
    ]


def _read(path: Path) -> bytes:
    try:
        if path.is_symlink() or not path.is_file():
            return b""
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return b""  # gone meanwhile
    if len(data) > _FILE_BYTES_MAX:
        raise OSError(errno.EFBIG, "too long to be searched", str(path))
    # Of the bytes of a town two thirds are room in reserve: nothing but zeros, and nothing searched for is that.
    return data if data.strip(b"\0") else b""
