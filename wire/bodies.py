"""Packs and reads the parts of frames' bodies, from left to right; :mod:`wire.frames` knows which body has which."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, TypeVar

from wire.errors import EncodeError, FrameDecodeError
from wire.ids import U16_MAX, U32_MAX, FrameId, NodeId
from wire.limits import SCHEMES_PER_NODE_MAX, SHORT_NAME_BYTES_MAX

_E = TypeVar("_E", bound=IntEnum)
_U16: Final = struct.Struct(">H")
_TARGET: Final = struct.Struct(">II")
_GROUP_BITS: Final = 7
_GROUP_MORE: Final = 0x80
_VARINT_BITS_MAX: Final = 33
"""A counter of 32 bits and the late bit."""


def pack_target(target: FrameId) -> bytes:
    """Node u32 · counter u32.

    Raises:
        EncodeError: it names no frame.
    """
    if target.node == 0 or target.counter == 0:
        raise EncodeError(f"target {target.text} names nothing")
    return _TARGET.pack(target.node, target.counter)


def pack_schemes(schemes: tuple[int, ...]) -> bytes:
    """N × u16.

    Raises:
        EncodeError: none, too many, not ascending, or one twice.
    """
    if not 1 <= len(schemes) <= SCHEMES_PER_NODE_MAX:
        raise EncodeError(f"{len(schemes)} schemes; a frame is for 1 … {SCHEMES_PER_NODE_MAX}")
    if list(schemes) != sorted(set(schemes)) or not 0 < schemes[0] <= schemes[-1] <= U16_MAX:
        raise EncodeError(f"schemes {schemes} are not ascending numbers in 1 … {U16_MAX}")
    return b"".join(_U16.pack(scheme) for scheme in schemes)


def pack_digest(digest: bytes, width_bytes: int) -> bytes:
    """The digest, checked for its width.

    Raises:
        EncodeError: not ``width_bytes`` wide.
    """
    if len(digest) != width_bytes:
        raise EncodeError(f"a digest of {len(digest)} bytes, not {width_bytes}")
    return digest


def pack_pairs(pairs: Iterable[tuple[FrameId, bool]]) -> bytes:
    """Ascending ids, each with one bit: varint of the node less the node before · varint of counter × 2 + the bit.

    Raises:
        EncodeError: an id names no frame, or the nodes do not ascend.
    """
    return pack_entries(((target, bit, b"") for target, bit in pairs), 0)


def pack_entries(entries: Iterable[tuple[FrameId, bool, bytes]], digest_bytes: int) -> bytes:
    """As :func:`pack_pairs`, each followed by its digest of ``digest_bytes``.

    Raises:
        EncodeError: as there, or a digest is not that wide.
    """
    packed, node = b"", 0
    for target, bit, digest in entries:
        pack_target(target)
        if target.node < node:
            raise EncodeError("targets do not ascend")
        packed += _varint(target.node - node) + _varint(target.counter << 1 | bit) + pack_digest(digest, digest_bytes)
        node = target.node
    return packed


def _varint(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> _GROUP_BITS:
        groups.append(value & 0x7F)
    return bytes([*(group | _GROUP_MORE for group in groups[:-1]), groups[-1]])


class BodyReader:
    """Reads a body from left to right. Every method raises FrameDecodeError with an offset."""

    def __init__(self, data: bytes, offset: int) -> None:
        """Args: data: head and body, without the signature; offset: where the body begins."""
        self._data = data
        self._offset = offset

    def number(self, width_bytes: int) -> int:
        """An unsigned integer."""
        start, self._offset = self._offset, self._offset + width_bytes
        if self._offset > len(self._data):
            raise FrameDecodeError("truncated", len(self._data))
        return int.from_bytes(self._data[start : self._offset], "big")

    def nonzero(self, what: str) -> int:
        """A u32 that is not 0; ``what`` is the reason given if it is."""
        value = self.number(4)
        if value == 0:
            raise FrameDecodeError(what, self._offset - 4, "0")
        return value

    def flags(self, allowed: int) -> int:
        """A u8 with no bit outside ``allowed``."""
        value = self.number(1)
        if value & ~allowed:
            raise FrameDecodeError("flags", self._offset - 1, f"{value:#04x}")
        return value

    def one_of(self, kinds: type[_E], what: str) -> _E:
        """A u8 that is a member of ``kinds``."""
        return self.member(kinds, what, self.number(1))

    def member(self, kinds: type[_E], what: str, value: int) -> _E:
        """The member of ``kinds`` that ``value``, taken from the byte just read, stands for."""
        try:
            return kinds(value)
        except ValueError as e:
            raise FrameDecodeError(what, self._offset - 1, str(value)) from e

    def target(self) -> FrameId:
        """As :func:`pack_target` packs it."""
        return FrameId(NodeId(self.nonzero("target")), self.nonzero("target"))

    def schemes(self) -> tuple[int, ...]:
        """The rest of the body, as :func:`pack_schemes` packs them."""
        start = self._offset
        found: list[int] = []
        while self._offset < len(self._data):
            found.append(self.number(2))
        if not 1 <= len(found) <= SCHEMES_PER_NODE_MAX or found != sorted(set(found)) or found[0] == 0:
            raise FrameDecodeError("schemes", start, str(found))
        return tuple(found)

    def raw(self, width_bytes: int) -> bytes:
        """``width_bytes`` bytes as they are."""
        return self.number(width_bytes).to_bytes(width_bytes, "big")

    def pairs(self) -> tuple[tuple[FrameId, bool], ...]:
        """The rest of the body, as :func:`pack_pairs` packs them: at least one, ascending, no id twice."""
        return tuple((target, bit) for target, bit, _ in self.entries(0))

    def entries(self, digest_bytes: int) -> tuple[tuple[FrameId, bool, bytes], ...]:
        """The rest of the body, as :func:`pack_entries` packs them: at least one, ascending, no id twice."""
        start, found, node = self._offset, list[tuple[FrameId, bool, bytes]](), 0
        while self._offset < len(self._data):
            node += self._varint("target")
            counter, bit = divmod(self._varint("target"), 2)
            if not (0 < node <= U32_MAX and 0 < counter <= U32_MAX):
                raise FrameDecodeError("target", start, f"{node} {counter}")
            found.append((FrameId(NodeId(node), counter), bool(bit), self.raw(digest_bytes)))
        ids = [target for target, _, _ in found]
        if not ids or ids != sorted(set(ids)):
            raise FrameDecodeError("target", start, "not ascending")
        return tuple(found)

    def name(self) -> str:
        """The rest of the body as UTF-8."""
        start, self._offset = self._offset, len(self._data)
        raw = self._data[start:]
        if len(raw) > SHORT_NAME_BYTES_MAX:
            raise FrameDecodeError("name", start, f"{len(raw)} bytes")
        try:
            return raw.decode()
        except UnicodeDecodeError as e:
            raise FrameDecodeError("name", start + e.start, "not UTF-8") from e

    def end(self) -> None:
        """Check that nothing is left."""
        if self._offset != len(self._data):
            raise FrameDecodeError("trailing bytes", self._offset)

    def _varint(self, what: str) -> int:
        start, value, shift = self._offset, 0, 0
        while True:
            group = self.number(1)
            value |= (group & ~_GROUP_MORE) << shift
            shift += _GROUP_BITS
            if not group & _GROUP_MORE:
                break
            if shift > _VARINT_BITS_MAX:
                raise FrameDecodeError(what, start, "too long a number")
        if group == 0 and shift > _GROUP_BITS:
            raise FrameDecodeError(what, start, "longer than needed")
        return value
