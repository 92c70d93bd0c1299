"""N3, N4, N8: what the presser is told while the radio carries the alert."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button, LedPattern, SoundPattern
from node.core.effects import PlaySound, ShowScreen
from node.core.events import FrameReceived, LinkDown, Ticked
from node.core.incident import lifecycle
from node.core.screens import Dots, Emphasis, Face
from node.core.table import Phase
from node.core.turn import Turn
from tests.support.members import OURS, signed
from tests.support.node_world import World
from wire.frames import Acknowledgement
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, MemberResponse, Path, Role

BOOTS, CAFE = NodeId(0x11), NodeId(0x12)


def radio_takes(world: World, counter: int) -> None:
    """What the radio's rules say when they take an alert."""
    turn = Turn(world.state, world.now_ms)
    lifecycle.on_air(turn, counter)
    world.state = turn.state
    world.do(Ticked())


def no_receipt(world: World, counter: int) -> None:
    """What they say when it has had its first chance."""
    turn = Turn(world.state, world.now_ms)
    lifecycle.overdue(turn, counter)
    world.state = turn.state
    world.log.extend(turn.effects())
    world.do(Ticked())


def on_the_air(world: World, button: Button = Button.ATTACK) -> None:
    world.hold(button)
    radio_takes(world, world.counter)


def test_on_air_is_told_as_trying_with_the_seconds_since_the_press(offline: World) -> None:
    """N3: the radio is a way, not a receipt; the seconds go on by themselves."""
    offline.tap(Button.ASSIST)
    offline.after(500)
    radio_takes(offline, 1)

    assert (Face.STORED, ("TRYING",)) == (offline.screen.face, offline.screen.headline)
    assert ("Not received yet", "By radio now      0 s") == offline.screen.lines
    assert (LedPattern.SENDING, Phase.ON_AIR) == (offline.state.led, offline.own(1).phase)
    offline.log.clear()
    offline.after(1_000)
    assert ["By radio now      1 s"] == [order.screen.lines[1] for order in offline.of(ShowScreen, offline.log)]
    assert "00000010-1" == offline.screen.concerns


def test_no_receipt_after_the_radio_leads_to_undelivered_once(offline: World) -> None:
    """N3: and a further try of the radio does not lead back to hope."""
    on_the_air(offline)
    no_receipt(offline, 1)
    assert (Face.UNDELIVERED, ("NOT", "DELIVERED")) == (offline.screen.face, offline.screen.headline)
    assert SoundPattern.UNDELIVERED is offline.sounding

    radio_takes(offline, 1)
    no_receipt(offline, 1)
    assert Face.UNDELIVERED is offline.screen.face
    assert 1 == len(offline.facts("undelivered"))


@pytest.mark.parametrize("is_overdue", [False, True])
def test_receipt_leads_out_of_both(offline: World, *, is_overdue: bool) -> None:
    on_the_air(offline)
    if is_overdue:
        no_receipt(offline, 1)
    offline.do(offline.receipt(1))

    assert Face.RECEIVED is offline.screen.face
    assert SoundPattern.CONFIRM is offline.sounding


@pytest.mark.finding(3)
def test_an_answer_waits_for_the_receipt(offline: World) -> None:
    """It names a number, which an older copy of this card may have given to another press."""
    on_the_air(offline)
    offline.do(offline.ack(1, AnswerState.ON_THE_WAY))
    assert "TRYING" == offline.screen.headline[0]

    offline.do(offline.receipt(1))
    assert Face.ON_THE_WAY is offline.screen.face


def test_pressing_again_on_the_air_is_a_new_press(offline: World) -> None:
    """N2: what the radio does with the assist says nothing of the attack after it."""
    offline.tap(Button.ASSIST)
    radio_takes(offline, 1)
    offline.hold(Button.ATTACK)
    assert ("TRYING", "Saved, no network") == (offline.screen.headline[0], offline.screen.lines[1])

    radio_takes(offline, 1)
    assert "Saved, no network" == offline.screen.lines[1], "the assist is not what the presser waits for"
    radio_takes(offline, 2)
    assert offline.screen.lines[1].startswith("By radio now")


def test_silent_attack_on_the_air_shows_nothing_new(silent: World) -> None:
    """N4: the dots stay *saved*; no sound, and no second screen however long it takes."""
    silent.hold(Button.ATTACK)
    silent.log.clear()
    radio_takes(silent, 1)
    assert Dots.SAVED is silent.screen.dots
    silent.after(800)

    assert Phase.ON_AIR is silent.own(1).phase
    assert [] == silent.of(ShowScreen, silent.log)
    assert [] == silent.of(PlaySound, silent.log)


def test_busy_channel_is_told_while_the_alert_waits_for_it(offline: World) -> None:
    """N10: what staff hear on their own handset, the panel says too."""
    on_the_air(offline)
    offline.state = replace(offline.state, radio=replace(offline.state.radio, is_busy=True))
    offline.do(Ticked())

    assert ("Not received yet", "Channel is busy   0 s") == offline.screen.lines


