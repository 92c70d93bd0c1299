"""Both drivers of the radio with real Dire Wolfs: what ``RadioPort`` promises the core (N8, N9, N10)."""

from __future__ import annotations

import os
import random
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.air import BLOCK_BYTES, BURSTS_PER_OVER_MAX, Mode
from node.core.events import ChannelChanged, InputRejected, OverEnded, OverFailed, PartFailed, PartRecovered
from node.net.radio import codec, direwolf
from tests.support.radio_rig import Rig, SoundRig, TncRig, burst_of, has_recovered
from wire.limits import FRAME_BYTES_MAX

pytestmark = pytest.mark.integration

PLAIN = Mode.IL2P_1200


@pytest.fixture(autouse=True)
def _modems_have_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Dire Wolf that waits for the processor for seconds has not failed here. It takes no longer where it has not."""
    for module, name in (
        (direwolf, "ENCODE_MS_MAX"),
        (direwolf, "_STUCK_MS_MAX"),
        (direwolf, "_START_MS_MAX"),
        (direwolf, "_AWAIT_START_MS_MAX"),
        (codec, "_PROBE_MS_MAX"),
    ):
        monkeypatch.setattr(module, name, 30_000)


@pytest.fixture(params=["sound", "tnc"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    rig: Rig = SoundRig() if request.param == "sound" else TncRig(tmp_path / "tncs")
    rig.wait_ready()
    yield rig
    rig.close()


def frames(*lengths: int) -> tuple[bytes, ...]:
    return tuple(os.urandom(length) for length in lengths)


def test_radio_carries_frames_both_ways_in_every_mode_in_order(rig: Rig) -> None:
    sent: list[list[bytes]] = [[], []]
    for over, mode in enumerate(rig.modes, start=1):
        for sender, receiver in ((0, 1), (1, 0)):
            bursts = frames(89, FRAME_BYTES_MAX)
            sent[receiver] += bursts
            rig.radios[sender].transmit(over, bursts, mode, None)
            end = rig.ears[sender].wait_for_end(over)
            assert isinstance(end, OverEnded)
            rig.ears[receiver].wait_for_frames(*sent[receiver])

    assert rig.ears[0].of(PartFailed) == rig.ears[1].of(PartFailed) == []


def test_radio_tells_an_over_once_and_in_order(rig: Rig) -> None:
    rig.radios[0].transmit(7, frames(79), PLAIN, None)
    end = rig.ears[0].wait_for_end(7)
    rig.radios[0].transmit(8, frames(79, 80), PLAIN, None)
    rig.ears[0].wait_for_end(8)

    told = [type(event).__name__ for event in rig.ears[0].all if hasattr(event, "over")]
    assert ["OverStarted", "OverEnded", "OverStarted", "OverEnded"] == told
    assert 0 < end.airtime_ms
    assert rig.ears[0].frames == []


def test_radio_hears_nothing_in_noise_and_frames_after_it(rig: Rig) -> None:
    noise = random.Random(1)
    block = array("h", (noise.randint(-9000, 9000) for _ in range(BLOCK_BYTES // 2))).tobytes()
    rig.say(block * 100)
    burst = frames(89)
    rig.say(burst_of(burst[0]))
    rig.ears[1].wait_for_frames(*burst)

    assert rig.ears[1].of(PartFailed) == []


def test_radio_counts_what_is_not_ours_and_drops_it(rig: Rig) -> None:
    burst = frames(60)
    rig.say(burst_of(os.urandom(60), destination="APRS00") + burst_of(burst[0]))
    rig.ears[1].wait_for_frames(*burst)

    assert [InputRejected("ax25 not ours")] == rig.ears[1].of(InputRejected)


def test_radio_hears_a_busy_channel_and_a_clear_one_again(rig: Rig) -> None:
    rig.radios[0].transmit(1, frames(89), PLAIN, None)
    rig.ears[1].wait_for(ChannelChanged(is_busy=False))

    assert [ChannelChanged(is_busy=True), ChannelChanged(is_busy=False)] == rig.ears[1].of(ChannelChanged)
    assert rig.ears[0].of(ChannelChanged) == []


def test_radio_takes_one_over_at_a_time(rig: Rig) -> None:
    rig.radios[0].transmit(1, frames(89), PLAIN, None)
    rig.radios[0].transmit(2, frames(89), PLAIN, None)
    first, second = rig.ears[0].wait_for_end(1), rig.ears[0].wait_for_end(2)

    assert (OverEnded, OverFailed) == (type(first), type(second))
    assert (1, 0) == (rig.ears[0].starts(1), rig.ears[0].starts(2))


def test_radio_refuses_what_is_no_over(rig: Rig) -> None:
    wrong = [(), (bytes(FRAME_BYTES_MAX + 1),), (b"",), (b"x",) * 5]
    for over, bursts in enumerate(wrong):
        rig.radios[0].transmit(over, bursts, PLAIN, None)
        end = rig.ears[0].wait_for_end(over)

        assert isinstance(end, OverFailed)
        assert (0, 0) == (end.airtime_ms, rig.ears[0].starts(over))


def test_radio_answers_a_stopped_over_once(rig: Rig) -> None:
    with rig.long_overs():
        rig.radios[0].transmit(1, frames(*[FRAME_BYTES_MAX] * BURSTS_PER_OVER_MAX), PLAIN, None)
        rig.ears[0].wait_until(lambda _: rig.ears[0].starts(1) > 0)
        rig.radios[0].stop_over(99)
        rig.radios[0].stop_over(1)
        end = rig.ears[0].wait_for_end(1)
    rig.radios[0].stop_over(1)
    rig.radios[0].transmit(2, frames(89), PLAIN, None)

    assert isinstance(rig.ears[0].wait_for_end(2), OverEnded)
    assert [end] == rig.ears[0].ends(1)
    assert isinstance(end, OverEnded)
    assert rig.can_stop is rig.was_cut_short(0)


def test_radio_recovers_from_the_death_of_its_modem(rig: Rig) -> None:
    rig.kill_modem()
    rig.ears[0].wait_until(has_recovered)
    burst = frames(89)
    rig.radios[0].transmit(1, burst, PLAIN, None)
    rig.ears[1].wait_for_frames(*burst)

    assert isinstance(rig.ears[0].wait_for_end(1), OverEnded)
    assert [rig.modem_part] == [event.part for event in rig.ears[0].of(PartFailed)]
    assert [PartRecovered(rig.modem_part)] == rig.ears[0].of(PartRecovered)


def test_radio_drops_frames_that_the_loop_has_no_room_for(rig: Rig) -> None:
    rig.ears[1].is_full = True
    rig.radios[0].transmit(1, frames(89), PLAIN, None)
    # The modem may decode it long after the channel is clear again.
    rig.ears[1].refused.wait_until(lambda refused: refused != [])
    rig.ears[0].wait_for_end(1)
    rig.ears[1].is_full = False
    burst = frames(90)
    rig.radios[0].transmit(2, burst, PLAIN, None)

    rig.ears[1].wait_for_frames(*burst)


def test_radio_does_not_wait_for_the_end_of_an_over_to_close(rig: Rig) -> None:
    with rig.long_overs():
        rig.radios[0].transmit(1, frames(*[FRAME_BYTES_MAX] * BURSTS_PER_OVER_MAX), PLAIN, None)
        rig.ears[0].wait_until(lambda _: rig.ears[0].starts(1) > 0)
        rig.radios[0].close()

        # On a busy machine it closes without its thread, which has not said it then.
        assert isinstance(rig.ears[0].wait_for_end(1), OverFailed)
