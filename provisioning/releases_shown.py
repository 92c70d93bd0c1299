"""A release beside what units run: the booted version, by their own word, and never the intended one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from provisioning.fleet import Fleet
from provisioning.releases import SUPPORT_WARNING
from runtime.bundle_folder import BundleFolder
from wire.fleet_list import FleetList, UnitEntry
from wire.release import Release
from wire.text import display_text

WHERE_BOOTED: Final = (
    "What each unit has booted only central knows: save ‘This list as a file’ from its fleet page, and add --from FILE."
)
_HEAD: Final = ("NODE", "PREMISES", "BOOTED", "IS FOR IT", "NEWEST RELEASE THERE")
_CELL_CHARS_MAX: Final = 40


def booted_rows(release: Release, live: FleetList) -> list[str]:
    """A line for each unit of central's list, under a heading."""
    lines = [_HEAD, *(_row(unit, release) for unit in live.units if unit.state != "revoked")]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _row(unit: UnitEntry, release: Release) -> tuple[str, ...]:
    whether = "paused" if release.state == "paused" else "yes" if release.applies_to(unit.node) else "no"
    told = (unit.node, unit.premises, unit.image or "not told", whether, unit.update or "not told")
    return tuple(display_text(one, _CELL_CHARS_MAX) for one in told)


def release_warnings(fleet: Fleet, now: datetime) -> Iterator[str]:
    """What is wrong with what is published, sentences."""
    release = fleet.record.release
    if release is None:
        return
    left = release.support_ends_at - now
    last_day = f"{release.support_ends_at - timedelta(days=1):%Y-%m-%d}"
    if left <= timedelta(0):
        yield f"Support of {release.version} ended on {last_day}: publish a newer version, 'watchlink fleet release'."
    elif left <= SUPPORT_WARNING:
        yield f"Support of {release.version} ends on {last_day}: publish a newer version, 'watchlink fleet release'."
    folder = BundleFolder(fleet.layout.releases)
    for bundle in release.bundles:
        if not folder.holds(bundle.sha256, bundle.size_bytes):
            yield (
                f"The bundle of {release.version} for {bundle.compatible} is not in {folder.path}: put its file back"
                f" there, as {folder.path_of(bundle.sha256).name}."
            )
