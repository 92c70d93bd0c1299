from __future__ import annotations

import itertools
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from notifier.desk import GATHER_MS, KNOWN_MAX, MINUTE_MS, WAITING_MAX, Desk, Message
from notifier.outcome import NotSent, Sent
from wire.notices import Accepted, Delivered, Failed, Grouped, Notice, NotifierLine, Occasion, Reason

_numbers: Final = itertools.count(1)


def text(
    to: str = "+447700900123",
    priority: int = 3,
    *,
    occasion: Occasion = "alert",
    reference: str = "r",
    valid_s: int = 600,
) -> Notice:
    return Notice(
        request=f"{next(_numbers):032x}",
        account=7,
        way="sms",
        to=to,
        priority=priority,
        occasion=occasion,
        reference=reference,
        valid_s=valid_s,
    )


def desk() -> Desk:
    return Desk(["push", "sms"])


def ordered(desk: Desk, *notices: Notice, now_ms: int = 0) -> list[NotifierLine]:
    return [line for notice in notices for line in desk.take(notice, now_ms)]


def due(desk: Desk, now_ms: int) -> tuple[list[Message], list[NotifierLine]]:
    found = [*desk.due(now_ms)]
    messages = [one for one in found if isinstance(one, Message)]
    return messages, [one for one in found if not isinstance(one, Message)]


def sent(desk: Desk, now_ms: int) -> list[Message]:
    messages, _ = due(desk, now_ms)
    for message in messages:
        assert [*desk.settle(message, Sent())]
    return messages


def test_notice_goes_out_as_soon_as_its_breath_is_over() -> None:
    one, notice = desk(), text()

    assert [Accepted(request=notice.request)] == ordered(one, notice)
    assert GATHER_MS == one.next_ms()
    assert ([], []) == due(one, GATHER_MS - 1)
    (message,), said = due(one, GATHER_MS)
    assert (notice, (notice.request,), []) == (message.lead, message.requests, said)
    assert [Delivered(request=notice.request)] == [*one.settle(message, Sent())]


def test_what_comes_in_one_breath_is_one_message_with_the_most_urgent_in_front() -> None:
    one, lesser, attack = desk(), text(priority=3), text(priority=1)
    ordered(one, lesser, attack)

    (message,), said = due(one, GATHER_MS)

    assert (attack, {attack.request, lesser.request}) == (message.lead, {*message.requests})
    assert [Grouped(request=lesser.request, wait_s=0)] == said
    assert {Delivered(request=attack.request), Delivered(request=lesser.request)} == {*one.settle(message, Sent())}


def test_second_in_a_minute_waits_for_its_end_and_is_never_forgotten() -> None:
    one, first, second = desk(), text(), text()
    ordered(one, first)
    sent(one, GATHER_MS)
    ordered(one, second, now_ms=10_000)

    assert ([], [Grouped(request=second.request, wait_s=50)]) == due(one, 10_000 + GATHER_MS)
    assert ([], []) == due(one, GATHER_MS + MINUTE_MS - 1)
    assert [second] == [message.lead for message in sent(one, GATHER_MS + MINUTE_MS)]


def test_attack_does_not_wait_behind_something_lesser() -> None:
    one, lesser, attack = desk(), text(priority=3), text(priority=1)
    ordered(one, lesser)
    sent(one, GATHER_MS)
    ordered(one, attack, now_ms=1_000)

    assert [attack] == [message.lead for message in sent(one, 1_000 + GATHER_MS)]


def test_drill_never_hides_an_alert() -> None:
    one, drill, alert = desk(), text(priority=1, occasion="drill"), text(priority=4)
    ordered(one, drill, alert)

    assert [alert] == [message.lead for message in sent(one, GATHER_MS)]
    ordered(one, text(priority=1, occasion="drill"), now_ms=2_000)
    assert [] == sent(one, 2_000 + GATHER_MS)


