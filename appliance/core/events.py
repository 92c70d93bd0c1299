"""What happens."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from wire.release import Release
from wire.unit_files import Vitals


class ReleaseSeen(Struct, frozen=True):
    """The service has a release that the authority signed.

    Attributes:
        release: what it says.
        sealed: as it came.
    """

    release: Release
    sealed: bytes


class NothingNew(Struct, frozen=True):
    """There is no release, or nobody answered.

    Attributes:
        again_s: not to be asked before; 0 = as usual.
    """

    again_s: int = 0


class BundleFetched(Struct, frozen=True):
    """All of it is here, and has this SHA-256."""

    sha256: str


class FetchFailed(Struct, frozen=True):
    """It is not all here.

    Attributes:
        why: ``cut``: the rest comes next time; ``corrupt``: it is another, and was deleted; ``no room``.
        reason: for people.
        again_s: not to be asked before; 0 = as usual.
    """

    why: Literal["cut", "corrupt", "no room"]
    reason: str
    again_s: int = 0


class Installed(Struct, frozen=True):
    """The other system was written from the bundle with this SHA-256, whose signature and hardware are right."""

    sha256: str


class InstallFailed(Struct, frozen=True):
    """RAUC refused.

    Attributes:
        reason: RAUC's own.
        is_final: the bundle itself is wrong, so that trying again does not help.
    """

    reason: str
    is_final: bool


class VitalsRead(Struct, frozen=True):
    """The node's newest word; ``None`` = there is none."""

    vitals: Vitals | None


class CardChecked(Struct, frozen=True):
    """Whether what is written to the card stays there.

    Attributes:
        fault: for people; empty = it stays.
    """

    fault: str


class ClockProven(Struct, frozen=True):
    """The time is known."""


class EffectFailed(Struct, frozen=True):
    """The card refused an order of the last step, which counts as not made.

    Attributes:
        reason: for people.
        of: what that step was about.
    """

    reason: str
    of: Event


class Ticked(Struct, frozen=True):
    """Time passed."""


Answer = BundleFetched | FetchFailed | Installed | InstallFailed
"""To what takes long."""
Event = ReleaseSeen | NothingNew | Answer | VitalsRead | CardChecked | ClockProven | EffectFailed | Ticked
