from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runtime.backup_rules import (
    CLOCK_BEHIND_MAX,
    LATE_AFTER,
    NEWEST_KEPT,
    Record,
    Shelf,
    aged,
    clock_trouble,
    file_name,
    is_aside_outdated,
    passed_for_certain,
    shelf,
    trouble,
)

START = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)

DAYS = [file_name("central", "0a0a0a0a", START + timedelta(days=day)) for day in range(5)]


def test_shelf_keeps_the_newest() -> None:
    assert Shelf((DAYS[1], DAYS[0]), ()) == shelf(DAYS, DAYS[4], 3)
    assert Shelf((), ()) == shelf(DAYS, DAYS[4], 5)


def test_shelf_leaves_other_towns_and_other_files_alone() -> None:
    of_others = [file_name("central", "0b0b0b0b", START), file_name("office-keys", "0a0a0a0a", START)]
    others = [*of_others, "notes.txt", f".{DAYS[0]}.part", f"{DAYS[0]}.copy"]

    assert Shelf((), ()) == shelf([*others, DAYS[4]], DAYS[4], 1)


def test_files_of_a_day_to_come_push_out_no_good_backup() -> None:
    """The clock was wrong for a day."""
    wrong = [file_name("central", "0a0a0a0a", START + timedelta(days=5_000 + day)) for day in range(3)]

    assert Shelf((DAYS[1], DAYS[0]), tuple(reversed(wrong))) == shelf([*DAYS, *wrong], DAYS[4], 3)


def test_what_is_older_than_is_kept_goes_and_the_newest_never() -> None:
    """A clock that jumps ahead by a year leaves more than the one backup that was made by it."""
    assert Shelf((DAYS[1], DAYS[0]), ()) == aged(DAYS, DAYS[4], timedelta(days=1))
    assert Shelf((DAYS[0],), ()) == aged(DAYS, DAYS[4], timedelta(days=3))
    assert Shelf((), ()) == aged(DAYS, DAYS[4], timedelta(days=4))
    jumped = file_name("central", "0a0a0a0a", START + timedelta(days=400))
    assert Shelf(tuple(reversed(DAYS[: 6 - NEWEST_KEPT])), ()) == aged([*DAYS, jumped], jumped, timedelta(days=30))
    assert (jumped,) == aged([*DAYS, jumped], DAYS[4], timedelta(days=30)).ahead


def test_time_has_passed_when_the_last_few_agree() -> None:
    """The first backups by a clock that is wrong prove nothing."""
    jumped = [file_name("central", "0a0a0a0a", START + timedelta(days=5_000 + day)) for day in range(3)]

    assert START + timedelta(days=2) == passed_for_certain([*DAYS, "notes.txt"], DAYS[4], 30)
    for some in range(1, NEWEST_KEPT):
        found = passed_for_certain([*DAYS, *jumped[:some]], jumped[some - 1], 30)
        assert START + timedelta(days=2 + some) == found
    assert START + timedelta(days=5_000) == passed_for_certain([*DAYS, *jumped], jumped[-1], 30)
    assert START + timedelta(days=2) == passed_for_certain([*DAYS, *jumped], DAYS[4], 30)


@pytest.mark.parametrize(("keep", "days"), [(30, None), (2, None), (1, 0)])
def test_too_few_backups_prove_no_time(keep: int, days: int | None) -> None:
    found = passed_for_certain(DAYS[:2], DAYS[1], keep)

    assert found == (None if days is None else START + timedelta(days=days))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (None, "late: none has been made"),
        (Record(made_at=START - LATE_AFTER - timedelta(seconds=1)), "late: the last is of 27 November 2026, 11:39"),
        (Record(made_at=START + LATE_AFTER + timedelta(seconds=1)), "late: the last is of 30 November 2026"),
        (Record(made_at=START, failed_at=START, why="the disk is full"), "failed, and the last is of 28 November"),
        (Record(failed_at=START, why="the disk is full"), "failed, and none has been made: the disk is full."),
    ],
)
def test_trouble_is_told_in_a_sentence(record: Record | None, said: str) -> None:
    assert said in trouble(record, START, "Central’s")


def test_no_trouble_is_not_told() -> None:
    assert "" == trouble(Record(made_at=START - LATE_AFTER), START, "Central’s")


@pytest.mark.parametrize(
    ("name", "is_outdated"),
    [
        ("before-restore-20261101T120000Z", True),
        ("before-restore-20261101T120000Z-2", True),
        ("before-restore-20261102T120000Z", False),
        ("before-restore-20270101T120000Z", False),
        ("before-restore-20261101T120000Z.mine", False),
        ("photographs", False),
    ],
)
def test_what_was_set_aside_ends_by_its_name_alone(name: str, *, is_outdated: bool) -> None:
    assert is_outdated == is_aside_outdated(name, datetime(2026, 12, 2, 12, tzinfo=UTC), timedelta(days=30))


def test_restore_by_a_clock_before_the_backup_is_troubled() -> None:
    assert "" == clock_trouble(START - CLOCK_BEHIND_MAX, START)
    assert "clock says 27 November 2026, and the backup is of 28" in clock_trouble(START - timedelta(days=1.1), START)
