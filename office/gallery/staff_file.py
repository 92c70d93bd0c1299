"""Who may sign in at which premises' in-shop page: a file beside the galleries, for the machine port alone.

``staff.json`` is replaced as a whole. A premises that is not in it has nobody, so that whoever was taken off is off,
their premises gone or not. No node gets more of it than the list of its own premises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Struct

from wire.gallery_staff import STAFF_MAX, StaffEntry

STAFF_FILE: Final = "staff.json"
STAFF_FILE_BYTES_MAX: Final = 67_108_864
_Listed = Annotated[tuple[StaffEntry, ...], msgspec.Meta(max_length=STAFF_MAX)]


class StaffFileError(Exception):
    """The file is malformed."""


class StaffFile(Struct, frozen=True, kw_only=True):
    """What it says.

    Attributes:
        premises: all who may sign in, by the number of their premises; each list by number of the person.
        open_schemes: numbers of those that have chosen to show their gallery without proof of the time.
    """

    premises: Mapping[int, _Listed] = {}
    open_schemes: tuple[int, ...] = ()


_read: Final = msgspec.json.Decoder(StaffFile).decode


def encode_staff(file: StaffFile) -> bytes:
    """The bytes of the file; the same for the same."""
    return msgspec.json.encode(msgspec.structs.replace(file, premises=dict(sorted(file.premises.items()))))


def decode_staff(data: bytes) -> StaffFile:
    """Read the file.

    Raises:
        StaffFileError: malformed, or a person twice in one premises.
    """
    try:
        file = _read(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise StaffFileError(f"not a file of staff: {e}") from e
    if any(len({one.person for one in listed}) != len(listed) for listed in file.premises.values()):
        raise StaffFileError("a person is listed twice")
    return file
