"""A full disk: the journal goes on in the room that was kept for it, and the room is kept again when there is some."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from central.store.database import Database, resolve_url
from central.store.reserve import PIECE_BYTES, RESERVE_BYTES, Reserve

ON_A_FULL_DISK = """
import os, subprocess, sys
from pathlib import Path
from central.store.database import Database, resolve_url
from central.store.errors import StoreError
from central.store.recalling import recall
from tests.support.central_town import START, Town

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)

def fill_up():
    with open(disk / "filler", "ab", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)) == 4096:
                pass
        except OSError:
            pass

database = Database(resolve_url("sqlite:///state/central.db", disk))
database.open()
print("kept:", database.has_reserve)
town = Town()
for counter in range(7, 107):
    town.press(counter)
fill_up()
stored = 0
for entry in town.disk:
    database.commit([entry])
    stored += 1
    fill_up()
print("stored on a full disk:", stored, "of", len(town.disk))
print("receipts:", len(database.reserve_counters(100)), "told:", not database.has_reserve)
database.close()

database = Database(resolve_url("sqlite:///state/central.db", disk))
database.open()
print("after a restart:", len(recall(database, START).seen), "told:", not database.has_reserve)
(disk / "filler").unlink()
database.probe()
print("room again:", database.has_reserve)
database.close()
"""


def test_alerts_are_stored_on_a_full_disk_for_a_while(tmp_path: Path) -> None:
    """A real file system of its own, filled up again after each alert by whatever filled it before."""
    unshare = shutil.which("unshare")
    assert unshare
    own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(
        [unshare, *own_user, "--mount", sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert [
        "kept: True",
        "stored on a full disk: 100 of 100",
        "receipts: 100 told: True",
        "after a restart: 100 told: True",
        "room again: True",
    ] == done.stdout.splitlines(), done.stderr


def test_reserve_is_given_up_in_pieces_and_filled_again(tmp_path: Path) -> None:
    """What filled the disk may take one piece; the next is still there."""
    file = tmp_path / "central.db.reserve"
    reserve = Reserve(file)
    reserve.fill()
    held = file.stat().st_blocks * 512

    assert reserve.give_up()
    left = file.stat().st_blocks * 512
    while reserve.give_up():
        pass

    assert (True, True) == (held >= RESERVE_BYTES, 0 < left <= RESERVE_BYTES - PIECE_BYTES)
    assert (0, False) == (file.stat().st_size, reserve.is_whole)
    reserve.fill()
    assert reserve.is_whole


def test_database_without_a_reserve_is_opened_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    database = Database(resolve_url("sqlite:///state/central.db", tmp_path))
    database.open()

    assert not database.has_reserve
    database.close()


def test_room_is_kept_from_the_first_start(database: Database, tmp_path: Path) -> None:
    assert database.has_reserve
    assert [RESERVE_BYTES] == [path.stat().st_size for path in tmp_path.rglob("*.reserve")]


def test_reserve_that_is_not_there_or_cannot_be_cut_gives_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for room is told so, instead of trying for ever."""

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    reserve = Reserve(tmp_path / "central.db.reserve")
    assert not reserve.give_up()
    reserve.fill()
    monkeypatch.setattr(os, "truncate", refuse)
    assert not reserve.give_up()
