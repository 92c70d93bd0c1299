"""N8, N9, N13: how loudly and how often, until central's receipt."""

from __future__ import annotations

from itertools import pairwise

import pytest
from msgspec.structs import replace

from node.core.air import LADDER
from node.core.controls import Button
from node.core.events import OverFailed, Ticked
from node.core.radio import channel_access, retransmission
from tests.support.node_world import World
from tests.support.radio_set import Set, radio_set
from wire.frames import Alert, Response, decode
from wire.ids import NodeId
from wire.kinds import AlertKind

OURS, BOOTS = NodeId(0x10), NodeId(0x11)
HOUR_MS = 3_600_000


def fill(world: World, count: int, at_ms: int | None = -HOUR_MS) -> None:
    """Stored alerts of an earlier run, none receipted."""
    for counter in range(1, count + 1):
        frame = Alert(OURS, counter, 1_795_000_000, AlertKind.ATTACK, counter, (1,))
        world.stored[counter] = (world.signed(frame), at_ms)
    world.counter = count


def test_quiet_losses_climb_the_ladder_and_stay_at_its_end(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)

    assert [*LADDER, LADDER[-1]] == [radio.next_over().mode for _ in range(len(LADDER) + 1)]


def test_three_tries_soon_then_slow_ones_doubling_for_ever(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    moments = []
    for _ in range(11):
        radio.wait_over(10 * HOUR_MS)
        moments.append(radio.world.now_ms)
        radio.carry(radio.overs()[-1])
    gaps = [b - a for a, b in pairwise(moments)]

    assert max(gaps[:2]) < 30_000
    assert 120_000 <= gaps[2] <= 160_000
    for shorter, longer in pairwise(gaps[2:7]):
        assert 1.6 * shorter < longer < 2.5 * shorter
    assert retransmission.SLOW_MAX_MS <= gaps[-1] <= 1.2 * retransmission.SLOW_MAX_MS


def test_storm_keeps_the_fast_mode(radio: Set) -> None:
    """A loss while other members' alerts are heard was a collision: slow bursts would make it worse."""
    radio.world.tap(Button.ASSIST)
    for counter in range(1, 6):
        over = radio.wait_over()
        assert LADDER[0] is over.mode
        radio.carry(over)
        radio.hears(Alert(BOOTS, counter, 0, AlertKind.ASSIST, counter, (1,)))
        radio.world.after(9_000, Ticked())
    assert 0 == radio.world.state.radio.wanted[0].losses


def test_answer_too_weak_to_read_is_answered_one_rung_up_every_second_time(radio: Set) -> None:
    """Something was on the air after the over: another member unseen, or the receipt."""
    radio.world.tap(Button.ASSIST)
    modes = []
    for _ in range(4):
        over = radio.next_over()
        modes.append(over.mode)
        radio.talk(1_200)
    assert [LADDER[0], LADDER[0], LADDER[1], LADDER[1]] == modes


def test_crowd_that_nobody_can_read_is_no_reason_for_slow_bursts(radio: Set) -> None:
    """Two hundred at once: no alert is decoded for a minute. Bursts three times as long would be lost for ever."""
    radio.world.tap(Button.ASSIST)
    modes = []
    for _ in range(5):
        modes.append(radio.next_over().mode)
        for _ in range(8):
            radio.talk(1_200)
            radio.world.after(300)
        radio.world.after(1_000, Ticked())

    assert [*4 * [LADDER[0]], LADDER[1]] == modes, "but one that is too weak is heard in the end"


def test_crowd_waits_for_the_second_gathering_of_receipts(radio: Set) -> None:
    """The first may collide. Whoever has its alert at central and says it again takes the channel from another."""
    radio.world.tap(Button.ASSIST)
    over = radio.wait_over()
    state = radio.world.state.radio
    crowded = replace(state.channel, crowd_milli=40_000)
    radio.world.state = replace(radio.world.state, radio=replace(state, channel=crowded))
    radio.carry(over)
    due_ms = radio.world.state.radio.wanted[0].answer_due_ms

    assert due_ms is not None
    assert 2 * channel_access.GATHER_MS <= due_ms - radio.world.now_ms


def test_fresh_press_starts_its_incident_anew(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    for _ in range(retransmission.RELIABLE_TRIES):
        radio.next_over()
    radio.world.after(4_000, Ticked())
    assert retransmission.RELIABLE_TRIES == radio.world.state.radio.wanted[0].losses
    radio.world.hold(Button.ATTACK)
    state = radio.world.state.radio
    assert ([0, 0], 0) == ([wanted.losses for wanted in state.wanted], state.channel.losses)
    over = radio.wait_over(3_000)

    assert (LADDER[0], [2, 1]) == (over.mode, radio.counters(over))


def test_backlog_goes_newest_first_slowly_unspoken_and_after_what_is_fresh() -> None:
    """N13."""
    radio = radio_set()
    fill(radio.world, 30)
    radio.world.restart()
    first = radio.next_over(20_000)
    assert ([30], None) == (radio.counters(first), first.phrase)
    radio.world.do(radio.receipt(30))

    radio.world.tap(Button.ASSIST)
    assert [31] == radio.counters(radio.next_over(5_000))
    radio.world.do(radio.receipt(31))
    start_ms, done = radio.world.now_ms, []
    for _ in range(5):
        done += radio.counters(radio.next_over(120_000))
        radio.world.do(radio.receipt(done[-1]))
    assert [29, 28, 27, 26, 25] == done
    assert radio.world.now_ms - start_ms > 4 * retransmission.BACKLOG_APART_MS - 20_000


def test_backlog_is_the_networks_while_central_is_heard() -> None:
    radio = radio_set()
    fill(radio.world, 5)
    radio.world.restart()
    radio.world.online()
    radio.world.live(300_000)

    assert [] == radio.overs()


def test_backlog_waits_while_others_use_more_than_a_quarter_of_the_channel() -> None:
    """What is hours old holds nobody else up."""
    radio = radio_set()
    fill(radio.world, 5)
    radio.world.restart()
    radio.talk(60_000)
    with pytest.raises(AssertionError, match="no over"):
        radio.wait_over(100_000)

    assert 5 == radio.counters(radio.wait_over(200_000))[0]


def test_wanted_rows_are_bounded_and_a_fresh_press_always_gets_in(radio: Set) -> None:
    for _ in range(retransmission.WANTED_MAX + 10):
        radio.world.tap(Button.TEST)
    wanted = radio.world.state.radio.wanted

    assert retransmission.WANTED_MAX == len(wanted)
    assert radio.world.counter in {entry.counter for entry in wanted}


@pytest.mark.parametrize("airtime_ms", [0, 900])
def test_over_that_did_not_go_out_costs_no_try(radio: Set, airtime_ms: int) -> None:
    """And its sentence is still to be said."""
    radio.world.tap(Button.ASSIST)
    first = radio.wait_over()
    radio.world.do(OverFailed(first.over, "flushed", airtime_ms))
    again = radio.wait_over()

    assert (first.mode, first.phrase) == (again.mode, again.phrase)
    assert airtime_ms == radio.world.state.radio.airtime_ms


def test_response_has_three_tries_and_no_more(radio: Set) -> None:
    """N5: it concerns people who look at a screen now."""
    radio.hears(Alert(BOOTS, 5, 0, AlertKind.ASSIST, 5, (1,)))
    radio.world.after(60_000, Ticked())
    radio.world.tap(Button.SEEN)
    for _ in range(retransmission.RELIABLE_TRIES):
        assert isinstance(decode(radio.next_over().bursts[0]).frame, Response)
    radio.world.after(4 * HOUR_MS)

    assert retransmission.RELIABLE_TRIES == len(radio.overs())
    assert 1 == len(radio.world.state.outbox.rows), "the network has it still to carry"


def test_row_that_is_gone_is_wanted_no_more(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    outbox = radio.world.state.outbox
    radio.world.state = replace(radio.world.state, outbox=replace(outbox, rows=outbox.rows.drop(1)))
    radio.world.after(60_000, Ticked())

    assert ((), []) == (radio.world.state.radio.wanted, radio.overs())
