"""N10: a clear channel, random waits that grow with the crowd, and an attack that does not wait for ever."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import TransmitOver
from node.core.events import ChannelChanged, FrameReceived, OverEnded, OverStarted, Ticked
from node.core.radio import chance, channel_access, overs
from node.core.turn import Turn
from tests.support.radio_set import LICENSED, Set, radio_set
from wire.frames import Alert, Receipt
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, Path

BOOTS = NodeId(0x11)


def alert(counter: int, node: NodeId = BOOTS) -> Alert:
    return Alert(node, counter, 0, AlertKind.ASSIST, counter, (1,))


@pytest.mark.parametrize("seed", range(8))
def test_lone_wait_is_one_to_two_seconds(seed: int) -> None:
    radio = radio_set(replace(LICENSED, seed=seed))
    radio.world.tap(Button.ASSIST)
    start_ms = radio.world.now_ms - 40
    radio.wait_over()

    assert 1_000 <= radio.world.now_ms - start_ms <= 2_000


def test_waits_differ_by_node_and_by_start_and_are_the_same_for_the_same_state() -> None:
    def moment(seed: int) -> int:
        radio = radio_set(replace(LICENSED, seed=seed))
        radio.world.tap(Button.ASSIST)
        radio.wait_over()
        return int(radio.world.now_ms)

    assert moment(1) == moment(1)
    assert len({moment(seed) for seed in range(10)}) > 8
    assert len({chance.mixed(1, node, 0) % 1_000 for node in range(50)}) > 40


def test_busy_time_does_not_count(radio: Set) -> None:
    """The wait freezes while somebody speaks, and goes on where it was."""
    radio.world.tap(Button.ASSIST)
    radio.world.after(600, ChannelChanged(is_busy=True))
    left = radio.world.state.radio.wait_us
    assert left is not None
    radio.world.after(30_000, ChannelChanged(is_busy=False))
    assert left == radio.world.state.radio.wait_us

    clear_ms = radio.world.now_ms
    radio.wait_over()
    assert radio.world.now_ms - clear_ms == channel_access.GAP_MS + -(-left // 1_000)


def test_assist_waits_for_whoever_talks(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.tap(Button.ASSIST)
    radio.world.after(120_000)
    assert [] == radio.overs()

    radio.world.do(ChannelChanged(is_busy=False))
    radio.wait_over(2_500)


def test_attack_breaks_in_after_its_bounded_wait(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.after(2_000)
    radio.world.hold(Button.ATTACK)
    due_ms = next(wanted.due_ms for wanted in radio.world.state.radio.wanted)
    radio.wait_over(10_000)

    assert 4_000 == radio.world.now_ms - due_ms


@pytest.mark.parametrize(("over_ms", "pause_ms"), [(4_900, 50), (4_000, 300), (3_000, 500), (2_000, 500), (1_000, 200)])
def test_attack_is_not_held_up_for_ever_by_who_talks_in_short_overs(radio: Set, over_ms: int, pause_ms: int) -> None:
    """N10: each of them has only just begun, and its pauses are shorter than a wait; a jammer can do the same."""
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.hold(Button.ATTACK)
    due_ms = next(wanted.due_ms for wanted in radio.world.state.radio.wanted)
    while not radio.overs() and radio.world.now_ms < due_ms + 60_000:
        for is_busy, length_ms in ((True, over_ms), (False, pause_ms)):
            radio.world.do(ChannelChanged(is_busy=is_busy))
            for _ in range(length_ms // 50):
                if not radio.overs():
                    radio.world.after(50)

    assert radio.world.now_ms - due_ms <= 24_000


def test_attack_does_not_break_in_on_a_burst_nor_on_a_sentence_of_another_alert(radio: Set) -> None:
    radio.world.hold(Button.ATTACK)
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.after(1_000, FrameReceived(radio.world.signed(alert(5)).data, None, Path.RADIO))
    radio.world.after(7_500)

    assert [] == radio.overs()


def test_frame_of_another_member_slows_the_wait() -> None:
    waits = []
    for is_heard in (False, True):
        radio = radio_set()
        radio.world.tap(Button.ASSIST)
        if is_heard:
            radio.hears(alert(5))
        else:
            radio.talk(1_060)
        start_ms = radio.world.now_ms
        radio.wait_over()
        waits.append(radio.world.now_ms - start_ms)

    assert waits[1] > waits[0] + 500


def test_undecodable_bursts_grow_the_crowd_and_quiet_shrinks_it(radio: Set) -> None:
    for _ in range(6):
        radio.talk(1_200)
        radio.world.after(300)
    grown = radio.world.state.radio.channel.crowd_milli
    assert grown > 15_000

    radio.world.after(60_000, Ticked())
    assert channel_access.ALONE == radio.world.state.radio.channel.crowd_milli


@pytest.mark.parametrize("length_ms", [100, 5_000, 20_000])
def test_talk_and_clicks_are_no_crowd(radio: Set, length_ms: int) -> None:
    for _ in range(6):
        radio.talk(length_ms)
        radio.world.after(500)

    assert channel_access.ALONE == radio.world.state.radio.channel.crowd_milli


def test_decoded_burst_is_no_collision(radio: Set) -> None:
    radio.hears(alert(5))

    assert channel_access.HEARD_CROWD == radio.world.state.radio.channel.crowd_milli


def test_decoder_slower_than_the_carrier_takes_the_collision_back(radio: Set) -> None:
    radio.talk(1_200)
    assert radio.world.state.radio.channel.crowd_milli > channel_access.ALONE
    receipt = radio.world.signed(Receipt(CENTRAL, 1, 0, FrameId(BOOTS, 1)))
    radio.world.after(100, FrameReceived(receipt.data, None, Path.RADIO))

    assert channel_access.ALONE == radio.world.state.radio.channel.crowd_milli


def test_each_draw_is_another(radio: Set) -> None:
    turn = Turn(radio.world.state, radio.world.now_ms)

    assert len({chance.draw(turn, 0, 1_000_000) for _ in range(50)}) > 45


def test_noise_cannot_grow_the_crowd_without_bound(radio: Set) -> None:
    for _ in range(200):
        radio.talk(1_200)
        radio.world.after(10)

    assert channel_access.CROWD_MAX == radio.world.state.radio.channel.crowd_milli


def test_overs_of_a_crowd_begin_with_a_slot(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    radio.hears(alert(5))
    clear_ms = radio.world.now_ms
    radio.wait_over()
    into_ms = (radio.world.now_ms - clear_ms - channel_access.GAP_MS - channel_access.TURN_MS) % channel_access.SLOT_MS

    assert into_ms <= channel_access.SLOT_LATE_MS


def test_own_over_counts_as_no_wait_of_another_frame(radio: Set) -> None:
    """A second alert that was stored during the first one's over draws its own wait after it."""
    radio.world.tap(Button.ASSIST)
    over = radio.wait_over()
    radio.world.do(OverStarted(over.over))
    radio.world.hold(Button.ATTACK)
    radio.world.after(6_000)
    assert 1 == len(radio.overs())
    radio.world.do(OverEnded(over.over, 7_000))
    radio.world.do(radio.receipt(1))

    assert [2] == radio.counters(radio.wait_over(2_500))


