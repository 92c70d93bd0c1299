"""One stolen node presses thousands of times: nothing of it is lost, and the control room still sees others (N2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.bulk import EACH_TIME_MAX
from central.core.incident import Incident
from central.core.journal import ActionEntry, Recall
from central.core.set_aside import NOT_DONE, SOME_NOT_DONE, WRITTEN_ONLY
from central.core.view import (
    Acknowledge,
    AddNote,
    Assign,
    Card,
    Close,
    CloseRevoked,
    Done,
    Refused,
    SetOnTheWay,
    UndoAcknowledge,
)
from tests.support.central_town import BAKERY, CORNER, JONES, PATEL, Town, make_directory, only, opened
from wire.ids import NodeId
from wire.kinds import AlertKind, AnswerState

pytestmark = pytest.mark.finding(13)
FLOOD = 40


def flood(town: Town, count: int = FLOOD, first: int = 100, kind: AlertKind = AlertKind.ATTACK) -> None:
    """So many presses of the corner shop's, each an incident of its own."""
    for counter in range(first, first + count):
        town.press(counter, kind)


def cards(town: Town, node: NodeId = CORNER, *, closed: bool = False) -> list[Card]:
    return [card for card in town.board().cards if card.node == f"{node:08x}" and (card.state == "closed") is closed]


def revoke(town: Town, *nodes: NodeId) -> None:
    data = make_directory(serial=2, revoked=nodes)
    town.handle(ev.DirectoryChanged(opened(data), data))


def open_states(town: Town) -> Counter[str]:
    return Counter(incident.state for incident in town.core._incidents.all())


def test_three_open_alerts_of_a_premises_have_a_card_each_and_four_have_one(town: Town) -> None:
    flood(town, 3)
    assert 3 == len(cards(town))

    flood(town, 1, first=103)
    (card,) = cards(town)
    assert ("00000010-103", 4) == (card.incident, card.stands_for)


def test_flood_is_committed_receipted_and_told_one_by_one(town: Town) -> None:
    flood(town)

    assert FLOOD == len({order.target for order in only(town.said, do.SendReceipt)}) == len(town.disk)
    assert FLOOD == len({order.state.incident for order in only(town.said, do.PublishIncident)})


def test_page_stays_small_and_others_keep_their_cards(town: Town) -> None:
    flood(town)
    small = len(msgspec.json.encode(town.board()))
    town.press(7, AlertKind.ASSIST, node=BAKERY)
    flood(town, first=1_000, count=400)

    assert 1 == len(cards(town, BAKERY))
    assert len(msgspec.json.encode(town.board())) < small + 2_000


def test_card_shows_the_most_urgent_that_nobody_has_answered_and_the_newest_of_those(town: Town) -> None:
    town.press(1, AlertKind.ATTACK)
    town.press(2, AlertKind.ATTACK)
    town.press(3, AlertKind.ASSIST)
    town.press(4, AlertKind.SIGHTING)
    assert "00000010-2" == cards(town)[0].incident

    key = cards(town)[0].key
    town.act(Acknowledge("00000010-2"))
    assert "00000010-1" == cards(town)[0].incident
    town.act(Acknowledge("00000010-1"))
    assert "00000010-3" == cards(town)[0].incident
    assert key == cards(town)[0].key, "it is the same card all the while"


def test_card_keeps_its_place_and_gives_the_others_theirs_back(town: Town) -> None:
    flood(town, 4)
    for counter in (100, 101):
        town.act(Close(f"00000010-{counter}", "False alarm"))

    assert {"00000010-102", "00000010-103"} == {card.key for card in cards(town)}
    assert {1} == {card.stands_for for card in cards(town)}


def test_board_and_changes_come_to_the_same(town: Town) -> None:
    flood(town, 9)
    town.act(Acknowledge("00000010-100"))
    for counter in range(100, 107):
        town.act(Close(f"00000010-{counter}", "False alarm"))
        fresh = town.core._page.board(
            town.core._incidents, town.core._nodes, town.core._rejections, town.core.directory, town.now_at
        )

        assert {card.key: card for card in fresh.cards} == {card.key: card for card in town.board().cards}


