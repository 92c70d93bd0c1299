"""Which directory may follow the one held. Nodes and central ask here, each where it takes a directory.

:func:`~wire.directory.open_directory` has checked the signatures, and that a delegate's changes are additions and
strikes. Here the newer directory is compared with the one held, and its delegation with the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec.structs import astuple, replace

from wire.directory import Directory, Sender

_REVOKED: Final = Sender.__struct_fields__.index("is_revoked")

Refusal = Literal["old delegation", "delegation expired", "delegate change"]


def refusal(newer: Directory, held: Directory, times_s: Sequence[int] = ()) -> Refusal | None:
    """Why ``newer`` may not follow ``held``; ``None`` = it may.

    Args:
        newer: with a higher serial than ``held``: the caller has looked.
        held: the one held, which is on disk; the empty one if there is none.
        times_s: now, in Unix seconds, by each clock that the receiver has reason to believe; none = it has none. A
            delegation has expired if all of them say so, or if the authority's own signature is of a later time. A
            receiver without any time believes the delegation: it is the epoch that ends a stolen one, and a strike
            that is refused for want of a clock would leave a stolen node its voice.
    """
    if not held.serial:
        return None  # To know nobody is worse than to know a day too long whom a delegate has added.
    if newer.epoch < held.epoch:
        # Whoever signed it. So the highest epoch seen is always the held directory's, also after a restart.
        return "old delegation"
    delegation = newer.delegation
    if delegation is None or not newer.is_delegated:
        return None
    expires_at_s = delegation.expires_at.timestamp()
    if newer.issued_at_s >= expires_at_s or (times_s and min(times_s) >= expires_at_s):
        return "delegation expired"
    if newer.base == held.base and _takes_back(newer, held):
        return "delegate change"
    return None


def newest(first: Directory, kept: Directory) -> Directory:
    """Which counts at the start, when no clock is proven: the one kept, unless the first one may follow it."""
    return first if first.serial > kept.serial and refusal(first, kept) is None else kept


def _takes_back(newer: Directory, held: Directory) -> bool:
    """Whether of the same authority's directory it has lost or changed a sender other than by striking it."""
    return any(not _may_become(was, newer.senders.get(node)) for node, was in held.senders.items())


def _may_become(was: Sender, now: Sender | None) -> bool:
    if now is None or (was.is_revoked and not now.is_revoked):
        return False
    if not was.sealing_key:
        # It may be said later: a service of the version before has added the node without. It never becomes another.
        was = replace(was, sealing_key=now.sealing_key)
    before, after = astuple(was), astuple(now)
    return before[:_REVOKED] == after[:_REVOKED] and before[_REVOKED + 1 :] == after[_REVOKED + 1 :]
