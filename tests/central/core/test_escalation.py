"""C3: an open alert that nobody answered is always at a step of its scheme's policy, or NOBODY is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.asking_lines import AskingLine
from central.core.view import Acknowledge, Close, EndDuty, Person, UndoAcknowledge
from tests.support.central_town import ARCADE, BAKERY, CORNER, CROWN, START, Town, only
from tests.support.escalating_town import (
    JO,
    KIM,
    PCSO,
    PEOPLE,
    POLICY,
    SAM,
    SERGEANT,
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
from wire.ids import FrameId
from wire.kinds import AlertKind
from wire.messages import Asked

ID = "00000010-7"
NOBODY_THERE = "PCSO on duty (Jo Patel on duty, but with no page open), Duty sergeant, Co-ordinator"


def test_alert_is_asked_of_the_first_step_that_has_somebody(town: Town) -> None:
    ready(town, SAM, KIM)

    town.press(7, AlertKind.ATTACK)
    assert [] == asked(town), "receipts and cards first"
    town.later(1)

    assert [("pcso", "duty-sergeant")] == asked(town)
    assert [("skipped", "nobody is there as PCSO on duty"), ("asked", "Duty sergeant: Sam Lee")] == history(town)
    now = town.now_at
    assert AskingLine(
        scheme=1,
        scheme_name="HART",
        role="duty-sergeant",
        names=("Sam Lee",),
        step=2,
        steps=3,
        since=now,
        until=now + timedelta(seconds=20),
        next_role="co-ordinator",
    ) == line(town)


def test_step_is_on_disk_before_anybody_is_told(town: Town) -> None:
    ready(town, JO)
    town.handle(reaching((JO, ("push",))))
    town.press(7, AlertKind.ATTACK)
    town.is_disk_slow = True

    said = town.later(3)
    assert ([], (), 1) == (only(said, do.Ask), town.card().asking, len(town.waiting))

    assert [(JO.account, ("push",))] == list(only(town.commit(), do.Ask)[0].people)


def test_refused_step_is_tried_again_and_nobody_is_told_meanwhile(town: Town) -> None:
    ready(town, JO)
    town.press(7, AlertKind.ATTACK)
    town.is_disk_slow = True
    town.later(1)
    town.refuse()
    town.is_disk_slow = False
    assert () == town.card().asking

    town.handle(ev.StoreRecovered())
    town.later(1)

    assert [("pcso",)] == asked(town)


def test_unanswered_step_passes_after_its_seconds_and_rounds_repeat(town: Town) -> None:
    ready(town, JO, SAM, KIM)
    town.press(7, AlertKind.ATTACK)

    stay(town, 1 + 30 + 20 + 60 + 30, JO, SAM, KIM)

    assert [("pcso",), ("duty-sergeant",), ("co-ordinator",), ("pcso",), ("duty-sergeant",)] == asked(town)
    assert 2 == line(town).round


def test_only_one_there_is_asked_again_each_round(town: Town) -> None:
    ready(town, SAM)
    town.press(7, AlertKind.ATTACK)

    town.later(1 + 20)

    assert [("pcso", "duty-sergeant"), ("co-ordinator", "pcso", "duty-sergeant")] == asked(town)


def test_nobody_is_said_once_and_ends_as_soon_as_somebody_is_there(town: Town) -> None:
    ready(town)
    town.press(7, AlertKind.ATTACK)

    town.later(300)
    assert [("pcso", "duty-sergeant", "co-ordinator", "-")] == asked(town)
    assert ("", None) == (line(town).role, line(town).until)
    assert [("nobody", "PCSO on duty, Duty sergeant, Co-ordinator")] == history(town)

    on_duty(town, KIM)
    town.later(1)

    assert ("co-ordinator", 2) == (line(town).role, line(town).round)


def test_last_one_who_goes_leaves_nobody(town: Town) -> None:
    ready(town, JO)
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    town.act(EndDuty(), JO, rights(JO))

    town.later(1)

    assert "" == line(town).role


def test_whoever_shut_the_page_and_has_no_phone_is_not_asked(town: Town) -> None:
    """On duty for another half hour, but nothing would tell them."""
    ready(town, JO, SAM)
    stay(town, 90, SAM)
    town.later(1)
    town.press(7, AlertKind.ATTACK)
    town.later(1)

    assert [("pcso", "duty-sergeant")] == asked(town)
    assert {"Jo Patel": False, "Sam Lee": True} == {one.name: one.has_page for one in town.board().on_duty}
    assert (
        "skipped",
        "nobody is there as PCSO on duty (Jo Patel on duty, but with no page open)",
    ) == history(town)[0]


def test_page_that_is_shut_during_a_step_does_not_hold_it_up(town: Town) -> None:
    ready(town, JO, SAM)
    town.handle(rota(replace(POLICY, steps=(replace(PCSO, wait_s=3_600), SERGEANT))))
    town.press(7, AlertKind.ATTACK)

    stay(town, 90, SAM)
    assert [("pcso",)] == asked(town), "ninety seconds are not over yet"
    stay(town, 2, SAM)

    assert [("pcso",), ("duty-sergeant",)] == asked(town)


def test_page_that_is_open_again_is_asked_again(town: Town) -> None:
    ready(town, JO)
    town.later(100)
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    assert ("", [("nobody", NOBODY_THERE)]) == (line(town).role, history(town))

    stay(town, 2, JO)

    assert "pcso" == line(town).role


def test_whoever_shut_the_page_is_asked_by_phone_until_that_fails(town: Town) -> None:
    ready(town, JO, SAM)
    town.handle(reaching((JO, ("push",))))
    stay(town, 91, SAM)
    town.press(7, AlertKind.ATTACK)
    said = town.later(1)
    (order,) = only(said, do.Ask)
    assert ((JO.account, ("push",)),) == order.people
    assert ["push"] == [dict(one.detail)["ways"] for one in only(said, do.ReportFact) if one.fact == "asked"]
    assert ("asked", "PCSO on duty: Jo Patel, on duty with no page open, to be told by phone") == history(town)[0]

    town.handle(ev.NoticeEnded(order.incident, 1, order.entry, JO.account, "push", is_delivered=False, words="gone"))
    stay(town, 2, SAM)

    assert "duty-sergeant" == line(town).role


def test_answer_ends_it(town: Town) -> None:
    ready(town, JO, SAM)
    town.handle(reaching((JO, ("push",))))
    town.press(7, AlertKind.ATTACK)
    town.later(5)

    town.said.clear()
    town.act(Acknowledge(ID), SAM, rights(SAM))
    town.later(300)

    town.act(Close(ID, "Left"), SAM, rights(SAM))

    assert [("pcso",)] == asked(town)
    assert () == town.card().asking
    assert [do.CallOff(FrameId(CORNER, 7))] == only(town.said, do.CallOff)
    assert [] == only(town.said, do.Ask)


def test_undo_of_an_answer_begins_anew(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(35)
    town.act(Acknowledge(ID), SAM, rights(SAM))
    town.act(UndoAcknowledge(ID), SAM, rights(SAM))

    town.later(1)

    assert [("pcso",), ("duty-sergeant",), ("pcso",)] == asked(town)


def test_upgrade_begins_anew(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ASSIST)
    town.later(35)

    town.press(8, AlertKind.ATTACK, incident=7)
    town.later(1)

    assert [("pcso",), ("duty-sergeant",), ("pcso",)] == asked(town)


def test_second_press_that_asks_nothing_new_goes_on(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(25)

    town.press(8, AlertKind.ATTACK, incident=7)
    town.later(10)

    assert [("pcso",), ("duty-sergeant",)] == asked(town)


def test_press_after_closing_begins_anew(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(35)
    town.act(Close(ID, "Left"), SAM, rights(SAM))
    stay(town, 60, JO)
    assert 2 == len(asked(town))

    town.press(8, AlertKind.ATTACK, incident=7)
    town.later(1)

    assert ("pcso",) == asked(town)[-1]


def test_test_is_asked_of_nobody_and_a_drill_is_marked(town: Town) -> None:
    ready(town, JO)
    town.handle(reaching((JO, ("push",))))
    town.press(7, AlertKind.TEST)
    town.press(8, AlertKind.ATTACK, node=BAKERY, drill=True)

    said = town.later(2)

    assert [] == asked(town)
    (order,) = only(said, do.Ask)
    assert (FrameId(BAKERY, 8), True, 1) == (order.incident, order.is_drill, order.priority)


def test_late_alert_is_asked_too(town: Town) -> None:
    ready(town, JO)
    town.press(7, AlertKind.ATTACK, at_s=int(START.timestamp()) - 600)

    town.later(1)

    assert (True, [("pcso",)]) == (town.card().is_late, asked(town))


def test_kind_or_scheme_without_a_policy_stays_as_before(town: Town) -> None:
    town.handle(people(*PEOPLE))
    town.handle(rota(POLICY))
    on_duty(town, JO, SAM, KIM)
    town.press(7, AlertKind.THEFT)
    town.press(8, AlertKind.ATTACK, node=CROWN)

    town.later(60)

    assert [] == asked(town) + asked(town, CROWN)


def test_two_schemes_run_by_themselves_and_an_answer_ends_both(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK, node=ARCADE)
    town.later(22)
    arcade = "00000013-7"
    assert [(1, "pcso"), (2, "pcso")] == [(one.scheme, one.role) for one in town.card(arcade).asking]
    assert [("pcso",), ("duty-sergeant",), ("pcso",)] == asked(town, ARCADE)

    town.act(Acknowledge(arcade), SAM, rights(SAM))
    town.later(300)

    assert 3 == len(asked(town, ARCADE))


def test_people_of_another_scheme_are_not_asked(town: Town) -> None:
    ready(town)
    on_duty(town, JO, schemes=(2,))
    town.press(7, AlertKind.ATTACK)

    town.later(1)

    assert "" == line(town).role


def test_rota_names_who_is_asked_by_phone_where_nobody_is_on_duty(town: Town) -> None:
    ready(town)
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60), shift(SAM, 60, 120))))
    town.handle(reaching((JO, ("sms", "email")), (SAM, ("push",))))
    town.press(7, AlertKind.ATTACK)

    said = town.later(1)

    (order,) = only(said, do.Ask)
    assert ((JO.account, ("sms",)),) == order.people
    assert (1, town.disk[-1].entry, 1, 30) == (order.scheme, order.entry, order.priority, order.valid_s)
    assert [("asked", "PCSO on duty: Jo Patel, named by the rota, to be told by text message")] == history(town)


def test_those_on_duty_are_asked_before_those_whom_the_rota_names(town: Town) -> None:
    """The rota plans, duty is what is true (ADR 0044)."""
    ready(town)
    other = Person("pcso", "Ali Khan", 6)
    town.handle(people(*PEOPLE, other))
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60),)))
    town.handle(reaching((JO, ("push",)), (other, ("push",))))
    on_duty(town, other)
    town.press(7, AlertKind.ATTACK)

    (order,) = only(town.later(1), do.Ask)

    assert ((other.account, ("push",)),) == order.people


def test_rota_names_nobody_whom_no_message_reaches(town: Town) -> None:
    """Without a notifier the pages are the only way: nobody is said to be asked who was not."""
    ready(town)
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60),)))
    town.press(7, AlertKind.ATTACK)

    town.later(1)

    assert "" == line(town).role


def test_rota_names_nobody_whose_account_or_role_is_gone(town: Town) -> None:
    ready(town)
    town.handle(rota(POLICY, shifts=(shift(JO, 0, 60), shift(SAM, 0, 60))))
    town.handle(reaching((JO, ("push",)), (SAM, ("push",))))
    town.handle(people(KIM, Person("cctv", SAM.name, SAM.account)))
    town.press(7, AlertKind.ATTACK)

    town.later(1)

    assert "" == line(town).role


@pytest.mark.parametrize(("minutes", "role"), [(-1, ""), (0, "pcso"), (59, "pcso"), (60, "")])
def test_shift_has_its_first_moment_and_not_its_last(minutes: int, role: str) -> None:
    town = ready(Town(now_at=START + timedelta(minutes=minutes, seconds=-1)))
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)

    town.later(1)

    assert role == line(town).role


def test_shops_are_told_which_role_is_asked_in_their_scheme(town: Town) -> None:
    ready(town, JO)
    town.press(7, AlertKind.ATTACK, node=ARCADE)
    town.later(1)
    begun_at = town.now_at
    states = {one.state.scheme: one.state.asked for one in only(town.said, do.PublishIncident)}
    assert {"hart": Asked(role="pcso", since=begun_at), "pubwatch": Asked(role="pcso", since=begun_at)} == states

    town.act(EndDuty(), JO, rights(JO))
    town.later(1)
    states = {one.state.scheme: one.state.asked for one in only(town.said, do.PublishIncident)}
    assert {"hart": Asked(since=town.now_at), "pubwatch": Asked(since=town.now_at)} == states

    town.act(Acknowledge("00000013-7"), SAM, rights(SAM))
    assert {None} == {one.state.asked for one in only(town.said, do.PublishIncident)[-2:]}


def test_what_became_of_messages_is_no_news_to_the_shops(town: Town) -> None:
    """They are told who is asked. Hundreds of messages at a time would hold up receipts, and say the same again."""
    ready(town)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(1)
    (order,) = only(town.said, do.Ask)
    before = len(only(town.said, do.PublishIncident))

    town.handle(ev.NoticeEnded(order.incident, 1, order.entry, JO.account, "push", is_delivered=True, words=""))
    town.later(1)

    assert ("told", "Jo Patel, by phone") in history(town)
    assert before == len(only(town.said, do.PublishIncident))
