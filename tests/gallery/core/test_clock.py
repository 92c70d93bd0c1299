"""Evidence of time (G6): who proves now, what only hides, and what a clock that was set does not bring back."""

from __future__ import annotations

import pytest

from gallery.core import events as ev
from gallery.core.clock import LAG_S, Clock, Evidence
from gallery.core.holdings import Key
from gallery.core.readable import Why
from sim.gallery_office import DAY_S
from tests.support.gallery_world import CASE, HART, NOW_S, GalleryWorld

YEAR_S = 365 * DAY_S
IN_2040 = 2_208_988_800


@pytest.fixture
def world() -> GalleryWorld:
    """It holds a face that everybody may see for ten days."""
    return GalleryWorld().started().with_case(days=10)


def keys_of(world: GalleryWorld) -> set[Key]:
    return world.node.disk.galleries[HART].keys


def test_face_is_readable_after_the_offices_word(world: GalleryWorld) -> None:
    assert world.why() is None


def test_time_runs_on_by_the_monotonic_clock_without_contact(world: GalleryWorld) -> None:
    world.pass_days(9.99)
    before = world.why()
    world.pass_days(0.01)

    assert before is None
    assert Why.OVER == world.why()


def test_end_without_contact_destroys_the_key(world: GalleryWorld) -> None:
    world.pass_days(10)

    assert set() == keys_of(world)
    assert set() == world.node.disk.photographs


def test_boot_without_proof_shows_nothing(world: GalleryWorld) -> None:
    world.off_for_days(1)

    assert Why.CLOCK_UNKNOWN == world.why()


def test_program_that_starts_again_in_the_same_boot_still_knows_the_time(world: GalleryWorld) -> None:
    world.node.boot(is_new=False)

    assert world.why() is None


def test_battery_clock_proves_the_time_after_a_boot(world: GalleryWorld) -> None:
    world.off_for_days(1)
    world.battery()

    assert world.why() is None


def test_centrals_time_proves_it_too(world: GalleryWorld) -> None:
    world.off_for_days(1)
    world.node.happen(ev.CentralTimeTold(world.true_s))

    assert world.why() is None


def test_frame_from_the_air_proves_nothing_because_it_can_be_a_recording(world: GalleryWorld) -> None:
    world.off_for_days(1)
    world.node.happen(ev.FrameHeard(world.true_s))

    assert Why.CLOCK_UNKNOWN == world.why()


@pytest.mark.parametrize("ahead_s", [-NOW_S, -YEAR_S, -DAY_S], ids=["1970", "back a year", "back a day"])
def test_battery_clock_that_was_set_back_shows_nothing(world: GalleryWorld, ahead_s: int) -> None:
    world.off_for_days(0.1)
    world.battery(ahead_s=ahead_s)

    assert Why.CLOCK_BEHIND == world.why()


@pytest.mark.parametrize("ahead_s", [-NOW_S, -YEAR_S, -DAY_S], ids=["1970", "back a year", "back a day"])
def test_what_is_over_stays_over_when_the_clock_is_set_back(world: GalleryWorld, ahead_s: int) -> None:
    world.off_for_days(11)
    world.battery()
    over = world.why()
    world.off_for_days(0)
    world.battery(ahead_s=ahead_s)

    assert Why.OVER_UNPROVEN == over
    assert world.why() is not None


def test_battery_clock_a_little_behind_is_only_slow(world: GalleryWorld) -> None:
    world.off_for_days(0)
    world.battery(ahead_s=-LAG_S)

    assert world.why() is None


def test_clock_of_2040_hides_and_destroys_nothing_and_the_office_brings_it_back(world: GalleryWorld) -> None:
    world.off_for_days(1)
    world.node.happen(ev.BatteryRead(IN_2040))
    hidden, kept = world.why(), set(keys_of(world))
    world.contact()

    assert Why.NO_CONTACT == hidden
    assert 1 == len(kept)
    assert world.why() is None


def test_clock_of_2040_that_is_put_right_without_the_office_stays_off(world: GalleryWorld) -> None:
    """It cannot be told from one that is set back."""
    world.off_for_days(1)
    world.node.happen(ev.BatteryRead(IN_2040))
    world.battery()

    assert Why.CLOCK_BEHIND == world.why()


def test_battery_clock_ahead_of_the_day_hides_until_the_office_says_otherwise(world: GalleryWorld) -> None:
    world.off_for_days(1)
    world.battery(ahead_s=10 * DAY_S)
    hidden = world.why()
    world.contact()

    assert Why.OVER_UNPROVEN == hidden
    assert world.why() is None


