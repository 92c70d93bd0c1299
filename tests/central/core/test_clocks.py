"""N13: one wrong clock, central's own included, makes nothing late, and is told on the page with what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import Recall
from central.core.view import Acknowledge, UndoAcknowledge
from tests.support.central_town import ARCADE, BAKERY, CORNER, CROWN, JONES, PATEL, START, Town, make_directory
from wire.ids import NodeId
from wire.messages import Health, PendingFrame, Sync

pytestmark = pytest.mark.finding(2)


def beat_all(town: Town, gaps_s: dict[NodeId, int | None]) -> None:
    for node, gap_s in gaps_s.items():
        at = None if gap_s is None else town.now_at + timedelta(seconds=gap_s)
        town.handle(ev.HealthArrived(node, Health(state="armed", boot_id="n1", at=at)))


def clock_fault(town: Town) -> str:
    town.later(10)
    return town.board().clock_fault


def test_dated_alert_is_late_if_its_senders_sync_says_so(town: Town) -> None:
    """(c): its clock, proven and ahead by a minute and a half, would make it live."""
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", pending=(PendingFrame(counter=7, age_ms=90_000),))))
    town.press(7, at_s=int(START.timestamp()))

    assert town.card().is_late


def test_sync_makes_no_old_alert_live(town: Town) -> None:
    """Who can delay the frame can delay the sync."""
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", pending=(PendingFrame(counter=7, age_ms=1_000),))))
    town.press(7, at_s=int(START.timestamp()) - 100)

    assert town.card().is_late


@pytest.mark.parametrize("counter", [6, 8])
def test_undated_alert_is_late_if_its_sender_has_said_more_since(town: Town, counter: int) -> None:
    """(b), by the network as well: a broker restored from yesterday has yesterday's frames."""
    town.press(7)
    town.press(counter, at_s=0)

    assert (counter == 6) == town.card(f"00000010-{counter}").is_late


@pytest.mark.parametrize(
    ("gaps_s", "said"),
    [
        ({CORNER: 70, BAKERY: 71, CROWN: 69, ARCADE: 0}, "Central's clock is 70 s behind the clocks of most premises."),
        (
            {CORNER: -1_800, BAKERY: -1_800, CROWN: -1_800},
            "Central's clock is 30 min ahead of the clocks of most premises.",
        ),
        ({CORNER: 70, BAKERY: 70, CROWN: None, ARCADE: None}, ""),
        ({CORNER: 70, BAKERY: 70, CROWN: 0, ARCADE: 0}, ""),
        ({CORNER: 5, BAKERY: 4, CROWN: 5, ARCADE: 5}, ""),
        ({CORNER: 70, BAKERY: 700, CROWN: -70, ARCADE: 7_000}, ""),
    ],
)
def test_page_says_that_centrals_clock_is_wrong_if_most_premises_agree(
    town: Town, gaps_s: dict[NodeId, int | None], said: str
) -> None:
    beat_all(town, gaps_s)
    fault = clock_fault(town)

    assert said == fault[: len(said)]
    assert bool(said) == ("then restart central" in fault)
    beat_all(town, dict.fromkeys(gaps_s, 0))
    assert "" == clock_fault(town)


@pytest.mark.parametrize(("ahead_s", "said"), [(1_800, "forward by 30 min"), (-70, "back by 70 s"), (5, ""), (-5, "")])
def test_page_says_that_the_machines_clock_was_set_while_central_ran(town: Town, ahead_s: int, said: str) -> None:
    for _ in range(11):
        town.now_at += timedelta(seconds=1)
        town.handle(ev.Ticked(timedelta(seconds=ahead_s)))

    assert bool(said) == bool(town.board().clock_fault)
    assert said in town.board().clock_fault


def test_members_are_told_when_the_newest_live_press_was_made(town: Town) -> None:
    """By central's clock alone: a sender's or a receiver's that is wrong is set right by it."""
    said = town.press(7, at_s=int(START.timestamp()) - 3)
    (late,) = [o.state for o in town.press(8, at_s=int(START.timestamp()) - 90) if isinstance(o, do.PublishIncident)]
    town.now_at += timedelta(seconds=20)
    said_again = town.press(9, incident=7)

    states = [o.state for o in (*said, *said_again) if isinstance(o, do.PublishIncident)]
    assert [START - timedelta(seconds=3), town.now_at] == [state.live_at for state in states]
    assert (True, None) == (late.late, late.live_at)


