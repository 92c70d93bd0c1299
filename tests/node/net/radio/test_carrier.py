"""Carrier sense (N10): voice and data are heard, hiss is not for ever, our own over never."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterable

import pytest

from node.net.radio.carrier import SILENCE_DBFS, CarrierSense
from node.net.radio.ports import BLOCK_BYTES, BLOCK_MS, RATE_HZ

SQUELCH_DBFS = -45.0
SAMPLES = BLOCK_BYTES // 2
SECOND = 1_000 // BLOCK_MS
SILENCE = bytes(BLOCK_BYTES)
BAUD = 1200


def tone_blocks(hertz: float, dbfs: float, count: int) -> list[bytes]:
    height = 32_768 * 10 ** (dbfs / 20) * math.sqrt(2)
    return _blocks(height * math.sin(2 * math.pi * hertz * n / RATE_HZ) for n in range(count * SAMPLES))


def afsk_blocks(mark_hz: float, space_hz: float, baud: int, dbfs: float, count: int) -> list[bytes]:
    """Random bits, phase-continuous."""
    bits = random.Random(2)
    height = 32_768 * 10 ** (dbfs / 20) * math.sqrt(2)
    phase, hertz, left = 0.0, mark_hz, 0.0
    heights: list[float] = []
    for _ in range(count * SAMPLES):
        if left <= 0:
            hertz, left = bits.choice((mark_hz, space_hz)), left + RATE_HZ / baud
        left -= 1
        phase += 2 * math.pi * hertz / RATE_HZ
        heights.append(height * math.sin(phase))
    return _blocks(heights)


def hiss_blocks(dbfs: float, count: int) -> list[bytes]:
    noise = random.Random(3)
    height = 32_768 * 10 ** (dbfs / 20)
    return _blocks(noise.gauss(0, height) for _ in range(count * SAMPLES))


def _blocks(heights: Iterable[float]) -> list[bytes]:
    samples = array("h", (max(-32_768, min(32_767, round(height))) for height in heights)).tobytes()
    return [samples[at : at + BLOCK_BYTES] for at in range(0, len(samples), BLOCK_BYTES)]


def states(sense: CarrierSense, blocks: Iterable[bytes]) -> list[bool]:
    """Whether it was busy after each block; its answers about changes are held against it."""
    found: list[bool] = []
    was_busy = sense.is_busy
    for block in blocks:
        changed = sense.hear(block)
        assert changed is (sense.is_busy != was_busy)
        was_busy = sense.is_busy
        found.append(was_busy)
    return found


def test_carrier_measures_the_level_of_a_tone() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    sense.hear(tone_blocks(1_000, -20, 1)[0])

    assert sense.level_dbfs == pytest.approx(-20, abs=0.2)


def test_carrier_is_clear_in_silence_and_in_what_is_below_the_squelch() -> None:
    sense = CarrierSense(SQUELCH_DBFS)

    assert not any(states(sense, [SILENCE] * SECOND + hiss_blocks(-60, SECOND)))
    sense.hear(SILENCE)
    assert SILENCE_DBFS == sense.level_dbfs


def test_carrier_hears_a_voice_within_two_blocks_and_bridges_its_pauses() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    word = tone_blocks(400, -25, SECOND)
    heard = states(sense, word + [SILENCE] * (400 // BLOCK_MS) + word)

    assert all(heard[1:])


def test_carrier_is_clear_half_a_second_after_a_voice() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    heard = states(sense, tone_blocks(400, -25, SECOND) + [SILENCE] * SECOND)

    assert 500 // BLOCK_MS == heard[SECOND:].index(False) + 1


@pytest.mark.parametrize(("mark_hz", "space_hz", "baud"), [(1_200, 2_200, 1_200), (1_600, 1_800, 300)])
def test_carrier_hears_data_below_the_squelch(mark_hz: float, space_hz: float, baud: int) -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    heard = states(sense, [SILENCE] * 10 + afsk_blocks(mark_hz, space_hz, baud, -58, SECOND))

    assert all(heard[10 + 100 // BLOCK_MS :])


def test_carrier_is_clear_soon_after_data() -> None:
    """The answer to a burst must not wait for the pauses of a voice."""
    sense = CarrierSense(SQUELCH_DBFS)
    heard = states(sense, afsk_blocks(1_200, 2_200, 1_200, -20, SECOND) + [SILENCE] * SECOND)

    assert heard[SECOND:].index(False) * BLOCK_MS <= 200


def test_carrier_takes_no_click_for_a_carrier() -> None:
    sense = CarrierSense(SQUELCH_DBFS)

    assert not any(states(sense, [SILENCE] * 10 + tone_blocks(400, -10, 1) + [SILENCE] * 10))


def test_carrier_does_not_take_an_open_squelch_for_a_carrier_for_ever() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    second = hiss_blocks(-30, SECOND)
    heard = states(sense, second * 12)

    assert heard[SECOND]
    assert not any(heard[11 * SECOND :])
    assert states(sense, tone_blocks(400, -15, SECOND))[-1]


def test_carrier_that_speaks_with_pauses_is_never_taken_for_hiss() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    sentence = tone_blocks(400, -25, 2 * SECOND) + [SILENCE] * 10

    assert all(states(sense, sentence * 10)[1:])


def test_carrier_does_not_take_a_tone_for_data_for_ever() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    heard = states(sense, tone_blocks(1_800, -58, SECOND) * 47)

    assert heard[44 * SECOND]
    assert not heard[-1]


def test_carrier_forgets_what_was_before_our_own_over() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    states(sense, tone_blocks(400, -20, SECOND))
    sense.forget()

    assert [False] == states(sense, [SILENCE])


def test_carrier_ends_when_the_receiver_is_gone() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    states(sense, tone_blocks(400, -20, SECOND))
    sense.silence()

    assert not sense.is_busy


def test_carrier_keeps_a_bounded_memory() -> None:
    sense = CarrierSense(SQUELCH_DBFS)
    states(sense, hiss_blocks(-40, SECOND) * 60)

    assert len(sense._products) + len(sense._quietest) + len(sense._second) <= 5 + 10 + SECOND