def test_answer_is_for_what_was_on_screen_and_a_later_press_is_pressed_again(town: Town) -> None:
    flood(town)
    (seen,) = cards(town)
    flood(town, 1, first=500)
    answer = town.act(Acknowledge(seen.incident, "attack", seen.through), JONES)

    assert isinstance(answer, Done)
    assert (0, 1) == (answer.left, answer.untouched)
    assert Counter(answered=FLOOD, unanswered=1) == open_states(town)
    (card,) = cards(town)
    assert ("00000010-500", "unanswered", town.now_at) == (card.incident, card.state, card.pressed_again_at)
    acknowledged = [entry for entry in town.disk if isinstance(entry, ActionEntry)]
    assert [("acknowledged", JONES)] * FLOOD == [(entry.kind, entry.by) for entry in acknowledged]


def test_repeat_of_one_that_was_on_screen_is_not_answered_with_the_others(town: Town) -> None:
    flood(town)
    (seen,) = cards(town)
    town.press(500, AlertKind.ATTACK, incident=110)
    town.act(Acknowledge(seen.incident, "attack", seen.through))

    assert Counter(answered=FLOOD - 1, unanswered=1) == open_states(town)


def test_whole_life_of_many_is_acted_on_as_one(town: Town) -> None:
    flood(town)

    def through() -> tuple[str, int]:
        (card,) = cards(town)
        return card.incident, card.through

    incident, seen = through()
    town.act(Acknowledge(incident, "attack", seen), JONES)
    town.act(UndoAcknowledge(incident, seen), JONES)
    assert Counter(unanswered=FLOOD) == open_states(town)
    town.act(Acknowledge(incident, "attack", seen), JONES)
    town.act(SetOnTheWay(incident, "attack", PATEL, seen), JONES)
    assert Counter({"on-the-way": FLOOD}) == open_states(town)
    town.act(Assign(incident, "PCSO", seen), JONES)
    assert {"PCSO"} == {one.assigned_to for one in town.core._incidents.all()}
    town.act(Close(incident, "Button stuck", seen_through=seen), JONES)

    assert Counter(closed=FLOOD) == open_states(town)
    assert {(JONES, "Button stuck")} == {(one.closed_by, one.outcome) for one in town.core._incidents.all()}
    assert [] == cards(town)
    (closed,) = cards(town, closed=True)
    assert FLOOD == closed.stands_for


def test_note_is_for_the_alert_on_the_card_alone(town: Town) -> None:
    flood(town)
    town.act(AddNote(cards(town)[0].incident, "Camera 4 sees nothing"))

    assert 1 == sum(isinstance(entry, ActionEntry) for entry in town.disk)


def test_act_for_many_is_refused_when_nothing_of_it_is_left(town: Town) -> None:
    flood(town)
    (seen,) = cards(town)
    for _ in range(2):
        answer = town.act(Close(seen.incident, "Button stuck", seen_through=seen.through))

    assert isinstance(answer, Refused)


def test_all_of_a_revoked_sender_is_closed_in_one_act_each_by_that_person_for_that_reason(town: Town) -> None:
    flood(town)
    town.press(7, AlertKind.ATTACK, node=BAKERY)
    revoke(town, CORNER)
    told = len(only(town.said, do.SendAcknowledgement))
    answer = town.act(CloseRevoked("00000010", "Node stolen, revoked"), JONES)

    assert isinstance(answer, Done)
    entries = [entry for entry in town.disk if isinstance(entry, ActionEntry)]
    assert {("closed", JONES, "Node stolen, revoked")} == {(one.kind, one.by, one.text) for one in entries}
    assert FLOOD == len({one.incident for one in entries})
    assert [] == cards(town)
    assert "unanswered" == cards(town, BAKERY)[0].state
    assert told == len(only(town.said, do.SendAcknowledgement)), "who was struck off is told nothing"
    assert FLOOD == sum(o.state.state == "closed" for o in only(town.said, do.PublishIncident))


def test_sender_in_good_standing_is_not_closed_in_one_act(town: Town) -> None:
    flood(town)

    assert isinstance(town.act(CloseRevoked("00000010", "Node stolen")), Refused)
    assert isinstance(town.act(CloseRevoked("000000ff", "Node stolen")), Refused)
    assert isinstance(town.act(CloseRevoked("x", "Node stolen")), Refused)


