"""Liveness (N11): no contact after 30 s or at the last will of this boot; faults; directory and sync answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import KeptNode, Recall
from central.core.nodes import NodeRecord
from central.core.repeats import Repeats
from central.core.timing import Timing
from central.core.view import Acknowledge, Close, NodeLine
from tests.support.central_town import ARCADE, BAKERY, CORNER, CROWN, START, Town, make_directory, only, opened
from wire.ids import NodeId, node_text
from wire.kinds import AlertKind
from wire.messages import FaultReport, Health, PendingFrame, Sync


def beat(
    town: Town,
    node: NodeId = CORNER,
    *,
    state: Literal["armed", "stopping", "lost"] = "armed",
    boot_id: str = "n1",
    directory_serial: int = 1,
    outbox_depth: int = 0,
    faults: tuple[FaultReport, ...] = (),
) -> list[do.Effect]:
    health = Health(
        state=state, boot_id=boot_id, directory_serial=directory_serial, outbox_depth=outbox_depth, faults=faults
    )
    return town.handle(ev.HealthArrived(node, health))


def line(town: Town, node: NodeId = CORNER) -> NodeLine:
    return next(entry for entry in town.board().nodes if entry.node == node_text(node))


def test_node_is_out_of_contact_thirty_seconds_after_its_last_sign_of_life(town: Town) -> None:
    beat(town)
    town.later(30)
    before = town.node_state(CORNER)
    town.later(1)

    assert ("ok", "no-contact") == (before, town.node_state(CORNER))
    assert START == line(town).last_seen_at


def test_node_shows_life_by_any_frame(town: Town) -> None:
    beat(town)
    town.later(40)

    town.press(7)

    assert "ok" == town.node_state(CORNER)


def test_node_that_showed_life_by_a_frame_alone_has_been_seen_also_after_a_restart(town: Town) -> None:
    town.press(7)

    assert [CORNER] == [node.node for order in only(town.later(301), do.KeepNodes) for node in order.nodes]


def test_node_that_showed_no_more_life_is_not_written_again(town: Town) -> None:
    """A town of thousands is on disk once, not every five minutes."""
    beat(town)
    town.later(301)
    beat(town, BAKERY)

    assert [BAKERY] == [node.node for order in only(town.later(301), do.KeepNodes) for node in order.nodes]


def test_node_is_out_of_contact_at_once_at_its_last_will(town: Town) -> None:
    beat(town)

    beat(town, state="lost")

    assert "no-contact" == town.node_state(CORNER)


def test_node_ignores_the_last_will_of_an_earlier_boot(town: Town) -> None:
    """The broker finds the old link dead only after the node has long restarted."""
    beat(town, boot_id="n1")
    beat(town, boot_id="n2")

    beat(town, boot_id="n1", state="lost")

    assert "ok" == town.node_state(CORNER)


def test_node_that_stops_says_so_and_is_not_called_out_of_contact(town: Town) -> None:
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


def test_node_seen_before_centrals_start_is_out_of_contact_when_its_time_is_up(town: Town) -> None:
    kept = KeptNode(CORNER, START - timedelta(hours=1), "n1")
    again = Town(Recall(nodes=(kept,)))

    before = again.node_state(CORNER)
    again.later(31)

    assert ("never-seen", "no-contact") == (before, again.node_state(CORNER))


def test_node_is_not_called_silent_because_centrals_clock_was_set(town: Town) -> None:
    """NTP sets a clock by hours; nobody fell silent through it."""
    for jump in (timedelta(hours=5), timedelta(hours=-9)):
        beat(town)
        town.later(1)
        town.now_at += jump
        town.later(2)

        assert "ok" == town.node_state(CORNER)
        town.later(40)
        assert "no-contact" == town.node_state(CORNER)


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


def test_directory_that_fills_a_second_is_sent_once_in_it() -> None:
    data = make_directory(2)
    town = Town(timing=Timing(directory_bytes_per_tick=len(data)))
    for node in (CORNER, BAKERY):
        beat(town, node)

    said = town.handle(ev.DirectoryChanged(opened(data), data))

    assert [1, 1] == [len(only(orders, do.SendDirectory)) for orders in (said, town.later(1))]


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
    town.later(86_402, tick_s=30)

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


@pytest.mark.finding(1)
def test_health_that_a_broker_kept_makes_no_dead_node_live(town: Town) -> None:
    """Also one of an earlier run, which would look like a second unit with the same card."""

    def say(boot_id: str, uptime_ms: int) -> str:
        health = Health(state="armed", boot_id=boot_id, uptime_ms=uptime_ms)
        town.handle(ev.HealthArrived(CORNER, health, is_signed=True))
        return town.node_state(CORNER)

    say("run-1", 70_000)
    assert "ok" == say("run-2", 5_000)
    assert "ok" == say("run-2", 15_000)
    town.later(60)
    assert {"no-contact"} == {say("run-2", 15_000), say("run-2", 5_000), say("run-1", 70_000)}
    assert 3 == town.rejected()["old health", "00000010"]

    assert "ok" == say("run-2", 75_000)


@pytest.mark.finding(1)
def test_sync_that_a_broker_kept_is_not_taken_again(town: Town) -> None:
    """It would give the alerts that waited then an age of now."""
    kept = ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="5" * 32), is_signed=True)
    town.handle(kept)
    town.later(60)

    assert [] == [order for order in town.handle(kept) if isinstance(order, do.SendSyncAnswer)]
    assert 1 == town.rejected()["old sync", "00000010"]


def test_parts_of_one_sync_are_all_taken(town: Town) -> None:
    """They bear one nonce."""
    for part in (1, 2):
        town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="5" * 32, part=part, parts=2), is_signed=True))

    assert ("old sync", "00000010") not in town.rejected()


@pytest.mark.finding(1)
def test_kept_sync_of_an_earlier_run_makes_no_second_unit_of_one(town: Town) -> None:
    """Central forgets nonces when it starts; and what waits at a new run is told before its first health."""
    for number in range(3):
        town.handle(ev.SyncArrived(CORNER, Sync(boot_id="run-1", nonce=f"{number}" * 32), is_signed=True))
        health = Health(state="armed", boot_id="run-2", uptime_ms=5_000 * (number + 1))
        town.handle(ev.HealthArrived(CORNER, health, is_signed=True))
    assert "ok" == town.node_state(CORNER)

    waiting = (PendingFrame(counter=7, age_ms=62_000),)
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="run-3", nonce="a" * 32, pending=waiting), is_signed=True))
    town.handle(ev.HealthArrived(CORNER, Health(state="armed", boot_id="run-3", uptime_ms=900), is_signed=True))
    town.press(7, at_s=0)
    assert town.card().is_late


@pytest.mark.finding(1)
@pytest.mark.parametrize("delay_s", [100, 7_200])
def test_health_that_nobody_was_let_hear_makes_no_dead_node_live(town: Town, delay_s: int) -> None:
    """Nor does a question: what a unit said before it died is no sign that it lives."""

    def say(uptime_ms: int) -> str:
        health = Health(state="armed", boot_id="n1", uptime_ms=uptime_ms)
        town.handle(ev.HealthArrived(CORNER, health, is_signed=True))
        return town.node_state(CORNER)

    assert "ok" == say(10_000)
    town.later(delay_s)

    assert "no-contact" == say(20_000)
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce="5" * 32), is_signed=True))
    assert "no-contact" == town.node_state(CORNER)
    assert "ok" == say(10_000 + 1_000 * delay_s)


@pytest.mark.finding(1)
@pytest.mark.parametrize("has_time", [True, False])
def test_alert_that_was_kept_back_makes_no_dead_node_live(town: Town, *, has_time: bool) -> None:
    """It is taken in and told, and whoever looks for its unit still knows that it is not heard."""
    health = Health(state="armed", boot_id="n1", uptime_ms=10_000)
    town.handle(ev.HealthArrived(CORNER, health, is_signed=True))
    at_s = int(town.now_at.timestamp()) * has_time
    town.later(100)
    town.press(7, AlertKind.ATTACK, at_s=at_s)

    assert "attack" == town.card().kind
    assert "no-contact" == town.node_state(CORNER)


def test_health_under_way_for_a_while_and_clocks_that_drift_or_are_set_count() -> None:
    repeats, day_ms = Repeats(), 86_400_000

    def is_new(uptime_ms: int, after: timedelta) -> bool:
        return repeats.is_health_new(Health(state="armed", boot_id="n1", uptime_ms=uptime_ms), START + after)

    assert is_new(10_000, timedelta())
    assert is_new(25_000, timedelta(seconds=40))
    assert is_new(10 * day_ms - 60_000, timedelta(days=10))
    assert not is_new(10 * day_ms, timedelta(days=10, minutes=3))
    repeats.shift(timedelta(hours=1))
    assert is_new(10 * day_ms + 10_000, timedelta(days=10, hours=1))


@pytest.mark.finding(1)
def test_health_kept_back_makes_no_dead_node_live_however_long_it_was_up() -> None:
    repeats, month_ms = Repeats(), 30 * 86_400_000

    def is_new(uptime_ms: int, after_s: float) -> bool:
        health = Health(state="armed", boot_id="n1", uptime_ms=uptime_ms)
        return repeats.is_health_new(health, START + timedelta(seconds=after_s))

    assert is_new(month_ms, 0)
    assert not is_new(month_ms + 10_000, 110)


def test_clock_of_a_node_may_run_slow_for_ever() -> None:
    """200 parts in a million, as a poor crystal does: it must not be out of contact after a week."""
    repeats, hour_s = Repeats(), 3_600
    news = [
        repeats.is_health_new(
            Health(state="armed", boot_id="n1", uptime_ms=int(hour * hour_s * 1_000 * (1 - 0.0002))),
            START + timedelta(hours=hour),
        )
        for hour in range(1, 24 * 60)
    ]
    assert {True} == set(news)


@pytest.mark.parametrize("is_proven", [True, False])
def test_board_says_whether_alerts_have_a_connection_of_their_own(town: Town, is_proven: bool) -> None:  # noqa: FBT001
    town.handle(ev.LaneChanged(not is_proven))
    town.handle(ev.LaneChanged(is_proven))
    town.later(1)

    assert is_proven is town.board().has_alerts_lane


@pytest.mark.parametrize(("serial", "is_sent"), [(0, True), (1, False)])
def test_sync_that_names_an_older_directory_is_given_ours(town: Town, serial: int, is_sent: bool) -> None:  # noqa: FBT001
    said = town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", directory_serial=serial)))

    assert is_sent == bool(only(said + town.later(2), do.SendDirectory))


@pytest.mark.finding(12)
def test_unit_that_cannot_be_looked_at_keeps_no_other_from_being_out_of_contact(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = NodeRecord.state

    def failing(self: NodeRecord, *rest: object) -> str:
        if self.node == CORNER:
            raise ZeroDivisionError
        return state(self, *rest)  # type: ignore[arg-type]

    for node in (CORNER, BAKERY):
        town.beat(node)
    monkeypatch.setattr(NodeRecord, "state", failing)
    town.now_at += timedelta(seconds=31)
    said = town.core.handle(ev.Ticked(), town.now_at)

    (change,) = (order.change for order in only(said, do.ShowChange))
    assert [("00000011", "no-contact")] == [(line.node, line.state) for line in change.nodes]
    assert ["watch of 00000010"] == [order.what for order in only(said, do.SetAside)]
