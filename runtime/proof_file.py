"""``proof.json``: since when the broker was not seen to obey, where central's page reads what a proof has shown."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from runtime.atomic import PUBLIC, write_atomic
from runtime.regular_file import read_regular

_BYTES_MAX: Final = 4096


class Proof(msgspec.Struct, frozen=True):
    """What the newest proof showed.

    Attributes:
        unproven_since: aware; of the first proof that failed. ``None`` = the broker was seen to obey.
    """

    unproven_since: datetime | None = None


class Unproven(msgspec.Struct, frozen=True):
    """The broker was not seen to obey.

    Attributes:
        since: aware; ``None`` = nobody knows.
    """

    since: datetime | None = None


def read_proof(file: Path) -> Unproven | None:
    """What the file says; ``None`` = the broker was seen to obey, or nobody has left word.

    Anybody may have written it.
    """
    try:
        data = read_regular(file, _BYTES_MAX, may_be_link=False)
        since = _read(data).unproven_since
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Unproven()
    if since is None:
        return None
    return Unproven(since if since.tzinfo is not None else None)


def leave_word(file: Path, since: datetime | None, mode: int = PUBLIC) -> None:
    """Write it, if it says another thing. No file says the same as one that all is well. A full disk stops nobody.

    Args:
        file: in a folder that exists.
        since: aware; ``None`` = the broker was seen to obey.
        mode: of the file.
    """
    if read_proof(file) != (None if since is None else Unproven(since)):
        with contextlib.suppress(OSError):
            write_atomic(file, msgspec.json.encode(Proof(since)), mode)


_read: Final = msgspec.json.Decoder(Proof).decode
