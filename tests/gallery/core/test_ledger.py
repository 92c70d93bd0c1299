"""The lease (G6): what a boot costs, and that switching off and on stretches nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.clock import Clock, Evidence
from gallery.core.ledger import BOOT_COSTS_S, KEEP_EVERY_S, LEASE_S_MAX, Lease, Ledger
from gallery.core.readable import Why
from sim.gallery_office import DAY_S, LEASE_S
from tests.support.gallery_world import HART, NOW_S, GalleryWorld

LEASE_DAYS = LEASE_S // DAY_S


@pytest.fixture
def world() -> GalleryWorld:
    """It holds a face, and had contact just now."""
    return GalleryWorld().started().with_case()


def test_gallery_is_off_when_the_lease_is_over(world: GalleryWorld) -> None:
    world.pass_days(LEASE_DAYS - 0.01)
    before = world.why()
    world.pass_days(0.01)

    assert before is None
    assert Why.NO_CONTACT == world.why()


def test_contact_brings_it_back(world: GalleryWorld) -> None:
    world.pass_days(LEASE_DAYS)
    world.contact()

    assert world.why() is None


def test_lease_that_is_over_stays_over_when_the_clock_is_set_back(world: GalleryWorld) -> None:
    world.off_for_days(0)
    world.battery()
    world.pass_days(LEASE_DAYS)
    world.off_for_days(0)
    world.battery(ahead_s=-LEASE_S)

    assert world.why() is not None


def test_each_boot_takes_ten_minutes_from_the_lease(world: GalleryWorld) -> None:
    for _ in range(3):
        world.off_for_days(0)

    assert 3 * BOOT_COSTS_S == world.node.disk.ledger.lease.charged_s


def test_program_that_starts_again_is_not_charged(world: GalleryWorld) -> None:
    world.node.boot(is_new=False)

    assert 0 == world.node.disk.ledger.lease.charged_s


def test_four_hundred_boots_do_not_stretch_the_lease(world: GalleryWorld) -> None:
    """Each time the battery clock is set back to the latest moment that the disk knows."""
    world.office.lease_s = 400 * BOOT_COSTS_S
    world.contact()
    shown_ms = 0
    for _ in range(500):
        world.node.boot()
        world.node.happen(ev.BatteryRead(world.node.disk.ledger.floor_s))
        world.node.wait(599_000)
        shown_ms += 599_000 if world.why() is None else 0

    assert shown_ms <= world.office.lease_s * 1000
    assert Why.NO_CONTACT == world.why()


def test_nothing_is_shown_before_the_charge_is_on_the_disk(world: GalleryWorld) -> None:
    world.node.disk.is_refusing = True
    world.off_for_days(0)
    world.battery()

    assert Why.STARTING == world.why()


def test_disk_that_refused_the_charge_is_asked_again(world: GalleryWorld) -> None:
    world.node.disk.is_refusing = True
    world.off_for_days(0)
    world.battery()
    world.node.disk.is_refusing = False
    world.pass_ms(31_000)

    assert world.why() is None


def test_answer_that_was_held_back_stretches_no_lease(world: GalleryWorld) -> None:
    """The clock was set back by nine days: the lease would begin in the future, and last as long again."""
    world.off_for_days(10)
    world.battery(ahead_s=-9 * DAY_S)
    world.contact(took_ms=61_000)
    world.off_for_days(0)
    world.node.happen(ev.BatteryRead(world.node.disk.ledger.floor_s))
    world.pass_days(LEASE_DAYS)

    assert Why.NO_CONTACT == world.why()


def test_office_that_shortens_the_lease_is_obeyed_at_once(world: GalleryWorld) -> None:
    world.office.lease_s = 0
    world.contact()

    assert Why.NO_CONTACT == world.why()
    assert world.node.disk.ledger.lease.until_s <= world.true_s


def test_scheme_with_a_shorter_lease_is_off_earlier(world: GalleryWorld) -> None:
    world.hart.lease_s = DAY_S
    world.hart.number += 1
    world.contact()
    world.pass_days(1)

    assert Why.NO_CONTACT == world.why()


def test_lease_without_end_is_cut() -> None:
    lease = Lease(NOW_S, 2**40)

    assert NOW_S + LEASE_S_MAX == lease.ends_s(1, 2**40)


def test_scheme_that_shows_without_proof_does_so_until_its_lease_is_used_up(world: GalleryWorld) -> None:
    """The limit, as documented: three weeks in a drawer count for nothing."""
    world.hart.shows_without_proof = True
    world.contact()
    world.off_for_days(21)
    shown = world.why()
    world.pass_days(LEASE_DAYS)

    assert shown is None
    assert Why.NO_CONTACT == world.why()


def test_scheme_that_shows_without_proof_charges_boots_too(world: GalleryWorld) -> None:
    world.hart.shows_without_proof = True
    world.office.lease_s = 10 * BOOT_COSTS_S
    world.contact()
    found = []
    for _ in range(11):
        world.off_for_days(0)
        found.append(world.why())

    assert [None] * 9 == found[:9]
    assert Why.NO_CONTACT == found[10]


CLOCK = Clock(NOW_S * 1000, NOW_S * 1000, Evidence.OFFICE)
KEPT = Ledger.of("a", CLOCK, Lease(NOW_S, NOW_S + DAY_S), 0)


@pytest.mark.parametrize(
    ("change", "is_outdated"),
    [
        ({}, False),
        ({"boot_id": "b"}, True),
        ({"evidence": Evidence.BATTERY}, True),
        ({"floor_s": NOW_S + KEEP_EVERY_S - 1}, False),
        ({"floor_s": NOW_S + KEEP_EVERY_S}, True),
        ({"floor_s": NOW_S - 1}, True),
        ({"proven_s": NOW_S + KEEP_EVERY_S}, True),
        ({"proven_s": NOW_S - 1}, True),
        ({"lease": Lease(NOW_S + 25, NOW_S + DAY_S + 25)}, False),
        ({"lease": Lease(NOW_S, NOW_S + DAY_S - 1)}, True),
        ({"lease": Lease(NOW_S + KEEP_EVERY_S, NOW_S + DAY_S)}, True),
        ({"lease": Lease(NOW_S, NOW_S + DAY_S, BOOT_COSTS_S)}, True),
    ],
)
def test_disk_is_told_when_a_power_cut_would_lose_more_than_a_boot_costs(
    change: dict[str, object], *, is_outdated: bool
) -> None:
    newer = Ledger(**{**{name: getattr(KEPT, name) for name in KEPT.__struct_fields__}, **change})

    assert is_outdated is KEPT.is_outdated(newer)


def test_contact_every_half_minute_writes_the_ledger_every_ten_minutes_only(world: GalleryWorld) -> None:
    """A card wears out."""
    world.node.effects.clear()
    for _ in range(120):
        world.pass_ms(30_000)
        world.contact()

    assert 7 >= sum(isinstance(effect, do.KeepLedger) for effect in world.node.effects)


def test_same_boot_goes_on_where_it_was_and_another_has_no_evidence() -> None:
    same, lease = KEPT.begin("a", 1_000)
    other, charged = KEPT.begin("b", 1_000)

    assert (CLOCK, KEPT.lease) == (same, lease)
    assert (Evidence.NONE, NOW_S) == (other.evidence, other.floor_s(1_000))
    assert replace(lease, charged_s=BOOT_COSTS_S) == charged


def test_first_start_ever_is_off_because_the_office_never_answered() -> None:
    world = GalleryWorld().started()
    world.hart.issue(1, 0, NOW_S)
    world.battery()

    assert world.why(1) is Why.SCHEME_LEFT
    assert HART not in world.node.state.galleries


def test_lease_of_a_scheme_that_the_office_cannot_prove_stays_as_it_was(world: GalleryWorld) -> None:
    """Its publisher is dead, or its file is damaged: a face that was revoked since must not stay for ever."""
    ended_s = world.node.state.lease.ends_s(HART, 14 * DAY_S)
    for _ in range(13):
        world.pass_days(1)
        world.office.unproven = (HART,)
        world.contact()
        assert None is world.why()
    world.off_for_days(0.5)
    world.battery()
    assert world.node.state.lease.ends_s(HART, 14 * DAY_S) == ended_s - BOOT_COSTS_S
    world.pass_days(0.6)
    world.contact()
    assert Why.NO_CONTACT == world.why()

    world.office.unproven = ()
    world.contact()
    assert None is world.why()


def test_lease_of_a_scheme_that_was_never_proven_has_not_begun() -> None:
    world = GalleryWorld().started()
    world.office.unproven = (HART,)
    world.with_case()

    assert Why.NO_CONTACT == world.why()
