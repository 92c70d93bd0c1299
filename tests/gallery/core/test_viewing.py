"""Views (G7): on the disk before the picture is shown, one chain across boots."""

from __future__ import annotations

import pytest

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.effects import NotShown
from gallery.core.readable import Why
from gallery.core.state import LISTS_MAX
from gallery.core.viewing import QUEUE_MAX, UNDELIVERED_MAX
from sim.gallery_node import ORIGIN, PowerCutError
from sim.gallery_office import DAY_S
from tests.support.gallery_world import ALICE, CASE, HART, PUB_WATCH, GalleryWorld
from wire.gallery_views import ViewHead, read_views


@pytest.fixture
def world() -> GalleryWorld:
    """It holds a face."""
    return GalleryWorld().started().with_case()


@pytest.fixture
def session(world: GalleryWorld) -> str:
    """Alice is signed in."""
    return world.sign_in()


def refusals(world: GalleryWorld) -> list[Why | NotShown]:
    return [refused.why for refused in world.node.refused]


def show_list(world: GalleryWorld, session: str, *, kind: str = "list", cases: tuple[int, ...] = (CASE,)) -> None:
    lines = world.node.state.galleries[HART].lines
    people = frozenset((HART, case, lines[case].since) for case in cases)
    world.node.happen(ev.ViewAsked("l", session, 0, 0, kind, people))


def test_view_is_on_the_disk_before_the_picture_is_shown(world: GalleryWorld, session: str) -> None:
    logged: list[int] = []
    world.node.after_each = lambda _event, effects: logged.extend(
        len(world.node.disk.views) for effect in effects if isinstance(effect, do.ShowPicture)
    )
    world.look(session)

    assert [1] == logged


def test_view_says_who_saw_whom_and_when(world: GalleryWorld, session: str) -> None:
    world.look(session)
    (view,) = world.node.disk.views

    record = view.record
    assert (ALICE, HART, CASE, "person") == (record.staff, record.scheme, record.case, record.kind)
    assert abs(record.at_s - world.true_s) <= 1
    assert record.is_proven


def test_picture_bears_the_number_and_the_time_of_its_record(world: GalleryWorld, session: str) -> None:
    shown: list[do.ShowPicture] = []
    world.node.after_each = lambda _event, effects: shown.extend(
        effect for effect in effects if isinstance(effect, do.ShowPicture)
    )
    world.look(session)
    world.look(session)
    records = [view.record for view in world.node.disk.views]

    assert [(record.n, record.at_s) for record in records] == [(one.number, one.at_s) for one in shown]


def test_view_by_an_unproven_clock_says_so(world: GalleryWorld, session: str) -> None:
    world.hart.shows_without_proof = True
    world.contact()
    world.off_for_days(1)
    world.look(world.try_pin())

    assert not world.node.disk.views[-1].record.is_proven


def test_chain_goes_on_across_boots(world: GalleryWorld, session: str) -> None:
    world.look(session)
    world.off_for_days(1)
    world.contact()
    world.look(world.try_pin())
    views = world.node.disk.views

    assert [1, 2] == [view.record.n for view in views]
    assert ORIGIN.digest == views[0].record.before
    assert tuple(views) == read_views(b"".join(b"%b\n" % view.data for view in views))


def test_store_that_refuses_shows_nothing_and_says_so(world: GalleryWorld, session: str) -> None:
    world.node.disk.is_refusing = True
    world.look(session)
    world.look(session)

    assert [] == world.node.shown
    assert [NotShown.NOT_LOGGED] * 2 == refusals(world)


def test_chain_goes_on_after_a_refusal(world: GalleryWorld, session: str) -> None:
    world.node.disk.is_refusing = True
    world.look(session)
    world.node.disk.is_refusing = False
    world.pass_ms(31_000)
    world.look(session)

    assert [1] == [view.record.n for view in world.node.disk.views]
    assert 1 == len(world.node.shown)


def test_power_cut_before_the_view_is_on_the_disk_shows_nothing(world: GalleryWorld, session: str) -> None:
    def cut(_effect: do.Effect) -> None:
        raise PowerCutError

    world.node.cut = cut
    with pytest.raises(PowerCutError):
        world.look(session)

    assert [] == world.node.shown
    assert [] == world.node.disk.views


