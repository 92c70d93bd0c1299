"""What pages and the fact log are told: every change, and nothing when nothing changes."""

from __future__ import annotations

import pytest

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.readable import readable
from sim.gallery_office import DAY_S
from tests.support.gallery_world import ALICE, CASE, HART, NOW_S, GalleryWorld


@pytest.fixture
def world() -> GalleryWorld:
    """It holds a face."""
    return GalleryWorld().started().with_case(days=2)


def redrawn(world: GalleryWorld) -> bool:
    found = any(isinstance(effect, do.RedrawPages) for effect in world.node.effects)
    world.node.effects.clear()
    return found


def facts(world: GalleryWorld) -> dict[str, dict[str, str]]:
    return {one.fact: dict(one.detail) for one in world.node.effects if isinstance(one, do.ReportFact)}


def test_pages_are_redrawn_when_a_face_ends_or_the_gallery_goes_off_and_else_not(world: GalleryWorld) -> None:
    redrawn(world)
    world.pass_days(1.9)
    in_between = redrawn(world)
    world.pass_days(0.1)
    at_the_end = redrawn(world)
    world.pass_days(11.9)
    before_the_lease = redrawn(world)
    world.pass_days(0.1)

    assert [False, True, False, True] == [in_between, at_the_end, before_the_lease, redrawn(world)]


def test_pages_are_redrawn_when_a_photograph_has_come(world: GalleryWorld) -> None:
    world.hart.issue(18, NOW_S, NOW_S + DAY_S, ("late",))
    world.contact()
    redrawn(world)
    world.fetch()

    assert redrawn(world)


def test_pages_are_not_redrawn_because_a_disk_refuses(world: GalleryWorld) -> None:
    world.node.disk.is_refusing = True
    world.pass_ms(601_000)
    redrawn(world)
    world.pass_ms(300_000)

    assert not redrawn(world)


def test_cases_that_may_be_read_are_listed_at_once(world: GalleryWorld) -> None:
    world.hart.elsewhere.add(18)
    world.hart.issue(18, NOW_S, NOW_S + DAY_S)
    world.contact()
    on = readable(world.node.state.now, world.node.state.galleries[HART])
    world.off_for_days(0)
    off = readable(world.node.state.now, world.node.state.galleries[HART])

    assert (frozenset({CASE}), frozenset()) == (on, off)


def test_facts_tell_what_was_taken_held_and_destroyed(world: GalleryWorld) -> None:
    world.hart.withdraw(CASE)
    world.node.effects.clear()
    world.contact()

    assert {
        "gallery_taken": {"scheme": "1", "number": "3", "lines": "0"},
        "keys_destroyed": {"scheme": "1", "cases": "17"},
        "gallery_held": {"scheme": "1", "number": "3"},
    } == facts(world)


def test_facts_tell_of_what_was_refused_left_and_lost(world: GalleryWorld) -> None:
    world.node.effects.clear()
    world.node.happen(ev.KeysLost(HART, frozenset({(CASE, 2)})))
    lost = facts(world)["gallery_rejected"]
    world.node.happen(ev.OfficeFailed("no route"))
    world.office.allowed = set()
    world.node.wait(3_000)
    world.contact()

    assert {"reason": "key", "scheme": "1", "count": "1"} == lost
    assert {"reason": "no route"} == facts(world)["office_lost"]
    assert {"scheme": "1"} == facts(world)["gallery_left"]


def test_facts_tell_of_guesses_and_of_no_name(world: GalleryWorld) -> None:
    world.node.happen(ev.SignedOut(world.sign_in()))
    world.node.effects.clear()
    world.try_pin(ev.Pin("314159"))
    world.try_pin()

    assert {"person": str(ALICE), "failures": "1"} == facts(world)["sign_in_wrong"]
    assert {"person": str(ALICE)} == facts(world)["signed_in"]


def test_office_that_stays_away_is_told_once(world: GalleryWorld) -> None:
    world.node.happen(ev.OfficeFailed("no route"))
    world.node.effects.clear()
    world.node.happen(ev.OfficeFailed("no route"))

    assert {} == facts(world)


def test_reasons_that_are_counted_are_bounded(world: GalleryWorld) -> None:
    told = ev.GalleryTold(9, 1, DAY_S, ())
    answer = ev.OfficeAnswered(world.node.now_ms, world.true_s, world.true_s + DAY_S, (ev.SchemeTold(HART),), (told,))
    for _ in range(3):
        world.node.happen(answer)

    assert {"other scheme": 3} == dict(world.node.state.rejected)
