"""What an accepted change makes (G4, G6, G8): keys go first, nothing older is taken, and the receipt is true."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.contact import NEWS_WAIT_MS
from gallery.core.holdings import Key, Line
from gallery.core.readable import Why
from sim.gallery_node import PowerCutError
from sim.gallery_office import DAY_S
from tests.support.gallery_world import CASE, HART, NOW_S, PUB_WATCH, GalleryWorld

OTHER = 18


@pytest.fixture
def world() -> GalleryWorld:
    """It holds a face of HART, whole."""
    return GalleryWorld().started().with_case()


def keys(world: GalleryWorld, scheme: int = HART) -> set[Key]:
    return world.node.disk.galleries[scheme].keys


def held(world: GalleryWorld) -> tuple[do.Held, ...]:
    assert world.node.asked is not None
    return world.node.asked.held


def told(number: int, *lines: Line, after: int = 0, scheme: int = HART) -> ev.GalleryTold:
    return ev.GalleryTold(scheme, number, 14 * DAY_S, lines, frozenset(line.key for line in lines), after)


def answer(world: GalleryWorld, *galleries: ev.GalleryTold, schemes: tuple[int, ...] = (HART,)) -> None:
    until_s = world.true_s + 14 * DAY_S
    allowed = tuple(ev.SchemeTold(scheme) for scheme in schemes)
    world.node.happen(ev.OfficeAnswered(world.node.now_ms, world.true_s, until_s, allowed, galleries))


def rejected(world: GalleryWorld) -> dict[str, int]:
    return dict(world.node.state.rejected)


def test_new_gallery_is_kept_fetched_and_receipted() -> None:
    world = GalleryWorld().started()
    world.hart.issue(CASE, NOW_S, NOW_S + DAY_S, ("small", "portrait"))
    world.contact()
    world.pass_ms(NEWS_WAIT_MS)
    underway, fetched = held(world), list(world.node.fetched)
    world.fetch()

    assert (do.Held(HART, 2, is_complete=False),) == underway
    assert ["small", "portrait"] == fetched
    assert (do.Held(HART, 2, is_complete=True),) == held(world)


def test_face_without_its_photograph_yet_may_be_read() -> None:
    """The words alone help too."""
    world = GalleryWorld().started()
    world.hart.issue(CASE, NOW_S, NOW_S + DAY_S, ("small",))
    world.contact()

    assert world.why() is None


def test_newest_photographs_are_fetched_first(world: GalleryWorld) -> None:
    for case in (30, 31, 32):
        world.hart.issue(case, NOW_S, NOW_S + DAY_S, (f"photograph of {case}",))
    world.contact()

    assert ["photograph of 32", "photograph of 31", "photograph of 30"] == world.node.fetched


def test_withdrawn_face_is_unreadable_at_once_and_gone_with_a_receipt(world: GalleryWorld) -> None:
    world.hart.withdraw(CASE)
    world.node.effects.clear()
    world.contact()
    ordered = [type(effect) for effect in world.node.effects]

    assert Why.WITHDRAWN is world.why()
    assert set() == keys(world)
    assert set() == world.node.disk.photographs
    assert (do.Held(HART, 3, is_complete=True),) == held(world)
    assert ordered.index(do.DestroyKeys) < ordered.index(do.KeepGallery)


@pytest.mark.parametrize("photographs", [(), ("photograph of another",)], ids=["key", "key and photograph"])
def test_number_is_receipted_only_once_everything_else_is_destroyed(
    world: GalleryWorld, photographs: tuple[str, ...]
) -> None:
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, photographs)
    world.contact()
    world.fetch()
    world.hart.withdraw(OTHER)
    world.node.disk.is_refusing = True
    world.contact()
    refused = held(world)
    hidden = world.why(OTHER)
    world.node.disk.is_refusing = False
    world.pass_ms(31_000)

    assert (do.Held(HART, 3, is_complete=False),) == refused
    assert Why.WITHDRAWN is hidden
    assert (do.Held(HART, 4, is_complete=True),) == held(world)
    assert {(CASE, 2)} == keys(world)


def test_changed_line_gets_another_key_and_the_old_one_is_destroyed(world: GalleryWorld) -> None:
    world.hart.issue(CASE, NOW_S, NOW_S + 5 * DAY_S, ("small", "portrait"))
    world.contact()

    assert {(CASE, 3)} == keys(world)
    assert world.why() is None
    assert [] == world.node.fetched, "the photographs are the same"


@pytest.mark.parametrize("number", [1, 2], ids=["older", "same number, other lines"])
def test_gallery_that_is_not_newer_is_refused(world: GalleryWorld, number: int) -> None:
    answer(world, told(number, Line(OTHER, 1, NOW_S, NOW_S + DAY_S)))

    assert {"older gallery": 1} == rejected(world)
    assert world.why() is None
    assert Why.WITHDRAWN is world.why(OTHER)


def test_number_does_not_go_back_over_a_boot(world: GalleryWorld) -> None:
    world.off_for_days(0)
    answer(world, told(1, Line(OTHER, 1, NOW_S, NOW_S + DAY_S)))

    assert {"older gallery": 1} == rejected(world)


def test_gallery_of_a_scheme_that_the_node_may_not_hold_is_refused(world: GalleryWorld) -> None:
    answer(world, told(9, Line(OTHER, 1, NOW_S, NOW_S + DAY_S), scheme=PUB_WATCH))

    assert {"other scheme": 1} == rejected(world)
    assert PUB_WATCH not in world.node.disk.galleries
    assert Why.SCHEME_LEFT is world.why(OTHER, PUB_WATCH)


def test_scheme_that_was_left_is_destroyed(world: GalleryWorld) -> None:
    world.office.allowed = {PUB_WATCH}
    world.contact()

    assert Why.SCHEME_LEFT is world.why()
    assert set() == keys(world)
    assert () == world.node.disk.galleries[HART].lines
    assert set() == world.node.disk.photographs
    assert [PUB_WATCH] == [one.scheme for one in held(world)]


def test_node_that_is_struck_holds_nothing(world: GalleryWorld) -> None:
    world.office.allowed = set()
    world.contact()

    assert set() == keys(world)
    assert () == held(world)


def test_scheme_that_was_left_and_joined_again_comes_whole(world: GalleryWorld) -> None:
    world.office.allowed = set()
    world.contact()
    world.off_for_days(1)
    world.office.allowed = {HART}
    world.contact()
    world.pass_ms(NEWS_WAIT_MS)
    asked = held(world)
    world.contact()
    world.fetch()

    assert (do.Held(HART, 2, is_complete=False),) == asked
    assert (do.Held(HART, 2, is_complete=True),) == held(world)
    assert world.why() is None


def test_replay_from_before_it_was_left_is_refused(world: GalleryWorld) -> None:
    world.hart.withdraw(CASE)
    world.contact()
    answer(world, schemes=())
    answer(world, told(2, Line(CASE, 2, NOW_S, NOW_S + DAY_S)), schemes=(HART,))

    assert {"older gallery": 1} == rejected(world)
    assert world.why() is not None


def test_entry_for_other_premises_has_no_key_and_nothing_is_missing(world: GalleryWorld) -> None:
    world.hart.elsewhere.add(OTHER)
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, ("photograph of another",))
    world.contact()

    assert Why.ELSEWHERE is world.why(OTHER)
    assert [] == world.node.fetched
    assert (do.Held(HART, 3, is_complete=True),) == held(world)


def test_entry_for_other_premises_stays_so_over_a_boot_and_another_change(world: GalleryWorld) -> None:
    world.hart.elsewhere.add(OTHER)
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S)
    world.contact()
    world.off_for_days(0)
    world.hart.issue(30, NOW_S, NOW_S + DAY_S)
    world.contact()

    assert Why.ELSEWHERE is world.why(OTHER)
    assert (do.Held(HART, 4, is_complete=True),) == held(world)


def test_entry_that_this_premises_may_no_longer_be_shown_is_destroyed(world: GalleryWorld) -> None:
    world.hart.elsewhere.add(CASE)
    world.hart.issue(CASE, NOW_S, NOW_S + DAY_S, ("small", "portrait"))
    world.contact()

    assert Why.ELSEWHERE is world.why()
    assert set() == keys(world)
    assert set() == world.node.disk.photographs


def test_row_that_does_not_open_is_asked_for_once_more_and_then_reported(world: GalleryWorld) -> None:
    world.hart.unopened.add(OTHER)
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S)
    world.contact()
    first = held(world)
    world.contact()
    again = held(world)
    world.contact()

    assert Why.UNOPENED is world.why(OTHER)
    assert (do.Held(HART, 0, is_complete=False),) == first
    assert (do.Held(HART, 3, is_complete=False),) == again == held(world)


def test_row_that_opens_when_it_comes_again_is_shown(world: GalleryWorld) -> None:
    world.hart.unopened.add(OTHER)
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S)
    world.contact()
    world.hart.unopened.clear()
    world.contact()

    assert world.why(OTHER) is None
    assert (do.Held(HART, 3, is_complete=True),) == held(world)


def test_photograph_that_comes_after_it_was_withdrawn_is_destroyed(world: GalleryWorld) -> None:
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, ("late",))
    world.contact()
    world.hart.withdraw(OTHER)
    world.contact()
    world.fetch()

    assert {"small", "portrait"} == world.node.disk.photographs


def test_photograph_that_is_being_fetched_as_it_is_withdrawn_is_destroyed_before_the_receipt(
    world: GalleryWorld,
) -> None:
    """It may be on the card at this very moment."""
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, ("late",))
    world.contact()
    world.node.effects.clear()
    world.hart.withdraw(OTHER)
    world.contact()
    world.pass_ms(60_000)

    told = [
        place
        for place, one in enumerate(world.node.effects)
        if isinstance(one, do.AskOffice) and world.hart.number in [each.number for each in one.held]
    ]
    destroyed = [
        place
        for place, one in enumerate(world.node.effects)
        if isinstance(one, do.DestroyPhotographs) and "late" in one.digests
    ]
    assert destroyed
    assert told
    assert destroyed[0] < told[0]


def test_photograph_of_two_entries_stays_while_one_needs_it(world: GalleryWorld) -> None:
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, ("small", "portrait"))
    world.hart.withdraw(CASE)
    world.contact()

    assert {"small", "portrait"} == world.node.disk.photographs


def test_photograph_that_could_not_be_had_is_fetched_after_the_next_answer(world: GalleryWorld) -> None:
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, ("truncated",))
    world.contact()
    world.node.happen(ev.PhotographsFailed(frozenset({"truncated"}), "digest"))
    once = list(world.node.fetched)
    world.contact()

    assert ["truncated"] == once
    assert ["truncated"] * 2 == world.node.fetched


def test_photograph_that_is_spoilt_on_the_disk_is_fetched_again(world: GalleryWorld) -> None:
    world.node.happen(ev.PhotographsFailed(frozenset({"small"}), "digest"))
    incomplete = held(world)
    world.contact()

    assert (do.Held(HART, 2, is_complete=False),) == incomplete
    assert ["small"] == world.node.fetched


@pytest.mark.parametrize("times", [1, 2])
def test_key_that_is_lost_comes_again_as_often_as_it_is_lost(world: GalleryWorld, times: int) -> None:
    for _ in range(times):
        world.node.disk.galleries[HART].keys.clear()
        world.node.happen(ev.KeysLost(HART, frozenset({(CASE, 2)})))
        hidden = world.why()
        world.contact()

    assert Why.ON_ITS_WAY is hidden
    assert world.why() is None
    assert {(CASE, 2)} == keys(world)


def test_key_that_is_lost_is_asked_for_though_another_does_not_open(world: GalleryWorld) -> None:
    world.hart.unopened.add(OTHER)
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S)
    world.contact()
    world.contact()
    world.node.disk.galleries[HART].keys.clear()
    world.node.happen(ev.KeysLost(HART, frozenset({(CASE, 2)})))
    world.contact()

    assert world.why() is None


def test_key_that_is_lost_is_asked_for_until_an_answer_has_it(world: GalleryWorld) -> None:
    world.node.disk.galleries[HART].keys.clear()
    world.node.happen(ev.KeysLost(HART, frozenset({(CASE, 2)})))
    answer(world)
    again = held(world)
    world.contact()

    assert (do.Held(HART, 0, is_complete=False),) == again
    assert world.why() is None


def test_office_whose_clock_was_wrong_gives_back_what_that_destroyed(world: GalleryWorld) -> None:
    right_s, world.true_s = world.true_s, 2_208_988_800
    world.contact()
    gone = set(keys(world))
    world.true_s = right_s
    world.contact()
    world.contact()
    world.fetch()

    assert set() == gone
    assert world.why() is None
    assert (do.Held(HART, 2, is_complete=True),) == held(world)


def test_end_of_the_day_offline_leaves_neither_key_nor_photograph(world: GalleryWorld) -> None:
    world.hart.issue(OTHER, NOW_S, NOW_S + DAY_S, ("photograph of another",))
    world.contact()
    world.fetch()
    world.pass_days(1)

    assert {(CASE, 2)} == keys(world)
    assert {"small", "portrait"} == world.node.disk.photographs


def test_leftovers_of_a_power_cut_are_destroyed_at_the_next_start(world: GalleryWorld) -> None:
    world.node.disk.galleries[HART].keys.add((OTHER, 1))
    world.node.disk.photographs.add("nobody's")
    world.off_for_days(0)

    assert {(CASE, 2)} == keys(world)
    assert {"small", "portrait"} == world.node.disk.photographs


def contact_for_hours(world: GalleryWorld) -> None:
    for _ in range(20):
        world.contact()
        world.pass_ms(700_000)


@pytest.mark.parametrize("at", range(8))
def test_withdrawal_survives_a_power_cut_at_each_write(world: GalleryWorld, at: int) -> None:
    """Known is what reached the disk first: the key's end. From then on no boot shows the face."""
    world.hart.withdraw(CASE)
    moments = iter(range(100))

    def cut(_effect: do.Effect) -> None:
        if next(moments) == at:
            raise PowerCutError

    world.node.cut = cut
    with pytest.raises(PowerCutError):
        contact_for_hours(world)
    is_known = set() == keys(world)
    world.node.cut = lambda _effect: None
    world.off_for_days(0)
    world.battery()
    after = world.why()
    world.contact()

    assert (after is not None) is is_known
    assert Why.WITHDRAWN is world.why()
    assert set() == world.node.disk.photographs


