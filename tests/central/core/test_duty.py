"""C2: going on duty names its proof; whoever comes is handed over what those before them left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core.asking_lines import WentOffLine
from central.core.duty import HANDED_OVER_FOR, WENT_OFF_MAX
from central.core.journal import ActionEntry, Recall
from central.core.view import Done, EndDuty, OnDuty, Person, ReadHandover, Refused, StartDuty, TakeOffDuty
from tests.support.central_town import START, Town
from tests.support.escalating_town import JO, KIM, SAM, people, reaching, rights, stay
from wire.limits import TEXT_CHARS_MAX


def start(town: Town, person: Person, proof: str = "page") -> object:
    return town.act(StartDuty(proof), person, rights(person))  # type: ignore[arg-type]


def end(town: Town, person: Person, note: str = "") -> object:
    return town.act(EndDuty(note), person, rights(person))


def present(town: Town) -> dict[str, OnDuty]:
    return {one.name: one for one in town.board().on_duty}


@pytest.mark.parametrize("proof", ["page", "phone"])
def test_proof_is_recorded_and_shown(town: Town, proof: str) -> None:
    start(town, JO, proof)

    entry = town.disk[-1]
    assert isinstance(entry, ActionEntry)
    assert ("duty-started", proof) == (entry.kind, entry.text)
    assert proof == present(town)[JO.name].proof


def test_another_proof_is_recorded_and_duty_goes_on(town: Town) -> None:
    start(town, JO)
    town.act(ReadHandover(), JO, rights(JO))
    town.later(60)
    start(town, JO, "phone")
    written = len(town.disk)
    start(town, JO, "phone")

    one = present(town)[JO.name]
    assert (START, "phone", False) == (one.since, one.proof, one.is_unread)
    assert written == len(town.disk), "the same proof again is a sign of life"


def test_duty_by_phone_lasts_with_the_page_shut_as_long_as_the_phone_can_be_reached(town: Town) -> None:
    town.handle(people(JO, SAM, KIM))
    for one, proof in ((JO, "phone"), (SAM, "page")):
        start(town, one, proof)
    town.handle(reaching((JO, ("push",)), (SAM, ("push",))))

    town.later(4_000)
    assert {JO.name: False} == {name: one.has_page for name, one in present(town).items()}

    town.handle(reaching((JO, ("sms",))))
    town.later(1_790)
    assert [JO.name] == list(present(town)), "the notifier may be gone for a while"
    town.later(15)

    assert {} == present(town)


def test_clock_step_ends_no_duty_by_phone(town: Town) -> None:
    town.handle(people(JO))
    start(town, JO, "phone")
    town.handle(reaching((JO, ("push",))))
    town.later(2_000)
    town.handle(reaching())

    town.now_at += timedelta(hours=2)
    town.later(200)

    assert [JO.name] == list(present(town))


def test_whoever_comes_finds_who_went_off_and_their_note_until_it_is_read(town: Town) -> None:
    start(town, JO)
    assert present(town)[JO.name].is_unread
    end(town, JO, "  The arcade's\tcamera is off. ")
    start(town, SAM)

    board = town.board()
    assert (WentOffLine("pcso", JO.name, START, JO.account, (1, 2), "The arcade's camera is off."),) == board.went_off
    assert present(town)[SAM.name].is_unread
    assert isinstance(town.act(ReadHandover(), SAM, rights(SAM)), Done)
    written = len(town.disk)
    assert isinstance(town.act(ReadHandover(), SAM, rights(SAM)), Done)

    assert not present(town)[SAM.name].is_unread
    entry = town.disk[-1]
    assert isinstance(entry, ActionEntry)
    assert (written, "handover-read", SAM) == (len(town.disk), entry.kind, entry.by)


def test_handover_of_another_role_is_read_anew(town: Town) -> None:
    both = Person("duty-sergeant", JO.name, JO.account)
    start(town, JO)
    town.act(ReadHandover(), JO, rights(JO))

    start(town, both)

    assert present(town)[JO.name].is_unread


def test_reading_without_duty_does_nothing(town: Town) -> None:
    assert isinstance(town.act(ReadHandover(), JO, rights(JO)), Done)
    assert [] == town.disk


def test_note_that_is_too_long_is_refused_and_duty_goes_on(town: Town) -> None:
    start(town, JO)

    refused = end(town, JO, "x" * (TEXT_CHARS_MAX + 1))

    assert Refused("The note is too long: 501 of at most 500 characters.") == refused
    assert [JO.name] == list(present(town))


def test_why_watchlink_ended_a_duty_is_no_note(town: Town) -> None:
    start(town, JO)
    town.act(TakeOffDuty("signed out: end of shift"), JO, rights(JO))

    assert [""] == [one.note for one in town.board().went_off]


def test_notes_are_shown_for_a_week_and_not_without_end(town: Town) -> None:
    for _ in range(WENT_OFF_MAX + 1):
        start(town, JO)
        end(town, JO)
    assert WENT_OFF_MAX == len(town.board().went_off)

    town.later(HANDED_OVER_FOR.total_seconds(), tick_s=3_600)

    assert () == town.board().went_off


def test_restart_keeps_what_was_left(town: Town) -> None:
    start(town, JO)
    end(town, JO, "Ring the Crown.")
    start(town, SAM)
    board = town.board()

    again = Town(Recall(on_duty=board.on_duty, went_off=board.went_off), now_at=town.now_at)
    stay(again, 1, SAM)

    assert (board.on_duty, board.went_off) == (again.board().on_duty, again.board().went_off)
