"""Both paths of each premises, supervised: the radio's own report, its tests, the weekly test (N11, N12)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core.journal import KeptPath, Recall
from central.core.timing import Timing
from central.core.view import Acknowledge
from tests.support.central_town import (
    BAKERY,
    CORNER,
    GATEWAY,
    JONES,
    START,
    RadioState,
    Town,
    make_directory,
    only,
    radio_town,
)
from wire.ids import FrameId
from wire.kinds import AlertKind, AnswerState, Role


@pytest.fixture
def days() -> Town:
    """The same, with a clock that may go on by minutes at a time."""
    return radio_town(timing=Timing(clock_step=timedelta(hours=1)))


def beats(town: Town, hours: float, state: RadioState, tested_age_ms: int | None = None) -> None:
    """The bakery lives on so long, and says this of its radio every ten minutes."""
    for _ in range(int(hours * 6)):
        town.now_at += timedelta(minutes=10) - timedelta(seconds=1)
        town.later(1)
        town.beat(BAKERY, state, tested_age_ms=tested_age_ms)


def test_line_says_what_the_node_says_of_its_radio(air: Town) -> None:
    """N11: visible at central as it is at the node; a premises without a radio has none."""
    air.beat(CORNER, "listening")
    air.beat(BAKERY, "ready", tested_age_ms=3_600_000, busy_percent=37)
    radio = air.radio(BAKERY)

    assert ("ready", START - timedelta(hours=1), 30) == (radio.state, radio.tested_at, radio.busy_percent)
    assert "listening" == air.radio(CORNER).state
    assert (True, False) == (air.line(GATEWAY).is_gateway, air.line(BAKERY).is_gateway)
    air.beat(CORNER)
    assert air.line(CORNER).radio is None


def test_radio_that_was_heard_and_never_told_of_is_on_an_idle_channel(air: Town) -> None:
    """Its node cannot say so without its network; nor can anybody say that the channel is busy."""
    air.hear(air.alert(7))

    assert 0 == air.radio(CORNER).busy_percent


def test_heartbeat_that_says_the_same_of_the_radio_changes_nothing(air: Town) -> None:
    """Thousands of them a minute: the page is told of changes, not of ages and small percentages."""
    air.beat(BAKERY, "ready", tested_age_ms=60_000, busy_percent=31)
    air.later(10)

    assert [] == only(air.beat(BAKERY, "ready", tested_age_ms=70_350, busy_percent=38), do.ShowChange)
    assert [] != only(air.beat(BAKERY, "ready", tested_age_ms=80_000, busy_percent=41), do.ShowChange)


def test_radio_whose_test_does_not_come_back_for_a_day_is_overdue(days: Town) -> None:
    beats(days, 25, "ready", tested_age_ms=0)
    assert not days.radio(BAKERY).is_test_overdue

    last = days.now_at
    for hour in range(1, 28):
        for _ in range(6):
            age_ms = int((days.now_at - last + timedelta(minutes=10)).total_seconds() * 1000)
            beats(days, 1 / 6, "untested", tested_age_ms=age_ms)
        assert (hour >= 27) == days.radio(BAKERY).is_test_overdue, hour
    assert last == days.radio(BAKERY).tested_at

    beats(days, 1, "ready", tested_age_ms=0)
    assert not days.radio(BAKERY).is_test_overdue


def test_radio_that_never_had_a_test_is_overdue_after_half_an_hour(days: Town) -> None:
    beats(days, 0.5, "untested")
    assert not days.radio(BAKERY).is_test_overdue
    beats(days, 0.5, "untested")
    assert days.radio(BAKERY).is_test_overdue


@pytest.mark.parametrize("state", ["listening", "fault"])
def test_radio_that_cannot_transmit_has_no_overdue_test(days: Town, state: RadioState) -> None:
    """It says what is wrong; a second warning for the same thing would hide another."""
    beats(days, 2, "untested")
    beats(days, 1, state)

    assert not days.radio(BAKERY).is_test_overdue


def test_blocked_channel_shows_since_when_an_alert_waits(air: Town) -> None:
    """Jamming, or a stuck transmitter: the operator at 23:40 must learn of it from central (N10)."""
    air.later(30)
    air.beat(BAKERY, "ready", blocked_ms=12_000)
    since = air.radio(BAKERY).blocked_since
    air.later(10)
    air.beat(BAKERY, "ready", blocked_ms=22_350)

    assert START + timedelta(seconds=18) == since == air.radio(BAKERY).blocked_since
    air.beat(BAKERY, "ready")
    assert air.radio(BAKERY).blocked_since is None


def test_line_says_when_the_radio_was_heard_and_by_whom(air: Town) -> None:
    air.hear(air.alert(), BAKERY)
    air.later(5)
    air.hear(air.alert(8), GATEWAY)

    radio = air.radio(CORNER)
    assert ("unknown", START + timedelta(seconds=5)) == (radio.state, radio.heard_at)
    assert ("Control room radio", "Bakery") == radio.heard_by


def test_replay_of_an_old_frame_does_not_make_a_dead_radio_look_alive(air: Town) -> None:
    air.hear(air.alert())
    air.later(300)
    air.beat(BAKERY, "untested")
    air.hear(air.alert(at_s=int(START.timestamp())))

    assert START == air.radio(CORNER).heard_at


def test_alert_by_network_played_back_over_the_air_much_later_proves_nothing_of_the_radio(air: Town) -> None:
    air.press(7)
    air.later(300)
    air.beat(BAKERY, "untested")
    air.hear(air.alert(at_s=int(START.timestamp()), kind=AlertKind.ASSIST))
    air.later(1)

    assert air.line(CORNER).radio is None
    assert ("network",) == air.card().paths
    assert ["network"] == [one.path for one in air.core._paths.figures.of(CORNER, air.now_at)]


def test_clock_that_is_set_makes_no_test_overdue(air: Town) -> None:
    air.beat(BAKERY, "ready", tested_age_ms=0)
    air.later(2)
    air.now_at += timedelta(days=30)
    air.later(2)

    assert not air.radio(BAKERY).is_test_overdue


# The weekly test (N12).


def test_weekly_test_is_acknowledged_without_a_person_and_leaves_the_page_by_itself(air: Town) -> None:
    """Tests are no cards that somebody has to close, and the presser sees an answer within a second."""
    air.press(7, AlertKind.TEST)
    said = air.later(1)

    automatic = ("watchlink", "automatic")
    by = air.card().answered_by
    assert by is not None
    assert ("answered", automatic) == (air.card().state, (by.role, by.name))
    assert [
        do.SendAcknowledgement(CORNER, FrameId(CORNER, 7), Role.CO_ORDINATOR, AnswerState.ANSWERED, "automatic")
    ] == only(said, do.SendAcknowledgement)

    air.later(115)
    assert "answered" == air.card().state
    air.later(10)
    assert ("closed", "Test arrived and was acknowledged") == (air.card().state, air.card().outcome)


def test_weekly_test_over_the_air_is_acknowledged_over_the_air(air: Town) -> None:
    """N12: the test goes the whole way over both paths."""
    air.later(1)
    air.hear(air.alert(kind=AlertKind.TEST))
    said = air.later(1)

    assert [GATEWAY] == [o.air for o in only(said, do.SendAcknowledgement)]


def test_test_that_became_an_attack_is_for_a_person(air: Town) -> None:
    """N2: nothing answers a real press but somebody on duty."""
    air.press(7, AlertKind.TEST)
    air.later(1)
    air.press(8, AlertKind.ATTACK, incident=7)
    air.later(300)

    assert ("unanswered", "attack") == (air.card().state, air.card().kind)


def test_test_that_becomes_an_attack_on_its_way_to_disk_is_for_a_person(air: Town) -> None:
    """Judged at the last moment, not when it was found."""
    air.press(7, AlertKind.TEST)
    air.is_disk_slow = True
    air.press(8, AlertKind.ATTACK, incident=7)
    air.later(1)
    air.commit()

    assert ("unanswered", "attack") == (air.card().state, air.card().kind)


def test_drill_of_an_attack_is_for_a_person(air: Town) -> None:
    air.press(7, AlertKind.ATTACK, drill=True)
    air.later(300)

    assert "unanswered" == air.card().state


def test_test_that_a_person_answered_is_theirs_to_close(air: Town) -> None:
    air.is_disk_slow = True
    air.press(7, AlertKind.TEST)
    air.commit()
    air.act(Acknowledge("00000010-7"), JONES)
    air.commit()
    air.is_disk_slow = False
    air.later(300)

    assert ("answered", JONES) == (air.card().state, air.card().answered_by)


def test_test_that_was_committed_before_a_restart_is_acknowledged_after_it(air: Town) -> None:
    air.press(7, AlertKind.TEST)
    restarted = Town(Recall(journal=tuple(air.disk), last_entry=air.disk[-1].entry))

    restarted.later(2)

    assert "answered" == restarted.card().state


def test_premises_that_did_not_press_test_for_eight_days_is_overdue() -> None:
    kept = (KeptPath(CORNER, weekly_test_at=START - timedelta(days=8) + timedelta(seconds=5)),)
    town = Town(Recall(paths=kept), make_directory())
    town.beat(CORNER)
    assert (False, False) == (town.line(CORNER).is_weekly_test_overdue, town.line(BAKERY).is_weekly_test_overdue)

    town.later(6)
    assert town.line(CORNER).is_weekly_test_overdue

    town.press(7, AlertKind.TEST)
    assert (town.now_at, False) == (town.line(CORNER).weekly_test_at, town.line(CORNER).is_weekly_test_overdue)
