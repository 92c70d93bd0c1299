"""C3: messages that fail, restarts, clocks, changed policies and floods leave no alert without somebody asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.asking import ASKING_LINES_MAX
from central.core.escalation import BEGUN_AT_ONCE, Escalation
from central.core.groups import ASKED_EACH_MAX
from central.core.incident import Incident
from central.core.journal import ActionEntry, Asking, Told
from central.core.view import Acknowledge, EndDuty, Person, UndoAcknowledge
from tests.support.central_town import ARCADE, BAKERY, CORNER, CROWN, START, Town, only
from tests.support.escalating_town import (
    CO_ORDINATOR,
    JO,
    KIM,
    PEOPLE,
    POLICY,
    SAM,
    asked,
    history,
    jo_by_rota,
    line,
    on_duty,
    people,
    reaching,
    ready,
    rights,
    rota,
    shift,
    stay,
)
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind
from wire.snapshots import Way

ID = "00000010-7"
SEVEN, EIGHT = FrameId(CORNER, 7), FrameId(BAKERY, 8)


def ended(town: Town, way: Way, *, is_delivered: bool, words: str = "") -> None:
    """Of the first step that was ordered."""
    order = only(town.said, do.Ask)[0]
    town.handle(ev.NoticeEnded(FrameId(CORNER, 7), 1, order.entry, JO.account, way, is_delivered, words))


def test_failed_messages_do_not_count_and_the_next_step_comes_at_once(town: Town) -> None:
    ready(town, SAM)
    jo_by_rota(town, "push", "sms")
    town.press(7, AlertKind.ATTACK)
    town.later(2)

    ended(town, "push", is_delivered=False, words="subscription is gone")
    town.later(2)
    assert [("pcso",)] == asked(town)
    ended(town, "sms", is_delivered=False, words="gateway has no credit")
    town.later(2)

    assert [("pcso",), ("duty-sergeant",)] == asked(town)
    assert [
        ("not-told", "Jo Patel, by phone: subscription is gone"),
        ("not-told", "Jo Patel, by text message: gateway has no credit"),
    ] == history(town)[1:3]


def fail_all(town: Town, said: list[do.Effect], words: str = "no credit") -> None:
    for order in only(said, do.Ask):
        for account, ways in order.people:
            for way in ways:
                town.handle(
                    ev.NoticeEnded(
                        order.incident, order.scheme, order.entry, account, way, is_delivered=False, words=words
                    )
                )


def test_messages_that_all_fail_are_nobody_and_are_tried_again_a_minute_later(town: Town) -> None:
    """A gateway that refuses everything: nobody is asked, so NOBODY is shown, and not one step after the other."""
    ready(town)
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60), shift(SAM, 0, 60))))
    town.handle(reaching((JO, ("push", "sms")), (SAM, ("push",))))
    town.press(7, AlertKind.ATTACK)

    for _ in range(50):
        fail_all(town, town.later(1))
    assert [("pcso",), ("duty-sergeant",), ("co-ordinator", "pcso", "duty-sergeant", "-")] == asked(town)
    assert "" == line(town).role

    for _ in range(60):
        fail_all(town, town.later(1))
    assert (6, "") == (len(asked(town)), line(town).role)


def test_way_that_failed_counts_again_once_a_message_went_out_or_ways_have_changed(town: Town) -> None:
    ready(town)
    jo_by_rota(town, "sms")
    town.press(7, AlertKind.ATTACK)
    fail_all(town, town.later(1))
    town.later(2)
    assert "" == line(town).role

    town.handle(reaching((JO, ("sms",)), (SAM, ("push",))))
    town.later(1)

    assert "pcso" == line(town).role


def test_step_whose_people_all_left_is_over_at_once(town: Town) -> None:
    """An account that ends while it is asked, and somebody who ends their duty: nobody waits for them."""
    ready(town, SAM)
    other = Person("pcso", "Ali Khan", 6)
    town.handle(people(*PEOPLE, other))
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60), shift(other, 0, 60))))
    town.handle(reaching((JO, ("push",)), (other, ("push",)), (SAM, ("push",))))
    town.press(7, AlertKind.ATTACK)
    town.later(2)
    ended(town, "push", is_delivered=True)

    town.handle(people(*PEOPLE))
    town.later(2)
    assert [("pcso",)] == asked(town), "Jo is still there"
    town.handle(people(SAM, KIM))
    town.later(2)
    assert [("pcso",), ("duty-sergeant",)] == asked(town)

    town.act(EndDuty(), SAM, rights(SAM))
    town.later(2)
    assert "" == line(town).role


def test_failure_that_the_disk_refused_is_written_once_it_can_be(town: Town) -> None:
    """Else the alert would stand for the rest of its step with somebody who was never asked."""
    ready(town, SAM)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(2)
    town.is_disk_slow = True
    ended(town, "push", is_delivered=False, words="subscription is gone")
    town.later(1)
    town.refuse()
    town.is_disk_slow = False
    assert [("pcso",)] == asked(town)

    town.handle(ev.StoreRecovered())
    town.later(2)

    assert [("pcso",), ("duty-sergeant",)] == asked(town)
    assert ("not-told", "Jo Patel, by phone: subscription is gone") in history(town)


def test_delivered_message_is_told_and_its_step_stays(town: Town) -> None:
    ready(town, SAM)
    jo_by_rota(town, "push", "sms")
    town.press(7, AlertKind.ATTACK)
    town.later(2)

    ended(town, "push", is_delivered=False, words="gone")
    ended(town, "sms", is_delivered=True)
    town.later(20)

    assert ([("pcso",)], ("told", "Jo Patel, by text message")) == (asked(town), history(town)[-1])


def test_failed_message_to_somebody_with_an_open_page_ends_no_step(town: Town) -> None:
    ready(town, JO, SAM)
    town.handle(reaching((JO, ("push",))))
    town.press(7, AlertKind.ATTACK)
    town.later(2)

    ended(town, "push", is_delivered=False, words="gone")
    town.later(20)

    assert [("pcso",)] == asked(town)


def test_message_of_before_an_undone_answer_ends_no_step_of_now(town: Town) -> None:
    """Both are the first step of a first round: each begins with an entry of its own, by which it is named."""
    ready(town)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(5)
    town.act(Acknowledge(ID), SAM, rights(SAM))
    town.act(UndoAcknowledge(ID), SAM, rights(SAM))
    town.later(1)
    first, second = only(town.said, do.Ask)
    assert first.entry != second.entry

    ended(town, "push", is_delivered=False, words="gone")
    town.later(2)

    assert (1, 2) == (line(town).round, len(asked(town)))


def test_message_of_an_earlier_round_ends_no_later_one(town: Town) -> None:
    ready(town)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(32)
    assert 2 == line(town).round

    ended(town, "push", is_delivered=False, words="gone")
    town.later(2)

    assert (2, 2) == (line(town).round, len(asked(town)))


@pytest.mark.parametrize("step_s", [-7_200, 7_200])
def test_clock_step_neither_skips_nor_stretches_a_step(town: Town, step_s: int) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(11)

    town.now_at += timedelta(seconds=step_s)
    town.later(18)
    assert [("pcso",)] == asked(town)
    town.later(3)

    assert [("pcso",), ("duty-sergeant",)] == asked(town)


def test_changed_policy_waits_for_the_end_of_the_round(town: Town) -> None:
    ready(town, JO, SAM, KIM)
    town.press(7, AlertKind.ATTACK)
    town.later(5)

    town.handle(rota(replace(POLICY, version=2, steps=(CO_ORDINATOR,)), number=2))
    town.later(26 + 20)
    assert [("pcso",), ("duty-sergeant",), ("co-ordinator",)] == asked(town)
    stay(town, 60 + 60, KIM)

    assert [("co-ordinator",), ("co-ordinator",)] == asked(town)[3:]
    assert (1, 1) == (line(town).step, line(town).steps)


def test_policy_taken_away_goes_on_with_its_steps(town: Town) -> None:
    """Better asked by an old policy than of nobody."""
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(5)

    town.handle(rota())
    town.later(26 + 20 + 1)

    assert [("pcso",), ("duty-sergeant",), ("co-ordinator", "pcso")] == asked(town)


def test_alert_of_before_a_policy_is_asked_once_there_is_one(town: Town) -> None:
    town.handle(people(*PEOPLE))
    on_duty(town, JO)
    town.press(7, AlertKind.ATTACK)
    town.later(60)
    assert () == town.card().asking

    town.handle(rota(POLICY))
    town.later(1)

    assert [("pcso",)] == asked(town)


def many(count: int) -> Iterator[tuple[int, NodeId]]:
    nodes = (CORNER, BAKERY)
    yield from ((at, nodes[at % 2]) for at in range(7, 7 + count))


def test_flood_from_one_premises_asks_no_more_than_its_first_alerts(town: Town) -> None:
    ready(town, JO)
    for counter in range(7, 47):
        town.press(counter, AlertKind.ASSIST)
    town.press(99, AlertKind.ATTACK)

    town.later(2)

    begun = [entry.incident for entry in town.disk if isinstance(getattr(entry, "details", None), Asking)]
    assert ASKED_EACH_MAX == len(begun)
    assert FrameId(CORNER, 99) == begun[0], "an attack before anything less"

    for incident in begun:
        assert incident is not None
        town.act(Acknowledge(incident.text), JO, rights(JO))
    town.later(1)

    assert 2 * ASKED_EACH_MAX == len(asked(town)), "others follow as they are answered"


def test_card_that_stands_for_many_says_who_is_asked_whichever_of_them_it_shows(town: Town) -> None:
    ready(town, JO, SAM)
    for counter in range(7, 12):
        town.press(counter, AlertKind.ASSIST)
        town.later(1)
    (card,) = town.board().cards
    assert (5, "00000010-11") == (card.stands_for, card.incident), "the newest, which is not asked about yet"
    assert ["pcso"] == [one.role for one in card.asking]

    town.later(30)

    (card,) = town.board().cards
    assert ["duty-sergeant"] == [one.role for one in card.asking]


def test_steps_begun_at_once_are_bounded_and_the_most_urgent_come_first(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(town, JO, SAM)
    monkeypatch.setattr("central.core.escalation.BEGUN_AT_ONCE", 2)
    for counter, node in enumerate((CORNER, BAKERY, CROWN), start=7):
        town.press(counter, AlertKind.ASSIST, node=node)
    town.press(20, AlertKind.ATTACK, node=ARCADE)

    town.later(1)
    begun = [entry.incident.node for entry in town.disk if isinstance(entry, ActionEntry) and entry.incident]
    assert [ARCADE, ARCADE] == begun, "both of its schemes"

    town.later(2)
    assert 5 == len([entry for entry in town.disk if isinstance(entry, ActionEntry) and entry.kind == "asked"])
    assert BEGUN_AT_ONCE == 100


def test_results_written_at_once_are_bounded_and_none_is_lost(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A press waits for what is being written (N3)."""
    ways: tuple[Way, ...] = ("push", "sms", "email")
    ready(town, SAM)
    jo_by_rota(town, *ways)
    monkeypatch.setattr("central.core.escalation.TOLD_AT_ONCE", 2)
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    for way in ways:
        ended(town, way, is_delivered=True)

    written = []
    for _ in range(2):
        town.later(1)
        written.append([e.details.way for e in town.disk if isinstance(e, ActionEntry) and isinstance(e.details, Told)])

    assert [["push", "sms"], ["push", "sms", "email"]] == written


