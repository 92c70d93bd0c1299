"""C3: central dies in the middle of a step: it goes on there, asks nobody twice and forgets nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.escalation import Escalation
from central.core.incident import Incident
from central.core.journal import JournalEntry, Recall
from central.core.view import Acknowledge
from tests.support.central_town import BAKERY, CORNER, Town, only
from tests.support.escalating_town import (
    JO,
    PEOPLE,
    POLICY,
    PUBS,
    SAM,
    asked,
    jo_by_rota,
    line,
    people,
    reaching,
    ready,
    rights,
    rota,
    shift,
)
from wire.ids import FrameId
from wire.kinds import AlertKind
from wire.snapshots import Way

ID = "00000010-7"


def restarted(town: Town, after_s: float = 0, journal: list[JournalEntry] | None = None) -> Town:
    """Central dies and comes up again, with what is on disk, the rota that it has kept and who was on duty."""
    entries = tuple(town.disk if journal is None else journal)
    duty = tuple(town.board().on_duty)
    recall = Recall(journal=entries, on_duty=duty, last_entry=entries[-1].entry)
    again = Town(recall, now_at=town.now_at + timedelta(seconds=after_s))
    again.disk = list(entries)
    again.handle(people(*PEOPLE))
    again.handle(rota(POLICY, PUBS))
    return again


def ended(town: Town, way: Way, *, is_delivered: bool, words: str = "") -> None:
    """Of the first step that was ordered."""
    order = only(town.said, do.Ask)[0]
    town.handle(ev.NoticeEnded(FrameId(CORNER, 7), 1, order.entry, JO.account, way, is_delivered, words))


def test_restart_goes_on_with_what_is_left_of_the_step_and_asks_nobody_twice(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(21)

    again = restarted(town, after_s=5)
    again.handle(reaching((JO, ("push",))))
    said = again.later(4)
    assert ([("pcso",)], []) == (asked(again), only(said, do.Ask))
    again.later(1)

    assert [("pcso",), ("duty-sergeant",)] == asked(again)


def test_restart_before_the_rota_is_read_forgets_nobody(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(5)

    again = Town(
        Recall(journal=tuple(town.disk), on_duty=tuple(town.board().on_duty), last_entry=99), now_at=town.now_at
    )
    again.later(30)

    (one,) = again.card().asking
    assert "duty-sergeant" == one.role


def test_restart_orders_again_what_had_no_result_and_nothing_else(town: Town) -> None:
    """Central died before the notifier had it, or before it heard of it: nobody is forgotten."""
    ready(town)
    shifts = (shift(JO, 0, 60),)
    town.handle(rota(POLICY, shifts=shifts))
    town.handle(reaching((JO, ("push", "sms"))))
    town.press(7, AlertKind.ATTACK)
    town.later(2)
    (before,) = only(town.said, do.Ask)
    ended(town, "push", is_delivered=True)
    town.later(8)

    again = restarted(town, after_s=1)
    orders = [(one.entry, one.people, one.valid_s) for one in only(again.later(10), do.Ask)]

    assert [(before.entry, ((JO.account, ("sms",)),), 30 - 11)] == orders
    assert [("pcso",)] == asked(again)


def test_restart_orders_nothing_of_a_step_that_is_over(town: Town) -> None:
    ready(town)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(2)

    again = restarted(town, after_s=600)

    assert [] == only(again.later(1), do.Ask)


def test_answer_after_a_restart_calls_off_what_was_ordered_before(town: Town) -> None:
    """The notifier may still have it waiting for the end of a phone's minute."""
    ready(town, SAM)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.later(32)
    assert "duty-sergeant" == line(town).role

    again = restarted(town, after_s=1)
    again.later(1)
    again.act(Acknowledge(ID), SAM, rights(SAM))

    assert [do.CallOff(FrameId(CORNER, 7))] == only(again.said, do.CallOff)


def test_restart_long_after_the_step_asks_the_next_at_once(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(5)

    again = restarted(town, after_s=600)
    again.later(1)

    assert [("pcso",), ("duty-sergeant",)] == asked(again)


def test_restart_with_a_clock_set_back_stretches_no_step(town: Town) -> None:
    ready(town, JO, SAM)
    town.press(7, AlertKind.ATTACK)
    town.later(5)

    again = restarted(town, after_s=-3_600)
    again.later(1)

    assert [("pcso",), ("duty-sergeant",)] == asked(again)


@pytest.mark.finding(12)
def test_alert_whose_messages_cannot_be_ordered_again_keeps_no_others_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    town, ask = Town(), Escalation._ask

    def failing(self: Escalation, incident: Incident, *rest: object) -> list[do.Effect]:
        if incident.id == FrameId(CORNER, 7):
            raise ZeroDivisionError
        return ask(self, incident, *rest)  # type: ignore[arg-type]

    ready(town, SAM)
    jo_by_rota(town, "push")
    town.press(7, AlertKind.ATTACK)
    town.press(8, AlertKind.ATTACK, node=BAKERY)
    town.later(1)
    again = restarted(town)
    monkeypatch.setattr(Escalation, "_ask", failing)
    said = again.core.handle(ev.Ticked(), town.now_at)

    assert [FrameId(BAKERY, 8)] == [order.incident for order in only(said, do.Ask)]
    assert [FrameId(CORNER, 7)] == [order.what for order in only(said, do.SetAside)]