def test_ten_thousand_entries_are_taken_and_looked_through(world: GalleryWorld) -> None:
    for case in range(1_000, 11_000):
        world.hart.lines[case] = Line(case, 3, NOW_S, NOW_S + DAY_S, (f"photograph of {case}",))
    world.hart.number = 3
    world.contact()

    assert 10_000 == len(world.node.fetched)
    assert 10_001 == len(keys(world))


def test_title_that_the_office_changes_is_kept(world: GalleryWorld) -> None:
    world.hart.shows_without_proof = True
    world.contact()

    assert world.node.state.galleries[HART].title == world.node.disk.galleries[HART].title
    assert world.node.disk.galleries[HART].title.shows_without_proof


def test_rows_of_the_same_number_are_receipted_only_once_they_are_kept(world: GalleryWorld) -> None:
    """The shop has moved: its rows are other ones, and the number is the same. A power cut must not lose them."""
    number, line = world.hart.number, world.hart.lines[CASE]
    world.node.disk.is_refusing = True
    assert world.node.asked is not None
    whole = ev.GalleryTold(HART, number, world.hart.lease_s, (line,), frozenset({line.key}))
    answer = world.office.answer(world.node.asked, world.node.now_ms, world.true_s)
    world.node.happen(replace(answer, galleries=(whole,)))
    assert [0] == [one.number for one in world.node.asked.held]

    world.node.disk.is_refusing = False
    world.pass_ms(60_000)
    assert [number] == [one.number for one in world.node.asked.held]
