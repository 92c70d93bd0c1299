"""N13: one wrong clock, wherever it is: every cell of the matrix, against the rule and against the truth."""

from __future__ import annotations

import itertools

import pytest

from sim.people import Gesture, make_gesture
from sim.plants import Plant
from sim.town import Town
from sim.wrong_clocks import Cell, Seen, Way, Who, play

pytestmark = pytest.mark.finding(2)
ERRORS = [(70, False), (-70, False), (1_800, False), (-1_800, False), (70, True), (-1_800, True)]
AGES_S = (0, 100, 1_000)
"""Live, late, and too old to sound (15 minutes) by either of two clocks 70 s apart."""


def cells(who: Who, error_s: int, *, is_step: bool) -> list[Cell]:
    return [
        Cell(who, error_s, is_step, way, is_alive, age_s)
        for way, is_alive, age_s in itertools.product(Way, (True, False), AGES_S)
    ]


def own_behind_s(cell: Cell) -> int:
    """How far the neighbour's own clock is behind central's time, on which the press was stamped."""
    if cell.who is Who.NEIGHBOUR:
        return -cell.error_s
    # What is set while central runs does not move its time.
    return cell.error_s if cell.who is Who.CENTRAL and not cell.is_step else 0


def is_late_by_rule(cell: Cell) -> bool:
    """Written out anew: by two scales, and by central's word where central had it just then as well."""
    ages_s = [cell.age_s, cell.age_s - own_behind_s(cell)]
    if cell.is_central_alive and cell.way in (Way.NETWORK, Way.RADIO, Way.RELAY):
        return cell.age_s > 60
    return any(age_s > 60 for age_s in ages_s) and not any(-5 <= age_s <= 60 for age_s in ages_s)


@pytest.mark.parametrize("who", Who)
@pytest.mark.parametrize(("error_s", "is_step"), ERRORS)
def test_late_and_live_are_told_apart_by_the_rule(who: Who, error_s: int, *, is_step: bool) -> None:
    for cell in cells(who, error_s, is_step=is_step):
        is_late, is_young = is_late_by_rule(cell), cell.age_s < 900
        wanted = Seen(
            is_shown=True,
            is_late=is_late,
            is_inverted=not is_late,
            is_heard=is_young,
            offers_coming=is_young,
        )

        assert wanted == play(cell), cell


def test_rule_is_the_truth_except_where_a_minute_old_looks_new_by_one_of_two_clocks() -> None:
    """Nothing live is ever late. What remains: over a minute old, and our own clock behind by nearly as much."""
    everything = [c for who in Who for error_s, is_step in ERRORS for c in cells(who, error_s, is_step=is_step)]
    untrue = [cell for cell in everything if is_late_by_rule(cell) != (cell.age_s > 60)]

    assert 540 == len(everything)
    assert {(100, 70)} == {(cell.age_s, own_behind_s(cell)) for cell in untrue}
    assert 14 == len(untrue)


def test_matrix_finds_a_node_that_believes_centrals_clock_alone() -> None:
    cell = Cell(Who.CENTRAL, 70, is_step=False, way=Way.NETWORK, is_central_alive=False, age_s=0)

    assert not play(cell).is_late
    assert play(cell, Plant.CENTRALS_CLOCK_ALONE).is_late


def until(town: Town, moment_ms: int) -> None:
    town.timeline.run_until(moment_ms, town.invariants.after_each)


@pytest.mark.parametrize("error_s", [-1_800, 1_800, 70])
def test_press_while_central_is_put_right_and_started_again_is_live(error_s: int) -> None:
    """What the page tells its operator to do; the press waits at the broker, on the time of the run before."""
    town = Town(1, 2)
    town.central.clock_error_s = error_s
    town.start()
    until(town, 15_000)
    town.central.crash(down_ms=20_000)
    town.central.clock_error_s = 0
    make_gesture(town, town.nodes[0], Gesture.HOLD_ATTACK)
    until(town, 50_000)

    (entry,) = town.central.disk.frames.values()
    assert not entry.is_late
    (card,) = town.central.cards.values()
    assert not card.is_late
    screen = town.nodes[1].state.screen  # type: ignore[union-attr]
    assert screen is not None
    assert not any("LATE" in line for line in screen.lines)


def test_presser_that_booted_without_contact_with_a_wrong_clock_looks_late_and_sounds_all_the_same() -> None:
    """What remains: its own proven clock is all that it has, and it is wrong by over a minute."""
    town = Town(1, 2)
    presser, neighbour = town.nodes
    town.start()
    until(town, 15_000)
    town.broker.cut(presser.id)
    presser.set_clock(-70, is_proven=True)
    presser.crash(is_power_cut=True, down_ms=2_000)
    until(town, 25_000)
    make_gesture(town, presser, Gesture.HOLD_ATTACK)
    until(town, 28_000)
    neighbour.hear(presser.disk.rows[max(presser.disk.rows)].data)
    until(town, 29_000)

    state = neighbour.state
    assert state is not None
    assert state.screen is not None
    assert state.screen.lines[0].startswith("LATE ")
    assert state.screen.lines[1].endswith("▲Seen ►Coming")
    assert state.sounding is not None


@pytest.mark.parametrize(("down_s", "is_late"), [(20, False), (120, True)])
def test_press_before_a_power_cut_is_judged_by_its_own_time_where_no_clock_is_proven(
    down_s: int, *, is_late: bool
) -> None:
    """The node knows neither how long it was without power nor how old the press is; central's time in it tells."""
    town = Town(1, 2)
    presser = town.nodes[0]
    presser.set_clock(0, is_proven=False)
    town.start()
    until(town, 15_000)
    town.broker.cut(presser.id)
    make_gesture(town, presser, Gesture.HOLD_ATTACK)
    until(town, 18_000)
    town.broker.mend(presser.id)
    presser.crash(is_power_cut=True, down_ms=down_s * 1_000)
    until(town, 30_000 + down_s * 1_000)

    (entry,) = town.central.disk.frames.values()
    assert is_late == entry.is_late
