"""A backup is made while central runs, and is proven before an older one goes (C9)."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest
from pyrage import x25519
from sqlalchemy.engine import make_url

from central.backup.making import REGISTER_BYTES_MAX, origin_of
from central.backup.restoring import restore
from runtime import backup_file, backup_making
from runtime.backup_file import BackupError, unpack
from runtime.backup_record import read_record
from runtime.backup_rules import Record
from runtime.backup_workspace import workspace
from tests.central.backup.conftest import Kept
from tests.support.central_town import START
from tests.support.fleet_broker import wait_until
from wire.fleet_files import REGISTER_COPY


def opened(kept: Kept, sealed: Path, folder: Path) -> dict[str, bytes]:
    """What is in a backup, by its name there."""
    folder.mkdir()
    unpack(sealed, folder, [kept.identity], origin_of(kept.configuration))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def counters_in(file: Path) -> list[int]:
    with sqlite3.connect(file) as disk:
        found = [row[0] for row in disk.execute("SELECT counter FROM frames ORDER BY counter")]
    disk.close()
    return found


def state_of(kept: Kept) -> set[str]:
    return {path.name for path in kept.file.parent.iterdir()}


def test_backup_of_a_running_central_has_all_that_is_committed(kept: Kept, tmp_path: Path) -> None:
    """What is written meanwhile is in it or not, but never half, and the writer is not refused."""
    is_enough = threading.Event()

    def write() -> None:
        for counter in range(8, 10_000):
            kept.press(counter)
            if is_enough.is_set():
                return

    writer = threading.Thread(target=write)
    before = counters_in(kept.file)
    writer.start()
    made = kept.back_up()
    is_enough.set()
    writer.join()

    opened(kept, made.file, tmp_path / "opened")
    found = counters_in(tmp_path / "opened" / "central.db")
    assert before == found[: len(before)]
    assert counters_in(kept.file)[: len(found)] == found


@pytest.fixture
def enrolling(kept: Kept) -> Path:
    """Where the enrolment service beside central keeps the copy of its register."""
    changed = kept.configuration.file.parent / "changed"
    changed.mkdir()
    kept.configuration = msgspec.structs.replace(
        kept.configuration, delegated_directory_file=changed / "directory.json"
    )
    return changed / REGISTER_COPY


def test_backup_holds_what_only_the_enrolment_service_beside_central_knows(
    kept: Kept, enrolling: Path, tmp_path: Path
) -> None:
    assert REGISTER_COPY not in opened(kept, kept.back_up().file, tmp_path / "before")
    enrolling.write_bytes(b"{}")

    assert b"{}" == opened(kept, kept.back_up(1).file, tmp_path / "opened")[REGISTER_COPY]


def link_to_a_key(file: Path) -> None:
    file.symlink_to(file.parent.parent / "signing.key")


def pipe(file: Path) -> None:
    os.mkfifo(file)


def too_large(file: Path) -> None:
    file.touch()
    os.truncate(file, REGISTER_BYTES_MAX + 1)


@pytest.mark.parametrize("put", [link_to_a_key, pipe, too_large])
def test_what_a_stolen_enrolment_service_puts_there_is_in_no_backup(
    kept: Kept, enrolling: Path, tmp_path: Path, put: Callable[[Path], None]
) -> None:
    """A link would carry central's key into it; a pipe would end all backups."""
    put(enrolling)

    assert {"central.db", "central.toml"} == opened(kept, kept.back_up().file, tmp_path / "opened").keys()


def test_backup_holds_state_and_configuration_but_no_private_key(kept: Kept, tmp_path: Path) -> None:
    """Who opens one can read, but cannot speak for central."""
    kept.configuration.kept_snapshots_dir.mkdir()
    (kept.configuration.kept_snapshots_dir / f"people-7-{'0' * 64}.json").write_bytes(b"{}")

    inside = opened(kept, kept.back_up().file, tmp_path / "opened")

    assert {"central.db", "central.toml", f"snapshots/people-7-{'0' * 64}.json"} == inside.keys()
    assert kept.configuration.file.read_bytes() == inside["central.toml"]
    keys = [path.read_bytes().strip() for path in kept.configuration.file.parent.glob("*.key")]
    assert len(keys) == 3
    assert [] == [key for key in keys for data in inside.values() if key in data]


def test_backup_leaves_nothing_readable_behind(kept: Kept) -> None:
    before = state_of(kept)
    made = kept.back_up()

    assert before | {".backup.lock"} == state_of(kept)
    assert [made.file] == [*kept.folder.iterdir()]
    assert 0o600 == made.file.stat().st_mode & 0o777
    assert b"Ann Jones" not in made.file.read_bytes()


def test_as_many_are_kept_as_the_configuration_says(kept: Kept) -> None:
    made = [kept.back_up(hours).file for hours in range(5)]

    assert made[-3:] == sorted(kept.folder.iterdir())