def test_press_on_the_time_of_centrals_earlier_run_is_judged_by_that(town: Town) -> None:
    """Central was half an hour behind, was put right and started again; members have not heard of it yet."""
    half_an_hour = timedelta(minutes=30)
    town.core.handle(ev.Started("boot-2", town.core.directory, b"", Recall(), (-half_an_hour,)), town.now_at)
    pressed_s = int((town.now_at - half_an_hour).timestamp())
    town.press(7, at_s=pressed_s)
    town.press(8, at_s=pressed_s - 100)
    town.now_at += timedelta(days=3)
    town.press(9, at_s=pressed_s + 3 * 86_400)

    assert [False, True, True] == [town.card(f"00000010-{n}").is_late for n in (7, 8, 9)]


@pytest.mark.parametrize("gap", [timedelta(minutes=30), timedelta(minutes=-30)])
def test_members_are_told_the_time_that_a_press_itself_bears_if_central_tells_another(
    town: Town, gap: timedelta
) -> None:
    """They may not have heard yet that central started again with another time: then they can judge by it alone."""
    town.core.handle(ev.Started("boot-2", town.core.directory, b"", Recall(), (gap,)), town.now_at)
    pressed_at = town.now_at + gap
    told = (*town.press(7, at_s=int(pressed_at.timestamp())), *town.press(8, at_s=int(town.now_at.timestamp())))

    states = [o.state for o in (*told, *town.press(9)) if isinstance(o, do.PublishIncident)]
    assert [False] * 3 == [state.late for state in states]
    assert [town.now_at] * 3 == [state.live_at for state in states]
    assert [pressed_at, None, None] == [state.stamped_at for state in states]


@pytest.mark.parametrize("gap", [timedelta(seconds=100), timedelta(minutes=-30)])
def test_age_of_a_live_press_is_never_told_on_an_earlier_runs_time(town: Town, gap: timedelta) -> None:
    """The card and the presser's screen would say that the answer took half an hour, or none."""
    town.core.handle(ev.Started("boot-2", town.core.directory, b"", Recall(), (gap,)), town.now_at)
    town.press(7, at_s=int((town.now_at + gap).timestamp()))
    arrived_at = town.now_at
    town.later(40)
    town.act(Acknowledge("00000010-7"), JONES)

    assert town.card().pressed_at in {None, arrived_at}
    assert 40 == town.card().answered_after_s


def set_back(town: Town, by: timedelta) -> Town:
    """Central stops; its clock is put right; it starts again with what is on its disk."""
    recall = Recall(journal=tuple(town.disk), last_entry=len(town.disk), highest_counters=((CORNER, 7),))
    again = Town(recall, make_directory(), town.now_at - by)
    again.disk = list(town.disk)
    return again


def test_answer_from_before_the_clock_was_set_back_covers_no_press_after_it(town: Town) -> None:
    """Ten minutes later somebody is attacked again, and is asked for again."""
    town.press(7)
    town.act(Acknowledge("00000010-7"), JONES)
    town.later(600)
    again = set_back(town, timedelta(minutes=30))
    again.press(8, incident=7)

    assert "unanswered" == again.card().state


def test_answer_from_before_the_clock_was_set_back_is_none_when_the_next_is_taken_back(town: Town) -> None:
    """It is ten minutes old, and covers no press of now."""
    town.press(7)
    town.act(Acknowledge("00000010-7"), JONES)
    town.press(8, incident=7)
    town.later(600)
    again = set_back(town, timedelta(minutes=30))
    again.act(Acknowledge("00000010-7"), PATEL)
    again.press(9, incident=7)
    again.act(UndoAcknowledge("00000010-7"), PATEL)

    assert "unanswered" == again.card().state


def test_no_seconds_are_told_of_an_answer_that_the_clock_puts_before_its_press(town: Town) -> None:
    town.press(7)
    town.later(40)
    again = set_back(town, timedelta(minutes=30))
    again.act(Acknowledge("00000010-7"), JONES)

    assert ("answered", None) == (again.card().state, again.card().answered_after_s)


def test_board_of_a_start_tells_of_no_wrong_clock(town: Town) -> None:
    """Nobody has been asked for theirs yet."""
    assert "" == town.board().clock_fault
