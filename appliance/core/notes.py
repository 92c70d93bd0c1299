"""What must outlast a power cut: which release counts, what is on trial, what became of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from appliance.core.slot import Slot
from wire.messages import UpdateReport


class Before(Struct, frozen=True):
    """How the unit was, before another system was tried: parts and buttons that did not work then count for nothing."""

    faulty: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()


class Trial(Struct, frozen=True):
    """A system that was written, and is tried.

    Attributes:
        serial, version, sha256: of its release and its bundle.
        slot: where it was written.
        asked_in: boot of the machine that asked for the restart into it; empty = not asked yet.
        attempts: how often it was asked.
        before: how the unit was then.
        has_begun: it came up far enough to say so.
        reason: why it is given up; empty = it is not.
    """

    serial: int
    version: str
    sha256: str
    slot: Slot
    asked_in: str = ""
    attempts: int = 0
    before: Before = Before()
    has_begun: bool = False
    reason: str = ""


class Notes(Struct, frozen=True):
    """All of it, written whole.

    Attributes:
        sealed: the newest release as it came; empty = none yet.
        trial: ``None`` = nothing waits or is tried.
        outcome: of the newest update that was taken, returned or refused.
        returns: how often each version was taken back.
        support_ends: of the versions that matter, by what their release said.
    """

    sealed: bytes = b""
    trial: Trial | None = None
    outcome: UpdateReport | None = None
    returns: dict[str, int] = {}
    support_ends: dict[str, datetime] = {}
