"""A node's disk in the simulation: what a power cut leaves."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from node.core.effects import Scale
from wire.answers import frame_digest
from wire.ids import FrameId
from wire.kinds import Priority


class DiskRow(Struct):
    """A row of the outbox. ``boot``: the machine's boot it was written in."""

    data: bytes
    stored_ms: int
    boot: int
    at_s: int
    is_receipted: bool = False


class NodeDisk(Struct):
    """What a power cut leaves. Whatever is in here was committed."""

    rows: dict[int, DiskRow] = field(default_factory=dict)
    scales: tuple[int, tuple[Scale, ...]] = (0, ())
    """Central's time, and the machine's boot it was learnt in."""
    seen: dict[FrameId, tuple[bytes, Priority | None]] = field(default_factory=dict)
    counter: int = 0
    directory: bytes = b""
    airtime: tuple[int, int, tuple[tuple[int, int], ...]] = (0, 0, ())
    """The machine's boot, its clock then, and what the overs of the last minutes took by that clock."""
    is_refusing: bool = False

    def copy(self) -> NodeDisk:
        """As it is now."""
        rows = {counter: replace(row) for counter, row in self.rows.items()}
        return replace(self, rows=rows, seen=dict(self.seen))

    def keep_directory(self, data: bytes) -> None:
        """Instead of the one before."""
        if not self.is_refusing:
            self.directory = data

    def keep_scales(self, boot: int, scales: tuple[Scale, ...]) -> None:
        """Until the machine boots anew."""
        if not self.is_refusing:
            self.scales = boot, scales

    def keep_airtime(self, boot: int, now_ms: int, slices: tuple[tuple[int, int], ...]) -> None:
        """By that boot's clock, which says ``now_ms``."""
        if not self.is_refusing:
            self.airtime = boot, now_ms, slices

    def receipted(self) -> list[tuple[int, str]]:
        """As the node's store says it."""
        return [(counter, frame_digest(row.data).hex()) for counter, row in self.rows.items() if row.is_receipted]

    def reopen(self, counters: Iterable[int]) -> list[DiskRow] | None:
        """Take their receipts back; ``None``: it will not."""
        if self.is_refusing:
            return None
        rows = [self.rows[counter] for counter in counters if counter in self.rows]
        for row in rows:
            row.is_receipted = False
        return rows
