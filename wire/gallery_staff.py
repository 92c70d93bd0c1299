"""Who may sign in at the in-shop page of a premises, as the office lists them (ADR 0035).

A person is known by their number: the view log says it in place of the name. A start code is never sent, only what it
is compared with. Its 80 bits are random, so whoever reads that finds no code by trying.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from wire.messages import Count, Message, Name
from wire.printed_codes import read_code

STAFF_MAX: Final = 100
"""Of a premises."""

StaffNumber = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
CodeCheck = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")]


class StaffEntry(Message, frozen=True, gc=False):
    """A person who may sign in at the premises' page."""

    person: StaffNumber
    """Never used again for somebody else."""
    name: Name
    code: Count = 0
    """Number of the newest start code that they were given; 0 = none. A higher one ends the PIN."""
    code_check: CodeCheck = ""
    """SHA-256 that the start code is compared with, below; empty = this code is good no more."""


def start_code_check(typed: str) -> str | None:
    """What the office keeps and sends of a start code: 64 hexadecimal digits. Its form is :mod:`wire.printed_codes`'.

    No salt and no slow hash, which make up for secrets that people choose: no two codes are equal, and none is guessed.

    Args:
        typed: case, spaces and dashes do not matter.

    Returns:
        ``None`` if it cannot be a code.
    """
    code = read_code(typed)
    return None if code is None else sha256(f"watchlink/1/start code\n{code}".encode()).hexdigest()


def staff_digest(staff: Sequence[StaffEntry]) -> str:
    """By which the office knows whether a node has this list: SHA-256 over its domain and the list, by number."""
    rows = [(one.person, one.name, one.code, one.code_check) for one in sorted(staff, key=lambda one: one.person)]
    return sha256(b"watchlink/1/staff\n" + msgspec.json.encode(rows)).hexdigest()
