"""Faults planted in the simulated gallery, one at a time, to see that its invariants catch them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec.structs import replace

from gallery.core import effects as do
from gallery.core import events as ev


class GalleryPlant(StrEnum):
    """What is wrong."""

    DAY_FORGOTTEN = "day-forgotten"
    """The disk does not remember how late it was: a clock that was set back counts."""
    KEY_LEFT = "key-left"
    """The row of a key stays on the disk though its destruction is confirmed."""
    OTHER_SCHEME = "other-scheme"
    """The gallery of a scheme that the premises has left stays."""
    VIEW_NOT_LOGGED = "view-not-logged"
    """A view is said to be on the disk, and is not."""
    LOCK_OUT_FORGOTTEN = "lock-out-forgotten"
    """A restart forgets how often somebody has guessed."""
    BOOT_NOT_CHARGED = "boot-not-charged"
    """A boot costs nothing of the lease."""
    REPORT_NOT_KEPT = "report-not-kept"
    """A report is said to be on the disk, and is not."""


GALLERY_BREAKS: Final[dict[GalleryPlant, tuple[str, ...]]] = {
    GalleryPlant.DAY_FORGOTTEN: ("J1", "J4", "J10"),
    GalleryPlant.KEY_LEFT: ("J5",),
    GalleryPlant.OTHER_SCHEME: ("J3", "J5"),
    GalleryPlant.VIEW_NOT_LOGGED: ("J6",),
    GalleryPlant.LOCK_OUT_FORGOTTEN: ("J8",),
    GalleryPlant.BOOT_NOT_CHARGED: ("J4",),
    GalleryPlant.REPORT_NOT_KEPT: ("J11",),
}
"""The invariants that each breaks, any of which counts."""


def spoil_start(plant: GalleryPlant | None, event: ev.Started) -> ev.Started:
    """What the core is told of the disk."""
    match plant:
        case GalleryPlant.DAY_FORGOTTEN:
            return replace(event, ledger=replace(event.ledger, floor_s=0))
        case GalleryPlant.BOOT_NOT_CHARGED:
            lease = event.ledger.lease
            return replace(event, ledger=replace(event.ledger, lease=replace(lease, charged_s=-600)))
        case GalleryPlant.LOCK_OUT_FORGOTTEN:
            return replace(event, staff=tuple(replace(row, failures=0) for row in event.staff))
        case _:
            return event


def spoil_answer(plant: GalleryPlant | None, event: ev.OfficeAnswered, held: frozenset[int]) -> ev.OfficeAnswered:
    """What the core is told of the office's answer."""
    if plant is not GalleryPlant.OTHER_SCHEME:
        return event
    told = {one.scheme for one in event.schemes}
    kept = tuple(ev.SchemeTold(scheme) for scheme in sorted(held - told))
    return replace(event, schemes=(*event.schemes, *kept))


def spoil_write(plant: GalleryPlant | None, effect: do.Effect) -> bool:
    """Whether the disk does what it confirms."""
    return not (
        (plant is GalleryPlant.KEY_LEFT and isinstance(effect, do.DestroyKeys))
        or (plant is GalleryPlant.VIEW_NOT_LOGGED and isinstance(effect, do.StoreViews))
        or (plant is GalleryPlant.REPORT_NOT_KEPT and isinstance(effect, do.KeepReports))
    )
