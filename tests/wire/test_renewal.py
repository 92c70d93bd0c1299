"""When a certificate is renewed: a table of cases, and what holds for every town and every clock."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.renewal import (
    CERTIFICATE_LIFE,
    RETRY_FIRST,
    RETRY_MAX,
    Life,
    Tries,
    is_late,
    may_come_back,
    next_try_at,
    renewal_at,
    retry_pause,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SIGNED_AT = datetime(2026, 11, 27, 15, tzinfo=UTC)
LIFE = Life(SIGNED_AT, SIGNED_AT + CERTIFICATE_LIFE)
NODES = [f"{number:08x}" for number in range(0x10, 0x10 + 5_000)]

moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it naive
lives = st.builds(lambda begins, days: Life(begins, begins + days * DAY), moments, st.integers(1, 400))
names = st.sampled_from(NODES)


@pytest.mark.parametrize(
    ("day", "late", "back"),
    [
        pytest.param(-20_000, False, True, id="clock-of-1970"),
        pytest.param(0, False, True, id="signed"),
        pytest.param(45, False, True, id="half-its-life"),
        pytest.param(59.9, False, True, id="two-thirds-almost"),
        pytest.param(60, True, True, id="two-thirds"),
        pytest.param(90, True, True, id="ended"),
        pytest.param(290, True, True, id="ended-200-days-ago"),
        pytest.param(455, True, True, id="ended-a-year-ago"),
        pytest.param(455.1, True, False, id="ended-over-a-year-ago"),
        pytest.param(5_000, True, False, id="clock-of-2040"),
    ],
)
def test_day_of_a_life_says_whether_renewing_is_late_and_still_possible(day: float, *, late: bool, back: bool) -> None:
    now = SIGNED_AT + day * DAY

    assert (late, back) == (is_late(LIFE.ends_at, now), may_come_back(LIFE.ends_at, now))


def test_town_of_one_afternoon_does_not_renew_in_one_hour() -> None:
    hours = Counter((renewal_at(LIFE, node) - SIGNED_AT) // HOUR for node in NODES)

    assert len(hours) == 9 * 24, "each hour of nine days has its share"
    assert max(hours.values()) < 3 * 5_000 / len(hours)


@given(lives, names)
def test_renewal_begins_after_half_a_life_and_long_before_it_is_late(life: Life, name: str) -> None:
    at = renewal_at(life, name)

    assert life.begins_at + life.length / 2 <= at < life.begins_at + life.length * 0.601
    assert not is_late(life.ends_at, at, life.length)


@given(lives, names)
def test_renewal_has_one_moment_a_certificate_and_another_for_the_next(life: Life, name: str) -> None:
    following = Life(life.ends_at, life.ends_at + life.length)

    assert renewal_at(life, name) == renewal_at(Life(life.begins_at, life.ends_at), name)
    assert renewal_at(life, name) - life.begins_at != renewal_at(following, name) - following.begins_at


@given(names, st.integers(1, 10_000))
def test_pauses_grow_to_hours_and_no_further(name: str, failures: int) -> None:
    pause = retry_pause(name, failures)

    assert RETRY_FIRST <= pause <= 1.5 * RETRY_MAX
    assert retry_pause(name, failures + 2) > pause or failures > 4


def test_pauses_of_a_town_are_spread() -> None:
    assert len({retry_pause(node, 1) for node in NODES}) > 4_900


@given(lives, names, st.integers(0, 50), moments, moments)
def test_next_try_is_never_before_its_moment_nor_soon_after_a_failure(
    life: Life, name: str, failures: int, failed_at: datetime, now: datetime
) -> None:
    at = next_try_at(life, name, Tries(failures, failed_at), now)

    assert at >= renewal_at(life, name)
    assert failures == 0 or failed_at > now or at >= failed_at + RETRY_FIRST


def test_failure_noted_by_a_clock_of_2040_holds_nobody_up_when_it_is_put_right() -> None:
    noted = Tries(3, SIGNED_AT + 5_000 * DAY)
    now = SIGNED_AT + 70 * DAY

    assert next_try_at(LIFE, NODES[0], noted, now) <= now


def test_without_a_failure_the_next_try_is_the_certificates_moment() -> None:
    assert next_try_at(LIFE, NODES[0], Tries(), SIGNED_AT) == renewal_at(LIFE, NODES[0])