def test_alerts_come_between_the_parts_of_a_long_act(town: Town) -> None:
    flood(town, 2 * EACH_TIME_MAX + 1)
    revoke(town, CORNER)
    town.is_disk_slow = True
    town.act(CloseRevoked("00000010", "Node stolen"), JONES)
    assert EACH_TIME_MAX == len(town.waiting)
    town.commit()
    answer = town.answer_to(town.requests)
    assert isinstance(answer, Done)
    assert EACH_TIME_MAX + 1 == answer.left

    town.press(7, AlertKind.ATTACK, node=BAKERY)
    town.commit()
    assert 1 == len(cards(town, BAKERY))
    for _ in range(3):
        town.later(1)
        town.commit()
    assert [] == cards(town)
    (closed,) = cards(town, closed=True)
    assert 2 * EACH_TIME_MAX + 1 == closed.stands_for


def begun(town: Town) -> None:
    """All of a revoked sender's, of which the first part is on disk, and so its person has been answered."""
    flood(town, 2 * EACH_TIME_MAX + 1)
    revoke(town, CORNER)
    town.is_disk_slow = True
    town.act(CloseRevoked("00000010", "Node stolen"), JONES)
    town.commit()
    assert Counter(closed=EACH_TIME_MAX, unanswered=EACH_TIME_MAX + 1) == open_states(town)
    town.is_disk_slow = False


def test_act_for_many_goes_on_after_a_restart_in_its_midst(town: Town) -> None:
    begun(town)
    kept = only(town.said, do.KeepActs)[-1].acts
    data = make_directory(serial=2, revoked=(CORNER,))
    again = Town(Recall(journal=tuple(town.disk), last_entry=town.disk[-1].entry, acts=kept), data, town.now_at)
    again.later(1)
    again.handle(ev.Resumed())

    closed = [entry for entry in (*town.disk, *again.disk) if isinstance(entry, ActionEntry)]
    assert {"closed"} == set(open_states(again))
    assert 2 * EACH_TIME_MAX + 1 == len({entry.incident for entry in closed}) == len(closed)
    assert {(JONES, "Node stolen")} == {(entry.by, entry.text) for entry in closed}
    assert () == only(again.said, do.KeepActs)[-1].acts, "and it is at its end"


def test_restart_does_not_close_what_was_pressed_after_the_act(town: Town) -> None:
    begun(town)
    kept = only(town.said, do.KeepActs)[-1].acts
    reinstated = make_directory(serial=3)
    town.handle(ev.DirectoryChanged(opened(reinstated), reinstated))
    town.press(5_000, AlertKind.ATTACK)
    again = Town(Recall(journal=tuple(town.disk), last_entry=town.disk[-1].entry, acts=kept), reinstated, town.now_at)
    again.later(3)

    assert Counter(closed=2 * EACH_TIME_MAX + 1, unanswered=1) == open_states(again)


def test_part_of_an_act_that_the_disk_refuses_is_tried_again(town: Town) -> None:
    """Its person was told that the rest follows."""
    begun(town)
    town.is_disk_slow = True
    town.handle(ev.Resumed())
    town.refuse()
    assert [] == town.waiting, "not before the disk is well"
    town.is_disk_slow = False
    town.handle(ev.StoreRecovered())
    town.later(2)

    assert Counter(closed=2 * EACH_TIME_MAX + 1) == open_states(town)


def test_page_is_told_once_of_each_part(town: Town) -> None:
    flood(town)
    revoke(town, CORNER)
    before = town.board().sequence
    town.act(CloseRevoked("00000010", "Node stolen"), JONES)

    assert 1 == town.board().sequence - before


def test_disk_that_refuses_an_act_for_many_is_told_to_who_asked(town: Town) -> None:
    flood(town)
    revoke(town, CORNER)
    town.is_disk_slow = True
    town.act(CloseRevoked("00000010", "Node stolen"), JONES)
    town.refuse()

    assert isinstance(town.answer_to(town.requests), Refused)
    assert Counter(unanswered=FLOOD) == open_states(town)
    town.is_disk_slow = False
    town.act(CloseRevoked("00000010", "Node stolen"), JONES)
    assert Counter(closed=FLOOD) == open_states(town)


def close_while_the_disk_is_slow(town: Town, count: int) -> list[int]:
    """The entries that close so many of one card, on their way to disk."""
    flood(town, count)
    (seen,) = cards(town)
    town.is_disk_slow = True
    town.act(Close(seen.incident, "Button stuck", seen_through=seen.through), JONES)
    entries, town.waiting = [entry.entry for entry in town.waiting], []
    return entries


def is_written(entry: int) -> ev.Event:
    return ev.ActionCommitted(entry)


