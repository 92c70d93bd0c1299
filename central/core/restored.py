"""A database restored from a backup: what nodes saw of the one that was lost (N2).

Its journal lacks alerts that were receipted, and counts on from numbers that nodes have already seen, so they would
take new for old. Each node tells each run of central, signed, which receipts it holds and the highest numbers it has
seen. Central asks again for what is lacking, and counts on above every number that it is told.

One lying node must not use up the numbers: a run of central is led on by at most :data:`ENTRIES_MAX` entries, and at
one time by at most :data:`COUNTERS_MAX` frame counters, which is more than a backup can be behind. A restore by command
begins at a height by the clock, and up to there a node is believed as well: :mod:`central.counters`.
"""

from __future__ import annotations

from typing import Final

from msgspec import field

from central.core.effects import RaiseNumbers
from central.core.events import SyncArrived
from central.core.intake import Intake
from central.core.undo import Record, Table
from wire.ids import NodeId
from wire.messages import RECEIPTED_MAX, Sync

ENTRIES_MAX: Final = 1 << 32
COUNTERS_MAX: Final = 1 << 22


class Restored(Record):
    """What this run has been told so far."""

    _entry_max: int | None = None
    # By node: a lying one must not drown the others.
    _counters: Table[NodeId, int] = field(default_factory=Table)
    # By node with an unfinished list: the nonce, the last part that came, what is lacking so far.
    _begun: Table[NodeId, tuple[str, int, tuple[int, ...]]] = field(default_factory=Table)

    def take_sync(self, event: SyncArrived, intake: Intake, entry: int) -> tuple[RaiseNumbers, tuple[int, ...] | None]:
        """Take what a node has seen, above ``entry`` and the counters that it told before, and which receipts it holds.

        Returns:
            The numbers to raise; counters of its frames that are not here, ``None`` until its sync is complete.
        """
        if not event.is_signed:
            return RaiseNumbers(0, 0), ()
        if self._entry_max is None:
            self._entry_max = entry + ENTRIES_MAX
        seen, counter = min(event.sync.central_revision, self._entry_max), event.sync.central_counter
        told = self._counters.get(event.node, 0)
        if counter > told:
            self._counters[event.node] = counter
        raised = RaiseNumbers(counter if counter > told else 0, seen if seen > entry else 0)
        return raised, self._lacking_of(event.node, event.sync, intake)

    def _lacking_of(self, node: NodeId, sync: Sync, intake: Intake) -> tuple[int, ...] | None:
        # Senders take turns, so others' syncs come between the parts of one.
        nonce, part, before = self._begun.pop(node, ("", 0, ()))
        if sync.part == 1:
            before = ()
        elif (nonce, part + 1) != (sync.nonce, sync.part):
            return None  # A part was lost: without an answer the node lists everything again.
        lacking = (before + intake.lacking(node, sync.receipted))[:RECEIPTED_MAX]
        if sync.part == sync.parts:
            return lacking
        self._begun[node] = (sync.nonce, sync.part, lacking)
        return None
