"""Who may do what with a list of staff, and how long a start code is good."""

from __future__ import annotations

from datetime import date

import pytest

from office.staff.rules import (
    CODE_DAYS,
    Standing,
    code_until,
    next_code,
    open_check,
    standing,
    why_not_add,
    why_not_call,
)
from wire.gallery_staff import STAFF_MAX

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("co_ordinates", "speaks_in", "expected"),
    [
        ((), (1, 2), Standing(keeps=True, takes_off=True)),
        ((), (1, 2, 3), Standing(keeps=True, takes_off=True)),
        ((), (2,), Standing(keeps=False, takes_off=True, needs_more=True)),
        ((1,), (), Standing(keeps=False, takes_off=True, needs_more=True)),
        ((1,), (2,), Standing(keeps=False, takes_off=True, needs_more=True)),
        ((3,), (3,), Standing(keeps=False, takes_off=False, needs_more=True)),
        ((), (), Standing(keeps=False, takes_off=False, needs_more=True)),
    ],
    ids=["contact", "contact of more", "contact of one", "co-ordinator", "of each one", "of another scheme", "nobody"],
)
def test_contact_keeps_the_list_and_a_co_ordinator_may_only_take_off(
    co_ordinates: tuple[int, ...], speaks_in: tuple[int, ...], expected: Standing
) -> None:
    assert expected == standing((1, 2), co_ordinates, speaks_in)


def test_contact_of_premises_of_one_scheme_keeps_its_list() -> None:
    assert Standing(keeps=True, takes_off=True) == standing((1,), (), (1,))
    assert Standing(keeps=False, takes_off=True) == standing((1,), (1,), ())


def test_premises_of_no_scheme_have_a_list_that_nobody_keeps() -> None:
    assert Standing(keeps=False, takes_off=False) == standing((), (1,), (1,))


def test_two_on_a_list_have_different_names() -> None:
    assert "initial" in (why_not_call("ann", {"ann", "zoe"}) or "")
    assert None is why_not_call("ann b", {"ann", "zoe"})


def test_list_ends_where_an_answer_ends() -> None:
    assert None is why_not_add(STAFF_MAX - 1)
    assert f"{STAFF_MAX} people" in (why_not_add(STAFF_MAX) or "")


def test_start_code_is_good_for_fourteen_days() -> None:
    until = code_until(TODAY)

    assert CODE_DAYS == (until - TODAY).days + 1
    assert "check" == open_check("check", until, until)
    assert "" == open_check("check", until, date(2026, 12, 12))
    assert "" == open_check("check", None, TODAY)


def test_start_codes_number_rises_also_over_a_restore_and_within_a_second() -> None:
    """A unit has seen higher ones than a restored database: only a higher number still is taken."""
    assert 1_000_000 == next_code(0, 1_000_000)
    assert 1_000_001 == next_code(1_000_000, 1_000_000)
