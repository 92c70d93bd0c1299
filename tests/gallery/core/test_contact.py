"""The question to the office: always one, and later if it is not answered."""

from __future__ import annotations

import pytest

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.contact import FEW_PHOTOGRAPHS, LONGEST_PAUSE_MS, NEWS_WAIT_MS
from gallery.core.machine import next_deadline_ms, step
from gallery.core.state import STORE_RETRY_MS, State
from sim.gallery_office import DAY_S
from tests.support.gallery_world import ALICE, CASE, HART, NOW_S, GalleryWorld


def asks(world: GalleryWorld) -> int:
    return sum(isinstance(effect, do.AskOffice) for effect in world.node.effects)


def test_office_is_asked_at_start_and_again_after_each_answer() -> None:
    world = GalleryWorld().started()
    world.contact()
    before = asks(world)
    world.contact()

    assert before + 1 == asks(world)


def test_office_is_told_which_staff_the_disk_has_as_soon_as_it_does() -> None:
    """So the list's digest is the receipt for whoever was taken off it."""
    world = GalleryWorld().started()
    world.employ(9, ALICE)
    world.node.disk.is_refusing = True
    world.employ(9)
    assert world.node.asked is not None
    before = [one.person for one in world.node.asked.staff]
    world.node.disk.is_refusing = False
    world.pass_ms(STORE_RETRY_MS)

    assert [ALICE, 9] == before
    assert [9] == [one.person for one in world.node.asked.staff]


def test_wrong_pin_asks_nothing_anew() -> None:
    world = GalleryWorld().started()
    world.sign_in()
    before = asks(world)
    world.try_pin(ev.Pin("314159"))

    assert before == asks(world)


def test_change_with_a_photograph_is_one_question() -> None:
    """Each more costs the unit, and the office, a handshake."""
    world = GalleryWorld().started()
    world.contact()
    before = asks(world)
    world.hart.issue(CASE, NOW_S, NOW_S + DAY_S, ("small", "portrait"))
    world.contact()
    waiting = asks(world)
    world.fetch()

    assert before == waiting
    assert before + 1 == asks(world)
    assert world.node.asked is not None
    assert (do.Held(HART, 2, is_complete=True),) == world.node.asked.held


def test_photographs_that_do_not_come_keep_nobody_from_hearing_what_is_lifted() -> None:
    world = GalleryWorld().started()
    world.hart.issue(CASE, NOW_S, NOW_S + DAY_S, ("small",))
    before = asks(world)
    world.contact()
    world.pass_ms(NEWS_WAIT_MS - 1)
    waiting = asks(world)
    world.pass_ms(1)

    assert [before, before + 1] == [waiting, asks(world)]


def test_many_photographs_are_not_waited_for() -> None:
    world = GalleryWorld().started()
    for case in range(FEW_PHOTOGRAPHS + 1):
        world.hart.issue(CASE + case, NOW_S, NOW_S + DAY_S, (f"face {case}",))
    before = asks(world)
    world.contact()

    assert before + 1 == asks(world)


def test_office_that_does_not_answer_is_asked_ever_more_rarely() -> None:
    world = GalleryWorld().started()
    pauses = []
    for _ in range(12):
        world.node.happen(ev.OfficeFailed("refused"))
        begin_ms, before = world.node.now_ms, asks(world)
        while asks(world) == before:
            due_ms = next_deadline_ms(world.node.state)
            assert due_ms is not None
            world.node.wait(due_ms - world.node.now_ms)
        pauses.append(world.node.now_ms - begin_ms)

    assert 1_000 <= pauses[0] <= 3_000
    assert LONGEST_PAUSE_MS // 2 <= pauses[-1] <= LONGEST_PAUSE_MS * 3 // 2


def test_core_never_asks_to_be_woken_in_the_past() -> None:
    world = GalleryWorld().started().with_case(days=1)
    for _ in range(50):
        due_ms = next_deadline_ms(world.node.state)
        assert due_ms is not None
        assert due_ms > world.node.now_ms
        world.node.wait(due_ms - world.node.now_ms)


def test_step_that_raises_leaves_no_trace() -> None:
    state = State()

    with pytest.raises(ValueError, match="first event"):
        step(state, ev.Ticked(), 1)

    assert State() == state
