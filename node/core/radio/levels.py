"""Loudness of mono, signed 16-bit samples in decibels below full scale (dBFS), without any library.

A sine that just reaches full scale has a peak of 0 dBFS and an RMS of −3 dBFS.
"""

from __future__ import annotations

import math
import operator
from array import array
from typing import Final, NamedTuple

from node.core.air import BLOCK_BYTES

FULL_SCALE: Final = 32_768
SILENCE_DBFS: Final = -99.0
"""The level of nothing but zeros, which have no logarithm."""
SPEECH_RMS_DBFS: Final = -9.0
"""A sentence's loudness without pauses (:func:`active_rms_dbfs`): that of a burst, which peaks at -6 dBFS."""
SPEECH_PEAK_DBFS: Final = -1.0
"""Highest peak of a sentence."""
CLIPPED_AT: Final = 32_700
"""A sample this large was clipped by the converter."""
_ACTIVE_WITHIN_DB: Final = 25.0


class Level(NamedTuple):
    """Levels of a stretch of sound. No struct: what speaks a sentence is to load no library.

    Attributes:
        rms_dbfs, peak_dbfs: ``SILENCE_DBFS`` for nothing but zeros.
        mean: offset from zero, in full scales: a device with an offset looks loud in silence.
        clipped_share: share of clipped samples, 0 … 1.
    """

    rms_dbfs: float
    peak_dbfs: float
    mean: float
    clipped_share: float


def dbfs(ratio: float) -> float:
    """A ratio to full scale in decibels, not below ``SILENCE_DBFS``."""
    return max(SILENCE_DBFS, 20 * math.log10(ratio)) if ratio > 0 else SILENCE_DBFS


def ratio(level_dbfs: float) -> float:
    """A level in decibels as a ratio to full scale."""
    return float(10 ** (level_dbfs / 20))


def samples_of(sound: bytes) -> array[int]:
    """The samples as numbers; an odd last byte is ignored."""
    return array("h", sound[: len(sound) & ~1])


def rms_dbfs(sound: bytes) -> float:
    """Loudness of the whole; fast enough for every block."""
    samples = samples_of(sound)
    if not samples:
        return SILENCE_DBFS
    return dbfs(math.sqrt(sum(map(operator.mul, samples, samples)) / len(samples)) / FULL_SCALE)


def level(sound: bytes) -> Level:
    """All levels of ``sound``."""
    samples = samples_of(sound)
    if not samples:
        return Level(SILENCE_DBFS, SILENCE_DBFS, 0.0, 0.0)
    highest, lowest = max(samples), min(samples)
    peak = max(highest, -lowest)
    clipped = sum(1 for sample in samples if not -CLIPPED_AT < sample < CLIPPED_AT) if peak >= CLIPPED_AT else 0
    return Level(
        rms_dbfs(sound),
        dbfs(peak / FULL_SCALE),
        sum(samples) / len(samples) / FULL_SCALE,
        clipped / len(samples),
    )


def active_rms_dbfs(sound: bytes, block_bytes: int = BLOCK_BYTES) -> float:
    """Loudness of a sentence without its pauses: of the blocks within 25 dB of the loudest one.

    Args:
        sound: the sentence.
        block_bytes: of a block; less where every n-th sample stands for all.
    """
    blocks = [rms_dbfs(sound[at : at + block_bytes]) for at in range(0, len(sound), block_bytes)]
    loudest = max(blocks, default=SILENCE_DBFS)
    powers = [10 ** (block / 10) for block in blocks if block > max(loudest - _ACTIVE_WITHIN_DB, SILENCE_DBFS)]
    return 10 * math.log10(sum(powers) / len(powers)) if powers else SILENCE_DBFS
