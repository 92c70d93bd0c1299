"""The town's authority, as a file ``authority.pub`` names it."""

from __future__ import annotations

from installation.machine import Machine
from wire.signing import PublicKey


def authority_of(data: bytes) -> PublicKey:
    """The key in such a file.

    Raises:
        ValueError, WireError: there is none in it.
    """
    return PublicKey(bytes.fromhex(data.decode("ascii")))


def authority_in(machine: Machine, folder: str) -> PublicKey:
    """The key in that folder's file.

    Raises:
        OSError: it cannot be read.
        ValueError, WireError: there is none in it.
    """
    return authority_of(machine.read(f"{folder}/authority.pub"))
