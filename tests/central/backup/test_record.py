"""A backup that failed or is late is told at central's page, until it is made."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from central.backup.record import RecordWatcher, keep_record, read_record
from central.backup.rules import Record
from tests.central.backup.conftest import Kept
from tests.support.central_town import START


def test_what_is_wrong_is_told_when_it_changes(tmp_path: Path) -> None:
    file, told, now = tmp_path / "backup.json", list[str](), [START]
    watcher = RecordWatcher(file, told.append, lambda: now[0])
    for record in (None, Record(made_at=START), Record(made_at=START, failed_at=START, why="the disk is full")):
        if record is not None:
            keep_record(file, record)
        watcher.look()
        watcher.look()
    keep_record(file, Record(made_at=START))
    watcher.look()
    now[0] += timedelta(hours=37)
    watcher.look()

    assert ["late: none", "", "the disk is full", "", "late: the last"] == [
        next((word for word in ("late: none", "the disk is full", "late: the last") if word in text), text)
        for text in told
    ]


def test_backup_that_was_made_is_no_trouble(kept: Kept) -> None:
    told: list[str] = []
    watcher = RecordWatcher(kept.configuration.backup_record_file, told.append, lambda: START)
    watcher.look()
    kept.back_up()
    watcher.look()

    assert ["Central’s backup is late: none has been made. Tell the engineer.", ""] == told


def test_record_that_cannot_be_read_or_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text("{")

    keep_record(tmp_path / "nowhere" / "backup.json", Record())
    assert read_record(tmp_path / "backup.json") is None
