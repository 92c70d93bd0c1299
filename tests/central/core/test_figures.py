"""The month's figures: availability of each path and delivery time, by premises (N11)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from central.core import effects as do
from central.core.figures import BOUNDS_S, KEPT_PER_TICK_MAX, Count, first_day_recalled
from central.core.journal import KeptFigures, Recall
from central.core.unit_lines import PathFigures
from tests.support.central_town import BAKERY, CORNER, START, RadioState, Town, make_directory, only, radio_town
from wire.ids import NodeId
from wire.kinds import Path


def figures_if_any(town: Town, node: NodeId, path: str = "network", month: str = "2026-11") -> PathFigures | None:
    """Of the newest line that could be told now."""
    found = town.core._paths.figures.of(node, town.now_at)
    return next((one for one in found if (one.path, one.month) == (path, month)), None)


def figures(town: Town, node: NodeId, path: str = "network", month: str = "2026-11") -> PathFigures:
    """The same, of which there are some."""
    found = figures_if_any(town, node, path, month)
    assert found is not None
    return found


def live(town: Town, minutes: int, *nodes: NodeId, radio: RadioState = "") -> list[do.Effect]:
    """So long; these give signs of life."""
    said: list[do.Effect] = []
    for _ in range(minutes * 3):
        for node in nodes:
            town.beat(node, radio)
        said += town.later(20)
    return said


def test_availability_is_the_share_of_minutes_with_signs_of_life() -> None:
    town = Town()
    live(town, 9, CORNER, BAKERY)
    live(town, 3, BAKERY)

    corner, bakery = figures(town, CORNER), figures(town, BAKERY)
    assert (12, 12, 100.0) == (corner.watched_minutes, bakery.watched_minutes, bakery.available_percent)
    # Silence counts from when it is noticed, half a minute after the last sign of life.
    assert corner.available_percent is not None
    assert 75.0 <= corner.available_percent <= 84.0


def test_premises_that_was_never_heard_of_has_no_figures() -> None:
    """A unit that is still in its box is not unavailable."""
    town = Town()
    live(town, 5, CORNER)

    assert figures_if_any(town, BAKERY) is None


def test_radio_is_available_while_its_last_test_came_back() -> None:
    town = Town()
    live(town, 6, CORNER, radio="ready")
    live(town, 2, CORNER, radio="fault")

    assert (8, 75.0) == (
        figures(town, CORNER, "radio").watched_minutes,
        figures(town, CORNER, "radio").available_percent,
    )


def test_radio_that_only_listens_is_not_watched() -> None:
    town = Town()
    live(town, 3, CORNER, radio="listening")

    assert figures_if_any(town, CORNER, "radio") is None


def test_radio_that_was_heard_counts_while_the_network_is_down() -> None:
    """That is when it is for."""
    town = radio_town()
    live(town, 1, BAKERY)
    town.hear(town.alert())
    live(town, 3, BAKERY)

    found = figures(town, CORNER, "radio")
    assert (1, 100.0) == (found.frames, found.available_percent)


@pytest.mark.parametrize(
    ("waits_s", "median_s", "most_s"),
    [
        ([0], 1, 1),
        ([1, 1, 1, 40], 1, 45),
        ([2] * 19 + [40], 2, 2),
        ([2] * 18 + [40] * 2, 2, 45),
        ([3, 400], 3, None),
        ([400], None, None),
    ],
)
def test_delivery_time_is_from_the_press_to_the_commit(
    waits_s: list[int], median_s: int | None, most_s: int | None
) -> None:
    town = Town()
    for counter, wait_s in enumerate(waits_s, start=1):
        town.press(counter, at_s=int(town.now_at.timestamp()) - wait_s)

    found = figures(town, CORNER)
    assert (len(waits_s), median_s, most_s) == (found.deliveries, found.median_s, found.most_s)
    assert sum(wait > 60 for wait in waits_s) == found.late


def test_delivery_of_a_press_without_a_proven_time_is_not_counted() -> None:
    town = Town()
    town.press(7, at_s=0)
    town.press(8, at_s=int(town.now_at.timestamp()) + 600)

    assert (2, 0, None) == (
        figures(town, CORNER).frames,
        figures(town, CORNER).deliveries,
        figures(town, CORNER).median_s,
    )


def test_figures_are_kept_every_five_minutes_and_come_back() -> None:
    town = Town()
    town.press(7)
    said = live(town, 11, CORNER)
    kept = [row for order in only(said, do.KeepFigures) for row in order.figures]
    newest = {(row.node, row.path): row for row in kept}

    restarted = Town(Recall(figures=tuple(newest.values())), now_at=town.now_at)

    assert 2 == len([row for row in kept if row.node == CORNER])
    found = figures(restarted, CORNER)
    assert (10, 1, 1) == (found.watched_minutes, found.frames, found.median_s)


def test_figures_of_a_big_town_are_kept_a_slice_a_second() -> None:
    """The disk's queue is the alerts': five thousand rows at once would stand in their way."""
    rows = tuple(
        KeptFigures(START.date(), NodeId(n), Path.NETWORK, 1, 1, 0, 0, (0,) * (len(BOUNDS_S) + 1))
        for n in range(1, 2 * KEPT_PER_TICK_MAX + 8)
    )
    town = Town(Recall(figures=rows))
    said = [only(town.later(1), do.KeepFigures) for _ in range(310)]
    sizes = [len(order.figures) for orders in said for order in orders]

    assert [KEPT_PER_TICK_MAX, KEPT_PER_TICK_MAX, 7] == sizes


def test_new_day_adds_the_old_one_to_its_month_and_a_new_month_keeps_the_last() -> None:
    town = Town(now_at=START)
    town.press(7)
    town.now_at += timedelta(minutes=30)
    town.press(8)
    assert 2 == figures(town, CORNER).frames

    town.now_at += timedelta(days=3)
    town.press(9)
    assert (2, 1) == (figures(town, CORNER).frames, figures(town, CORNER, month="2026-12").frames)

    town.now_at += timedelta(days=40)
    town.press(10)
    assert figures_if_any(town, CORNER) is None


def test_line_has_this_months_figures_first() -> None:
    town = Town(Recall(figures=(row := _row(date(2026, 10, 3)), _row(date(2026, 11, 3)), _row(START.date()))))
    town.beat(CORNER)

    assert [("2026-11", 20), ("2026-10", 10)] == [(one.month, one.watched_minutes) for one in town.line(CORNER).figures]
    assert 10 == row.watched_minutes


def _row(day: date) -> KeptFigures:
    return KeptFigures(day, CORNER, Path.NETWORK, 10, 9, 1, 0, (1,) + (0,) * len(BOUNDS_S))


def test_figures_of_an_older_program_with_other_bounds_keep_their_minutes() -> None:
    row = KeptFigures(START.date(), CORNER, Path.NETWORK, 10, 9, 4, 1, (4, 0))
    town = Town(Recall(figures=(row,)), make_directory())

    found = figures(town, CORNER)
    assert (90.0, 4, 0, None) == (found.available_percent, found.frames, found.deliveries, found.median_s)


def test_first_day_recalled_is_the_first_of_last_month() -> None:
    assert date(2026, 10, 1) == first_day_recalled(START)
    assert date(2025, 12, 1) == first_day_recalled(START.replace(month=1))


def test_within_is_none_without_deliveries() -> None:
    assert Count().within_s(0.5) is None
