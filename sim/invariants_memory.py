"""What cards and central's database have forgotten: so that nothing is asked for that is physically gone.

Nothing that central has receipted may stay lost while its node's card is whole, and no press may be taken for another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from central.core.journal import ActionEntry, FrameEntry, JournalEntry
from sim.truth import Truth
from sim.watched import WatchedNode
from wire.ids import FrameId


@dataclass(slots=True)
class Memory:
    """Older copies were put back.

    Attributes:
        lost_rows: frames that a card has forgotten; central may have them, or copies be under way.
        earlier: their truths, where the number was given out again.
        replaced: frames that central refused and that are stored anew.
        forgotten: frames that central had committed, and lacks until they come again.
        acts: what people did that central has forgotten.
    """

    lost_rows: set[FrameId] = field(default_factory=set)
    earlier: dict[FrameId, list[Truth]] = field(default_factory=dict)
    replaced: set[FrameId] = field(default_factory=set)
    forgotten: set[FrameId] = field(default_factory=set)
    acts: list[ActionEntry] = field(default_factory=list)

    def card_forgot(self, node: WatchedNode, counters: set[int], truths: dict[FrameId, Truth]) -> None:
        """A node's card is as it was before these rows."""
        self.lost_rows |= {FrameId(node.id, counter) for counter in counters}
        # And those that had gone from it, stored anew under another number: the card counts on from where it was.
        self.lost_rows |= {one for one in truths if one.node == node.id and one.counter > node.disk.counter}
        for frame_id, truth in truths.items():
            if node.disk.seen.get(frame_id, (b"", None))[1] is None:
                truth.remembered_at.discard(node.id)

    def central_forgot(self, entries: list[JournalEntry]) -> None:
        """Its database is as it was before these."""
        for entry in entries:
            if isinstance(entry, FrameEntry):
                self.forgotten.add(entry.signed.frame.id)
            else:
                self.acts.append(entry)

    def is_reused(self, frame_id: FrameId, before: Truth) -> bool:
        """Whether a number may be given out again, for the card has forgotten that it was."""
        if frame_id not in self.lost_rows:
            return False
        self.lost_rows.discard(frame_id)
        self.earlier.setdefault(frame_id, []).append(before)
        return True

    def truth_of(self, entry: FrameEntry, now: Truth | None) -> Truth | None:
        """The press that these bytes are, the present one of that number or an earlier one."""
        candidates = [*([now] if now is not None else []), *self.earlier.get(entry.signed.frame.id, [])]
        return next((truth for truth in candidates if truth.signed.data == entry.signed.data), None)

    def is_gone(self, frame_id: FrameId) -> bool:
        """Nothing need become of it any more."""
        return frame_id in self.lost_rows or frame_id in self.replaced
