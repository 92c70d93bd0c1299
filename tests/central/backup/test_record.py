"""A backup that failed or is late is told at central's page, until it is made."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from runtime.backup_record import keep_record, read_record
from runtime.backup_rules import Record, trouble
from tests.central.backup.conftest import Kept
from tests.support.central_town import START

WHOSE = "Central’s"


def test_backup_that_failed_or_is_late_is_told() -> None:
    failed = Record(made_at=START, failed_at=START, why="the disk is full")
    later = START + timedelta(hours=37)

    assert "late: none" in trouble(None, START, WHOSE)
    assert trouble(Record(made_at=START), START, WHOSE) == ""
    assert "the disk is full" in trouble(failed, START, WHOSE)
    assert "late: the last" in trouble(Record(made_at=START), later, WHOSE)


def test_backup_that_was_made_is_no_trouble(kept: Kept) -> None:
    file = kept.configuration.backup_record_file

    assert (
        trouble(read_record(file), START, WHOSE) == "Central’s backup is late: none has been made. Tell the engineer."
    )
    kept.back_up()
    assert trouble(read_record(file), START, WHOSE) == ""


def test_record_that_cannot_be_read_or_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text("{")

    keep_record(tmp_path / "nowhere" / "backup.json", Record())
    assert read_record(tmp_path / "backup.json") is None
