"""A backup of the office: what is in it, what is not, and what it takes to be one."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from office.backup import keys, making, telling
from office.backup.keys import back_up_keys
from runtime.backup_file import BackupError, new_identity
from runtime.backup_record import keep_record, read_record
from runtime.backup_rules import Record, file_name
from runtime.key_file import read_key
from tests.office.backup.conftest import Kept, names_in
from tests.support.office_program import clean_environment

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 28, 3, 15, tzinfo=UTC)
KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from runtime import backup_making
from watchlink.cli import main

encrypt = backup_making.encrypt

class Cut:
    def __init__(self, out):
        self.out, self.left = out, 20_000

    def write(self, data):
        written = self.out.write(data[: self.left])
        self.out.flush()
        self.left -= written
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    def flush(self):
        self.out.flush()

backup_making.encrypt = lambda archive, out, recipients: encrypt(archive, Cut(out), recipients)
sys.exit(main(sys.argv[1:]))
"""
"""The command, which is killed (SIGKILL) when it has written so much of its file."""


def test_backup_holds_database_photographs_and_configuration_but_no_key(kept: Kept, tmp_path: Path) -> None:
    """Whoever opens it reads names and sees no face, and can speak for nobody."""
    inside = names_in(kept, tmp_path / "opened")
    files = list(keys.files_of(kept.configuration).values())
    secrets = [read_key(file, "") for file in files]

    photographs = {path.name for path in kept.configuration.photographs_folder.iterdir()}
    assert {"office.sqlite3", "office.toml", *(f"photographs/{name}" for name in photographs)} == inside.keys()
    assert 4 == len(photographs)
    assert kept.file.read_bytes() == inside["office.toml"]
    assert [] == [key for key in secrets for data in inside.values() if key in data or key.hex().encode() in data]


def test_backups_of_state_and_keys_are_opened_by_one_key_each(kept: Kept) -> None:
    (of_keys,) = kept.folder.glob("office-keys-*.age")
    status, said = kept.run("restore", "--from", kept.made, "--identity", kept.keys_key_file, "--prove")
    assert (1, True) == (status, "the key does not open" in said)
    status, said = kept.run("restore-keys", "--from", of_keys, "--identity", kept.key_file)
    assert (1, True) == (status, "the key does not open" in said)


def test_one_recipient_for_both_is_refused(kept: Kept) -> None:
    """Or whoever holds both files and one key sees every face."""
    one = kept.configuration.backup.recipients
    table = msgspec.structs.replace(kept.configuration.backup, keys_recipients=one)
    configuration = msgspec.structs.replace(kept.configuration, backup=table)

    with pytest.raises(BackupError, match="the same key among recipients and keys_recipients"):
        making.back_up(configuration, kept.folder, NOW, "1")
    with pytest.raises(BackupError, match="the same key among recipients and keys_recipients"):
        back_up_keys(configuration, kept.folder, NOW, "1")


def test_backup_leaves_nothing_readable_behind(kept: Kept) -> None:
    assert 0o600 == kept.made.stat().st_mode & 0o777
    assert not (kept.file.parent / "publisher/.backup").exists()
    assert b"Cora Hart" not in kept.made.read_bytes()


def test_key_of_photographs_is_not_needed_for_a_backup(kept: Kept) -> None:
    """The nightly program cannot read it."""
    for file in (kept.configuration.pages_key_file, kept.configuration.photographs_key_file):
        file.unlink()
    status, said = kept.run("backup")

    assert (0, True) == (status, "2 photographs, opened and proven" in said), said


