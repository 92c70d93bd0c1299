"""A narrow-band FM voice channel, 12.5 kHz class: from one radio's microphone plug to another's loudspeaker plug.

300–3000 Hz audio, 750 µs pre-emphasis, hard limiter, ±2.5 kHz deviation, white noise in an 8 kHz intermediate-frequency
filter, discriminator, de-emphasis. Noise is white there, and so rises with frequency after the discriminator, with
clicks below the threshold: the noise that modems for these radios face, unlike additive noise.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, lfilter, resample_poly, sosfilt

Audio = npt.NDArray[np.float64]
RATE_HZ: Final = 48_000
DEVIATION_HZ: Final = 2_500
IF_BANDWIDTH_HZ: Final = 8_000
DRIVE: Final = 1.2
_VOICE: Final = butter(4, [300, 3_000], "bandpass", fs=RATE_HZ, output="sos")
_SPLATTER: Final = butter(4, 3_000, fs=RATE_HZ, output="sos")
_IF: Final = butter(4, IF_BANDWIDTH_HZ / 2, fs=RATE_HZ, output="sos")
_EMPHASIS: Final = float(np.exp(-1 / (RATE_HZ * 750e-6)))
# 44,100 : 48,000
_UP: Final = 160
_DOWN: Final = 147
_LEVEL: Final = 0.35
_LEAST: Final = 1e-9
_FULL_SCALE: Final = 32_767


def through_fm(samples: bytes, carrier_to_noise_db: float, random: np.random.Generator) -> bytes:
    """Audio of a receiver with open squelch, at its loudspeaker.

    Args:
        samples: S16LE mono at 44,100 Hz.
        carrier_to_noise_db: in the intermediate-frequency bandwidth.
        random: source of the noise.

    Returns:
        As many samples, in the same format.
    """
    sent: Audio = resample_poly(np.frombuffer(samples, "<i2") / _FULL_SCALE, _UP, _DOWN)
    audio: Audio = lfilter([1, -_EMPHASIS], [1], sosfilt(_VOICE, sent))
    audio = sosfilt(_SPLATTER, np.clip(DRIVE * audio / (np.max(np.abs(audio)) + _LEAST), -1, 1))
    carrier: Any = sosfilt(_IF, np.exp(2j * np.pi * np.cumsum(audio * DEVIATION_HZ) / RATE_HZ))
    noise: Any = sosfilt(_IF, random.standard_normal(len(audio)) + 1j * random.standard_normal(len(audio)))
    noise *= np.sqrt(10 ** (-carrier_to_noise_db / 10) / np.mean(np.abs(noise) ** 2))
    received = carrier + noise
    turned = np.angle(received[1:] * np.conj(received[:-1])) * RATE_HZ / (2 * np.pi * DEVIATION_HZ)
    heard: Audio = lfilter([1 - _EMPHASIS], [1, -_EMPHASIS], np.append(turned, 0.0))
    heard = resample_poly(sosfilt(_VOICE, heard), _DOWN, _UP)[: len(samples) // 2]
    heard *= _LEVEL / np.sqrt(np.mean(heard**2) + _LEAST)
    return np.asarray(np.clip(heard, -1, 1) * _FULL_SCALE).astype("<i2").tobytes()
