from __future__ import annotations

from central.signin.slowing import SIGN_INS_AT_ONCE, Pace


def test_few_sign_ins_at_once_then_one_a_second() -> None:
    pace = Pace()
    waits = [pace.take(1, 0.0) for _ in range(SIGN_INS_AT_ONCE + 1)]

    assert [0.0] * SIGN_INS_AT_ONCE + [1.0] == waits
    assert [0.0, 1.0] == [pace.take(1, 1.0) for _ in range(2)]
    assert 0.0 == pace.take(2, 1.0)


def test_sign_in_that_came_to_nothing_does_not_count() -> None:
    pace = Pace()
    for _ in range(3 * SIGN_INS_AT_ONCE):
        assert 0.0 == pace.take(1, 0.0)
        pace.give_back(1)