def test_test_arrives_as_itself_and_is_in_nobodys_way() -> None:
    one, test, alert = desk(), text(priority=5, occasion="test"), text(priority=5)
    ordered(one, test, alert)

    assert {"test", "alert"} == {message.lead.occasion for message in sent(one, GATHER_MS)}


def test_each_address_has_a_minute_of_its_own() -> None:
    one = desk()
    notices = [text(f"+4477009001{number:02}") for number in range(5)]
    ordered(one, *notices)

    assert 5 == len(sent(one, GATHER_MS))


def test_address_that_was_not_told_is_free_at_once() -> None:
    one, first, second = desk(), text(), text()
    ordered(one, first)
    (message,), _ = due(one, GATHER_MS)
    refused = NotSent(Reason.NO_CREDIT, "The text gateway is out of credit.")

    assert [Failed(request=first.request, reason="no-credit", words=refused.words)] == [*one.settle(message, refused)]
    ordered(one, second, now_ms=1_000)
    assert [second] == [message.lead for message in sent(one, 1_000 + GATHER_MS)]


def test_request_that_is_known_is_answered_and_not_sent_again() -> None:
    one, notice = desk(), text()
    ordered(one, notice)
    assert [Accepted(request=notice.request)] == ordered(one, notice)
    sent(one, GATHER_MS)

    assert [Delivered(request=notice.request)] == ordered(one, notice, now_ms=2 * MINUTE_MS)
    assert ([], []) == due(one, 3 * MINUTE_MS)


def test_notice_that_waited_too_long_is_not_sent() -> None:
    one, first, late = desk(), text(), text(valid_s=30)
    ordered(one, first)
    sent(one, GATHER_MS)
    ordered(one, late, now_ms=1_000)
    due(one, 2_000)

    assert 31_000 == one.next_ms()
    messages, (said,) = due(one, 31_000)
    assert isinstance(said, Failed)
    assert ([], "expired", late.request) == (messages, said.reason, said.request)


def test_answered_alert_is_asked_of_nobody_any_more() -> None:
    one, answered, other = desk(), text(reference="a"), text("+447700900199", reference="b")
    ordered(one, answered, other)

    (said,) = one.call_off("a")
    assert isinstance(said, Failed)
    assert (answered.request, "called-off") == (said.request, said.reason)
    assert [other] == [message.lead for message in sent(one, GATHER_MS)]


def test_what_is_being_tried_is_not_tried_again_once_it_is_answered() -> None:
    one, notice = desk(), text(reference="a")
    ordered(one, notice)
    (message,), _ = due(one, GATHER_MS)
    assert one.is_wanted(message)

    assert [] == [*one.call_off("a")]

    assert not one.is_wanted(message)
    # Asked anew, it is wanted again.
    ordered(one, text(reference="a"), now_ms=1_000)
    assert one.is_wanted(message)


def test_message_about_several_alerts_is_tried_again_until_all_are_answered() -> None:
    """One alert of two schemes is asked about twice, and answered once."""
    one = desk()
    ordered(one, text(reference="a"), text(reference="a"), text(reference="b"))
    (message,), _ = due(one, GATHER_MS)

    assert [] == [*one.call_off("a")]
    assert one.is_wanted(message)
    assert [] == [*one.call_off("b")]
    assert not one.is_wanted(message)


def test_way_without_a_gateway_is_refused_at_once() -> None:
    (said,) = ordered(Desk(["push"]), text())

    assert isinstance(said, Failed)
    assert "not-configured" == said.reason


def test_desk_that_is_full_gives_up_the_least_urgent_and_says_so() -> None:
    one = desk()
    crowd = [text(f"+44770{number:07}", 4) for number in range(WAITING_MAX)]
    ordered(one, *crowd)
    attack = text(priority=1)

    accepted, shed = ordered(one, attack, now_ms=1)

    assert Accepted(request=attack.request) == accepted
    assert isinstance(shed, Failed)
    assert "full" == shed.reason
    assert shed.request in {notice.request for notice in crowd}


