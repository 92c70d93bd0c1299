"""Guessing is slow, and told; whoever has a right code is not slowed."""

from __future__ import annotations

from enrolment.rules.guessing import BULK_FAILURES, REQUESTS_AT_ONCE, Guessing
from runtime.slowing import FREE_FAILURES


def test_address_that_guesses_has_to_wait_and_others_do_not() -> None:
    guessing = Guessing()
    for _ in range(FREE_FAILURES):
        guessing.note_failure("192.0.2.1", 0.0)

    assert 0.0 < guessing.address_wait_s("192.0.2.1", 0.0)
    assert 0.0 == guessing.address_wait_s("192.0.2.2", 0.0)


def test_right_codes_from_one_address_cost_nothing() -> None:
    guessing = Guessing()
    waits = []
    for number in range(REQUESTS_AT_ONCE):
        waits += [guessing.address_wait_s("192.0.2.1", 0.0), guessing.total_wait_s(0.0)]
        guessing.note_answered(number.to_bytes(32, "big"), "192.0.2.1", 0.0)

    assert {0.0} == set(waits)


def test_unit_that_was_answered_often_waits_wherever_it_asks_from_and_others_do_not() -> None:
    guessing, (ours, theirs) = Guessing(), (b"1" * 32, b"2" * 32)
    for number in range(FREE_FAILURES):
        assert 0.0 == guessing.repeat_wait_s(ours, 0.0), "its answer was lost"
        guessing.note_answered(ours, f"192.0.2.{number}", 0.0)

    assert 0.0 < guessing.repeat_wait_s(ours, 0.0)
    assert 0.0 == guessing.repeat_wait_s(ours, 10.0), "it is let in again"
    assert 0.0 == guessing.repeat_wait_s(theirs, 0.0)


def test_all_together_are_limited_and_the_limit_passes() -> None:
    guessing = Guessing()
    assert [0.0] * REQUESTS_AT_ONCE == [guessing.total_wait_s(0.0) for _ in range(REQUESTS_AT_ONCE)]

    assert 0.0 < guessing.total_wait_s(0.0)
    assert 0.0 == guessing.total_wait_s(1.0)


def test_guessing_in_bulk_is_told_once_a_minute_wherever_it_comes_from() -> None:
    guessing = Guessing()
    told = [guessing.note_failure(f"192.0.2.{number}", 0.0) for number in range(BULK_FAILURES + 10)]

    assert [BULK_FAILURES] == [count for count in told if count]
    assert BULK_FAILURES < guessing.note_failure("192.0.2.1", 61.0)


def test_typing_errors_of_a_week_are_no_alarm() -> None:
    guessing = Guessing()

    assert {0} == {guessing.note_failure("192.0.2.1", hour * 3_600.0) for hour in range(2 * BULK_FAILURES)}
