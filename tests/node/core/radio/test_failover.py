"""N3, N8: when the radio is due, and what ends it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.effects import MarkReceipted, PublishFrame, TransmitOver
from node.core.events import LinkDown, LinkUp, OverFailed, PartFailed, PartRecovered
from tests.support.radio_set import LICENSED, Set, radio_set
from wire.ids import FrameId, NodeId

OURS = NodeId(0x10)


def test_overdue_receipt_makes_the_radio_due_while_the_broker_is_tried_on() -> None:
    """N8: two seconds after the press, then the lone wait."""
    radio = radio_set(is_online=True)
    radio.world.do(radio.world.receipt(99))  # Nothing of ours: no reason to trust or doubt.
    radio.world.live(40_000)
    radio.world.tap(Button.ASSIST)
    pressed_ms = radio.world.now_ms - 40

    over = radio.wait_over()
    assert 3_000 - 60 <= radio.world.now_ms - pressed_ms <= 4_000
    assert [1] == radio.counters(over)
    radio.world.log.clear()
    radio.carry(over)
    radio.world.live(9_000)
    assert radio.world.of(PublishFrame, radio.world.log)


def test_network_known_to_be_down_makes_it_due_at_once(radio: Set) -> None:
    """N8: first sound within three seconds of the press."""
    radio.world.tap(Button.ASSIST)
    pressed_ms = radio.world.now_ms - 40
    assert ("TRYING",) == radio.world.screen.headline

    radio.wait_over()
    assert 960 <= radio.world.now_ms - pressed_ms <= 2_100


@pytest.mark.parametrize("path", ["network", "radio"])
def test_receipt_by_any_path_ends_both(path: str) -> None:
    radio = radio_set(is_online=True)
    radio.world.live(40_000)
    radio.world.tap(Button.ASSIST)
    radio.world.after(2_500)
    done = radio.world.do(radio.receipt(1) if path == "radio" else radio.world.receipt(1))
    assert [MarkReceipted(FrameId(OURS, 1))] == radio.world.of(MarkReceipted, done)
    assert [path] == [fact["path"] for fact in radio.facts("receipt")]

    radio.world.log.clear()
    radio.world.live(200_000)
    assert [] == radio.world.of(TransmitOver, radio.world.log)
    assert [] == radio.world.of(PublishFrame, radio.world.log)


def test_doubt_ends_only_after_central_was_heard_for_a_while_or_gave_a_receipt() -> None:
    """N8: no flapping back to a network that has just come back."""
    radio = radio_set(is_online=True)
    radio.world.live(40_000)
    radio.world.do(LinkDown("gone"), LinkUp(), radio.world.status())
    radio.world.tap(Button.ASSIST)
    assert (1,) == tuple(wanted.counter for wanted in radio.world.state.radio.wanted)

    radio.world.do(radio.world.receipt(1))
    radio.world.tap(Button.ASSIST)
    assert () == radio.world.state.radio.wanted
    radio.world.do(radio.world.receipt(2), LinkDown("gone"), LinkUp(), radio.world.status())
    radio.world.live(31_000)
    radio.world.tap(Button.ASSIST)
    assert () == radio.world.state.radio.wanted


def test_receipt_that_was_late_once_is_doubt() -> None:
    radio = radio_set(is_online=True)
    radio.world.live(40_000)
    radio.world.tap(Button.ASSIST)
    radio.world.after(2_000)
    radio.world.do(radio.receipt(1))
    radio.world.tap(Button.ASSIST)

    assert (2,) == tuple(wanted.counter for wanted in radio.world.state.radio.wanted)


def test_broker_without_central_is_doubt() -> None:
    radio = radio_set()
    radio.world.do(LinkUp())
    radio.world.tap(Button.ASSIST)

    assert 1 == len(radio.world.state.radio.wanted)
    assert ("TRYING",) != radio.world.screen.headline, "a receipt may come any moment"


@pytest.mark.parametrize("lack", ["licence", "radio", "fault"])
def test_no_radio_that_may_transmit_is_told_as_ever(lack: str) -> None:
    """N3, N10: without a licence it never transmits, and the presser knows after two seconds."""
    unlicensed = replace(LICENSED, licence="")
    radio = radio_set({"licence": unlicensed, "radio": None, "fault": LICENSED}[lack])
    if lack == "fault":
        radio.world.do(PartFailed(Part.RADIO, "no sound device"))
    radio.world.hold(Button.ATTACK)
    radio.world.after(2_000)
    assert "undelivered" == radio.world.face

    radio.world.after(600_000)
    assert [] == radio.overs()


def test_radio_that_breaks_while_it_waits_is_told_and_takes_up_again_when_mended(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    radio.world.do(PartFailed(Part.RADIO, "no sound device"))
    assert "undelivered" == radio.world.face

    radio.world.after(10_000, PartRecovered(Part.RADIO))
    over = radio.wait_over(2_100)
    assert [1] == radio.counters(over)

    radio.world.do(PartFailed(Part.RADIO, "no sound device"), OverFailed(over.over, "no sound device"))
    radio.world.after(3_000, PartRecovered(Part.RADIO))
    assert [1] == radio.counters(radio.wait_over(2_100))


def test_presser_is_told_when_the_first_over_brought_no_receipt(radio: Set) -> None:
    """N3: not before, and once."""
    radio.world.tap(Button.ASSIST)
    radio.next_over()
    radio.world.after(2_900)
    assert ("TRYING",) == radio.world.screen.headline

    radio.world.after(200)
    assert "undelivered" == radio.world.face
    radio.next_over()
    radio.world.after(10_000)
    assert 1 == len(radio.world.facts("undelivered"))


def test_presser_does_not_wait_for_ever_for_a_first_chance(radio: Set) -> None:
    """N3: the channel is busy, and nobody knows for how long."""
    radio.world.tap(Button.ASSIST)
    radio.talk(8_000)

    assert "undelivered" == radio.world.face
    assert [] == radio.overs()


@pytest.mark.parametrize("later_ms", range(0, 20_000, 4_000))
def test_radio_that_is_mended_takes_up_the_press_at_once_though_an_old_response_lies_there(
    radio: Set, later_ms: int
) -> None:
    """N8: while anything else waits on disk, the backlog is looked through only every so often."""
    radio.world.do(radio.world.alert_from(NodeId(0x11), 5))
    radio.world.tap(Button.SEEN)
    for _ in range(3):
        radio.next_over()
    radio.world.live(60_000 + later_ms)
    radio.world.hold(Button.ATTACK)
    over = radio.wait_over()
    radio.world.do(PartFailed(Part.RADIO, "no sound device"), OverFailed(over.over, "no sound device"))

    radio.world.after(1_000, PartRecovered(Part.RADIO))
    assert radio.counters(over) == radio.counters(radio.wait_over(2_100))
