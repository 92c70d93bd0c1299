"""Central's disk in the simulation: what a power cut leaves."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from central.core.journal import FrameEntry, JournalEntry
from wire.ids import FrameId


class CentralDisk(Struct):
    """What survives. ``journal`` holds every committed entry; ``frames`` says which frames are in it."""

    journal: list[JournalEntry] = field(default_factory=list)
    frames: dict[FrameId, FrameEntry] = field(default_factory=dict)
    counter: int = 0
    raised_entry: int = 0
    is_refusing: bool = False

    def copy(self) -> CentralDisk:
        """A backup, made now."""
        return replace(self, journal=list(self.journal), frames=dict(self.frames))
