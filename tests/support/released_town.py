"""``watchlink fleet release`` in a town, and what came of it."""

from __future__ import annotations

from pathlib import Path

from provisioning.cli import main
from provisioning.fleet import Fleet
from tests.support.release_bundles import SUPPORT_ENDS
from wire.release import Release, open_release


def release(town: Fleet, *words: str | Path) -> int:
    """``watchlink fleet release …`` in that town, without questions."""
    act, *more = map(str, words)
    return main(["release", act, "--dir", str(town.layout.town), *more, *([] if act == "show" else ["--yes"])])


def publish(town: Fleet, *bundles: Path, percent: int = 100) -> None:
    assert 0 == release(town, "publish", *bundles, "--support-ends", SUPPORT_ENDS, "--percent", str(percent))


def in_force(town: Fleet) -> Release:
    """As the enrolment service and units read it."""
    return open_release(town.layout.release.read_bytes(), town.folder.authority_public())


def files(town: Fleet) -> set[str]:
    return {one.name for one in town.layout.releases.iterdir()}