def test_failure_is_written_before_hundreds_of_deliveries_and_their_number_does_not_grow(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(town, SAM)
    jo_by_rota(town, "push")
    monkeypatch.setattr("central.core.escalation.TOLD_AT_ONCE", 2)
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    for _ in range(1_599):
        ended(town, "sms", is_delivered=True)
    ended(town, "push", is_delivered=False, words="no credit")

    town.later(2)

    assert [("pcso",), ("duty-sergeant",)] == asked(town)
    written = [entry for entry in town.disk if isinstance(entry, ActionEntry) and isinstance(entry.details, Told)]
    assert 193 <= len(written) <= 200, "a sixteenth each second"


def test_history_keeps_the_press_however_long_nobody_answers(town: Town) -> None:
    ready(town, JO)
    town.press(7, AlertKind.ATTACK)

    stay(town, 4_200, JO)
    town.later(1_810)

    card = town.card()
    assert "pressed" == card.history[0].what
    assert ASKING_LINES_MAX == len(history(town))
    assert "nobody" == card.history[-1].what, "whoever gives no sign of life is not on duty for ever"


def test_next_shifts_are_told_and_change_as_they_begin(town: Town) -> None:
    ready(town)
    town.handle(rota(POLICY, shifts=(shift(JO, 10, 60), shift(JO, 70, 90), shift(SAM, 5, 60, 2), shift(KIM, -60, 1))))
    town.later(1)
    assert [(SAM.name, 5), (JO.name, 10)] == [
        (one.name, (one.begins_at - START).seconds // 60) for one in town.board().next_shifts
    ]

    town.later(600, tick_s=5)

    assert [(JO.name, 70)] == [(one.name, (one.begins_at - START).seconds // 60) for one in town.board().next_shifts]


def test_next_shift_of_somebody_who_has_left_is_not_told(town: Town) -> None:
    ready(town)
    town.handle(rota(POLICY, shifts=(shift(JO, 10, 60),)))
    town.handle(people(SAM))
    town.later(1)

    assert () == town.board().next_shifts


def test_facts_say_what_was_skipped_and_asked(town: Town) -> None:
    ready(town, SAM)
    town.handle(reaching((SAM, ("push",))))
    town.press(7, AlertKind.ATTACK)
    town.said.clear()

    town.later(1)

    facts = [(one.fact, dict(one.detail)) for one in only(town.said, do.ReportFact)]
    assert [
        ("step_skipped", {"scheme": "1", "round": "1", "role": "pcso"}),
        ("asked", {"scheme": "1", "round": "1", "role": "duty-sergeant", "ways": "page push"}),
    ] == facts


@pytest.mark.finding(12)
@pytest.mark.parametrize("fails_in", ["_following", "_told"])
def test_alert_whose_step_fails_keeps_nobody_from_being_asked_about_another(
    town: Town, monkeypatch: pytest.MonkeyPatch, fails_in: str
) -> None:
    def failing(self: Escalation, about: Incident | ev.NoticeEnded, *rest: object) -> object:
        if SEVEN == (about.id if isinstance(about, Incident) else about.incident):
            raise ZeroDivisionError
        return real(self, about, *rest)

    ready(town, SAM)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    ended(town, "push", is_delivered=False)
    town.press(8, AlertKind.ATTACK, node=BAKERY)
    real = getattr(Escalation, fails_in)
    monkeypatch.setattr(Escalation, fails_in, failing)
    town.now_at += timedelta(minutes=1)
    said = town.core.handle(ev.Ticked(), town.now_at)

    assert [EIGHT] == [one.entry.incident for one in only(said, do.CommitAction) if one.entry.incident != SEVEN]
    assert [SEVEN] == [order.what for order in only(said, do.SetAside)]
