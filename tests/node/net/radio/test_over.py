"""What an over sounds like (N9, N10): silence no longer than it must be, bursts, a sentence as loud as they are."""

from __future__ import annotations

import math
from array import array

import pytest

from node.core.air import KEY_UP_MS, OVER_MS_MAX, SPEECH_GAP_MS
from node.net.radio.direwolf import PEAK
from node.net.radio.over import (
    KEYED_SPARE_MS,
    SAMPLES_MS_MAX,
    OverTooLongError,
    assemble,
    milliseconds,
    silence,
)

BURST = array("h", [PEAK, -PEAK] * 22_050).tobytes()
"""A second."""


def sentence(peak: int, count: int = 4_410) -> bytes:
    return array("h", (round(peak * math.sin(n / 9) * math.sin(n / 700) ** 8) for n in range(count))).tobytes()


def test_over_begins_with_the_key_up_and_ends_with_the_burst() -> None:
    assert silence(KEY_UP_MS) + BURST == assemble(BURST, None)


def test_over_has_a_short_gap_before_the_sentence() -> None:
    assert silence(KEY_UP_MS) + BURST + silence(SPEECH_GAP_MS) + sentence(900) == assemble(BURST, sentence(900))


def test_over_leaves_out_a_sentence_that_would_make_it_too_long() -> None:
    assert assemble(BURST, None) == assemble(BURST, silence(SAMPLES_MS_MAX))


def test_over_refuses_bursts_that_are_too_long() -> None:
    with pytest.raises(OverTooLongError):
        assemble(silence(SAMPLES_MS_MAX), None)


def test_over_never_plays_longer_than_anybody_may_be_keyed() -> None:
    assert SAMPLES_MS_MAX + KEYED_SPARE_MS <= OVER_MS_MAX
    assert milliseconds(assemble(silence(SAMPLES_MS_MAX - KEY_UP_MS), None)) <= SAMPLES_MS_MAX