def test_neighbour_who_comes_is_the_best_news_while_central_is_gone(offline: World) -> None:
    """N5, N9: told on the air and after it, and never as more than it is."""
    on_the_air(offline)
    offline.do(offline.response_from(BOOTS, 3, 1, MemberResponse.SEEN))
    assert (Face.NEARBY, ("SEEN",), ("by Boots", "By radio now      0 s")) == told(offline)

    offline.do(offline.response_from(CAFE, 4, 1))
    assert (Face.NEARBY, ("COMING",), ("Cafe Nero", "By radio now      0 s")) == told(offline)
    no_receipt(offline, 1)
    assert (Face.NEARBY, ("COMING",), ("Cafe Nero", "No central: call 999")) == told(offline)
    assert Emphasis.FRAMED is offline.screen.emphasis, "no alarm any more, and not yet all well"
    assert LedPattern.UNDELIVERED is offline.state.led
    offline.do(offline.receipt(1))
    assert (Face.RECEIVED, ("RECEIVED",), ("by central system", "Cafe Nero coming")) == told(offline)


def test_alarm_ends_with_the_first_neighbour_who_comes(offline: World) -> None:
    """N5: a sounder that goes on as if nobody had heard would be untrue."""
    on_the_air(offline)
    no_receipt(offline, 1)
    offline.do(offline.response_from(CAFE, 4, 1, MemberResponse.SEEN))
    assert SoundPattern.UNDELIVERED is offline.sounding

    offline.do(offline.response_from(BOOTS, 3, 1))
    assert SoundPattern.CONFIRM is offline.sounding


def test_neighbour_who_has_only_seen_it_leaves_the_alarm_on(offline: World) -> None:
    """N3: somebody knows, nobody comes."""
    on_the_air(offline)
    no_receipt(offline, 1)
    offline.do(offline.response_from(BOOTS, 3, 1, MemberResponse.SEEN))

    assert (Face.NEARBY, ("SEEN",), ("by Boots", "No central: call 999")) == told(offline)
    assert Emphasis.INVERTED is offline.screen.emphasis


def test_neighbour_who_comes_takes_the_panel_from_somebody_elses_alert(offline: World) -> None:
    """After its first minute NOT DELIVERED shares the panel; the first who comes brings it back at once."""
    on_the_air(offline)
    no_receipt(offline, 1)
    offline.after(61_000)
    offline.do(offline.alert_from(CAFE, 9, AlertKind.ATTACK))
    offline.after(6_000)
    assert Face.NEIGHBOUR is offline.screen.face

    offline.do(offline.response_from(BOOTS, 3, 1))
    assert Face.NEARBY is offline.screen.face
    offline.after(61_000)
    while offline.screen.face is not Face.NEIGHBOUR:
        offline.after(1_000)
    offline.do(offline.response_from(CAFE, 4, 1))
    assert Face.NEIGHBOUR is offline.screen.face, "more of the same does not keep the other alert away"


def test_neighbours_answer_to_a_silent_attack_shows_nothing(silent: World) -> None:
    """N4: not even the best news."""
    silent.hold(Button.ATTACK)
    radio_takes(silent, 1)
    silent.log.clear()
    silent.do(silent.response_from(BOOTS, 3, 1))

    assert [] == silent.of(ShowScreen, silent.log)


def test_undelivered_test_sends_nobody_to_the_emergency_services(offline: World) -> None:
    """N12."""
    offline.tap(Button.TEST)
    offline.after(3_000)

    assert (Face.UNDELIVERED, ("TEST", "FAILED"), ("", "Tell co-ordinator")) == told(offline)


def told(world: World) -> tuple[Face, tuple[str, ...], tuple[str, str]]:
    return world.screen.face, world.screen.headline, world.screen.lines


@pytest.mark.parametrize("is_received", [False, True])
def test_who_saw_an_assist_has_not_seen_the_attack(world: World, *, is_received: bool) -> None:
    """N3: a neighbour's word is no better news than it is; they may say it again of what it is now."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.response_from(BOOTS, 9, 1, MemberResponse.SEEN))
    assert "Seen by Boots" == world.screen.lines[1]
    world.after(5_000, LinkDown("cut"))
    world.hold(Button.ATTACK)
    if is_received:
        world.do(world.receipt(2))
    world.after(5_000)
    assert not any("Boots" in line for line in world.screen.lines)
    assert is_received or ("NOT", "DELIVERED") == world.screen.headline

    world.do(world.response_from(BOOTS, 10, 1, MemberResponse.SEEN))
    assert any("by Boots" in line for line in world.screen.lines)


def test_answer_by_a_clock_behind_ours_took_as_long_as_it_took(offline: World) -> None:
    """N3: by radio alone nothing says how far central's clock is off."""
    offline.hold(Button.ATTACK)
    offline.do(offline.receipt(1))
    offline.after(40_000)
    said_s = int(offline.wall().timestamp()) - 70
    frame = Acknowledgement(CENTRAL, 9, said_s, FrameId(OURS, 1), Role.PCSO, AnswerState.ANSWERED, "J Patel")
    offline.do(FrameReceived(signed(frame).data, None, Path.RADIO))

    assert "after 40 s" in offline.screen.lines[1]
