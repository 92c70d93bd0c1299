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
    """A row of the outbox. ``boot``: the machine's boot in which it was written."""

    data: bytes
    stored_ms: int
    boot: int
    at_s: int
    is_receipted: bool = False


class NodeDisk(Struct):
    """The committed state."""

    rows: dict[int, DiskRow] = field(default_factory=dict)
    scales: tuple[int, tuple[Scale, ...]] = (0, ())
    """The machine's boot in which they were learnt, and the scales of central's time."""
    seen: dict[FrameId, tuple[bytes, Priority | None]] = field(default_factory=dict)
    counter: int = 0
    directory: bytes = b""
    airtime: tuple[int, int, tuple[tuple[int, int], ...]] = (0, 0, ())
    """The machine's boot, its clock at the time, and the airtime of the last minutes by that clock."""
    is_refusing: bool = False

    def copy(self) -> NodeDisk:
        """A copy as of now."""
        rows = {counter: replace(row) for counter, row in self.rows.items()}
        return replace(self, rows=rows, seen=dict(self.seen))

    def keep_directory(self, data: bytes) -> None:
        """Replace the directory, unless the disk refuses."""
        if not self.is_refusing:
            self.directory = data

    def keep_scales(self, boot: int, scales: tuple[Scale, ...]) -> None:
        """Replace the scales, unless the disk refuses; they hold until the next boot."""
        if not self.is_refusing:
            self.scales = boot, scales

    def keep_airtime(self, boot: int, now_ms: int, slices: tuple[tuple[int, int], ...]) -> None:
        """Replace the airtime, unless the disk refuses; ``now_ms`` is that boot's clock."""
        if not self.is_refusing:
            self.airtime = boot, now_ms, slices

    def receipted(self) -> list[tuple[int, str]]:
        """Counter and digest in hex of each receipted row, as the node's store gives them."""
        return [(counter, frame_digest(row.data).hex()) for counter, row in self.rows.items() if row.is_receipted]

    def reopen(self, counters: Iterable[int]) -> list[DiskRow] | None:
        """Take back the receipts of these rows and return them; ``None``: the disk refuses."""
        if self.is_refusing:
            return None
        rows = [self.rows[counter] for counter in counters if counter in self.rows]
        for row in rows:
            row.is_receipted = False
        return rows
