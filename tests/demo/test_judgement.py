"""The referee finds what is wrong; a script that cannot fail would prove nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from demo.chronicle import CENTRAL, Chronicle
from demo.scripts.judgement import Judgement, Referee
from demo.town import Guardian, Town

ALERT = "00000010-1"
ON_DISK = """
CREATE TABLE frames (sender INTEGER, counter INTEGER);
CREATE TABLE actions (kind TEXT, incident_node INTEGER, incident_counter INTEGER);
INSERT INTO frames VALUES (16, 1);
INSERT INTO actions VALUES ('acknowledged', 16, 1);
"""


@pytest.fixture
def town(tmp_path: Path, chronicle: Chronicle) -> Iterator[Town]:
    """A town in which nothing runs; its central has one alert on disk, answered."""
    guardian = Guardian([], is_kept=False)
    town = Town(tmp_path / "town", guardian, chronicle)
    database = town.folder / "central" / "state" / "central.db"
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(ON_DISK)
    yield town
    guardian.dismiss()


def say(town: Town, fact: str, node: str, alert: str = ALERT, **detail: str) -> None:
    town.chronicle.take(node, {"at_ms": time.monotonic_ns() / 1e6, "fact": fact, "alert": alert, **detail})


def judge(town: Town, *facts: tuple[str, str]) -> Judgement:
    referee = Referee(town)
    for fact, node in facts:
        say(town, fact, node)
    return referee.judge(())


GOOD = (
    ("stored", "00000010"),
    ("committed", CENTRAL),
    ("receipt", "00000010"),
    ("shown", "00000011"),
    ("shown", "00000013"),
)


def test_referee_passes_what_is_well(town: Town) -> None:
    assert Judgement(alerts=1, lost=(), duplicates=(), untrue=(), missing=()) == judge(town, *GOOD)


def test_referee_fails_what_is_missing(town: Town) -> None:
    judgement = judge(town, *GOOD)

    assert judgement.is_passed
    assert not replace(judgement, missing=("a picture",)).is_passed


@pytest.mark.parametrize("left_out", [("receipt", "00000010"), ("shown", "00000011"), ("shown", "00000013")])
def test_referee_calls_lost_what_somebody_never_got(town: Town, left_out: tuple[str, str]) -> None:
    judgement = judge(town, *(fact for fact in GOOD if fact != left_out))

    assert 1 == len(judgement.lost)


def test_referee_calls_lost_what_central_has_not(town: Town) -> None:
    referee = Referee(town)
    say(town, "stored", "00000012", "00000012-5")

    assert "00000012-5 is not on central's disk" in referee.judge(()).lost


@pytest.mark.parametrize("again", [("shown", "00000011"), ("committed", CENTRAL)])
def test_referee_counts_what_came_twice(town: Town, again: tuple[str, str]) -> None:
    assert 1 == len(judge(town, *GOOD, again).duplicates)


def test_referee_objects_to_another_scheme_being_warned(town: Town) -> None:
    """Red Lion is in Pub Watch alone (N5)."""
    assert 1 == len(judge(town, *GOOD, ("shown", "00000012")).duplicates)


def test_referee_calls_untrue_a_receipt_before_the_commit(town: Town) -> None:
    """N3, N8."""
    referee = Referee(town)
    say(town, "receipt", "00000010", "00000010-2")

    assert 1 == len(referee.judge(()).untrue)


def test_referee_calls_untrue_an_answer_that_nobody_gave(town: Town) -> None:
    referee = Referee(town)
    say(town, "acknowledged", "00000010", state="answered")
    say(town, "acknowledged", "00000010", state="on-the-way")
    say(town, "closed", "00000010")

    assert 2 == len(referee.judge(()).untrue)
