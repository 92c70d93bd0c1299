"""Searches a running town for what only memory may hold: whatever its programs keep, log, say, or leave in between.

Their temporary folder lies in the town's, as do the broker's store and what each program writes to its two outputs.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from demo.fitting import TownError
from demo.leaks import Leak, Needles, Sort, search
from demo.town import Town

_PLANTED: Final = "planted"
_SAVED_WITHIN_S: Final = 60.0


class Searched(Struct, frozen=True):
    """What came of it.

    Attributes:
        leaks: found where it may not be.
        missed: what the search did not find although it was planted, in words.
    """

    leaks: tuple[Leak, ...]
    missed: frozenset[str]


async def search_town(town: Town, needles: Needles) -> Searched:
    """Search all of it, with a piece of each planted in two places.

    Raises:
        OSError: a file cannot be read.
        TownError: the broker does not write its store.
    """
    await _save_broker_store(town)
    return await asyncio.to_thread(_search, town, needles)


def _search(town: Town, needles: Needles) -> Searched:
    # Names are in the office's own register; a unit's key is in the file that is for it.
    may_hold: dict[Path, Sort] = dict.fromkeys(town.folder.rglob("sealing.key"), "key")
    if town.office is not None:
        # By name: SQLite makes and removes the last two as it likes.
        may_hold |= {town.office.folder / f"office.sqlite3{end}": "name" for end in ("", "-wal", "-shm")}
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


async def _save_broker_store(town: Town) -> None:
    """Mosquitto writes its store once a minute, and on this signal."""
    store, pid = town.folder / "broker/state/mosquitto.db", town.broker.pid
    if pid is None:
        return
    before_ns = _written_ns(store)
    os.kill(pid, signal.SIGUSR1)
    give_up_s = time.monotonic() + _SAVED_WITHIN_S
    while _written_ns(store) == before_ns:
        if time.monotonic() > give_up_s:
            raise TownError("the broker does not write its store")
        await asyncio.sleep(0.05)


def _written_ns(file: Path) -> int:
    return file.stat().st_mtime_ns if file.exists() else 0
