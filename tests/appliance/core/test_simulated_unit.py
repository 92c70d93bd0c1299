"""Updates with the power cut after every step, over thousands of units: each ends on a system that works (F4, F5)."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.support.simulated_unit import Quality, SimulatedUnit, System, release

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


def test_unit_runs_a_system_that_works_whatever_happens_and_never_restarts_for_ever() -> None:
    """What the fleet publishes, good and bad, older and paused; power, card, network and people as they come."""
    for seed in range(1_000):
        dice = random.Random(seed)
        shop = unit(seed, cuts=dice.choice([0.0, 0.002, 0.02]), busy=dice.random() * 0.7, bad_luck=dice.random() * 0.5)
        shop.card_refuses = dice.choice([0.0, 0.0, 0.2])
        allowed = set()
        for serial in range(1, dice.randint(2, 5)):
            system = System(f"1.{dice.randint(0, 3)}", dice.choice(["good", "good", *BAD]))
            if system.version == "1.0":
                system = OLD
            is_rollback = dice.random() < 0.3
            newer = is_rollback or system.version > max([OLD.version, *shop.committed[-1:]])
            offered = release(serial, system, is_rollback=is_rollback, state=dice.choice(["open", "open", "paused"]))
            if newer:
                allowed.add(system.version)
            shop.offer(offered, system)
            shop.run(minutes=dice.choice([5, 20, 45]))
            assert "no boot" != shop.systems[shop.primary].quality, seed
        for before, after in itertools.pairwise([OLD.version, *shop.committed]):
            assert after > before or after in allowed, seed


def test_update_that_is_good_is_taken_however_often_something_fails_but_the_power() -> None:
    for seed in range(100):
        dice = random.Random(seed)
        shop = unit(seed, busy=dice.random() * 0.6, bad_luck=dice.random() * 0.4)
        shop.offer(release(1, NEW), NEW)
        shop.run(minutes=300)

        refused = shop.notes.outcome is not None and shop.notes.outcome.state == "refused"
        assert refused or shop.running == NEW, seed