@pytest.mark.parametrize("byte", [100, -1])
def test_file_that_is_not_as_it_was_written_is_no_backup_and_pushes_out_none(
    kept: Kept, byte: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that alters what it is given."""
    last = [kept.back_up(hours).file for hours in range(3)]
    encrypt = backup_file.encrypt

    def alter(archive: Path, out: IO[bytes], recipients: Sequence[x25519.Recipient]) -> None:
        encrypt(archive, out, recipients)
        out.flush()
        data = Path(out.name).read_bytes()
        place = byte % len(data)
        os.pwrite(out.fileno(), bytes([data[place] ^ 1]), place)

    monkeypatch.setattr(backup_making, "encrypt", alter)

    with pytest.raises(BackupError):
        kept.back_up(4)
    assert last == sorted(kept.folder.iterdir())


def test_database_that_central_could_not_begin_with_is_no_backup(kept: Kept) -> None:
    """The file is as it was written, but what was written is of no use."""
    last = kept.back_up().file
    with sqlite3.connect(kept.file) as disk:
        disk.execute("UPDATE frames SET data = x'00'")
    disk.close()

    with pytest.raises(BackupError, match="the database is damaged"):
        kept.back_up(1)
    assert [last] == [*kept.folder.iterdir()]


def test_what_went_wrong_is_on_record_until_it_goes_well(kept: Kept) -> None:
    made = kept.back_up()
    with pytest.raises(BackupError):
        kept.back_up()  # within the same second
    failed = read_record(kept.configuration.backup_record_file)
    kept.back_up(1)

    assert failed is not None
    assert (START, str(made.file), START) == (failed.made_at, failed.file, failed.failed_at)
    assert "exists, and is not overwritten" in failed.why
    record = read_record(kept.configuration.backup_record_file)
    assert isinstance(record, Record)
    assert (None, "") == (record.failed_at, record.why)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipients": ()}, "names no recipients"),
        ({"recipients": ("age1nonsense",)}, "is no public key of age"),
        ({"recipients": ("AGE-SECRET-KEY-1QQ",)}, "a secret key stands among the recipients"),
    ],
)
def test_recipient_that_cannot_be_used_is_told(kept: Kept, change: dict[str, Any], said: str) -> None:
    backup = msgspec.structs.replace(kept.configuration.backup, **change)
    kept.configuration = msgspec.structs.replace(kept.configuration, backup=backup)

    with pytest.raises(BackupError, match=said):
        kept.back_up()


def test_folder_that_is_not_there_is_not_made(kept: Kept) -> None:
    """A disk that is not connected: or else the backups fill the one that alerts need."""
    kept.folder.rmdir()

    with pytest.raises(BackupError, match="connect the disk"):
        kept.back_up()


def test_disk_without_room_is_left_to_alerts(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage(30_000_000))

    with pytest.raises(BackupError, match="make room there"):
        kept.back_up()


class _Usage(msgspec.Struct):
    free: int


def test_postgresql_is_left_to_its_own_programs(kept: Kept) -> None:
    kept.configuration = msgspec.structs.replace(kept.configuration, database=make_url("postgresql:///watchlink"))

    with pytest.raises(BackupError, match="pg_dump"):
        kept.back_up()


def test_two_at_once_do_not_disturb_each_other(kept: Kept) -> None:
    with workspace(kept.file, "this central"), pytest.raises(BackupError, match="wait for it"):
        kept.back_up()


COMMAND = "import sys; from watchlink.cli import main; sys.exit(main(sys.argv[1:]))"
HALF = """
import time
from runtime import backup_making
def half(archive, out, recipients):
    out.write(archive.read_bytes()[:1000])
    out.flush()
    time.sleep(600)
backup_making.encrypt = half
"""
"""It is still in the middle whenever the test has its turn."""


@pytest.mark.integration
def test_backup_killed_in_the_middle_leaves_the_last_good_one(kept: Kept) -> None:
    """Then the next one clears up after it."""
    last = kept.back_up().file
    data = last.read_bytes()
    command = [sys.executable, "-c", COMMAND, "central", "backup", "--config", str(kept.configuration.file)]
    process = subprocess.Popen([*command[:2], HALF + COMMAND, *command[3:]], stdout=subprocess.DEVNULL)
    wait_until(lambda: any(part.stat().st_size for part in kept.folder.glob(".*.part")), "half of the file is written")
    process.kill()
    process.wait()

    assert (1, data) == (len([*kept.folder.glob("*.age")]), last.read_bytes())
    assert [*kept.folder.glob(".*.part")]
    assert (kept.file.parent / ".backup").exists()

    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)

    assert [] == [*kept.folder.glob(".*.part")]
    assert not (kept.file.parent / ".backup").exists()
    assert 2 == len([*kept.folder.glob("*.age")])


def test_what_a_restore_set_aside_ends_as_backups_do(kept: Kept) -> None:
    """Names that central has deleted live on in it: three nights here, two more for the clock, and not for ever."""
    made = kept.back_up()
    kept.database.close()
    aside = restore(kept.configuration, made.file, [kept.identity], START, may_set_aside=True).set_aside
    assert aside is not None
    kept.database.open()

    for night in range(1, 6):
        assert (str(aside) in kept.back_up(night * 24).removed, aside.exists()) == (False, True)
    assert (str(aside) in kept.back_up(5 * 24 + 1).removed, aside.exists()) == (True, False)


def test_clock_that_jumps_ahead_takes_nothing_of_what_a_restore_set_aside(kept: Kept) -> None:
    """In it may be the only copy of the last day's record, and somebody is about to need it."""
    made = kept.back_up()
    kept.database.close()
    aside = restore(kept.configuration, made.file, [kept.identity], START, may_set_aside=True).set_aside
    assert aside is not None
    kept.database.open()
    for hours in (24, 48, 5_000 * 24, 5_001 * 24):
        assert () == tuple(one for one in kept.back_up(hours).removed if one == str(aside))

    assert (aside / "central.db").exists()
