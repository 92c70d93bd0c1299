"""Liveness (N11): silent after 30 s or at the last will of this boot; faults; directory and sync answers."""

from __future__ import annotations

from datetime import timedelta

from central.core import effects as do
from central.core import events as ev
from central.core.journal import KeptNode, Recall
from central.core.view import Acknowledge, Close
from tests.support.central_town import ARCADE, BAKERY, CORNER, CROWN, START, Town, make_directory, only, opened
from wire.ids import NodeId, node_text
from wire.kinds import AlertKind
from wire.messages import FaultReport, Health, Sync


def beat(town: Town, node: NodeId = CORNER, **more: object) -> list[do.Effect]:
    fields = {"state": "armed", "boot_id": "n1", "directory_serial": 1, **more}
    return town.handle(ev.HealthArrived(node, Health(**fields)))


def line(town: Town, node: NodeId = CORNER) -> object:
    return next(entry for entry in town.board().nodes if entry.node == node_text(node))


def test_node_is_silent_thirty_seconds_after_its_last_sign_of_life(town: Town) -> None:
    beat(town)
    town.later(30)
    before = town.node_state(CORNER)
    town.later(1)

    assert ("ok", "silent") == (before, town.node_state(CORNER))
    assert START == line(town).last_seen_at


def test_node_shows_life_by_any_frame(town: Town) -> None:
    beat(town)
    town.later(40)

    town.press(7)

    assert "ok" == town.node_state(CORNER)


def test_node_is_silent_at_once_at_its_last_will(town: Town) -> None:
    beat(town)

    beat(town, state="lost")

    assert "silent" == town.node_state(CORNER)


def test_node_ignores_the_last_will_of_an_earlier_boot(town: Town) -> None:
    """The broker finds the old link dead only after the node has long restarted."""
    beat(town, boot_id="n1")
    beat(town, boot_id="n2")

    beat(town, boot_id="n1", state="lost")

    assert "ok" == town.node_state(CORNER)


def test_node_that_stops_says_so_and_is_not_called_silent(town: Town) -> None:
    beat(town)
    beat(town, state="stopping")

    town.later(60)

    assert "stopped" == town.node_state(CORNER)


def test_node_shows_its_faults_cleaned(town: Town) -> None:
    beat(town, faults=(FaultReport(part="oled", detail="no answer\u202e from 0x3c", age_ms=5),))

    assert ("fault", ("oled: no answer from 0x3c",)) == (line(town).state, line(town).faults)


def test_node_counts_its_restarts_of_the_last_hour(town: Town) -> None:
    for number in range(4):
        beat(town, boot_id=f"n{number}")

    assert 3 == line(town).restarts
    town.later(3_700)
    beat(town, boot_id="n3", outbox_depth=1)
    assert 0 == line(town).restarts


def test_node_never_seen_stays_so(town: Town) -> None:
    town.later(60)

    assert "never-seen" == town.node_state(BAKERY)


def test_node_seen_before_centrals_start_is_silent_when_its_time_is_up(town: Town) -> None:
    kept = KeptNode(CORNER, START - timedelta(hours=1), "n1")
    again = Town(Recall(nodes=(kept,)))

    before = again.node_state(CORNER)
    again.later(31)

    assert ("never-seen", "silent") == (before, again.node_state(CORNER))


def test_node_is_not_called_silent_because_centrals_clock_was_set(town: Town) -> None:
    """NTP sets a clock by hours; nobody fell silent through it."""
    for jump in (timedelta(hours=5), timedelta(hours=-9)):
        beat(town)
        town.later(1)
        town.now_at += jump
        town.later(2)

        assert "ok" == town.node_state(CORNER)
        town.later(40)
        assert "silent" == town.node_state(CORNER)


def test_node_heartbeats_alone_make_no_changes(town: Town) -> None:
    """Thousands of them would be most of the live feed."""
    beat(town)

    assert [] == only(beat(town) + beat(town), do.ShowChange)


def test_node_outside_the_directory_is_counted(town: Town) -> None:
    beat(town, NodeId(0x99))

    assert 1 == town.rejected()["unknown sender", "00000099"]


