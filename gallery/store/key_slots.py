"""A row of keys, as it lies in its slot: ciphertext for this unit's key (:mod:`wire.gallery_keys`).

======  =====  =========  ======================================
offset  width  type       meaning
======  =====  =========  ======================================
0       2      u16        scheme
2       8      u64        case
10      8      u64        ``since`` of the line
18      81+    bytes      the row's ``sealed``
======  =====  =========  ======================================

Integers are big-endian.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from gallery.core.holdings import Key
from gallery.store.slots import Slots
from wire.gallery_keys import KeyRow

KEY_SLOTS: Final = Slots("key_slots", 136)
_HEAD: Final = struct.Struct(">HQQ")


def write_key_slot(scheme: int, key: Key, row: KeyRow) -> bytes:
    """For a slot."""
    return _HEAD.pack(scheme, *key) + row.sealed


def read_key_slot(data: bytes) -> tuple[int, Key, KeyRow] | None:
    """Scheme, key and row; ``None`` = it is damaged."""
    if len(data) < _HEAD.size:
        return None
    scheme, case, since = _HEAD.unpack_from(data)
    try:
        row = msgspec.convert({"case": case, "since": since, "sealed": data[_HEAD.size :]}, KeyRow)
    except msgspec.ValidationError:
        return None
    return scheme, (case, since), row