def test_battery_clock_ahead_begins_no_ban_early(world: GalleryWorld) -> None:
    """A clock that nobody signed can only hide."""
    world.hart.issue(CASE, world.true_s + 2 * DAY_S, world.true_s + 10 * DAY_S)
    world.contact()
    world.off_for_days(1)
    world.battery(ahead_s=2 * DAY_S)

    assert Why.NOT_YET is world.why()


def test_ban_begins_on_its_day_without_contact(world: GalleryWorld) -> None:
    world.hart.issue(CASE, world.true_s + 2 * DAY_S, world.true_s + 10 * DAY_S)
    world.contact()
    world.pass_days(2)

    assert world.why() is None


def test_answer_that_was_held_back_proves_no_time(world: GalleryWorld) -> None:
    world.off_for_days(1)
    asked = world.node.asked
    assert asked is not None
    answer = world.office.answer(asked, world.node.now_ms, world.true_s)
    world.pass_ms(61_000)
    world.node.happen(answer)

    assert Why.CLOCK_UNKNOWN == world.why()


def test_answer_that_was_held_back_still_says_what_is_over(world: GalleryWorld) -> None:
    world.off_for_days(11)
    world.contact(took_ms=61_000)

    assert set() == keys_of(world)


def test_wall_clock_counts_for_nothing_while_the_office_was_heard_in_this_boot(world: GalleryWorld) -> None:
    world.node.happen(ev.BatteryRead(IN_2040))
    far = world.why()
    world.node.happen(ev.BatteryRead(0))

    assert [None, None] == [far, world.why()]


def test_frame_far_ahead_of_the_battery_clock_says_that_it_is_behind(world: GalleryWorld) -> None:
    world.off_for_days(5)
    world.battery(ahead_s=-4 * DAY_S)
    world.node.happen(ev.FrameHeard(world.true_s))

    assert Why.CLOCK_BEHIND == world.why()


def test_high_water_mark_is_on_the_disk_every_ten_minutes(world: GalleryWorld) -> None:
    world.pass_days(3)

    assert world.true_s - world.node.disk.ledger.floor_s <= 600


def test_end_of_a_day_is_on_the_disk_at_once(world: GalleryWorld) -> None:
    """Or a power cut and a clock set back by five minutes would show it again."""
    over_s = world.hart.lines[CASE].not_after_s
    world.off_for_days(9)
    world.battery(ahead_s=87)
    world.pass_ms(86_350_000)

    assert world.node.disk.ledger.floor_s >= over_s


def test_old_frame_changes_nothing() -> None:
    clock = Clock(NOW_S * 1000, 0).read_battery(NOW_S, 0)

    assert clock == clock.heard(NOW_S - 1, 0)


def test_frame_counts_for_nothing_where_the_time_is_signed() -> None:
    clock = Clock(0, 0).told_by_office(NOW_S, 0)

    assert clock == clock.heard(NOW_S + DAY_S, 0)


def test_frame_a_little_ahead_leaves_the_battery_clock_its_proof() -> None:
    clock = Clock(NOW_S * 1000, 0).read_battery(NOW_S, 0).heard(NOW_S + LAG_S, 0)

    assert (Evidence.BATTERY, NOW_S + LAG_S) == (clock.evidence, clock.floor_s(0))


def test_office_turns_back_what_central_had_wrong() -> None:
    clock = Clock(0, 0).told_by_central(IN_2040, 0).told_by_office(NOW_S, 0)

    assert (NOW_S, NOW_S) == (clock.floor_s(0), clock.proven_s(0))


def test_central_turns_back_nothing_that_was_proven() -> None:
    clock = Clock(0, 0).told_by_office(NOW_S, 0)
    rebooted = Clock(clock.floor_offset_ms, clock.proven_offset_ms)

    assert rebooted == rebooted.told_by_central(NOW_S - LAG_S - 1, 0)


def test_central_is_not_asked_once_the_office_has_spoken() -> None:
    clock = Clock(0, 0).told_by_office(NOW_S, 0)

    assert clock == clock.told_by_central(NOW_S + DAY_S, 0)


def test_small_step_back_is_not_followed_so_that_nothing_flickers() -> None:
    clock = Clock(0, 0).told_by_office(NOW_S, 0).told_by_office(NOW_S - 2, 0)

    assert NOW_S == clock.floor_s(0)
    assert Evidence.OFFICE is clock.evidence