def test_face_withdrawn_while_its_view_is_stored_is_not_shown(world: GalleryWorld, session: str) -> None:
    held_back: list[do.Effect] = []

    def withdraw(effect: do.Effect) -> None:
        if isinstance(effect, do.StoreViews):
            held_back.append(effect)
            world.node.after_write = lambda _effect: None
            world.hart.withdraw(CASE)
            world.contact()

    world.node.after_write = withdraw
    world.look(session)

    assert 1 == len(held_back)
    assert [] == world.node.shown
    assert [Why.WITHDRAWN] == refusals(world)


def test_face_withdrawn_while_it_waits_its_turn_is_neither_logged_nor_shown(world: GalleryWorld, session: str) -> None:
    """The session ends while the first look is being written; the second waits behind it."""

    def ask_more(_effect: do.Effect) -> None:
        world.node.after_write = lambda _effect: None
        world.look(session)
        world.node.happen(ev.SignedOut(session))

    world.node.after_write = ask_more
    world.look(session)

    assert [] == world.node.shown
    assert [NotShown.SIGNED_OUT] * 2 == refusals(world)
    assert 1 == len(world.node.disk.views)


def test_nobody_without_a_session_sees_anything(world: GalleryWorld) -> None:
    world.look("invented")

    assert [NotShown.SIGNED_OUT] == refusals(world)
    assert [] == world.node.disk.views


def test_session_that_has_ended_sees_nothing_even_before_the_lock_came_round(world: GalleryWorld, session: str) -> None:
    world.node.now_ms += 300_000
    world.look(session)

    assert [NotShown.SIGNED_OUT] == refusals(world)


def test_what_may_not_be_read_is_refused_with_its_reason(world: GalleryWorld, session: str) -> None:
    world.look(session, case=99)
    world.look(session, scheme=PUB_WATCH)

    assert [Why.WITHDRAWN, Why.SCHEME_LEFT] == refusals(world)
    assert [] == world.node.disk.views


@pytest.mark.parametrize("kind", ["list", "search"])
def test_list_is_one_record_and_its_small_pictures_none(world: GalleryWorld, session: str, kind: str) -> None:
    show_list(world, session, kind=kind)
    for at in range(3):
        world.node.happen(ev.ViewAsked(f"{at}", session, HART, CASE, "list"))

    assert [(0, 0), (HART, CASE), (HART, CASE), (HART, CASE)] == [(one.scheme, one.case) for one in world.node.shown]
    (view,) = world.node.disk.views
    assert (ALICE, 0, 0, kind) == (view.record.staff, view.record.scheme, view.record.case, view.record.kind)
    shown = [effect for effect in world.node.effects if isinstance(effect, do.ShowPicture)]
    assert [(1, view.record.at_s)] * 4 == [(one.number, one.at_s) for one in shown]


def test_small_pictures_without_a_list_on_the_disk_are_refused(world: GalleryWorld, session: str) -> None:
    world.node.happen(ev.ViewAsked("r", session, HART, CASE, "list"))
    world.node.disk.is_refusing = True
    show_list(world, session)
    world.node.happen(ev.ViewAsked("r", session, HART, CASE, "list"))

    assert [NotShown.NOT_LOGGED] * 3 == refusals(world)
    assert [] == world.node.shown


def test_list_opens_no_picture_of_who_does_not_stand_in_it(world: GalleryWorld, session: str) -> None:
    """Whoever is issued later, or as something else, is a look of its own."""
    show_list(world, session)
    world.hart.issue(18, world.true_s - DAY_S, world.true_s + DAY_S, ("small", "portrait"))
    world.hart.issue(CASE, world.true_s - DAY_S, world.true_s + DAY_S, ("other", "portrait"))
    world.contact()
    world.fetch()
    world.contact()
    world.node.happen(ev.ViewAsked("new", session, HART, 18, "list"))
    world.node.happen(ev.ViewAsked("changed", session, HART, CASE, "list"))
    assert [NotShown.NOT_LOGGED] * 2 == refusals(world)

    show_list(world, session, kind="search", cases=(18,))
    world.node.happen(ev.ViewAsked("new", session, HART, 18, "list"))
    assert (HART, 18) == (world.node.shown[-1].scheme, world.node.shown[-1].case)


