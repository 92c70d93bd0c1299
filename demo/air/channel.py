"""Voice-radio FM in 20 ms steps: 300–3000 Hz, pre-emphasis, limiter, 2.5 kHz deviation, discriminator.

Noise is 1 in the receiver's 8 kHz, so a carrier's power there is its carrier-to-noise ratio. Several carriers in one
receiver are simply added: capture and heterodyne follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from node.core.air import BLOCK_BYTES, RATE_HZ

BLOCK: Final = BLOCK_BYTES // 2
"""Samples in a tick."""

Samples = NDArray[np.float32]
Carrier = NDArray[np.complex64]

_DEVIATION_HZ: Final = 2_500
_RECEIVER_HZ: Final = 8_000
_EMPHASIS_S: Final = 750e-6
_SPEECH_HZ: Final = (300.0, 3_000.0)
_FULL_AT: Final = 1.6
"""The level of a 2,200 Hz tone (full scale 1) at which the transmitter reaches full deviation."""
_GRID: Final = 16_384
_LONG: Final = 1_167
_SHORT: Final = 143
"""Taps: with the block they make 2,048 and 1,024 points."""


def _emphasis(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pre-emphasis, 1 at 1 kHz."""
    return np.asarray(np.sqrt((1 + (2 * np.pi * hz * _EMPHASIS_S) ** 2) / (1 + (2e3 * np.pi * _EMPHASIS_S) ** 2)))


def _speech_band(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = _SPEECH_HZ
    hz = np.maximum(hz, 1.0)
    return np.asarray(1 / np.sqrt(1 + ((hz * hz - low * high) / (hz * (high - low))) ** 8))


def _below(edge_hz: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda hz: np.asarray(1 / np.sqrt(1 + (hz / edge_hz) ** 8))


class _Filter:
    """A linear-phase filter by overlap and save, with memory between blocks."""

    def __init__(
        self, magnitude: Callable[[NDArray[np.float64]], NDArray[np.float64]], taps: int, *, is_complex: bool = False
    ) -> None:
        grid = np.asarray(np.fft.rfftfreq(_GRID, 1 / RATE_HZ), np.float64)
        middle = np.roll(np.fft.irfft(magnitude(grid)), taps // 2)[:taps]
        self.taps = middle * np.hamming(taps)
        size = BLOCK + taps - 1
        self._is_complex = is_complex
        self._kept = np.zeros(taps - 1, np.complex64 if is_complex else np.float32)
        transform: Any = np.fft.fft if is_complex else np.fft.rfft
        self._response = transform(self.taps, size).astype(np.complex64)

    def __call__(self, block: NDArray[Any]) -> NDArray[Any]:
        whole = np.concatenate((self._kept, block))
        self._kept = whole[BLOCK:]
        if self._is_complex:
            return np.fft.ifft(np.fft.fft(whole) * self._response)[-BLOCK:]
        return np.fft.irfft(np.fft.rfft(whole) * self._response)[-BLOCK:]


class Transmitter:
    """Audio in, carrier out.

    Args:
        offset_hz: its carrier's offset from the channel's middle; no two radios agree exactly.
    """

    def __init__(self, offset_hz: float) -> None:
        self._audio = _Filter(lambda hz: _speech_band(hz) * _emphasis(hz), _LONG)
        self._splatter = _Filter(_below(_SPEECH_HZ[1]), _SHORT)
        self._gain = 1 / (_FULL_AT * float(_emphasis(np.array(2_200.0))))
        self._offset = 2 * np.pi * offset_hz / RATE_HZ
        self._phase = 0.0

    def carry(self, block: Samples) -> Carrier:
        """One tick of carrier with amplitude 1."""
        shaped = self._splatter(np.clip(self._audio(block) * self._gain, -1, 1).astype(np.float32))
        turns = (
            np.cumsum(shaped.astype(np.float64) * (2 * np.pi * _DEVIATION_HZ / RATE_HZ) + self._offset) + self._phase
        )
        self._phase = float(turns[-1] % (2 * np.pi))
        return np.asarray(np.exp(1j * turns), np.complex64)


class Receiver:
    """Carriers in, audio out, with its own noise."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._selection = _Filter(_below(_RECEIVER_HZ / 2), _SHORT, is_complex=True)
        self._audio = _Filter(lambda hz: _speech_band(hz) / _emphasis(hz), _LONG)
        self._noise = float(np.sqrt(0.5 / np.sum(self._selection.taps**2)))
        self._last = np.complex64(1)
        # Undoes the transmitter's gain: a clear signal is as loud as it was spoken.
        volume = _FULL_AT * float(_emphasis(np.array(2_200.0)))
        self._scale = np.float32(volume * RATE_HZ / (2 * np.pi * _DEVIATION_HZ))

    def hear(self, carriers: Carrier | None) -> Samples:
        """One tick of audio; ``None`` = noise only."""
        noise = self._random.standard_normal(2 * BLOCK, np.float32).view(np.complex64) * np.float32(self._noise)
        there = self._selection(noise if carriers is None else carriers + noise)
        before = np.concatenate(((self._last,), there[:-1]))
        self._last = there[-1]
        turned = np.angle(there * np.conj(before)).astype(np.float32) * self._scale
        return np.asarray(np.clip(self._audio(turned), -1, 1), np.float32)


def amplitude_of(cnr_db: float) -> np.float32:
    """Amplitude of a carrier ``cnr_db`` above the receiver's noise."""
    return np.float32(10 ** (cnr_db / 20))


def decoded(block: bytes) -> Samples:
    """Samples from 16-bit bytes."""
    return np.frombuffer(block, "<i2").astype(np.float32) / np.float32(32_768)


def encoded(samples: Samples) -> bytes:
    """Samples as 16-bit bytes."""
    return np.asarray(np.clip(samples * 32_767, -32_768, 32_767), "<i2").tobytes()
