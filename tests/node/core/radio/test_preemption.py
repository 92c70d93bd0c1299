"""N8, N10: an attack that is pressed while our own radio says something lesser."""

from __future__ import annotations

from msgspec.structs import replace

from node.core.air import LADDER, Phrase
from node.core.controls import Button
from node.core.effects import StopOver, TransmitOver
from node.core.events import AirAsked, ChannelChanged, OverEnded, OverStarted, Ticked
from node.core.radio import preemption
from tests.support.radio_set import LICENSED, Set, radio_set
from wire.frames import Receipt
from wire.ids import CENTRAL, FrameId, NodeId


def key(radio: Set) -> TransmitOver:
    """The next over, keyed."""
    over = radio.wait_over()
    radio.world.after(20, OverStarted(over.over))
    return over


def stops(radio: Set) -> list[StopOver]:
    return [effect for effect in radio.world.log if isinstance(effect, StopOver)]


def test_sentence_of_an_assist_is_cut_for_an_attack_once_its_burst_is_out(radio: Set) -> None:
    """N8: the attack is on the air within five seconds of the press, not after the assist's six seconds of speech."""
    radio.world.tap(Button.ASSIST)
    over = key(radio)
    started_ms = radio.world.now_ms
    assert Phrase.ASSIST is over.phrase
    radio.world.hold(Button.ATTACK)
    radio.world.after(3_000, Ticked())
    assert [StopOver(over.over)] == stops(radio)
    airtime_ms = radio.world.now_ms - started_ms
    radio.world.do(OverEnded(over.over, airtime_ms))
    again = radio.wait_over(3_000)

    assert (Phrase.ATTACK, [2]) == (again.phrase, radio.counters(again)), "the assist's receipt is awaited"


def test_burst_of_an_assist_is_let_finish(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    key(radio)
    started_ms = radio.world.now_ms
    radio.world.hold(Button.ATTACK)
    while not stops(radio):
        radio.world.after(20, Ticked())

    over = radio.world.state.radio.over
    assert over is not None
    assert radio.world.now_ms - started_ms >= over.bursts_ms


def test_slow_bursts_are_cut_at_once_and_go_with_the_attack(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    for _ in LADDER[1:]:
        radio.next_over()
    over = key(radio)
    assert LADDER[-1] is over.mode
    radio.world.hold(Button.ATTACK)
    assert [StopOver(over.over)] == stops(radio)
    radio.world.do(OverEnded(over.over, 1_200))

    again = radio.wait_over(5_000)
    assert (LADDER[0], [2, 1]) == (again.mode, radio.counters(again))


def test_over_that_could_not_be_cut_has_carried_what_was_in_it(radio: Set) -> None:
    """A TNC sends what it has."""
    radio.world.tap(Button.ASSIST)
    for _ in LADDER[1:]:
        radio.next_over()
    over = key(radio)
    radio.world.hold(Button.ATTACK)
    radio.world.after(4_000, OverEnded(over.over, 5_000))

    assert [2] == radio.counters(radio.wait_over(5_000))


def test_attack_is_not_cut_for_another_nor_an_answer_for_anybody(radio: Set) -> None:
    radio.world.hold(Button.ATTACK)
    over = key(radio)
    radio.world.hold(Button.ATTACK)
    radio.world.after(7_000, OverEnded(over.over, 7_000))
    radio.world.do(radio.receipt(1), radio.receipt(2))

    receipts = (radio.world.signed(Receipt(CENTRAL, n, 0, FrameId(NodeId(0x11), n))) for n in range(1, 5))
    radio.world.do(*(AirAsked(receipt.data) for receipt in receipts))
    assert 4 == len(key(radio).bursts)
    radio.world.hold(Button.ATTACK)
    radio.world.after(1_000, Ticked())
    assert [] == stops(radio)


def test_sentence_is_cut_for_a_silent_attack_and_none_follows() -> None:
    """N4: what was pressed openly before it is not said either, once somebody may be listening."""
    radio = radio_set(is_attack_silent=True)
    radio.world.tap(Button.ASSIST)
    over = key(radio)
    radio.world.hold(Button.ATTACK)
    radio.world.after(preemption.WORTH_MS, Ticked())
    assert [StopOver(over.over)] == stops(radio)
    radio.world.do(OverEnded(over.over, 3_000))
    assert None is radio.next_over().phrase
    radio.world.do(radio.receipt(2))
    radio.world.after(10_000, Ticked())

    assert {None} == {over.phrase for over in radio.overs()[1:]}


def test_assist_pressed_before_a_silent_attack_is_not_spoken_after_it() -> None:
    """N4."""
    radio = radio_set(replace(LICENSED, has_neutral_phrase=True), is_attack_silent=True)
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.tap(Button.ASSIST)
    radio.world.hold(Button.ATTACK)
    radio.world.do(radio.receipt(2))
    radio.world.do(ChannelChanged(is_busy=False))

    over = radio.wait_over()
    assert ([1], None) == (radio.counters(over), over.phrase)
