"""N4, N8–N10: what goes into an over, what is said aloud, and what becomes of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from msgspec.structs import replace

from node.core.air import BURSTS_PER_OVER_MAX, LADDER, OVER_MS_MAX, Mode, Phrase
from node.core.controls import Button, Part
from node.core.effects import StopOver
from node.core.events import (
    ChannelChanged,
    LinkDown,
    OverEnded,
    OverFailed,
    OverStarted,
    PartFailed,
    PartRecovered,
    StopAsked,
)
from node.core.radio import duty_cycle, overs, retransmission
from node.core.radio_state import Usage
from tests.support.members import NOON_S
from tests.support.radio_set import LICENSED, Set, radio_set
from wire.frames import Alert, decode
from wire.ids import NodeId
from wire.kinds import AlertKind

BOOTS, CAFE = NodeId(0x11), NodeId(0x12)


def press_many(radio: Set, count: int) -> None:
    """While the channel is busy, so that they wait together."""
    radio.world.do(ChannelChanged(is_busy=True))
    for _ in range(count):
        radio.world.tap(Button.ASSIST)
    radio.world.after(3_000)


def used(radio: Set, percent: int) -> None:
    """So much of the last ten minutes was ours."""
    use = duty_cycle.add(Usage(), radio.world.now_ms, percent * duty_cycle.WINDOW_MS // 100)
    radio.world.state = replace(radio.world.state, radio=replace(radio.world.state.radio, own_use=use))


def test_most_urgent_first_then_newest_and_no_more_than_fit(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.hold(Button.ATTACK)
    press_many(radio, 4)
    radio.world.do(ChannelChanged(is_busy=False))
    over = radio.wait_over(3_000)

    assert [1, 5, 4, 3] == radio.counters(over)
    assert BURSTS_PER_OVER_MAX == len(over.bursts)


@pytest.mark.parametrize("mode", LADDER)
def test_over_is_never_planned_longer_than_the_hard_cap(radio: Set, mode: Mode) -> None:
    """N10."""
    press_many(radio, BURSTS_PER_OVER_MAX)
    frames = [row.signed for _, row in radio.world.state.outbox.rows.oldest()]

    assert overs.planned_ms(frames, mode, Phrase.ATTACK) <= OVER_MS_MAX


def test_one_over_at_a_time_and_strange_numbers_change_nothing(radio: Set) -> None:
    press_many(radio, 1)
    radio.world.do(ChannelChanged(is_busy=False))
    over = radio.wait_over(3_000)
    before = radio.world.state.radio
    radio.world.do(OverStarted(99), OverEnded(99, 5_000), OverFailed(0, "x", 100))
    assert before == radio.world.state.radio

    radio.world.hold(Button.ATTACK)
    radio.world.after(20_000)
    assert [over] == radio.overs()
    assert [] == radio.facts("over_ended")


def test_over_that_nobody_speaks_of_again_is_taken_as_failed(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    radio.wait_over()
    again = radio.wait_over(60_000)

    assert 2 == again.over
    assert ["no answer"] == [fact["detail"] for fact in radio.facts("over_failed")]


def test_failed_overs_are_repeated_less_and_less_often(radio: Set) -> None:
    """A driver that refuses at once is not asked a thousand times a second."""
    radio.world.tap(Button.ASSIST)
    start_ms, moments = radio.world.now_ms, []
    for _ in range(8):
        over = radio.wait_over(110_000)
        moments.append(radio.world.now_ms - start_ms)
        radio.world.do(OverFailed(over.over, "no sound device"))
    gaps = [b - a for a, b in pairwise(moments)]

    assert gaps[0] < 4_000
    assert gaps[-1] >= 60_000


@pytest.mark.finding(19)
def test_overs_that_failed_in_one_moment_are_not_repeated_in_one() -> None:
    """N10: what made ours fail, a busy machine or a jammed channel, may have made everybody's fail."""
    rests = set()
    for seed in range(10):
        radio = radio_set(replace(LICENSED, seed=seed))
        radio.world.tap(Button.ASSIST)
        over = radio.wait_over()
        radio.world.do(OverFailed(over.over, "did not finish in time"))
        rests.add(radio.world.state.radio.rest_ms - radio.world.now_ms)

    assert len(rests) > 8


