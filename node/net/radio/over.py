"""What one over sounds like: silence while the transmitter comes up, bursts, a gap, a sentence."""

from __future__ import annotations

import logging
from array import array
from operator import mul
from typing import Final

from node.core.radio.air import KEY_UP_MS, OVER_MS_MAX, SPEECH_GAP_MS
from node.net.radio.direwolf import PEAK
from node.net.radio.errors import RadioError
from node.net.radio.ports import RATE_HZ, PhraseBook

logger = logging.getLogger(__name__)

KEYED_SPARE_MS: Final = 2_000
"""From keyed to unkeyed an over takes this much longer than its samples at most; then the PTT's guard ends it."""
SAMPLES_MS_MAX: Final = OVER_MS_MAX - KEYED_SPARE_MS
_BURST_RMS: Final = PEAK * 0.707
_SPEECH_TO_BURST: Final = 0.5
"""RMS. Speech peaks at ten times its mean; half the burst's mean leaves its loudest vowels clipped, which is heard as
loudness, and its peaks as high as the burst's, so that both deviate the transmitter alike."""
_GAIN_MAX: Final = 20.0


class OverTooLongError(RadioError, OSError):
    """The bursts alone would take longer than anybody may transmit."""


def milliseconds(samples: bytes) -> int:
    """How long they play."""
    return len(samples) * 1000 // (2 * RATE_HZ)


def silence(ms: int) -> bytes:
    """Samples of nothing."""
    return bytes(2 * (RATE_HZ * ms // 1000))


def assemble(bursts: bytes, sentence: bytes | None) -> bytes:
    """The samples of a whole over. A sentence that would make it too long is left out.

    Raises:
        OverTooLongError: it is too long without one.
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


def normalised(sentence: bytes) -> bytes:
    """At the bursts' level."""
    heights = array("h", sentence[: len(sentence) & ~1])
    mean_square = sum(map(mul, heights, heights)) / max(1, len(heights))
    if not mean_square:
        return sentence
    gain = min(_GAIN_MAX, _SPEECH_TO_BURST * _BURST_RMS / float(mean_square) ** 0.5)
    # A table of all heights: a sentence has some 300,000 samples, and few different ones.
    table = {height: max(-PEAK, min(PEAK, round(height * gain))) for height in set(heights)}
    return array("h", map(table.__getitem__, heights)).tobytes()


class Sentences:
    """The phrase book's sentences at the bursts' level, each worked out once."""

    def __init__(self, phrases: PhraseBook) -> None:
        """Nothing is worked out yet.

        Args:
            phrases: the sentences.
        """
        self._phrases = phrases
        self._known: dict[str, tuple[bytes, bytes]] = {}

    def samples(self, phrase: str) -> bytes | None:
        """Of that phrase; ``None`` where there is none."""
        raw = self._phrases.samples(phrase)
        if raw is None:
            return None
        known = self._known.get(phrase)
        if known is None or known[0] != raw:
            known = self._known[phrase] = (raw, normalised(raw))
        return known[1]

    def prepare(self, phrase: str) -> bool:
        """Work it out ahead, if that is not done; says whether it did."""
        known = self._known.get(phrase)
        self.samples(phrase)
        return self._known.get(phrase) is not known
