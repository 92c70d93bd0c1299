"""What the radio check says of received sound: right, and of use to somebody with a screwdriver (F6, N10)."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable
from functools import cache

import pytest

from node.core.air import BLOCK_BYTES, RATE_HZ
from node.core.radio.levels import ratio
from node.level_diagnosis import input_level, squelch
from node.step import Outcome, Step

_SECOND = RATE_HZ
Heard = Callable[[], list[bytes]]
"""Made when it is heard: every process that collects this file would make all of it."""


@cache
def noise(rms_dbfs: float, samples: int = _SECOND, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    deviation = 32_768 * ratio(rms_dbfs)
    return [chance.gauss(0, deviation) for _ in range(samples)]


def tone(hz: float, rms_dbfs: float, samples: int = _SECOND) -> list[float]:
    height = 32_768 * ratio(rms_dbfs) * math.sqrt(2)
    return [height * math.sin(2 * math.pi * hz * at / RATE_HZ) for at in range(samples)]


def blocks(*parts: list[float]) -> list[bytes]:
    samples = [sample for part in parts for sample in part]
    sound = array("h", (max(-32_768, min(32_767, round(sample))) for sample in samples)).tobytes()
    return [sound[at : at + BLOCK_BYTES] for at in range(0, len(sound), BLOCK_BYTES)]


def mixed(one: list[float], other: list[float]) -> list[float]:
    return [a + b for a, b in zip(one, other, strict=True)]


@cache
def good() -> list[bytes]:
    return blocks(noise(-72), noise(-15), noise(-72), noise(-15))


def test_input_that_is_right_is_said_to_be() -> None:
    step = input_level(good())
    assert step.outcome is Outcome.OK
    assert step.text == "speech at -15 dBFS, silence at -72 dBFS"
    assert step.figures["loud_dbfs"] == pytest.approx(-15, abs=0.5)


@pytest.mark.parametrize(
    ("heard", "text", "advice"),
    [
        (lambda: blocks([0.0] * _SECOND), "nothing comes in", "wrong input, or muted"),
        (lambda: blocks(noise(-72), noise(-72, seed=2)), "nobody was heard", "speaker plug in"),
        (lambda: blocks(noise(-20), noise(-20, seed=2)), "squelch is open", "close the squelch"),
        (lambda: blocks(noise(-80), noise(-40)), "too quiet: -40 dBFS", "up until speech"),
        (lambda: blocks(noise(-72), noise(-4)), "too loud: -", "down until speech"),
        (lambda: blocks(noise(-72), tone(440, -2)), "are cut off", "down until speech"),
        (lambda: blocks([9_000.0] * _SECOND, mixed(noise(-15), [9_000.0] * _SECOND)), "sits at 27 %", "transformer"),
        (
            lambda: blocks(mixed(tone(50, -45), noise(-72)), mixed(tone(50, -45), noise(-15))),
            "mains hum at -45 dBFS",
            "grounds",
        ),
        (
            lambda: blocks(mixed(tone(100, -40), noise(-72)), mixed(tone(100, -40), noise(-15))),
            "mains hum at -40 dBFS",
            "grounds",
        ),
    ],
)
def test_input_that_is_wrong_is_told_with_what_to_do(heard: Heard, text: str, advice: str) -> None:
    step = input_level(heard())
    assert step.outcome is Outcome.BAD
    assert text in step.text
    assert advice in step.advice


def test_input_with_a_low_voice_in_it_is_no_hum() -> None:
    assert input_level(blocks(noise(-72), mixed(tone(120, -20), noise(-15)))).outcome is Outcome.OK


def test_squelch_between_silence_and_speech_is_right() -> None:
    step = squelch(good(), -45.0, 0.5)
    assert step.outcome is Outcome.OK
    assert step.text == "busy for 50 % of the time"


@pytest.mark.parametrize(
    ("heard", "squelch_dbfs", "text", "advice"),
    [
        (good, -75.0, "busy for ever", "set squelch_dbfs = -4"),
        (good, -18.0, "talk over people", "set squelch_dbfs = -4"),
        (lambda: blocks(noise(-40), noise(-40, seed=2)), -45.0, "too alike", "mend the input"),
    ],
)
def test_squelch_in_the_wrong_place_is_told_with_the_right_one(
    heard: Heard, squelch_dbfs: float, text: str, advice: str
) -> None:
    """N10: a node that hears nobody talks over people; one that hears somebody for ever waits for ever."""
    step = squelch(heard(), squelch_dbfs, 0.5)
    assert step.outcome is Outcome.BAD
    assert text in step.text
    assert advice in step.advice


def test_the_squelch_that_is_advised_is_right() -> None:
    for quiet, loud in ((-72, -15), (-50, -20), (-90, -28)):
        heard = blocks(noise(quiet), noise(loud))
        advised = squelch(heard, -6.0, 0.5).advice.split("= ")[1].split()[0]
        assert squelch(heard, float(advised), 0.5).outcome is Outcome.OK


def test_a_step_without_figures_has_none() -> None:
    assert dict(Step("a", Outcome.OK, "b").figures) == {}
