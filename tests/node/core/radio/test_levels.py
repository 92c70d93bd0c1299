"""How loud sound is (N9, N10: bursts and speech are as loud as one another, a channel is clear below a level)."""

from __future__ import annotations

import math
from array import array

import pytest

from node.core.radio import levels


def _sine(amplitude: float, samples: int = 4_410, cycles: int = 100) -> bytes:
    return array(
        "h", (round(amplitude * 32_767 * math.sin(2 * math.pi * cycles * at / samples)) for at in range(samples))
    ).tobytes()


def test_level_of_a_full_sine_is_three_decibels_below_its_peak() -> None:
    found = levels.level(_sine(1.0))
    assert found.peak_dbfs == pytest.approx(0, abs=0.01)
    assert found.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert found.mean == pytest.approx(0, abs=1e-4)
    assert 0 < found.clipped_share < 0.1


def test_level_of_half_the_amplitude_is_six_decibels_less() -> None:
    found = levels.level(_sine(0.5))
    assert found.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert found.clipped_share == 0


@pytest.mark.parametrize("sound", [b"", b"\0", bytes(1_764)])
def test_level_of_nothing_is_silence_and_no_error(sound: bytes) -> None:
    assert levels.level(sound) == levels.Level(levels.SILENCE_DBFS, levels.SILENCE_DBFS, 0, 0)
    assert levels.rms_dbfs(sound) == levels.SILENCE_DBFS
    assert levels.active_rms_dbfs(sound) == levels.SILENCE_DBFS


def test_level_tells_an_offset_from_a_sound() -> None:
    found = levels.level(array("h", [3_277] * 882).tobytes())
    assert found.mean == pytest.approx(0.1, abs=0.001)


def test_level_counts_the_most_negative_sample() -> None:
    assert levels.level(array("h", [-32_768]).tobytes()).peak_dbfs == 0


def test_active_rms_is_that_of_the_words_whatever_the_pauses() -> None:
    word = _sine(0.5, samples=8_820, cycles=200)
    assert levels.active_rms_dbfs(word + bytes(88_200) + word) == pytest.approx(-9.03, abs=0.05)


def test_ratio_is_the_inverse_of_dbfs() -> None:
    assert levels.dbfs(levels.ratio(-12.0)) == pytest.approx(-12.0)
    assert levels.dbfs(0) == levels.SILENCE_DBFS