def test_pictures_of_a_list_that_is_still_open_bear_its_record(world: GalleryWorld, session: str) -> None:
    """In another tab somebody looks for somebody else."""
    show_list(world, session)
    for _ in range(LISTS_MAX - 1):
        show_list(world, session, kind="search", cases=())
    world.node.happen(ev.ViewAsked("r", session, HART, CASE, "list"))
    shown = [effect for effect in world.node.effects if isinstance(effect, do.ShowPicture)]
    assert (CASE, 1) == (shown[-1].case, shown[-1].number)

    show_list(world, session, kind="search", cases=())
    world.node.happen(ev.ViewAsked("r", session, HART, CASE, "list"))
    assert [NotShown.NOT_LOGGED] == refusals(world)


def test_list_that_one_was_shown_is_nothing_to_the_next(world: GalleryWorld, session: str) -> None:
    show_list(world, session)
    world.node.happen(ev.SignedOut(session))
    again = world.try_pin()
    world.node.happen(ev.ViewAsked("r", again, HART, CASE, "list"))

    assert [NotShown.NOT_LOGGED] == refusals(world)


def test_list_of_what_is_off_is_refused_with_the_reason(world: GalleryWorld, session: str) -> None:
    world.node.happen(ev.ViewAsked("p", session, PUB_WATCH, 0, "list"))
    world.off_for_days(1)
    again = world.try_pin()
    world.node.happen(ev.ViewAsked("l", again, 0, 0, "search"))

    assert [Why.SCHEME_LEFT, Why.CLOCK_UNKNOWN] == refusals(world)
    assert [] == world.node.disk.views


def test_picture_of_a_list_that_is_withdrawn_is_not_shown(world: GalleryWorld, session: str) -> None:
    show_list(world, session)
    world.hart.withdraw(CASE)
    world.contact()
    world.node.happen(ev.ViewAsked("r", session, HART, CASE, "list"))

    assert [Why.WITHDRAWN] == refusals(world)


def test_page_of_faces_is_one_write(world: GalleryWorld, session: str) -> None:
    world.node.effects.clear()
    asked: list[ev.Event] = [ev.ViewAsked(f"{at}", session, HART, CASE, "photograph") for at in range(40)]

    def ask_more(effect: do.Effect) -> None:
        """While the first is being written the other requests come."""
        if isinstance(effect, do.StoreViews) and asked:
            first, asked[:] = list(asked), []
            for event in first:
                world.node.happen(event)

    world.node.after_write = ask_more
    world.look(session)

    assert [1, 40] == [len(one.views) for one in world.node.effects if isinstance(one, do.StoreViews)]
    assert 41 == len(world.node.shown)


def test_more_than_can_wait_is_refused(world: GalleryWorld, session: str) -> None:
    many = QUEUE_MAX + 1

    def ask_more(_effect: do.Effect) -> None:
        world.node.after_write = lambda _effect: None
        for at in range(many):
            world.node.happen(ev.ViewAsked(f"{at}", session, HART, CASE, "photograph"))

    world.node.after_write = ask_more
    world.look(session)

    assert [NotShown.BUSY] == refusals(world)
    assert QUEUE_MAX + 1 == len(world.node.disk.views)


def test_log_that_nobody_fetches_is_full_some_day(world: GalleryWorld, session: str) -> None:
    world.node.state.head = ViewHead(n=UNDELIVERED_MAX, digest=ORIGIN.digest)
    world.look(session)

    assert [NotShown.LOG_FULL] == refusals(world)


def test_views_that_the_office_has_are_forgotten_and_asked_from_there(world: GalleryWorld, session: str) -> None:
    world.look(session)
    assert world.node.asked is not None
    world.node.happen(world.office.answer(world.node.asked, world.node.now_ms, world.true_s, views_received=1))

    assert 1 == world.node.disk.delivered
    assert 1 == world.node.asked.views_after


def test_office_that_has_more_views_than_there_are_deletes_none_to_come(world: GalleryWorld, session: str) -> None:
    assert world.node.asked is not None
    world.node.happen(world.office.answer(world.node.asked, world.node.now_ms, world.true_s, views_received=9))
    world.look(session)

    assert 0 == world.node.state.delivered
