"""What is ordered. They are carried out in order; one that fails ends them, and its step counts as not made."""

from __future__ import annotations

from msgspec import Struct

from appliance.core.notes import Notes
from appliance.core.slot import Slot
from wire.release import Bundle


class AskRelease(Struct, frozen=True):
    """Ask the service for the newest release. Answered later."""


class FetchBundle(Struct, frozen=True):
    """Get it, or the rest of it. Answered later."""

    bundle: Bundle


class InstallBundle(Struct, frozen=True):
    """Write it over the system that does not run. Answered later."""

    bundle: Bundle


class DropBundles(Struct, frozen=True):
    """Delete what was fetched."""


class SaveNotes(Struct, frozen=True):
    """On the card when this is done."""

    notes: Notes


class RestartOnTrial(Struct, frozen=True):
    """Restart into the other system, once."""


class RestartBack(Struct, frozen=True):
    """Restart into the system that the card boots by itself."""


class CommitSlot(Struct, frozen=True):
    """Let the card boot this system, which runs, by itself; on the card when this is done."""

    slot: Slot


Effect = AskRelease | FetchBundle | InstallBundle | DropBundles | SaveNotes | RestartOnTrial | RestartBack | CommitSlot
