"""Someone talking: an espeak-ng voice, rendered once and repeated as needed."""

from __future__ import annotations

import io
import subprocess
import wave
from typing import Final

import numpy as np

from demo.air.channel import BLOCK, Samples
from node.core.air import RATE_HZ

_SENTENCES: Final = (
    "Control, this is warden four, at the market. Two on bicycles are heading for the bus station. No offence yet. "
    "I will keep watching, and call you again from the corner of Mill Lane. "
)
_LEVEL: Final = 0.12
_PEAK_MAX: Final = 0.9
_WITHIN_S: Final = 120


class VoicelessError(Exception):
    """espeak-ng is not installed, or fails."""


def speech(seconds: float) -> list[Samples]:
    """``seconds`` of speech, in blocks.

    Raises:
        VoicelessError: no espeak-ng.
    """
    try:
        spoken = subprocess.run(
            ["espeak-ng", "-v", "en-gb", "-s", "160", "--stdout", _SENTENCES],
            capture_output=True,
            check=True,
            timeout=_WITHIN_S,
        ).stdout
    except (OSError, subprocess.SubprocessError) as e:
        raise VoicelessError(f"espeak-ng does not speak: {e}") from e
    samples = _at_our_rate(spoken)
    whole = np.resize(samples, int(seconds * RATE_HZ) // BLOCK * BLOCK)
    return list(whole.reshape(-1, BLOCK))


def _at_our_rate(spoken: bytes) -> Samples:
    # In a pipe the header does not know the length: ignore it.
    with wave.open(io.BytesIO(spoken)) as source:
        rate_hz = source.getframerate()
    raw = spoken[44:]
    there = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / np.float32(32_768)
    moments = np.arange(int(len(there) * RATE_HZ / rate_hz)) * (rate_hz / RATE_HZ)
    samples = np.interp(moments, np.arange(len(there)), there).astype(np.float32)
    louder = _LEVEL / float(np.sqrt(np.mean(np.square(samples))) + 1e-9)
    return np.asarray(np.clip(samples * np.float32(louder), -_PEAK_MAX, _PEAK_MAX), np.float32)
