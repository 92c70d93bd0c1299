"""Searches a running town for what only memory may hold: whatever its programs keep, log, say, or leave in between.

Their temporary folder lies in the town's, as do the broker's store and what each program writes to its two outputs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from demo.leaks import Leak, Needles, Sort, search
from demo.town import Town

_PLANTED: Final = "planted"


class Searched(Struct, frozen=True):
    """What came of it.

    Attributes:
        leaks: found where it may not be.
        missed: what the search did not find although it was planted, in words.
    """

    leaks: tuple[Leak, ...]
    missed: frozenset[str]


def search_town(town: Town, needles: Needles) -> Searched:
    """Search all of it, with a piece of each planted in two places.

    Raises:
        OSError: a file cannot be read.
    """
    # Names are in the office's own register; a unit's key is in the file that is for it.
    may_hold: dict[Path, Sort] = dict.fromkeys(town.folder.rglob("sealing.key"), "key")
    if town.office is not None:
        may_hold |= dict.fromkeys(town.office.folder.glob("office.sqlite3*"), "name")
    planted = (town.folder / _PLANTED, town.temporary / _PLANTED)
    try:
        for path in planted:
            path.write_bytes(b"\n".join(needles.samples()))
        found = search(needles, town.folder, may_hold)
    finally:
        for path in planted:
            path.unlink(missing_ok=True)
    missed = {what for path in planted for what in needles.sorts if Leak(what, path) not in found}
    return Searched(tuple(leak for leak in found if leak.path not in planted), frozenset(missed))
