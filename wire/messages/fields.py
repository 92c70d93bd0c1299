"""Types of the messages' fields, and their base class."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec.structs import force_setattr

from wire.ids import U32_MAX
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX

FAULTS_MAX: Final = 16
REASONS_MAX: Final = 128
PENDING_MAX: Final = 128
MEMBERS_MAX: Final = 64
ROLES_MAX: Final = 16
INCIDENTS_MAX: Final = 256
CAPABILITIES_MAX: Final = 16
RECEIPTED_MAX: Final = 512
"""Per part of a sync; a part of its answer may name as many as missing."""
PARTS_MAX: Final = 1_024
_YEARS: Final = range(1970, 9999)

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware instant, 1970 … 9998."""
Name = Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
# "$" alone would let a trailing newline pass in Python; with the look-ahead it means the same everywhere.
NodeText = Annotated[str, msgspec.Meta(pattern=r"^(?!0{8})[0-9a-f]{8}$(?!\n)")]
FrameText = Annotated[str, msgspec.Meta(pattern=r"^(?!0{8})[0-9a-f]{8}-[1-9][0-9]{0,9}$(?!\n)")]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$(?!\n)")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Counter = Annotated[int, msgspec.Meta(ge=1, le=U32_MAX)]
"""A frame's counter."""
# Of 16 random bytes; empty from a node of an old version.
Nonce = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")]
DigestText = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
"""The first eight bytes of SHA-256 over a frame's bytes (:func:`wire.answers.frame_digest`)."""
PartNumber = Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)]
SchemeNumber = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the JSON messages."""


def settle_moments(message: Message, *fields: str) -> None:
    """Convert these fields to UTC, so that no reader overflows on the first or last day of the calendar.

    Raises:
        ValueError: no zone, or outside 1970 … 9998. msgspec reports it as a field that is out of bounds.
    """
    for field in fields:
        moment: datetime | None = getattr(message, field)
        if moment is None:
            continue
        if moment.tzinfo is None or moment.year not in _YEARS:
            raise ValueError(f"{field} is not a moment with a zone in 1970 … 9998")
        if moment.tzinfo is not UTC:
            force_setattr(message, field, moment.astimezone(UTC))


def cut(message: Message, field: str, length_max: int) -> None:
    """Shorten a list to its first ``length_max`` entries."""
    items: tuple[object, ...] = getattr(message, field)
    if len(items) > length_max:
        force_setattr(message, field, items[:length_max])


def check_parts(part: int, parts: int) -> None:
    """Check that ``part`` is at most ``parts``.

    Raises:
        ValueError: msgspec reports it as a field that is out of bounds.
    """
    if part > parts:
        raise ValueError(f"part {part} of {parts}")
