"""Serial numbers of certificates that are made to look at a broker with. They say when the certificate ends.

A revocation list need not name what has ended. Of these alone whoever has only the list knows it, so that two of them a
day do not stay there for ever. 20 bytes, the first below 0x80 (RFC 5280, 4.1.2.2):

======  =====  ================================
offset  width  meaning
======  =====  ================================
0       7      mark
7       5      end of life, Unix time in seconds
12      8      random
======  =====  ================================

Any other serial has the mark by one chance in 2**55. One that is dropped too early, by a wrong clock, gives nobody a
right: such a certificate has none at the broker.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

_MARK: Final = b"\x57canary"
_BYTES: Final = 20
_SECONDS: Final = slice(len(_MARK), len(_MARK) + 5)


def proof_serial(ends_at: datetime) -> int:
    """A new one, of a certificate that ends then (aware)."""
    seconds = int(ends_at.timestamp()).to_bytes(_SECONDS.stop - _SECONDS.start)
    return int.from_bytes(_MARK + seconds + secrets.token_bytes(_BYTES - _SECONDS.stop))


def has_ended(serial: int, now: datetime) -> bool:
    """Whether it is such a serial, and of a certificate that has ended."""
    if serial < 0 or serial.bit_length() > _BYTES * 8:
        return False
    data = serial.to_bytes(_BYTES)
    return data.startswith(_MARK) and int.from_bytes(data[_SECONDS]) <= now.timestamp()
