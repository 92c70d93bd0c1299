"""The referee finds what is wrong; a script that cannot fail would prove nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest
from msgspec.structs import replace

from demo.chronicle import CENTRAL
from demo.program import Life
from demo.scripts.judgement import Judgement, Referee
from demo.scripts.stage import Stage
from demo.town import Town

ALERT = "00000010-1"


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


def test_referee_says_which_program_ended_by_itself(town: Town) -> None:
    town.broker.log.write_text("Segmentation fault")
    town.broker.life = Life.DIED

    (sentence,) = judge(town, *GOOD).missing

    assert sentence.startswith("broker stopped unexpectedly")
    assert "Segmentation fault" in sentence


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


def test_receipt_that_a_killed_node_asked_for_again_is_no_duplicate(town: Town) -> None:
    again = (("killed", "00000010"), ("restarted", "00000010"), ("receipt", "00000010"))

    assert judge(town, *GOOD, *again).is_passed


def test_what_a_killed_node_shows_again_is_a_duplicate(town: Town) -> None:
    again = (("killed", "00000011"), ("restarted", "00000011"), ("shown", "00000011"))

    assert ["00000010-1 was shown 2 times by 00000011"] == list(judge(town, *GOOD, *again).duplicates)


def test_last_words_of_a_killed_node_are_read_from_its_disk(town: Town) -> None:
    """Its panel had shown the alert; killed before it could say so, it is not taken to have lost it."""
    books = town.premises["penny-books"]
    books.database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(books.database)) as connection:
        connection.executescript(
            "CREATE TABLE inbox (node INTEGER, counter INTEGER, is_shown INTEGER);"
            "INSERT INTO inbox VALUES (16, 1, 1), (16, 2, 0);"
        )

    asyncio.run(town.kill(books.program))

    assert [ALERT] == [fact.alert for fact in town.chronicle.all("shown", node=books.node)]


def test_press_that_a_later_one_of_its_incident_has_overtaken_is_not_lost(town: Town) -> None:
    """But not the other way round."""
    referee = Referee(town)
    for number in (1, 2):
        say(town, "stored", "00000010", f"00000010-{number}", incident=ALERT, kind="attack")
    say(town, "shown", "00000011", "00000010-2")
    say(town, "shown", "00000013", "00000010-1")

    lost = [sentence for sentence in referee.judge(()).lost if "never shown" in sentence]
    assert ["Night Stop, Park St was never shown 00000010-2 of Corner Shop, High St"] == lost


def test_nobody_need_be_warned_of_a_test(town: Town) -> None:
    referee = Referee(town)
    say(town, "stored", "00000010", incident=ALERT, kind="test")
    say(town, "receipt", "00000010")

    assert () == referee.judge(()).lost


@pytest.mark.parametrize("again", [("receipt", "00000010"), ("committed", CENTRAL)])
def test_what_a_restored_central_lacked_comes_again(town: Town, again: tuple[str, str]) -> None:
    assert judge(town, *GOOD, ("restored", CENTRAL), again).is_passed
    assert not judge(town, *GOOD, again).is_passed


def test_what_a_script_sees_for_itself_is_untrue(town: Town) -> None:
    stage = Stage(town)
    stage.check_truth(True, "the panel says what is so")  # noqa: FBT003
    stage.check_truth(False, "the panel says what is not so")  # noqa: FBT003

    assert ("the panel says what is not so",) == stage.judge().untrue


def test_pressed_again_is_unanswered(town: Town) -> None:
    with closing(sqlite3.connect(town.folder / "central" / "state" / "central.db")) as connection:
        connection.executescript(
            "ALTER TABLE frames ADD COLUMN kind INTEGER; ALTER TABLE frames ADD COLUMN incident_node INTEGER;"
            "ALTER TABLE frames ADD COLUMN incident_counter INTEGER;"
            "INSERT INTO frames VALUES (16, 2, 1, 16, 1);"
        )
    referee = Referee(town)
    say(town, "acknowledged", "00000010", state="unanswered")
    assert () == referee.judge(()).untrue

    say(town, "acknowledged", "00000010", "00000010-2", state="unanswered")
    assert 1 == len(referee.judge(()).untrue)
