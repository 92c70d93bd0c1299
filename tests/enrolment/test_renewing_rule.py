"""Who gets another certificate: a table of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from enrolment.rules.renewing import A_DAY_MAX, Made, judge
from wire.renewal import CERTIFICATE_LIFE

DAY = timedelta(days=1)
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def ended(days_ago: float, *, is_for_this_key: bool = False) -> Made:
    return Made(NOW - days_ago * DAY, is_for_this_key, f"PEM of {days_ago}")


@pytest.mark.parametrize(
    ("is_known", "is_struck", "made", "found"),
    [
        pytest.param(False, False, (), "unknown node", id="unknown"),
        pytest.param(True, True, (ended(-45),), "struck", id="struck"),
        pytest.param(True, True, (ended(-85, is_for_this_key=True),), "struck", id="struck-since-its-answer-was-lost"),
        pytest.param(True, False, (), None, id="first-from-here"),
        pytest.param(True, False, (ended(-45),), None, id="half-its-life"),
        pytest.param(True, False, (ended(200),), None, id="closed-for-200-days"),
        pytest.param(True, False, (ended(364.9),), None, id="closed-for-a-year"),
        pytest.param(True, False, (ended(365.1),), "too old", id="closed-for-more-than-a-year"),
        pytest.param(True, False, (ended(800), ended(20)), None, id="only-the-last-counts"),
        pytest.param(True, False, (ended(-90),) * A_DAY_MAX, "slow down", id="too-many-today"),
        pytest.param(True, False, (ended(-90),) * (A_DAY_MAX - 1), None, id="not-too-many-today"),
        pytest.param(True, False, (ended(-88.9),) * A_DAY_MAX, None, id="many-yesterday"),
        pytest.param(True, False, (ended(-40, is_for_this_key=True),), None, id="its-key-is-old"),
        pytest.param(True, False, (ended(-4_000, is_for_this_key=True),), None, id="made-by-a-clock-in-the-future"),
        pytest.param(True, False, (ended(-4_000),) * A_DAY_MAX, None, id="many-by-a-clock-in-the-future"),
        pytest.param(True, False, (ended(800), ended(-4_000)), "too old", id="too-old-beside-one-of-the-future"),
    ],
)
def test_each_case_has_its_answer(
    *, is_known: bool, is_struck: bool, made: tuple[Made, ...], found: str | None
) -> None:
    assert found == judge(is_known=is_known, is_struck=is_struck, made=made, now=NOW)


def test_lost_answer_is_given_again() -> None:
    lost = Made(NOW + CERTIFICATE_LIFE - timedelta(hours=1), is_for_this_key=True, pem="PEM")

    assert lost == judge(is_known=True, is_struck=False, made=(ended(-40), lost), now=NOW)
