"""N9, N10: who holds the broker holds every frame that ever was, all well signed, and may ask for any of them."""

from __future__ import annotations

import pytest

from node.core.controls import Button
from node.core.events import AirAsked, ChannelChanged, DirectoryReceived, OverEnded
from node.core.radio import answer_queue, duty_cycle
from tests.support.radio_set import Set, radio_set
from wire.frames import Alert, Cancel, Frame, PathTest, Receipt, Response
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, CancelReason, MemberResponse, Path

OURS, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)


def ask(radio: Set, frame: Frame) -> None:
    radio.world.do(AirAsked(radio.world.signed(frame).data))


def now_s(radio: Set) -> int:
    return int(radio.world.wall().timestamp())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (Alert(OURS, 5, 0, AlertKind.ATTACK, 5, (1,)), "air our own"),
        (Alert(OURS, 5, 0, AlertKind.ATTACK, 5, (1,), silent=True), "air our own"),
        (Cancel(OURS, 5, 0, 4, CancelReason.MISTAKE, (1,)), "air our own"),
        (Response(BOOTS, 5, 0, FrameId(CAFE, 1), MemberResponse.SEEN, (1,)), "air wrong kind"),
        (PathTest(BOOTS, 5, 0, Path.RADIO), "air wrong kind"),
    ],
)
def test_what_central_never_asks_for_is_not_said(radio: Set, frame: Frame, reason: str) -> None:
    ask(radio, frame)
    radio.world.after(30_000)

    assert ([], {reason: 1}) == (radio.overs(), dict(radio.world.state.rejected))


def test_alert_of_a_scheme_that_is_not_ours_is_not_said() -> None:
    """G4."""
    radio = radio_set(scheme_numbers=(2,))
    ask(radio, Alert(BOOTS, 5, 0, AlertKind.ATTACK, 5, (1,)))
    radio.world.after(30_000)

    assert ([], {"air foreign scheme": 1}) == (radio.overs(), dict(radio.world.state.rejected))


@pytest.mark.parametrize(
    ("age_ms", "is_said"), [(answer_queue.OLD_MS - 5_000, True), (answer_queue.OLD_MS + 5_000, False)]
)
@pytest.mark.parametrize("kind", ["alert", "receipt"])
def test_old_frames_are_not_said_where_the_time_is_known(radio: Set, kind: str, age_ms: int, *, is_said: bool) -> None:
    at_s = now_s(radio) - age_ms // 1_000
    receipt = Receipt(CENTRAL, 5, at_s, FrameId(BOOTS, 1))
    ask(radio, receipt if kind == "receipt" else Alert(BOOTS, 5, at_s, AlertKind.ATTACK, 5, (1,)))
    radio.world.after(30_000)

    assert is_said is bool(radio.overs())
    assert (not is_said) is ("air old" in radio.world.state.rejected)


def test_alert_of_a_member_struck_off_while_it_waits_is_not_said(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    ask(radio, Alert(BOOTS, 5, 0, AlertKind.ATTACK, 5, (1,)))
    struck = radio.world.sender(BOOTS, "Boots", "", 1, is_revoked=True)
    radio.world.do(DirectoryReceived(radio.world.directory(2, boots=struck), b"x"))
    radio.world.do(ChannelChanged(is_busy=False))
    radio.world.after(30_000)

    assert [] == radio.overs()


@pytest.mark.one_python
def test_flood_of_old_receipts_leaves_room_for_a_press_here(radio: Set) -> None:
    """N10: three tenths of ten minutes, however many there are, and an assist goes out at once."""
    counter = 0
    while radio.world.now_ms < duty_cycle.WINDOW_MS:
        counter += 1
        ask(radio, Receipt(CENTRAL, counter, 0, FrameId(BOOTS, counter)))
        before = len(radio.overs())
        radio.world.after(300)
        if len(radio.overs()) > before:
            radio.world.after(1_000, OverEnded(radio.overs()[-1].over, 1_300))
    state = radio.world.state.radio
    used_ms = duty_cycle.used_ms(state.own_use, radio.world.now_ms)
    assert 25 <= 100 * used_ms // duty_cycle.WINDOW_MS <= 31

    radio.world.tap(Button.ASSIST)
    tapped_ms = radio.world.now_ms
    while (over := radio.world.state.radio.over) is None or not over.counters:  # An answer or two may be under way.
        radio.world.after(100, *(() if over is None else (OverEnded(over.number, 4_000),)))
    assert radio.world.now_ms - tapped_ms < 5_000
