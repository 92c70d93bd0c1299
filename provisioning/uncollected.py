"""Units that may have claimed their premises, and that the fleet has not collected yet (ADR 0026, 0030).

They are the delegate's alone: central hears them for as long as the delegate may add them to the authority's newest
directory, and the fleet knows no key of theirs.
"""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec

from provisioning.fleet import Fleet
from provisioning.records import ClaimRecord, FleetRecord, NodeRecord
from wire.signing import KEY_BYTES, SigningKey


def nobody_can_claim(record: FleetRecord, now: datetime) -> str:
    """Why no unit can claim its premises now, and what to do: a sentence. Empty = they can, if the service runs."""
    delegation = record.delegation
    if delegation is None or delegation.key is None:
        return "No unit can claim anything, because this town has no delegate: 'watchlink fleet delegate' first."
    if delegation.expires_at <= now:
        return (
            f"No unit can claim anything, because the delegation ended on {delegation.expires_at:%Y-%m-%d}: 'watchlink"
            " fleet delegate' first, with the delegate's key."
        )
    return ""


def left_out_next(record: FleetRecord, now: datetime) -> tuple[ClaimRecord, ...]:
    """The numbers whose units, if they have any, the authority's next directory leaves out.

    The delegate adds them to it again, but what a delegate signs once its time is over counts for nobody. If the
    delegation was ended before that, they were left out then.
    """
    delegation = record.delegation
    is_over = delegation is not None and delegation.key is not None and delegation.expires_at <= now
    return record.claims if is_over else ()


def strike_unseen(fleet: Fleet, node: str) -> NodeRecord | None:
    """Strike the unit of a number that waits, without its key: whoever has claimed it is heard nowhere any more.

    What the authority says of a number is above all that the delegate says, so the key that is given here is nobody's.

    Returns the number's record; ``None`` = it does not wait, and nothing was changed.
    """
    folder = fleet.folder
    with folder.changing():
        claim = next((one for one in folder.record.claims if one.node == node.strip().lower()), None)
        if claim is None:
            return None
        now = folder.now()
        struck = claim.claimed(SigningKey(secrets.token_bytes(KEY_BYTES)).public.raw.hex(), now, is_struck=True)
        record = msgspec.structs.replace(
            folder.record,
            nodes=tuple(sorted((*folder.record.nodes, struck), key=lambda one: one.node)),
            claims=tuple(one for one in folder.record.claims if one.node != claim.node),
        )
        folder.commit(record.with_next_directory(now))
        folder.publish()
    return struck
