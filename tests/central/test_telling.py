from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from central.core import effects as do
from central.core import events as ev
from central.telling import LEAST_URGENT, TOLD_AT_ONCE_MAX, VALID_S_MIN, Telling
from tests.support.kept_phones import KeptPhones, subscription
from tests.support.town_office import PATEL, PRIYA, TownOffice
from wire.ids import FrameId
from wire.notices import SHIFT_REFERENCE, Accepted, Delivered, Failed, Grouped, Notice, NotifierLine, Reason
from wire.snapshots import Way, WayEntry

NOW: Final = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)
INCIDENT: Final = FrameId.parse("00000010-7")


class Desk:
    """Priya Shah with two proven phones and a number, J Patel with an address."""

    def __init__(self) -> None:
        self.ways: tuple[str, ...] = ("push", "sms")
        self.is_sure = True
        self.events: list[ev.Event] = []
        self.called_off: list[str] = []
        kept = KeptPhones()
        self.phones = kept.phones(lambda: NOW)
        self.ordered: list[Notice] = []
        self.telling = Telling(
            self.phones,
            order=self.ordered.append,
            call_off=self.called_off.append,
            ways=lambda: self.ways,
            is_sure=lambda: self.is_sure,
            put=self.events.append,
        )
        self.office = TownOffice()
        self.office.change(PRIYA, ways=(WayEntry(way="sms", to="+447700900123"),))
        self.office.change(PATEL, ways=(WayEntry(way="email", to="jo@town.example"),))
        for name in ("1", "2"):
            self.phones.add(PRIYA, subscription(name))
            assert self.phones.prove(PRIYA, kept.ordered[-1].reference)
        self.telling.take_people(self.office.snapshot())

    def ask(self, *people: tuple[int, tuple[Way, ...]], is_drill: bool = False) -> list[Notice]:
        begun = len(self.ordered)
        self.telling.ask(do.Ask(INCIDENT, 1, 1, 1, is_drill, people, 30))
        return self.ordered[begun:]

    def report(self, line: NotifierLine, notice: Notice) -> None:
        self.telling.take_report(notice, line)

    def ended(self) -> list[tuple[int, Way, bool, str]]:
        found = [one for one in self.events if isinstance(one, ev.NoticeEnded)]
        return [(one.account, one.way, one.is_delivered, one.words) for one in found]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_core_hears_whom_the_notifier_can_reach_and_when_that_changes(desk: Desk) -> None:
    """C8: nobody counts as reachable whom nothing reaches."""
    assert [ev.WaysChanged(((PRIYA, ("push", "sms")),))] == desk.events
    desk.telling.look()
    assert 1 == len(desk.events)

    desk.ways = ()
    desk.telling.look()
    desk.ways = ("email",)
    desk.telling.look()

    assert [ev.WaysChanged(()), ev.WaysChanged(((PATEL, ("email",)),))] == desk.events[1:]


def test_core_hears_when_ways_that_were_taken_for_there_are_sure(desk: Desk) -> None:
    desk.is_sure = False
    desk.telling.look()
    desk.is_sure = True
    desk.telling.look()

    assert [
        ev.WaysChanged(((PRIYA, ("push", "sms")),), is_sure=False),
        ev.WaysChanged(((PRIYA, ("push", "sms")),)),
    ] == desk.events[1:]


def test_phone_that_is_not_proven_is_no_way(desk: Desk) -> None:
    desk.phones.add(PATEL, subscription("3"))

    desk.telling.look()

    assert 1 == len(desk.events)
    assert [] == desk.ask((PATEL, ("push",)))
    assert [(PATEL, "push", False)] == [one[:3] for one in desk.ended()]


def test_person_is_asked_on_each_phone_and_by_each_way(desk: Desk) -> None:
    notices = desk.ask((PRIYA, ("push", "sms")))

    assert ["push", "push", "sms"] == [notice.way for notice in notices]
    assert {("alert", 1, desk.phones.reference("00000010-7"))} == {
        (notice.occasion, notice.priority, notice.reference) for notice in notices
    }
    assert "+447700900123" == notices[2].to
    assert {VALID_S_MIN} == {notice.valid_s for notice in notices}
    assert {"drill"} == {notice.occasion for notice in desk.ask((PRIYA, ("push",)), is_drill=True)}


def test_step_that_begins_anew_has_other_requests(desk: Desk) -> None:
    """After an answer that was undone the first step comes again: the notifier must not take it for told already."""
    first = desk.ask((PRIYA, ("push",)))
    desk.telling.ask(do.Ask(INCIDENT, 1, 2, 1, False, ((PRIYA, ("push",)),), 30))  # noqa: FBT003 - the fields' order

    requests = [one.request for one in desk.ordered]
    assert 2 * len(first) == len(requests) == len({*requests})