def test_facts_name_the_over_its_mode_and_its_alert(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    radio.next_over()
    assert [{"over": "1", "mode": "1200-il2p", "bursts": "1"}] == radio.facts("over_started")
    assert ["00000010-1"] == [fact.alert.text for fact in radio.world.facts("over_started") if fact.alert]

    (ended,) = radio.facts("over_ended")
    assert ("1", str(radio.world.state.radio.airtime_ms)) == (ended["over"], ended["airtime_ms"])
    assert 1 == radio.world.state.radio.overs


def test_stop_unkeys(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    over = radio.wait_over()
    radio.world.do(OverStarted(over.over))

    assert [StopOver(over.over)] == radio.world.of(StopOver, radio.world.do(StopAsked()))


def test_receipt_during_the_over_lets_it_finish_and_nothing_follows(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    over = radio.wait_over()
    radio.world.do(OverStarted(over.over))
    assert [] == radio.world.of(StopOver, radio.world.do(radio.world.receipt(1)))
    radio.world.after(1_500, OverEnded(over.over, 1_500))
    radio.world.after(300_000)

    assert [over] == radio.overs()


def test_sentence_is_said_once_and_again_for_an_upgrade(radio: Set) -> None:
    """N9."""
    radio.world.tap(Button.ASSIST)
    assert Phrase.ASSIST is radio.next_over().phrase
    assert None is radio.next_over().phrase
    radio.world.hold(Button.ATTACK)
    assert Phrase.ATTACK is radio.next_over().phrase
    radio.world.hold(Button.ATTACK)

    assert None is radio.next_over().phrase, "the same incident, no more urgent than before"


def test_highest_priority_alone_is_spoken(radio: Set) -> None:
    press_many(radio, 2)
    radio.world.hold(Button.ATTACK)
    radio.world.do(ChannelChanged(is_busy=False))

    assert Phrase.ATTACK is radio.wait_over(3_000).phrase


@pytest.mark.parametrize(("has_words", "phrase"), [(False, None), (True, Phrase.NEUTRAL)])
def test_silent_attack_is_a_burst_or_the_schemes_neutral_words(*, has_words: bool, phrase: Phrase | None) -> None:
    """N4: and its cancel says nothing either."""
    radio = radio_set(replace(LICENSED, has_neutral_phrase=has_words), is_attack_silent=True)
    radio.world.hold(Button.ATTACK)
    assert phrase is radio.next_over().phrase

    radio.world.hold(Button.CANCEL)
    assert None is radio.next_over().phrase


@pytest.mark.parametrize(
    ("frames", "phrase"),
    [
        ([Alert(BOOTS, 5, 0, AlertKind.ATTACK, 5, (1,))], None),
        ([Alert(node, 5, 0, AlertKind.ATTACK, 5, (1,)) for node in (BOOTS, CAFE)], None),
        ([Alert(BOOTS, 5, NOON_S - 300, AlertKind.ATTACK, 5, (1,))], None),
        ([Alert(node, 5, 0, AlertKind.ATTACK, 5, (1,), silent=True) for node in (BOOTS, CAFE)], Phrase.ATTACK),
        ([Alert(node, 5, 1_000_000_000, AlertKind.ATTACK, 5, (1,)) for node in (BOOTS, CAFE)], Phrase.ATTACK),
    ],
    ids=["one other", "two others", "one of minutes ago", "two silent ones", "old recordings of two"],
)
def test_nothing_is_said_in_a_storm(radio: Set, frames: list[Alert], phrase: Phrase | None) -> None:
    """N9: in a crowd one sentence is enough; what is played again, or was never spoken, is none."""
    for frame in frames:
        radio.hears(frame)
    radio.world.hold(Button.ATTACK)

    assert phrase is radio.wait_over().phrase


def test_cancel_is_spoken_where_the_alert_was(radio: Set) -> None:
    """N6."""
    radio.world.tap(Button.ASSIST)
    radio.next_over()
    radio.world.hold(Button.CANCEL)
    over = radio.next_over()

    assert Phrase.CANCEL is over.phrase
    assert 2 == decode(over.bursts[0]).frame.counter


@pytest.mark.parametrize(
    ("used_percent", "button", "is_sent"),
    [
        (15, Button.TEST, True),
        (35, Button.ASSIST, True),
        (41, Button.ASSIST, False),
        (21, Button.ATTACK, True),
        (45, Button.ATTACK, True),
    ],
)
def test_duty_cycle_holds_everything_but_the_first_tries_of_an_attack(
    radio: Set, *, used_percent: int, button: Button, is_sent: bool
) -> None:
    """N10: at most a fifth of ten minutes, two fifths for what is pressed now."""
    radio.world.after(duty_cycle.WINDOW_MS)
    used(radio, used_percent)
    radio.world.hold(button) if button is Button.ATTACK else radio.world.tap(button)
    radio.world.after(6_000)

    assert is_sent is bool(radio.overs())


def test_later_tries_of_an_assist_keep_to_a_fifth(radio: Set) -> None:
    radio.world.after(duty_cycle.WINDOW_MS)
    radio.world.tap(Button.ASSIST)
    for _ in range(3):
        radio.next_over()
    used(radio, 21)
    with pytest.raises(AssertionError, match="no over"):
        radio.wait_over(200_000)


def test_later_tries_of_an_attack_keep_to_two_fifths(radio: Set) -> None:
    radio.world.after(duty_cycle.WINDOW_MS)
    radio.world.hold(Button.ATTACK)
    for _ in range(3):
        radio.next_over()
    used(radio, 41)
    with pytest.raises(AssertionError, match="no over"):
        radio.wait_over(200_000)

    radio.wait_over(duty_cycle.WINDOW_MS)


def test_blocked_channel_is_told_once_and_its_end() -> None:
    """N10: jamming is reported."""
    radio = radio_set()
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.after(60_000)
    assert [] == radio.facts("radio_blocked")
    radio.world.tap(Button.ASSIST)
    radio.world.after(40_000)
    assert 1 == len(radio.facts("radio_blocked"))
    assert radio.world.state.radio.blocked_since_ms is not None

    radio.world.do(ChannelChanged(is_busy=False))
    radio.world.after(200, ChannelChanged(is_busy=True))
    assert [] == radio.facts("radio_clear")
    radio.world.do(ChannelChanged(is_busy=False))
    radio.world.after(1_000)
    state = radio.world.state
    assert (1, None) == (len(radio.facts("radio_clear")), state.radio.blocked_since_ms)


@pytest.mark.parametrize(("pause_ms", "is_told"), [(900, True), (1_000, False)])
def test_channel_that_is_never_clear_for_a_second_is_blocked(radio: Set, pause_ms: int, *, is_told: bool) -> None:
    """N10: a jammer that lets go for a moment gains nothing by it; people who take turns are no jammer."""
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.tap(Button.ASSIST)
    for _ in range(8):
        radio.talk(4_000)
        radio.world.after(pause_ms)

    assert is_told is bool(radio.facts("radio_blocked"))


def test_broken_radio_forgets_what_it_was_to_say(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    over = radio.wait_over()
    radio.world.do(PartFailed(Part.RADIO, "unplugged"), OverFailed(over.over, "unplugged"))
    assert None is radio.world.state.radio.over

    radio.world.after(200_000)
    assert [over] == radio.overs()
    radio.world.do(PartRecovered(Part.RADIO))
    assert 2 == radio.wait_over(60_000).over


def test_presser_is_told_although_the_driver_never_keys(radio: Set) -> None:
    """N3: an over that was ordered is no news, and the driver's silence is not to be TRYING for forty seconds."""
    radio.world.tap(Button.ASSIST)
    radio.wait_over()
    radio.world.after(retransmission.FIRST_CHANCE_MS)

    assert ["no receipt"] == [fact["reason"] for fact in radio.facts("undelivered")]


def test_radio_rests_after_a_failure_whatever_happens_meanwhile(radio: Set) -> None:
    """Its device needs the time; asking again at each event would not let it mend."""
    radio.world.tap(Button.ASSIST)
    for _ in range(3):
        radio.world.do(OverFailed(radio.wait_over().over, "device busy", 0))
    failed_ms, before = radio.world.now_ms, len(radio.overs())
    while len(radio.overs()) == before:
        radio.world.after(100)
        radio.world.tap(Button.SEEN)

    assert radio.world.now_ms - failed_ms >= overs.FAILED_REST_MS[0] << 2


def test_record_names_the_mode_of_each_over(radio: Set) -> None:
    """As the radio check and the documents do."""
    radio.world.tap(Button.ASSIST)
    for _ in range(3):
        radio.next_over()

    assert ["1200-il2p", "1200-fx25", "300-il2p"] == [fact["mode"] for fact in radio.facts("over_started")]


def test_alert_of_an_earlier_run_waits_for_no_mended_radio_once_the_network_has_gone(radio: Set) -> None:
    """It counted on the network until then; the radio's own round would find it up to twenty seconds later."""
    radio.world.tap(Button.ASSIST)
    radio.world.after(120_000)
    radio.world.restart(wall=radio.world.wall())
    radio.world.online()
    radio.world.live(8_000)
    radio.world.do(LinkDown("gone"), PartFailed(Part.RADIO, "unplugged"), PartRecovered(Part.RADIO))

    assert [1] == radio.counters(radio.wait_over(5_000))
