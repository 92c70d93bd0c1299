"""What cards and central's database have forgotten, so that nothing is expected that is physically gone.

What central has receipted may not stay lost while its node's card is whole, and no press may be taken for another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from central.core.journal import ActionEntry, FrameEntry, JournalEntry
from sim.truth import Truth
from sim.watched import WatchedNode
from wire.ids import FrameId


@dataclass(slots=True)
class Memory:
    """What restored older copies lack.

    Attributes:
        lost_rows: frames that a card has forgotten; central may have them, or copies be under way.
        earlier: their truths, where the number was issued again.
        replaced: frames that central refused, stored again under new numbers.
        forgotten: frames that central had committed, and lacks until they come again.
        acts: people's actions that central has forgotten.
    """

    lost_rows: set[FrameId] = field(default_factory=set)
    earlier: dict[FrameId, list[Truth]] = field(default_factory=dict)
    replaced: set[FrameId] = field(default_factory=set)
    forgotten: set[FrameId] = field(default_factory=set)
    acts: list[ActionEntry] = field(default_factory=list)

    def card_forgot(self, node: WatchedNode, counters: set[int], truths: dict[FrameId, Truth]) -> None:
        """A node's card is restored to a state before these rows."""
        self.lost_rows |= {FrameId(node.id, counter) for counter in counters}
        # Also rows deleted when they were stored again under another number: the card counts on from an older counter.
        self.lost_rows |= {one for one in truths if one.node == node.id and one.counter > node.disk.counter}
        for frame_id, truth in truths.items():
            if node.disk.seen.get(frame_id, (b"", None))[1] is None:
                truth.remembered_at.discard(node.id)

    def central_forgot(self, entries: list[JournalEntry]) -> None:
        """Central's database is restored to a state before these entries."""
        for entry in entries:
            if isinstance(entry, FrameEntry):
                self.forgotten.add(entry.signed.frame.id)
            else:
                self.acts.append(entry)

    def is_reused(self, frame_id: FrameId, before: Truth) -> bool:
        """Whether a number may be issued again because the card has forgotten the first time."""
        if frame_id not in self.lost_rows:
            return False
        self.lost_rows.discard(frame_id)
        self.earlier.setdefault(frame_id, []).append(before)
        return True

    def truth_of(self, entry: FrameEntry, now: Truth | None) -> Truth | None:
        """The press with these bytes: the present one of that number or an earlier one."""
        candidates = [*([now] if now is not None else []), *self.earlier.get(entry.signed.frame.id, [])]
        return next((truth for truth in candidates if truth.signed.data == entry.signed.data), None)

    def is_gone(self, frame_id: FrameId) -> bool:
        """Whether nothing is expected of it any more."""
        return frame_id in self.lost_rows or frame_id in self.replaced