def cannot_be_written(entry: int) -> ev.Event:
    return ev.CommitFailed((), (entry,), "no such number", is_own_fault=True)


def is_refused(entry: int) -> ev.Event:
    return ev.CommitFailed((), (entry,), "disk full")


SOME_RECORDED = "Some were recorded, others were not. Look at the cards. Central's disk refuses: disk full"


@pytest.mark.parametrize(
    ("happens", "told", "closed"),
    [
        ((is_written, cannot_be_written, is_written, is_written), SOME_NOT_DONE, 3),
        ((is_written, is_written, is_written, cannot_be_written), SOME_NOT_DONE, 3),
        ((cannot_be_written,) * 4, NOT_DONE, 0),
        ((is_written, is_refused, is_refused, is_refused), SOME_RECORDED, 1),
        ((is_refused, is_written, is_written, is_written), SOME_RECORDED, 3),
    ],
)
@pytest.mark.finding(12)
def test_act_for_many_says_that_nothing_was_changed_only_where_nothing_was(
    town: Town, happens: tuple[Callable[[int], ev.Event], ...], told: str, closed: int
) -> None:
    """Where a fault of ours keeps one row from the disk, each is written alone."""
    entries = close_while_the_disk_is_slow(town, 4)
    for happened, entry in zip(happens, entries, strict=True):
        assert town.answer_to(town.requests) is None
        town.handle(happened(entry))

    assert Refused(told) == town.answer_to(town.requests)
    assert Counter({"closed": closed, "unanswered": 4 - closed}) == open_states(town)


@pytest.mark.finding(12)
def test_act_for_many_of_which_one_is_on_disk_and_not_carried_out_never_says_that_nothing_was_changed(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = close_while_the_disk_is_slow(town, 4)
    monkeypatch.setattr(Incident, "take_action", lambda *_: 1 / 0)
    town.core.handle(is_written(entries[0]), town.now_at)
    for entry in entries[1:]:
        town.handle(cannot_be_written(entry))

    assert Refused(WRITTEN_ONLY) == town.answer_to(town.requests)


@pytest.mark.finding(12)
def test_long_act_of_whose_first_part_nothing_could_be_written_does_not_go_on(town: Town) -> None:
    """Its person has read that nothing was changed."""
    for entry in close_while_the_disk_is_slow(town, 2 * EACH_TIME_MAX):
        town.handle(cannot_be_written(entry))
    town.is_disk_slow = False
    town.later(3)

    assert Refused(NOT_DONE) == town.answer_to(town.requests)
    assert Counter(unanswered=2 * EACH_TIME_MAX) == open_states(town)


@pytest.mark.finding(12)
def test_long_act_goes_on_although_one_of_its_first_part_could_not_be_written(town: Town) -> None:
    first, *others = close_while_the_disk_is_slow(town, EACH_TIME_MAX + 1)
    town.handle(cannot_be_written(first))
    for entry in others:
        town.handle(is_written(entry))
    town.is_disk_slow = False
    town.handle(ev.Resumed())

    assert Refused(SOME_NOT_DONE) == town.answer_to(town.requests)
    assert Counter(closed=EACH_TIME_MAX, unanswered=1) == open_states(town)


@pytest.mark.finding(12)
def test_what_the_disk_refused_of_a_later_part_is_tried_again_though_others_were_written_after_it(town: Town) -> None:
    """Its person was told that the rest follows."""
    flood(town, 2 * EACH_TIME_MAX + 1)
    (seen,) = cards(town)
    town.is_disk_slow = True
    town.act(Acknowledge(seen.incident, "attack", seen.through), JONES)
    town.commit()
    town.handle(ev.Resumed())
    (first, second, *others), town.waiting = [entry.entry for entry in town.waiting], []
    for event in (is_refused(first), cannot_be_written(second), *map(is_written, others)):
        town.handle(event)
    town.is_disk_slow = False
    town.later(2)

    assert Counter(answered=2 * EACH_TIME_MAX + 1) == open_states(town)


def test_on_the_way_to_many_is_told_to_the_presser_for_each(town: Town) -> None:
    flood(town, 4)
    (seen,) = cards(town)
    town.act(SetOnTheWay(seen.incident, "attack", PATEL, seen.through), JONES)

    told = only(town.said, do.SendAcknowledgement)
    assert 4 == len({order.target for order in told if order.state is AnswerState.ON_THE_WAY})
