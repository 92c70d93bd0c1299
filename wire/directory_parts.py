"""The sealed directory on the wire: whole where it fits into one packet, else in parts.

Packets are small, so that nobody can fill the broker's memory with a few; a directory of thousands is larger. Parts
carry no signature: the directory has its own, and is checked when it is whole.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

import msgspec

from wire.errors import DirectoryError
from wire.limits import DIRECTORY_BYTES_MAX, MESSAGE_BYTES_MAX
from wire.messages import Message

PART_BYTES_MAX: Final = 45_000
"""As base64 inside JSON this fits one message."""
PARTS_MAX: Final = -(-DIRECTORY_BYTES_MAX // PART_BYTES_MAX)
DIGEST_BYTES: Final = 8


class DirectoryPart(Message, frozen=True):
    """``node/{node}/down/directory``, where the sealed directory does not fit into one message: a part of its bytes."""

    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    """First 8 bytes of SHA-256 of the whole directory that this is a part of."""
    part: Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)]
    """1 … ``parts``, in any order."""
    parts: Annotated[int, msgspec.Meta(ge=2, le=PARTS_MAX)]
    """How many make the whole."""
    data: Annotated[bytes, msgspec.Meta(min_length=1, max_length=4 * -(-PART_BYTES_MAX // 3))]
    """This part's bytes of the sealed directory (base64 here)."""


_decoder: Final = msgspec.json.Decoder(DirectoryPart)


def split_directory(sealed: bytes) -> tuple[bytes, ...]:
    """The payloads that carry it: itself alone, or its parts in their order."""
    if len(sealed) <= MESSAGE_BYTES_MAX:
        return (sealed,)
    digest = _digest(sealed)
    pieces = [sealed[start : start + PART_BYTES_MAX] for start in range(0, len(sealed), PART_BYTES_MAX)]
    return tuple(
        msgspec.json.encode(DirectoryPart(digest=digest, part=number, parts=len(pieces), data=piece))
        for number, piece in enumerate(pieces, start=1)
    )


class DirectoryParts:
    """Assembles one directory at a time; a part of another starts over. Holds at most one directory's bytes."""

    def __init__(self) -> None:
        self._key: tuple[str, int] | None = None
        self._held: dict[int, bytes] = {}

    @property
    def held_bytes(self) -> int:
        """Bytes of the incomplete directory."""
        return sum(map(len, self._held.values()))

    def take(self, payload: bytes) -> bytes | None:
        """The sealed directory, unchecked, once it is whole; ``None`` while parts are missing.

        Raises:
            DirectoryError: too large, misnumbered, or the parts do not match their digest.
        """
        try:
            part = _decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return payload  # whole, or neither whole nor part: the caller's decoder says which
        if len(part.data) > PART_BYTES_MAX or part.part > part.parts:
            raise DirectoryError("directory part")
        key = (part.digest, part.parts)
        if key != self._key:
            self._key, self._held = key, {}
        self._held[part.part] = part.data
        if len(self._held) < part.parts:
            return None
        whole = b"".join(self._held[number] for number in range(1, part.parts + 1))
        self._key, self._held = None, {}
        if len(whole) > DIRECTORY_BYTES_MAX or _digest(whole) != part.digest:
            raise DirectoryError("directory part")
        return whole


def _digest(sealed: bytes) -> str:
    return hashlib.sha256(sealed).digest()[:DIGEST_BYTES].hex()
