"""What a refusal says to whoever stands before the unit."""

from __future__ import annotations

import pytest

from node.enrol.trouble import refused
from wire.enrolment import CURABLE, PROBLEMS

LINE_CHARS_MAX = 21


@pytest.mark.parametrize("problem", sorted(PROBLEMS.keys() - CURABLE))
def test_refusal_that_waiting_does_not_cure_says_whom_to_call(problem: str) -> None:
    trouble = refused(problem, 0)

    assert trouble.is_final
    assert "Call the engineer" == trouble.short[1]
    assert trouble.sentence.endswith("Call the fleet's engineer.")
    assert "The town refuses" != trouble.short[0], "words of its own, not those for a newer version's"
    assert max(map(len, trouble.short)) <= LINE_CHARS_MAX


def test_each_refusal_has_its_own_words() -> None:
    """Who stands there with an old card must not look for a second one."""
    lines = [refused(problem, 0).short[0] for problem in PROBLEMS.keys() - CURABLE]

    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("problem", sorted(CURABLE))
def test_unit_that_is_told_to_wait_waits_at_least_that_long(problem: str) -> None:
    trouble = refused(problem, 301)

    assert not trouble.is_final
    assert 301 == trouble.again_s
    assert "tries again by itself" in trouble.sentence
