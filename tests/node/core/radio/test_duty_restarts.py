"""N10: the duty cycle is the radio's, not the program's: a crash loop does not begin its window anew."""

from __future__ import annotations

import pytest

from node.core.events import AirAsked, OverEnded
from node.core.radio import duty_cycle
from tests.support.radio_set import Set
from wire.frames import Receipt
from wire.ids import CENTRAL, FrameId, NodeId

BOOTS = NodeId(0x11)
AIRTIME_MS = 1_300

pytestmark = pytest.mark.finding(9)


@pytest.mark.one_python
@pytest.mark.parametrize("is_ended", [True, False])
def test_crash_loop_keeps_to_the_duty_cycle(radio: Set, *, is_ended: bool) -> None:
    """Whether it dies after an over or while it is keyed."""
    used_ms, counter = 0, 0
    while radio.world.now_ms < duty_cycle.WINDOW_MS:
        counter += 1
        frame = Receipt(CENTRAL, counter, 0, FrameId(BOOTS, counter))
        before = len(radio.overs())
        radio.world.do(AirAsked(radio.world.signed(frame).data))
        radio.world.after(300)
        if len(radio.overs()) > before:
            used_ms += AIRTIME_MS
            radio.world.after(AIRTIME_MS)
            if is_ended:
                radio.world.do(OverEnded(radio.overs()[-1].over, AIRTIME_MS))
            radio.world.restart()

    assert 20 <= 100 * used_ms // duty_cycle.WINDOW_MS <= 32