def test_what_is_older_than_the_configuration_says_is_deleted_even_if_no_backup_can_be_made(kept: Kept) -> None:
    """What was erased lives on in backups, and not for longer than people were told."""
    mark = kept.made.name.split("-")[1]
    made = datetime.now(UTC)
    for days in (1, 2, 6, 8, 9):
        (kept.folder / file_name("office", mark, made - timedelta(days=days))).touch()
    table = msgspec.structs.replace(kept.configuration.backup, recipients=())
    configuration = msgspec.structs.replace(kept.configuration, backup=table)

    with pytest.raises(BackupError, match="names no recipients"):
        making.back_up(configuration, kept.folder, made, "1")

    left = [path.name for path in kept.folder.glob("office-[0-9a-f]*")]
    assert 4 == len(left)
    assert min(left) > file_name("office", mark, made - timedelta(days=7))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE people_photograph SET taken_on = '2026-02-30'", "the database cannot be read (Photograph: "),
        ("DROP TABLE people_rightsrequest", "the database of the backup cannot be used"),
    ],
)
def test_database_that_the_office_could_not_read_is_no_backup(kept: Kept, harm: str, said: str) -> None:
    with sqlite3.connect(kept.file.parent / "office.sqlite3") as disk:
        disk.execute(harm)
    disk.close()
    before = {path: path.read_bytes() for path in kept.folder.iterdir()}
    status, told = kept.run("backup")

    assert (1, True) == (status, said in told), told
    assert before == {path: path.read_bytes() for path in kept.folder.iterdir()}
    record = read_record(kept.configuration.backup_record_file)
    assert record is not None
    assert record.failed_at is not None
    assert record.made_at is not None


def test_photographs_that_are_all_gone_are_no_backup(kept: Kept) -> None:
    """Their disk is not connected: a month of such backups would push out all good ones."""
    for file in kept.configuration.photographs_folder.iterdir():
        file.unlink()
    status, said = kept.run("backup")

    assert (1, True) == (status, "none of the photographs has its file" in said), said


def test_failed_or_late_backup_is_told_and_so_are_keys_that_have_none(kept: Kept) -> None:
    configuration = kept.configuration
    made = read_record(configuration.backup_record_file)
    assert made is not None
    assert made.made_at is not None
    soon = made.made_at + timedelta(hours=1)
    assert () == telling.faults(configuration, soon)
    assert () == telling.faults(None, soon)

    (late,) = telling.faults(configuration, made.made_at + timedelta(hours=37))
    keep_record(configuration.backup_record_file, Record(failed_at=NOW, why="the disk is full"))
    configuration.photographs_key_file.write_text("ef" * 32)
    failed, changed = telling.faults(configuration, soon)
    configuration.keys_record_file.unlink()
    _, never = telling.faults(configuration, soon)

    assert late.startswith("The office’s backup is late: the last is of ")
    assert failed.startswith("The office’s backup of 28 November 2026, 03:15 UTC failed, and none has been made: the")
    assert changed.startswith("The office’s keys have changed since their backup: ")
    assert never.startswith("The office’s keys have no backup: ")
    unset = msgspec.structs.replace(configuration, backup=msgspec.structs.replace(configuration.backup, recipients=()))
    assert () == telling.faults(unset, soon)


def test_keys_are_copied_whole_or_not_at_all(kept: Kept, tmp_path: Path) -> None:
    kept.configuration.ticket_key_file.unlink()
    status, said = kept.run("backup-keys", "--to", tmp_path)

    assert (2, True) == (status, "ticket.key cannot be read" in said)
    assert [] == [*tmp_path.glob("*.age")]


def test_backup_killed_in_the_middle_leaves_the_last_good_one(kept: Kept) -> None:
    """Then the next one clears up after it."""
    last = kept.made
    data = last.read_bytes()
    command = [sys.executable, "-c", KILLED_IN_THE_MIDDLE, "office", "backup", "--config", str(kept.file)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, env=clean_environment(), check=False)
    assert -signal.SIGKILL == done.returncode
    (part,) = kept.folder.glob(".*.part")
    assert 0 < part.stat().st_size < len(data)
    assert (last, data) == (kept.made, last.read_bytes())
    assert (kept.file.parent / "publisher/.backup").exists()

    status, said = kept.run("backup")

    assert 0 == status, said
    assert [] == [*kept.folder.glob(".*.part")]
    assert not (kept.file.parent / "publisher/.backup").exists()


def test_recipient_that_is_none_is_told(kept: Kept) -> None:
    table = msgspec.structs.replace(kept.configuration.backup, recipients=(str(new_identity()),))

    with pytest.raises(BackupError, match="a secret key stands among the recipients"):
        making.back_up(msgspec.structs.replace(kept.configuration, backup=table), kept.folder, NOW, "1")
