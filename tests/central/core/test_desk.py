"""What people do at central: committed before it is true, recorded with who did it, refused with a sentence (C1)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.desk import ON_DUTY_MAX
from central.core.journal import ActionEntry, Recall
from central.core.view import (
    Acknowledge,
    Action,
    AddNote,
    Assign,
    Close,
    CloseRevoked,
    Done,
    EndDuty,
    HistoryLine,
    OnDuty,
    Person,
    Refused,
    SetOnTheWay,
    StartDuty,
    TakeOffDuty,
    UndoAcknowledge,
)
from tests.support.central_town import ALL_RIGHTS, CORNER, JONES, PATEL, START, Town, only
from wire.ids import FrameId
from wire.kinds import AlertKind, AnswerState, Role

ID = "00000010-7"


@pytest.fixture
def town(town: Town) -> Town:
    town.press(7)
    return town


def on_duty(town: Town) -> tuple[Person, ...]:
    return tuple(one.person for one in town.board().on_duty)


def acknowledgements(town: Town) -> list[tuple[AnswerState, Role | None, str]]:
    sent = only(town.said, do.SendAcknowledgement)
    assert {(CORNER, FrameId(CORNER, 7))} >= {(order.node, order.target) for order in sent}
    return [(order.state, order.role, order.name) for order in sent]


def test_acknowledge_tells_the_presser_who_has_it(town: Town) -> None:
    """N3: answered by (role, name)."""
    result = town.act(Acknowledge(ID))

    assert isinstance(result, Done)
    assert ("answered", PATEL, START) == (town.card().state, town.card().answered_by, town.card().answered_at)
    assert [(AnswerState.ANSWERED, Role.PCSO, "J Patel")] == acknowledgements(town)
    assert HistoryLine(START, "acknowledged", "", PATEL) == town.card().history[-1]


def test_acknowledge_is_true_only_after_the_commit(town: Town) -> None:
    town.is_disk_slow = True

    result = town.act(Acknowledge(ID))

    assert (None, "unanswered", []) == (result, town.card().state, acknowledgements(town))
    town.commit()
    assert ("answered", Done(town.board().sequence)) == (town.card().state, town.answer_to(1))


def test_acknowledge_is_refused_with_the_disks_words_when_it_is_full(town: Town) -> None:
    town.is_disk_slow = True
    town.act(Acknowledge(ID))

    town.refuse("database or disk is full")

    answer = town.answer_to(1)
    assert isinstance(answer, Refused)
    assert "database or disk is full" in answer.reason
    assert ("unanswered", []) == (town.card().state, acknowledgements(town))


def test_acknowledge_by_a_second_person_names_the_first(town: Town) -> None:
    town.act(Acknowledge(ID))

    assert Refused("Already answered by PCSO on duty Jaswinder Patel.") == town.act(Acknowledge(ID), JONES)
    assert PATEL == town.card().answered_by


def test_acknowledge_by_two_at_once_goes_to_the_first(town: Town) -> None:
    """Both pressed before either was on disk."""
    town.is_disk_slow = True
    town.act(Acknowledge(ID), JONES)
    town.act(Acknowledge(ID), PATEL)

    town.commit()

    assert JONES == town.card().answered_by
    assert (Done, Refused) == (type(town.answer_to(1)), type(town.answer_to(2)))


def test_acknowledge_twice_by_the_same_person_is_done_once(town: Town) -> None:
    town.act(Acknowledge(ID))

    assert isinstance(town.act(Acknowledge(ID)), Done)
    assert 1 == len(acknowledgements(town))


def test_acknowledge_of_an_assist_does_not_answer_the_attack_it_has_become(town: Town) -> None:
    """The person pressed while the card still said ASSIST."""
    town.press(8, AlertKind.ATTACK, incident=7)

    refused = town.act(Acknowledge(ID, seen_kind="assist"))

    assert Refused("It has become ATTACK. Check the card, then answer.") == refused
    assert isinstance(town.act(Acknowledge(ID, seen_kind="attack")), Done)


def test_answer_to_a_drill_does_not_answer_the_real_attack_it_has_become(town: Town) -> None:
    """Same kind, and yet more urgent; a drill that stayed one is answered."""
    town.press(20, AlertKind.ATTACK, incident=20, drill=True)
    town.press(30, AlertKind.ATTACK, incident=30, drill=True)
    town.press(31, AlertKind.ATTACK, incident=30)

    assert isinstance(town.act(Acknowledge("00000010-20", seen_kind="test")), Done)
    assert isinstance(town.act(Acknowledge("00000010-30", seen_kind="test")), Refused)


def test_on_the_way_does_not_answer_the_attack_it_has_become(town: Town) -> None:
    town.press(8, AlertKind.ATTACK, incident=7)

    assert isinstance(town.act(SetOnTheWay(ID, seen_kind="assist")), Refused)
    assert isinstance(town.act(SetOnTheWay(ID, seen_kind="attack")), Done)


def test_close_is_refused_when_the_shop_has_pressed_since_the_person_looked(town: Town) -> None:
    """N2: the window was open while it became an attack."""
    town.press(8, AlertKind.ATTACK, incident=7)

    refused = town.act(Close(ID, "Dealt with", seen_alerts=1))

    assert Refused("The premises has pressed again. Check the card, then close it.") == refused
    assert isinstance(town.act(Close(ID, "Dealt with", seen_alerts=2)), Done)


def test_acknowledge_waits_for_a_press_that_is_on_its_way_to_disk(town: Town) -> None:
    """What was judged is what is changed: an upgrade in the same batch must not be answered unseen."""
    town.is_disk_slow = True
    town.press(8, AlertKind.ATTACK, incident=7)
    town.act(Acknowledge(ID, seen_kind="assist"))

    town.commit()

    assert ("attack", "unanswered") == (town.card().kind, town.card().state)
    assert isinstance(town.answer_to(1), Refused)


def test_undo_takes_an_acknowledgement_back_within_ten_seconds(town: Town) -> None:
    town.act(Acknowledge(ID))
    town.later(10)

    assert isinstance(town.act(UndoAcknowledge(ID)), Done)
    assert ("unanswered", None) == (town.card().state, town.card().answered_by)
    assert AnswerState.UNANSWERED == acknowledgements(town)[-1][0]


@pytest.mark.parametrize(("seconds", "by"), [(11, PATEL), (1, JONES)])
def test_undo_is_refused_too_late_or_to_another(town: Town, seconds: int, by: Person) -> None:
    town.act(Acknowledge(ID))
    town.later(seconds)

    assert isinstance(town.act(UndoAcknowledge(ID), by), Refused)
    assert "answered" == town.card().state


def test_undo_is_refused_once_somebody_is_on_the_way(town: Town) -> None:
    town.act(Acknowledge(ID))
    town.act(SetOnTheWay(ID))

    assert isinstance(town.act(UndoAcknowledge(ID)), Refused)
    assert "on-the-way" == town.card().state


def test_on_the_way_answers_too(town: Town) -> None:
    assert isinstance(town.act(SetOnTheWay(ID)), Done)
    assert ("on-the-way", PATEL) == (town.card().state, town.card().answered_by)
    assert [(AnswerState.ON_THE_WAY, Role.PCSO, "J Patel")] == acknowledgements(town)


def test_close_needs_an_outcome_and_tells_the_presser(town: Town) -> None:
    assert isinstance(town.act(Close(ID, " \u202e ")), Refused)
    assert isinstance(town.act(Close(ID, "two detained")), Done)
    assert ("closed", "two detained") == (town.card().state, town.card().outcome)
    assert [AnswerState.CLOSED] == [state for state, _, _ in acknowledgements(town)]


@pytest.mark.parametrize("action", [Acknowledge(ID), SetOnTheWay(ID), Assign(ID, "CCTV"), Close(ID, "again")])
def test_closed_incidents_take_notes_only(town: Town, action: Action) -> None:
    town.act(Close(ID, "all well"))

    assert Refused("It is closed already.") == town.act(action)
    assert isinstance(town.act(AddNote(ID, "statement taken")), Done)
    assert "statement taken" == town.card().history[-1].text


def test_texts_are_one_clean_line(town: Town) -> None:
    """facts.md: a pasted override must not turn a card around."""
    town.act(AddNote(ID, " left\u202eright\x00\n away "), Person("cctv", "A\u0000nn  Jones"))
    line = town.card().history[-1]

    assert ("leftright away", Person("cctv", "Ann Jones")) == (line.text, line.by)


@pytest.mark.parametrize(
    ("action", "by", "said"),
    [
        (StartDuty(), Person("king", "P"), "There is no such role"),
        (StartDuty(), Person("cctv", " \u202e "), "Your name is missing."),
        (StartDuty(), Person("cctv", "P" * 65), "Your name is too long: 65 of at most 64 characters."),
        (AddNote(ID, ""), PATEL, "The note is missing."),
        (AddNote(ID, "x" * 501), PATEL, "The note is too long: 501 of at most 500 characters."),
        (Assign(ID, "\n"), PATEL, "The assignee is missing."),
        (Close(ID, ""), PATEL, "The outcome is missing."),
        (CloseRevoked("00000010", ""), PATEL, "The outcome is missing."),
        (SetOnTheWay(ID, who=Person("pcso", "")), PATEL, "The name of the person on the way is missing."),
    ],
)
def test_words_that_cannot_stand_are_refused_and_never_cut(town: Town, action: Action, by: Person, said: str) -> None:
    """What is recorded is what the person wrote."""
    before = town.card()
    answer = town.act(action, by)

    assert isinstance(answer, Refused)
    assert answer.reason.startswith(said)
    assert before == town.card()


@pytest.mark.parametrize(
    ("by", "incident"),
    [
        (Person("burglar", "A"), ID),
        (Person("cctv", "\u200b"), ID),
        (PATEL, "00000010-8"),
        (PATEL, "nonsense"),
        (PATEL, "x" * 100_000),
    ],
)
def test_actions_of_nobody_or_on_nothing_are_refused(town: Town, by: Person, incident: str) -> None:
    assert isinstance(town.act(Acknowledge(incident), by), Refused)
    assert "unanswered" == town.card().state


def test_duty_shows_on_the_board_and_at_once_at_the_premises(town: Town) -> None:
    """C2: nobody on duty is visible at the premises."""
    town.act(StartDuty())
    started = only(town.said, do.PublishStatus)[-1]
    town.act(StartDuty(), JONES)
    town.act(EndDuty())
    ended = only(town.said, do.PublishStatus)[-1]

    assert (("pcso",), ("cctv",)) == (started.status.on_duty, ended.status.on_duty)
    assert (JONES,) == on_duty(town)


def test_duty_is_full_with_as_many_as_the_page_can_show(town: Town) -> None:
    for number in range(ON_DUTY_MAX):
        assert isinstance(town.act(StartDuty(), Person("pcso", f"Person {number}")), Done)

    refused = town.act(StartDuty(), JONES)

    assert Refused("64 people are on duty already. End someone else's duty first.") == refused
    assert ON_DUTY_MAX == len(on_duty(town))


def test_board_says_since_when_somebody_is_on_duty(town: Town) -> None:
    """A second start is a sign of life and no new beginning."""
    town.act(StartDuty())
    town.later(600)
    town.act(StartDuty())

    assert (OnDuty("pcso", "Jaswinder Patel", START, schemes=(1, 2), is_unread=True),) == town.board().on_duty


def test_duty_ends_by_itself_after_half_an_hour_without_a_sign_of_life(town: Town) -> None:
    """C2: who went home without a word must not be told to the shops as on duty."""
    town.act(StartDuty())
    town.act(StartDuty(), JONES)
    town.later(1_500)
    town.act(StartDuty(), Person("cctv", " Ann\u200b Jones"))
    town.later(301)

    assert (JONES,) == on_duty(town)
    assert ("cctv",) == only(town.said, do.PublishStatus)[-1].status.on_duty
    last = town.disk[-1]
    assert isinstance(last, ActionEntry)
    assert ("duty-ended", PATEL, "no sign of life") == (last.kind, last.by, last.text)


def test_duty_that_watchlink_ends_is_recorded_as_its_own_act_with_whose_it_was(town: Town) -> None:
    town.act(StartDuty())
    for _ in range(2):
        town.act(TakeOffDuty("signed out: end of shift"))

    assert () == on_duty(town)
    ends = [one for one in town.disk if isinstance(one, ActionEntry) and one.kind == "duty-ended"]
    assert [("watchlink", PATEL, "signed out: end of shift")] == [(one.actor, one.by, one.text) for one in ends]


def test_duty_that_was_ended_is_not_ended_again_when_its_time_is_over(town: Town) -> None:
    town.act(StartDuty())
    town.act(EndDuty())
    written = len(town.disk)

    town.later(1_900)

    assert written == len(town.disk)


def test_duty_goes_on_while_the_person_acts_or_the_clock_is_set(town: Town) -> None:
    town.act(StartDuty())
    town.later(1_500)
    town.act(AddNote(ID, "still here"))
    town.later(1_500)
    town.now_at += timedelta(hours=2)
    town.later(200)

    assert (PATEL,) == on_duty(town)


def test_sign_of_life_is_not_written(town: Town) -> None:
    """It comes every five minutes from every page of somebody on duty."""
    town.act(StartDuty())
    written = len(town.disk)

    assert isinstance(town.act(StartDuty()), Done)
    assert written == len(town.disk)


def test_duty_recalled_at_a_start_has_its_half_hour_anew() -> None:
    town = Town(Recall(on_duty=(OnDuty(PATEL.role, PATEL.name, START),)))
    town.later(1_800)
    assert (PATEL,) == on_duty(town)
    town.later(2)

    assert () == on_duty(town)


def test_duty_that_the_disk_does_not_let_end_ends_later(town: Town) -> None:
    town.act(StartDuty())
    town.is_disk_slow = True
    town.later(1_801)
    town.refuse()
    assert (PATEL,) == on_duty(town)
    town.is_disk_slow = False
    town.handle(ev.StoreRecovered())
    town.later(1)

    assert () == on_duty(town)


def test_duty_is_not_ended_on_a_disk_that_refuses(town: Town) -> None:
    """It would be refused each second, over and over."""
    town.act(StartDuty())
    town.is_disk_slow = True
    town.press(8)
    town.refuse()

    assert [] == only(town.later(1_900), do.CommitAction)
    assert (PATEL,) == on_duty(town)


def test_nobody_is_assigned_at_first(town: Town) -> None:
    assert "" == town.card().assigned_to


def test_assign_is_recorded(town: Town) -> None:
    town.act(Assign(ID, "Sgt Brown"))

    assert ("Sgt Brown", "assigned") == (town.card().assigned_to, town.card().history[-1].what)


def test_note_is_recorded_as_one(town: Town) -> None:
    town.act(AddNote(ID, "Camera 4 sees nothing"))

    last = town.disk[-1]
    assert isinstance(last, ActionEntry)
    assert ("note", PATEL, "Camera 4 sees nothing") == (last.kind, last.by, last.text)
    assert HistoryLine(START, "note", "Camera 4 sees nothing", PATEL) == town.card().history[-1]


@pytest.mark.parametrize("action", [Acknowledge(ID), StartDuty()])
def test_answer_comes_after_the_change_that_contains_it(town: Town, action: Action) -> None:
    said = town.handle(ev.ActionRequested(9, action, PATEL, ALL_RIGHTS))
    kinds = [type(order) for order in said]

    assert kinds.index(do.ShowChange) < kinds.index(do.AnswerAction)
    assert Done(only(said, do.ShowChange)[-1].change.sequence) == only(said, do.AnswerAction)[0].result


def test_too_many_waiting_actions_are_refused_rather_than_kept(town: Town) -> None:
    town.is_disk_slow = True

    results = [town.act(AddNote(ID, str(number))) for number in range(1_100)]

    assert 99 == sum(isinstance(result, Refused) for result in results)
