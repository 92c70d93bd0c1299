"""What a step that fails leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from central.core.undo import Machine, Record, Step, Table


class Lamp(Record):
    """With a field that may be empty."""

    colour: str | None = None


class Lighthouse(Machine):
    """With a field of its own."""

    def __init__(self) -> None:
        self.colour = "white"


def fail(change: Callable[[], object]) -> None:
    def step() -> None:
        with Step():
            change()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        step()


def test_set_keeps_what_was_added_again_by_a_step_that_failed() -> None:
    """Tables with no values are sets; ``None`` is what was there before, not that nothing was."""
    names: Table[str, None] = Table({"Boots": None, "Café": None})

    fail(lambda: names.update({"Boots": None, "Pub": None}))

    assert ["Boots", "Café"] == list(names)


def test_field_goes_back_to_none_and_one_made_in_the_step_is_gone_with_it() -> None:
    lamp = Lamp()

    fail(lambda: setattr(lamp, "colour", "red"))

    assert lamp.colour is None


@pytest.mark.parametrize("size", [3, 64, 65])
def test_table_gets_back_what_was_taken_out_and_a_short_one_its_order(size: int) -> None:
    table = Table({number: str(number) for number in range(size)})

    fail(lambda: table.pop(1))

    assert {number: str(number) for number in range(size)} == table
    assert size == 65 or list(range(size)) == list(table)


def test_step_inside_one_that_fails_is_taken_back_with_it() -> None:
    table = Table({1: "one"})

    def inner() -> None:
        with Step():
            table[1] = "two"
            table[2] = "new"

    fail(inner)

    assert {1: "one"} == table


def test_machines_own_field_goes_back_when_a_step_fails() -> None:
    lighthouse = Lighthouse()

    fail(lambda: setattr(lighthouse, "colour", "red"))

    assert "white" == lighthouse.colour


def test_record_is_equal_only_to_itself() -> None:
    """Two that hold the same today are two things, and tables may have them as keys."""
    lamp, other = Lamp("red"), Lamp("red")

    assert lamp != other
    assert {lamp: 1, other: 2}[lamp] == 1
