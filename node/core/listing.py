"""The receipts we hold, listed in a sync: in as many parts as needed, all with one nonce."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from wire.messages import PARTS_MAX, RECEIPTED_MAX, ReceiptedFrame, Sync


def parts_of(sync: Sync, receipted: Sequence[tuple[int, str]]) -> tuple[Sync, ...]:
    """``sync`` with these (counter, digest as text) frames too, ascending; only the newest if there are too many."""
    told = {*receipted, *((frame.counter, frame.digest) for frame in sync.receipted)}
    chosen = sorted(told)[-RECEIPTED_MAX * PARTS_MAX :]
    frames = tuple(ReceiptedFrame(counter=counter, digest=digest) for counter, digest in chosen)
    groups = [frames[at : at + RECEIPTED_MAX] for at in range(0, len(frames), RECEIPTED_MAX)] or [()]
    return tuple(
        replace(sync, receipted=group, part=number, parts=len(groups)) for number, group in enumerate(groups, start=1)
    )
