"""Central's disk in the simulation: what a power cut leaves."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from central.core.journal import FrameEntry, JournalEntry, KeptAct
from wire.ids import FrameId


class CentralDisk(Struct):
    """What survives. ``journal`` holds every committed entry; ``frames`` the frame entries in it, by id."""

    journal: list[JournalEntry] = field(default_factory=list)
    frames: dict[FrameId, FrameEntry] = field(default_factory=dict)
    counter: int = 0
    raised_entry: int = 0
    acts: tuple[KeptAct, ...] = ()
    is_refusing: bool = False

    def copy(self) -> CentralDisk:
        """A backup as of now."""
        return replace(self, journal=list(self.journal), frames=dict(self.frames))
