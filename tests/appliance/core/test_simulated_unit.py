"""Updates with the power cut after every step, over thousands of units: each ends on a system that works (F4, F5)."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.simulated_unit import Quality, SimulatedUnit, System, release
from wire.release import Release

OLD, NEW = System("1.0"), System("1.1")
BAD: list[Quality] = ["no boot", "no node", "no central", "no button"]


def unit(seed: int = 0, **how: object) -> SimulatedUnit:
    return SimulatedUnit(random.Random(seed), {"a": OLD, "b": System("0.9")}, **how)  # type: ignore[arg-type]


def test_good_update_is_tried_once_and_kept() -> None:
    shop = unit()
    shop.offer(release(1, NEW), NEW)
    shop.run(minutes=60)

    assert (["a", "b"], "b", ["1.1"]) == (shop.boots, shop.primary, shop.committed)
    outcome = shop.notes.outcome
    assert outcome is not None
    assert ("taken", "1.1") == (outcome.state, outcome.version)


@pytest.mark.parametrize("quality", BAD)
def test_bad_update_is_returned_with_its_reason_and_not_tried_again(quality: Quality) -> None:
    shop = unit()
    bad = System("1.1", quality)
    shop.offer(release(1, bad), bad)
    shop.run(minutes=600)

    outcome = shop.notes.outcome
    assert outcome is not None
    assert ("returned", "1.1", OLD) == (outcome.state, outcome.version, shop.running)
    reasons = {
        "no boot": "It did not come up.",
        "no node": "The node did not start.",
        "no central": "Central was not reached.",
        "no button": "Did not work: buttons.",
    }
    assert reasons[quality] == outcome.reason
    assert len(shop.boots) <= 5
    assert "a" == shop.primary


@pytest.mark.one_python
@pytest.mark.parametrize("system", [NEW, *(System("1.1", quality) for quality in BAD)], ids=lambda one: one.quality)
def test_power_cut_after_each_step_changes_nothing_about_how_it_ends(system: System) -> None:
    whole = unit(busy=0.2)
    whole.offer(release(1, system), system)
    whole.run(minutes=240)
    for cut_at in range(1, whole.count + 1):
        shop = unit(busy=0.2, cut_at=cut_at)
        shop.offer(release(1, system), system)
        shop.run(minutes=240)

        assert (system if system.quality == "good" else OLD) == shop.running, cut_at
        assert shop.boots[-1] == shop.primary


@st.composite
def offers(draw: st.DrawFn) -> list[tuple[Release, System, int]]:
    """What the fleet publishes one after the other, good and bad, older and paused, and for how many minutes."""
    made = []
    for serial in range(1, draw(st.integers(2, 6))):
        version = draw(st.sampled_from(["0.9", "1.0", "1.1", "1.2", "1.3"]))
        quality = draw(st.sampled_from(["good", "good", *BAD]))
        system = OLD if version == OLD.version else System(version, quality)
        is_rollback, is_paused = draw(st.booleans()), draw(st.sampled_from([False, False, True]))
        offered = release(serial, system, is_rollback=is_rollback, state="paused" if is_paused else "open")
        made.append((offered, system, draw(st.sampled_from([5, 20, 45]))))
    return made


@pytest.mark.one_python
@settings(max_examples=400)
@given(
    made=offers(),
    seed=st.integers(0, 10_000),
    cuts=st.sampled_from([0.0, 0.002, 0.02]),
    busy=st.sampled_from([0.0, 0.3, 0.7]),
    bad_luck=st.sampled_from([0.0, 0.3]),
    card_refuses=st.sampled_from([0.0, 0.2]),
    loses_notes=st.sampled_from([0.0, 0.3]),
)
def test_unit_runs_a_system_that_works_whatever_happens_and_never_restarts_for_ever(
    *,
    made: list[tuple[Release, System, int]],
    seed: int,
    cuts: float,
    busy: float,
    bad_luck: float,
    card_refuses: float,
    loses_notes: float,
) -> None:
    """Power, card, network and people as they come. Nothing stays on trial for ever."""
    shop = unit(seed, cuts=cuts, busy=busy, bad_luck=bad_luck, card_refuses=card_refuses, loses_notes=loses_notes)
    may_be_older = set()
    for offered, system, minutes in made:
        if offered.is_rollback:
            may_be_older.add(system.version)
        shop.offer(offered, system)
        shop.run(minutes=minutes)
        assert "good" == shop.systems[shop.primary].quality
    for before, after in itertools.pairwise([OLD.version, *shop.committed]):
        assert after >= before or after in may_be_older
    shop.busy = shop.cuts = shop.card_refuses = 0.0
    shop.offer(release(10, OLD, state="paused"), OLD)
    shop.run(minutes=30)
    assert shop.boots[-1] == shop.primary


def test_card_that_forgets_tries_nothing() -> None:
    shop = unit(forgets=True)
    shop.offer(release(1, NEW), NEW)
    shop.run(minutes=600)

    assert (["a"], OLD) == (shop.boots, shop.running)


def test_system_on_trial_whose_notes_are_lost_is_left_and_tried_anew() -> None:
    shop = unit(loses_notes=1.0)
    shop.offer(release(1, NEW), NEW)
    while shop.boots == ["a"]:
        shop.run(minutes=1)
    shop.loses_notes = 0.0
    shop.run(minutes=120)

    assert (["a", "b", "a", "b"], NEW, "b") == (shop.boots, shop.running, shop.primary)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), busy=st.sampled_from([0.0, 0.3, 0.6]), bad_luck=st.sampled_from([0.0, 0.4]))
def test_update_that_is_good_is_taken_however_often_something_fails_but_the_power(
    seed: int, busy: float, bad_luck: float
) -> None:
    shop = unit(seed, busy=busy, bad_luck=bad_luck)
    shop.offer(release(1, NEW), NEW)
    shop.run(minutes=300)

    refused = shop.notes.outcome is not None and shop.notes.outcome.state == "refused"
    assert refused or shop.running == NEW
