"""The authority's delegate: who may add and strike premises' nodes without the authority's key (ADR 0026)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.public_keys import KeyOwner, read_public_key
from provisioning.records import DelegationRecord

DELEGATION: Final = timedelta(days=90)
THE_DELEGATE: Final = KeyOwner("the delegate", "add and strike nodes", "delegate.pub")


def read_delegate_key(path: Path, folder: FleetFolder) -> bytes:
    """The delegate's public key, 32 raw bytes, from the file that the delegate made.

    Raises:
        FleetInputError: not such a file: unreadable, a private key, another's in this fleet, or a former delegate's.
    """
    key = read_public_key(path, folder, THE_DELEGATE)
    _refuse_former(folder.record.delegation, key.hex())
    return key


def delegate_to(folder: FleetFolder, key: bytes) -> DelegationRecord:
    """Let ``key`` add and strike premises' nodes for 90 days, with the next directory. Another delegate ends by it.

    Args:
        folder: the fleet's.
        key: a public key, 32 raw bytes, as :func:`read_delegate_key` gives it.

    Raises:
        FleetInputError: it was a delegate's before; nothing was changed.
    """
    return _change(folder, key.hex())


def end_delegation(folder: FleetFolder) -> DelegationRecord:
    """End the delegation, with the next directory. What the delegate added and struck goes with it."""
    return _change(folder, None)


def _change(folder: FleetFolder, key: str | None) -> DelegationRecord:
    with folder.changing():
        record, now = folder.record, folder.now()
        before = record.delegation
        if key is not None:
            _refuse_former(before, key)
        ended = before.ended if before is not None else ()
        if before is not None and before.key is not None and before.key != key:
            ended = (*ended, before.key)
        # By the clock, so that a fleet restored from an old copy does not repeat an epoch that receivers have seen.
        epoch = max(int(now.timestamp()), before.epoch + 1 if before is not None else 1)
        expires_at = now if key is None else now + DELEGATION
        delegation = DelegationRecord(epoch=epoch, key=key, expires_at=expires_at, ended=ended)
        # First the delegation: it decides how the next directory is numbered.
        changed = msgspec.structs.replace(record, delegation=delegation)
        folder.commit(changed.with_next_directory(now))
        folder.publish()
    return delegation


def _refuse_former(delegation: DelegationRecord | None, key: str) -> None:
    if delegation is not None and key in delegation.ended:
        raise FleetInputError(
            "This key was a delegate's before, and its delegation was ended. Nothing was changed. Make a new key."
        )
