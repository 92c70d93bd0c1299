"""The sound of one over: silence while the transmitter comes up, bursts, a gap, a sentence.

Bursts and sentences have the same level, :data:`node.core.radio.levels.SPEECH_RMS_DBFS`.
"""

from __future__ import annotations

import logging
from typing import Final

from node.core.air import KEY_UP_MS, OVER_MS_MAX, SPEECH_GAP_MS
from node.net.radio.errors import RadioError
from node.net.radio.ports import RATE_HZ

logger = logging.getLogger(__name__)

KEYED_SPARE_MS: Final = 2_000
"""From keyed to unkeyed an over may take this much longer than its samples; then the PTT's guard ends it."""
SAMPLES_MS_MAX: Final = OVER_MS_MAX - KEYED_SPARE_MS


class OverTooLongError(RadioError, OSError):
    """The bursts alone would take longer than anyone may transmit."""


def milliseconds(samples: bytes) -> int:
    """Length of the samples in milliseconds."""
    return len(samples) * 1000 // (2 * RATE_HZ)


def silence(ms: int) -> bytes:
    """Samples of silence."""
    return bytes(2 * (RATE_HZ * ms // 1000))


def assemble(bursts: bytes, sentence: bytes | None) -> bytes:
    """The samples of a whole over. A sentence that would make it too long is left out.

    Raises:
        OverTooLongError: too long even without one.
    """
    over = silence(KEY_UP_MS) + bursts
    if milliseconds(over) > SAMPLES_MS_MAX:
        raise OverTooLongError(f"the bursts take {milliseconds(over)} ms")
    if sentence is None:
        return over
    spoken = over + silence(SPEECH_GAP_MS) + sentence
    if milliseconds(spoken) > SAMPLES_MS_MAX:
        logger.warning("a sentence of %d ms is left out: the over would be too long", milliseconds(sentence))
        return over
    return spoken