@pytest.mark.parametrize(("talk_ms", "pause_ms"), [(3_000, 200), (4_500, 50), (400, 30)])
def test_attack_is_not_held_up_by_talk_in_short_turns(radio: Set, talk_ms: int, pause_ms: int) -> None:
    """N10: its wait is bounded; each turn is younger than a burst may be, and no pause is long enough to wait in."""
    radio.world.hold(Button.ATTACK)
    due_ms = next(wanted.due_ms for wanted in radio.world.state.radio.wanted)
    starts: list[int] = []
    radio.world.checks.append(lambda w, _, done: starts.extend(w.now_ms for e in done if isinstance(e, TransmitOver)))
    while not starts and radio.world.now_ms < due_ms + 30_000:
        radio.talk(talk_ms)
        radio.world.after(pause_ms)

    assert 4_000 <= starts[0] - due_ms <= overs.BREAK_IN_LAST_MS


def test_wait_that_was_not_needed_is_not_taken_for_the_next_alerts(radio: Set) -> None:
    """It has run out meanwhile: the next alert would be on the air at once, together with whoever else was pressed."""
    radio.world.tap(Button.ASSIST)
    radio.world.after(600)
    radio.world.do(radio.world.receipt(1))
    radio.world.after(60_000)
    radio.world.tap(Button.ASSIST)
    pressed_ms = radio.world.now_ms - 40
    radio.wait_over()

    assert 1_000 <= radio.world.now_ms - pressed_ms <= 2_000
