"""N13: the rule by which every receiver tells late from live."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.lateness import AHEAD_S, LATE_AFTER_S, Judgement, judge

pytestmark = pytest.mark.finding(2)
NOW_S = 1_900_000_000
AHEAD, BEHIND = NOW_S + 1_800, NOW_S - 1_800
LIVE, LATE, UNTOLD, SAID_BEFORE = "live", "late", "live, age unknown", "late, age unknown"


@pytest.mark.parametrize(
    ("said", "at_s", "scales_s", "age_s"),
    [
        # (a) one scale, its two edges
        (LIVE, NOW_S, (NOW_S,), 0),
        (LIVE, NOW_S - 60, (NOW_S,), 60),
        (LATE, NOW_S - 61, (NOW_S,), 61),
        (LIVE, NOW_S + 5, (NOW_S,), 0),
        (UNTOLD, NOW_S + 6, (NOW_S,), None),
        # (a) a sender whose clock is ahead by a day says nothing of its age
        (UNTOLD, NOW_S + 86_400, (NOW_S, BEHIND), None),
        # (a) one scale that says live outweighs all that say old, wherever it stands
        (LIVE, NOW_S - 3, (NOW_S, AHEAD), 3),
        (LIVE, NOW_S - 3, (AHEAD, NOW_S), 3),
        (LIVE, NOW_S - 3, (AHEAD, AHEAD + 1_000, NOW_S), 3),
        # (a) a scale that says *from the future* is no evidence for live
        (LATE, NOW_S - 100, (NOW_S, BEHIND), 100),
        (LATE, NOW_S - 100, (BEHIND, NOW_S), 100),
        # (a) of several that say old the mildest tells the age
        (LATE, NOW_S - 100, (AHEAD, NOW_S), 100),
        # no scale at all, and a frame without a time
        (UNTOLD, NOW_S - 100, (), None),
        (UNTOLD, 0, (NOW_S,), None),
        (UNTOLD, 0, (), None),
    ],
)
def test_first_frame_is_judged_by_its_age_on_every_scale(
    said: str, at_s: int, scales_s: tuple[int, ...], age_s: int | None
) -> None:
    found = judge(at_s, scales_s, is_newest=True)

    assert (said in (LATE, SAID_BEFORE), age_s) == (found.is_late, found.age_s)


@pytest.mark.parametrize(
    ("said", "at_s", "scales_s"),
    [
        (SAID_BEFORE, 0, (NOW_S,)),
        (SAID_BEFORE, 0, ()),
        (SAID_BEFORE, NOW_S - 100, ()),
        (SAID_BEFORE, NOW_S + 86_400, (NOW_S,)),
        (LIVE, NOW_S - 3, (NOW_S,)),
        (LATE, NOW_S - 100, (NOW_S,)),
    ],
)
def test_frame_whose_age_no_scale_tells_is_late_if_its_sender_said_more_since(
    said: str, at_s: int, scales_s: tuple[int, ...]
) -> None:
    """(b); where a scale tells the age, the number says nothing: frames overtake each other."""
    found = judge(at_s, scales_s, is_newest=False)

    assert (said in (LATE, SAID_BEFORE), said in (LATE, LIVE)) == (found.is_late, found.age_s is not None)


@pytest.mark.parametrize(
    ("waited_s", "at_s", "scales_s", "is_newest", "found"),
    [
        (61, NOW_S, (NOW_S,), True, Judgement(is_late=True, age_s=61)),
        (61, 0, (), True, Judgement(is_late=True, age_s=61)),
        (60, 0, (NOW_S,), True, Judgement(is_late=False, age_s=60)),
        (3, 0, (NOW_S,), False, Judgement(is_late=False, age_s=3)),
        (3, NOW_S - 100, (NOW_S,), True, Judgement(is_late=True, age_s=100)),
        (3, NOW_S - 100, (), False, Judgement(is_late=False, age_s=3)),
    ],
)
def test_senders_sync_makes_late_and_never_an_old_frame_live(
    waited_s: int, at_s: int, scales_s: tuple[int, ...], *, is_newest: bool, found: Judgement
) -> None:
    """(c); it tells the age only of what no scale can date."""
    assert found == judge(at_s, scales_s, is_newest=is_newest, waited_s=waited_s)


@given(
    error_s=st.integers(-(2**31), 2**31),
    waited_s=st.integers(0, 10**6),
    others_s=st.lists(st.integers(0, 2**40), max_size=3),
)
def test_error_that_sender_and_receiver_share_changes_nothing(error_s: int, waited_s: int, others_s: list[int]) -> None:
    """Central's clock is wrong by anything: a live press is live, and its age is right."""
    stamped_s = max(1, NOW_S + error_s)
    found = judge(stamped_s, [stamped_s + waited_s], is_newest=True)

    assert Judgement(waited_s > LATE_AFTER_S, waited_s) == found
    if waited_s <= LATE_AFTER_S:
        assert not judge(stamped_s, [*others_s, stamped_s + waited_s], is_newest=False).is_late


@given(at_s=st.integers(1, 2**32 - 1), scales_s=st.lists(st.integers(0, 2**33), max_size=5), is_newest=st.booleans())
def test_rule_depends_on_no_order_of_the_scales(at_s: int, scales_s: list[int], *, is_newest: bool) -> None:
    found = judge(at_s, scales_s, is_newest=is_newest)

    assert found.is_late is judge(at_s, reversed(scales_s), is_newest=is_newest).is_late
    is_live = any(-AHEAD_S <= now_s - at_s <= LATE_AFTER_S for now_s in scales_s)
    is_old = any(now_s - at_s > LATE_AFTER_S for now_s in scales_s)
    assert found.is_late is (not is_live and (is_old or not is_newest))