def test_step_that_is_ordered_again_has_the_same_requests(desk: Desk) -> None:
    """The notifier sends nothing twice that it knows."""
    first = [notice.request for notice in desk.ask((PRIYA, ("push", "sms")))]

    assert first == [notice.request for notice in desk.ask((PRIYA, ("push", "sms")))]
    assert 3 == len({*first})


def test_one_phone_of_two_that_rings_is_enough(desk: Desk) -> None:
    one, two = desk.ask((PRIYA, ("push",)))

    desk.report(Accepted(request=one.request), one)
    desk.report(Grouped(request=two.request, wait_s=40), two)
    desk.report(Failed(request=one.request, reason=Reason.NO_ANSWER, words="No answer."), one)
    assert [] == desk.ended()
    desk.report(Delivered(request=two.request), two)

    assert [(PRIYA, "push", True, "")] == desk.ended()


def test_message_that_failed_everywhere_does_not_count_as_asked(desk: Desk) -> None:
    one, two = desk.ask((PRIYA, ("push",)))

    desk.report(Failed(request=one.request, reason=Reason.NO_ANSWER, words="No answer."), one)
    desk.report(Failed(request=two.request, reason=Reason.REFUSED, words="It says no."), two)

    assert [(PRIYA, "push", False, "It says no.")] == desk.ended()


def test_message_that_was_called_off_has_not_failed(desk: Desk) -> None:
    """It would have gone out: whoever is asked of another alert can still be reached by it."""
    (text,) = desk.ask((PRIYA, ("sms",)))

    desk.report(Failed(request=text.request, reason=Reason.CALLED_OFF, words="It was answered."), text)

    assert [] == desk.ended()


def test_failure_without_words_still_has_some(desk: Desk) -> None:
    (text,) = desk.ask((PRIYA, ("sms",)))

    desk.report(Failed(request=text.request, reason="too-new-for-us"), text)

    assert [(PRIYA, "sms", False, "too-new-for-us")] == desk.ended()


def test_answer_calls_everything_about_it_off(desk: Desk) -> None:
    desk.telling.call_off(do.CallOff(INCIDENT))

    assert [desk.phones.reference("00000010-7")] == desk.called_off


def test_account_that_ends_while_it_is_asked_is_asked_no_more(desk: Desk) -> None:
    desk.ask((PRIYA, ("push",)))
    del desk.office.people[PRIYA]
    people = desk.office.snapshot()
    desk.phones.take_people(people)
    desk.telling.take_people(people)

    assert ev.WaysChanged(()) == desk.events[-1]
    assert [] == desk.ask((PRIYA, ("push", "sms")))


def shift_begins(*people: tuple[int, tuple[Way, ...]]) -> do.Tell:
    return do.Tell("shift", "shift 2026-11-28T18:15:00+00:00", people, 1_200)


def test_shift_is_told_and_nothing_is_heard_of_it(desk: Desk) -> None:
    heard = len(desk.events)
    desk.telling.tell(shift_begins((PRIYA, ("sms",))))

    (notice,) = desk.ordered
    assert ("shift", SHIFT_REFERENCE, LEAST_URGENT, 1_200) == (
        notice.occasion,
        notice.reference,
        notice.priority,
        notice.valid_s,
    )
    desk.report(Failed(request=notice.request, reason=Reason.NO_CREDIT), notice)
    assert heard == len(desk.events), "it never counts as asked"


def test_what_nobody_is_asked_about_goes_to_the_first_number_and_to_each_phone(desk: Desk) -> None:
    numbers = tuple(WayEntry(way="sms", to=to) for to in ("+447700900125", "+447700900124"))
    desk.office.change(PRIYA, ways=numbers)
    desk.telling.take_people(desk.office.snapshot())

    desk.telling.tell(shift_begins((PRIYA, ("push", "sms"))))

    assert [None, None, "+447700900125"] == [one.to for one in desk.ordered]


def test_what_is_told_again_has_the_same_requests(desk: Desk) -> None:
    """After a restart of central the notifier, which knows them, sends nothing twice."""
    for _ in range(2):
        desk.telling.tell(shift_begins((PRIYA, ("push", "sms")), (PATEL, ("email",))))

    assert (8, 4) == (len(desk.ordered), len({one.request for one in desk.ordered}))


def test_what_nobody_is_asked_about_never_fills_the_queue(desk: Desk) -> None:
    for number in range(TOLD_AT_ONCE_MAX + 5):
        desk.telling.tell(do.Tell("shift", f"shift {number}", ((PRIYA, ("sms",)),), 60))
    assert TOLD_AT_ONCE_MAX == len(desk.ordered)

    first = desk.ordered[0]
    desk.report(Delivered(request=first.request), first)
    desk.telling.tell(do.Tell("shift", "one more", ((PRIYA, ("sms",)),), 60))

    assert TOLD_AT_ONCE_MAX + 1 == len(desk.ordered)
    assert desk.ask((PRIYA, ("sms",))), "an alert is asked about all the same"