def test_it_remembers_no_more_than_it_says() -> None:
    one = Desk(["push"])
    ordered(one, *(text() for _ in range(KNOWN_MAX + 10)))

    assert KNOWN_MAX == len(one._known)


def test_desk_forgets_addresses_after_their_minute() -> None:
    one = desk()
    ordered(one, text())
    sent(one, GATHER_MS)
    due(one, GATHER_MS + MINUTE_MS)

    assert ({}, None) == (one._phones, one.next_ms())


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20_000), st.integers(1, 5), st.integers(0, 2), st.sampled_from(["alert", "drill", "shift"])
        ),
        max_size=40,
    ),
    st.sets(st.integers(0, 30)),
)
def test_every_notice_ends_once_and_no_address_is_told_twice_in_a_minute_of_the_same(
    orders: list[tuple[int, int, int, Occasion]], failures: set[int]
) -> None:
    one = desk()
    ends: list[str] = []
    told: dict[str, list[tuple[int, tuple[int, int]]]] = {}
    notices = []
    now_ms, attempts = 0, 0
    for gap_ms, priority, person, occasion in orders:
        notices.append(text(f"+4477009000{person:02}", priority, occasion=occasion, valid_s=3_600))
        ordered(one, notices[-1], now_ms=now_ms)
        until_ms = now_ms + gap_ms
        while (next_ms := one.next_ms()) is not None and next_ms <= until_ms:
            now_ms = max(now_ms, next_ms)
            attempts = _played(one, now_ms, attempts, failures, ends, told)
        now_ms = until_ms
    while (next_ms := one.next_ms()) is not None:
        assert next_ms <= now_ms + MINUTE_MS + GATHER_MS
        now_ms = max(now_ms, next_ms)
        attempts = _played(one, now_ms, attempts, failures, ends, told)

    assert sorted(notice.request for notice in notices) == sorted(ends)
    for moments in told.values():
        for (at_ms, urgency), (later_ms, later) in itertools.pairwise(moments):
            assert later_ms >= at_ms + MINUTE_MS or later < urgency


def _played(  # noqa: PLR0917 - what the test keeps
    one: Desk,
    now_ms: int,
    attempts: int,
    failures: set[int],
    ends: list[str],
    told: dict[str, list[tuple[int, tuple[int, int]]]],
) -> int:
    for message in due(one, now_ms)[0]:
        attempts += 1
        lead = message.lead
        outcome = NotSent(Reason.UNREACHED) if attempts in failures else Sent()
        if isinstance(outcome, Sent):
            rank = ["alert", "drill", "shift"].index(lead.occasion), lead.priority
            told.setdefault(lead.to or "", []).append((now_ms, rank))
        ends += [line.request for line in one.settle(message, outcome) if isinstance(line, Delivered | Failed)]
    return attempts


def test_what_nobody_is_asked_about_never_hides_an_alert_or_a_drill() -> None:
    """Somebody is both a member's contact and on duty: of one minute's messages the alert is told."""
    one = desk()
    occasions: tuple[Occasion, ...] = ("premises-fault", "premises-alert", "shift", "drill", "alert")
    ordered(one, *(text(occasion=occasion, priority=5) for occasion in occasions))

    (message,) = sent(one, GATHER_MS)
    assert ("alert", 5) == (message.lead.occasion, len(message.requests))
    ordered(one, text(occasion="premises-alert", priority=1))
    assert [] == sent(one, GATHER_MS * 3)


def test_when_too_much_waits_members_contacts_are_shed_before_anybody_who_is_asked() -> None:
    one = desk()
    contact = text("+447700900001", occasion="premises-alert", priority=1)
    lines = ordered(one, contact, *(text(f"+44770091{n:04}", occasion="drill", priority=5) for n in range(WAITING_MAX)))

    assert [contact.request] == [line.request for line in lines if isinstance(line, Failed)]