def test_node_with_an_older_directory_is_sent_the_newest_once_in_a_while(town: Town) -> None:
    data = make_directory(2)
    town.handle(ev.DirectoryChanged(opened(data), data))

    sent = [only(beat(town), do.SendDirectory) for _ in range(3)]
    town.later(31)

    assert [[do.SendDirectory(CORNER, data)], [], []] == sent
    assert [do.SendDirectory(CORNER, data)] == only(beat(town), do.SendDirectory)
    assert [] == only(beat(town, directory_serial=2), do.SendDirectory)


def test_directory_goes_to_every_living_node_when_it_is_new(town: Town) -> None:
    beat(town, CORNER)
    beat(town, CROWN)
    data = make_directory(2, revoked=(BAKERY,))

    said = town.handle(ev.DirectoryChanged(opened(data), data))

    assert {CORNER, CROWN} == {order.node for order in only(said, do.SendDirectory)}


def test_directory_that_is_large_is_spread_over_seconds(town: Town) -> None:
    """5,000 nodes times a megabyte must not stand before an alert."""
    for node in (CORNER, BAKERY, CROWN, ARCADE):
        beat(town, node)
    data = make_directory(2)

    said = town.handle(ev.DirectoryChanged(opened(data), data.ljust(5_000_000)))

    assert 2 == len(only(said, do.SendDirectory))
    assert 2 == len(only(town.later(1), do.SendDirectory))


def test_directory_that_is_refused_changes_nothing_and_is_counted(town: Town) -> None:
    town.handle(ev.DirectoryRefused("directory signature"))

    assert 1 == town.rejected()["directory signature", "directory file"]
    assert 4 == len(town.board().nodes)


def test_directory_without_a_node_takes_it_off_the_board(town: Town) -> None:
    data = make_directory(2, without=(CROWN,))

    town.handle(ev.DirectoryChanged(opened(data), data))

    assert {"00000010", "00000011", "00000013"} == {entry.node for entry in town.board().nodes}


def test_sync_is_answered_with_floor_and_incidents_own_first(town: Town) -> None:
    town.press(3, node=BAKERY, kind=AlertKind.THEFT)
    town.press(4, node=BAKERY, kind=AlertKind.ATTACK)
    town.press(5, node=CROWN)
    town.press(6, node=BAKERY, kind=AlertKind.CALL_REQUEST)
    town.press(7)
    town.press(8)
    town.act(Close("00000010-7", "all well"))

    said = town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1")))

    answer = only(said, do.SendSyncAnswer)[0].answer
    assert ("boot-1", 8) == (answer.boot_id, answer.counter_floor)
    found = [(state.incident, state.state) for state in answer.incidents]
    own = [("00000010-8", "unanswered"), ("00000010-7", "closed")]
    assert [*own, ("00000011-4", "unanswered"), ("00000011-3", "unanswered")] == found


def test_sync_forgets_own_incidents_a_day_after_their_end(town: Town) -> None:
    town.press(7)
    town.act(Acknowledge("00000010-7"))
    town.act(Close("00000010-7", "all well"))
    town.later(86_402)

    said = town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1")))

    assert () == only(said, do.SendSyncAnswer)[0].answer.incidents


def test_sync_asked_too_often_is_answered_at_the_next_tick(town: Town) -> None:
    said = [town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1"))) for _ in range(5)]

    assert [1, 0, 0, 0, 0] == [len(only(orders, do.SendSyncAnswer)) for orders in said]
    assert 1 == len(only(town.later(1), do.SendSyncAnswer))


def test_central_says_every_ten_seconds_that_it_is_there(town: Town) -> None:
    town.later(1)
    said = only(town.later(30), do.PublishStatus)

    assert ["hart", "pubwatch"] * 3 == [order.scheme for order in said]
    assert all(order.status.expires_at - order.status.at == timedelta(seconds=30) for order in said)


def test_board_says_whether_the_broker_is_linked(town: Town) -> None:
    states = [town.board().is_broker_linked]
    for event in (ev.LinkUp(), ev.LinkDown("refused")):
        town.handle(event)
        states.append(town.board().is_broker_linked)

    assert [False, True, False] == states
