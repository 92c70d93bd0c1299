"""C3: the order of steps and rounds, in every policy and whoever is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import hypothesis.strategies as st
from hypothesis import given

from wire.escalation import Next, Turn, next_turn, policy_for
from wire.snapshots import STEPS_MAX, AnsweringRole, PolicyEntry, StepEntry

PCSO = StepEntry(role="pcso", wait_s=30)
DUTY = StepEntry(role="duty-sergeant", wait_s=30)
CO_ORDINATOR = StepEntry(role="co-ordinator", wait_s=60)
STEPS = (PCSO, DUTY, CO_ORDINATOR)
ROLES: tuple[AnsweringRole, ...] = get_args(AnsweringRole)

steps_of_any_policy = st.lists(
    st.builds(StepEntry, role=st.sampled_from(ROLES), wait_s=st.integers(15, 3_600)), min_size=1, max_size=STEPS_MAX
)
some_roles = st.frozensets(st.sampled_from(ROLES))


def turns(steps: list[StepEntry], there: frozenset[AnsweringRole], count: int) -> Iterator[Next]:
    """One after another, with nobody answering."""
    after = None
    for _ in range(count):
        found = next_turn(steps, after, lambda step: step.role in there)
        yield found
        after = found.turn or Turn(after.round + 1 if after else 1, len(steps) - 1)


def test_next_turn_begins_at_the_first_step() -> None:
    assert next_turn(STEPS, None, lambda _: True) == Next(Turn(1, 0))


def test_next_turn_skips_a_step_of_which_nobody_can_be_asked_and_says_so() -> None:
    assert next_turn(STEPS, None, lambda step: step is not PCSO) == Next(Turn(1, 1), ((Turn(1, 0), PCSO),))


def test_next_turn_after_the_last_step_is_the_first_of_the_next_round() -> None:
    assert next_turn(STEPS, Turn(1, 2), lambda _: True) == Next(Turn(2, 0))


def test_next_turn_asks_the_only_one_there_again() -> None:
    found = next_turn(STEPS, Turn(4, 1), lambda step: step is DUTY)

    assert found == Next(Turn(5, 1), ((Turn(4, 2), CO_ORDINATOR), (Turn(5, 0), PCSO)))


def test_next_turn_is_nobody_after_a_whole_round_without_anybody() -> None:
    found = next_turn(STEPS, Turn(1, 0), lambda _: False)

    assert found.turn is None
    assert [turn for turn, _ in found.skipped] == [Turn(1, 1), Turn(1, 2), Turn(2, 0)]


def test_next_turn_takes_changed_steps_once_its_round_is_over() -> None:
    assert next_turn(STEPS, Turn(1, 1), lambda _: True, anew=(DUTY,)) == Next(Turn(1, 2))
    assert next_turn(STEPS, Turn(1, 2), lambda _: True, anew=(DUTY,)) == Next(Turn(2, 0))


def test_next_turn_looks_through_all_of_changed_steps_before_it_says_nobody() -> None:
    found = next_turn(
        STEPS, Turn(1, 0), lambda step: step.role == "cctv", anew=(*STEPS, StepEntry(role="cctv", wait_s=60))
    )

    assert found.turn == Turn(2, 3)


def test_policy_for_is_that_of_the_scheme_and_kind() -> None:
    attack = PolicyEntry(scheme=1, kinds=("attack", "assist"), version=1, steps=STEPS)
    theft = PolicyEntry(scheme=1, kinds=("theft",), version=1, steps=(PCSO,))
    other = PolicyEntry(scheme=2, kinds=("attack",), version=1, steps=(DUTY,))

    policies = (attack, theft, other)

    assert [policy_for(policies, *of) for of in ((1, "assist"), (1, "theft"), (2, "attack"), (2, "theft"))] == [
        attack,
        theft,
        other,
        None,
    ]


@given(steps_of_any_policy, some_roles)
def test_next_turn_is_never_an_empty_step(steps: list[StepEntry], there: frozenset[AnsweringRole]) -> None:
    for found in turns(steps, there, 3 * len(steps)):
        assert found.turn is None or steps[found.turn.step].role in there
        assert all(step.role not in there for _, step in found.skipped)


@given(steps_of_any_policy, some_roles)
def test_next_turn_asks_every_role_that_has_somebody_within_one_round(
    steps: list[StepEntry], there: frozenset[AnsweringRole]
) -> None:
    found = list(turns(steps, there, len(steps)))

    asked = {steps[one.turn.step].role for one in found if one.turn is not None and one.turn.round == 1}
    assert asked == {step.role for step in steps if step.role in there}


@given(steps_of_any_policy, some_roles)
def test_next_turn_is_nobody_only_if_no_step_has_anybody(
    steps: list[StepEntry], there: frozenset[AnsweringRole]
) -> None:
    is_empty = not {step.role for step in steps} & there

    assert all((one.turn is None) == is_empty for one in turns(steps, there, 2 * len(steps)))


@given(
    steps_of_any_policy,
    st.none() | steps_of_any_policy,
    st.none() | st.tuples(st.integers(1, 9), st.integers(0, STEPS_MAX - 1)),
    st.data(),
)
def test_next_turn_ends_and_goes_forward_whoever_comes_and_goes(
    steps: list[StepEntry], anew: list[StepEntry] | None, place: tuple[int, int] | None, data: st.DataObject
) -> None:
    after = None if place is None else Turn(place[0], min(place[1], len(steps) - 1))

    found = next_turn(steps, after, lambda _: data.draw(st.booleans()), anew=anew)

    passed = [turn for turn, _ in found.skipped] + ([found.turn] if found.turn else [])
    assert passed == sorted(set(passed))
    assert len(passed) <= len(steps) + len(anew or ())
    assert after is None or all(turn > after for turn in passed)
