"""Carrier sense: whether someone is on the channel, by voice or data, from 20 ms blocks of received audio.

Two signs, either is enough:

- **energy**: the block is louder than the squelch, and clearly louder than the quietest of the last ten seconds. Speech
  has pauses and data ends; the hiss of a receiver with an open squelch does neither, and soon no longer counts.
- **data**: the audio's autocorrelation at a lag of 0.27 ms, half a period of 1,840 Hz. Tones of 1200 and 2200 Hz give
  about -0.6, 1600 and 1800 Hz -0.95; voice-band noise -0.3, white noise 0, voice mostly more than 0. So even a
  burst below the squelch counts. A sound that goes on for 45 seconds is not data: nobody may transmit that long.

After speech the channel stays busy for half a second, because people pause; after data for at most a fifth, because the
answer is awaited.

Pure arithmetic on samples and block counts: no clock. The cost is two sums of products over a quarter of the samples.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from operator import mul
from typing import Final

from node.net.radio.ports import BLOCK_MS

SILENCE_DBFS: Final = -120.0
_FULL_SCALE: Final = 32_768.0
_STRIDE: Final = 4
"""11,025 samples a second are enough below 3 kHz."""
_LAG: Final = 3
"""0.272 ms at that rate."""
_ABOVE_FLOOR_DB: Final = 6.0
_HYSTERESIS_DB: Final = 3.0
_VOICE_HANG_BLOCKS: Final = 500 // BLOCK_MS
_DATA_HANG_BLOCKS: Final = 100 // BLOCK_MS
_RECENT_BLOCKS: Final = 200 // BLOCK_MS
_ATTACK_BLOCKS: Final = 2
"""A click is not a carrier."""
_SECOND_BLOCKS: Final = 1_000 // BLOCK_MS
_FLOOR_SECONDS: Final = 10
_DATA_BLOCKS: Final = 100 // BLOCK_MS
_DATA_CORRELATION: Final = -0.40
_DATA_DBFS_MIN: Final = -70.0
_DATA_MS_MAX: Final = 45_000
_DATA_BLOCKS_MAX: Final = _DATA_MS_MAX // BLOCK_MS


class CarrierSense:
    """Takes blocks in order, knows whether the channel is busy.

    Attributes:
        is_busy: as of the last block.
        level_dbfs: of the last block, RMS; ``SILENCE_DBFS`` = digital silence.
    """

    def __init__(self, squelch_dbfs: float) -> None:
        """Nothing has been heard yet, so the channel counts as clear.

        Args:
            squelch_dbfs: RMS relative to full scale; quieter than this is a clear channel.
        """
        self.is_busy = False
        self.level_dbfs = SILENCE_DBFS
        self._squelch_dbfs = squelch_dbfs
        self._hang_blocks = 0
        self._loud_blocks = 0
        self._data_blocks = 0
        self._after_data_blocks = _RECENT_BLOCKS
        self._second: list[float] = []
        self._quietest: deque[float] = deque(maxlen=_FLOOR_SECONDS)
        self._products: deque[tuple[int, int]] = deque(maxlen=_DATA_BLOCKS)

    def hear(self, block: bytes) -> bool:
        """Take one block of 16-bit samples; returns whether :attr:`is_busy` changed."""
        samples = array("h", block)[::_STRIDE]
        energy = sum(map(mul, samples, samples))
        lagged = sum(map(mul, samples, samples[_LAG:]))
        mean = energy / len(samples) if samples else 0.0
        self.level_dbfs = 10 * math.log10(mean) - _FULL_SCALE_DB if mean else SILENCE_DBFS
        self._learn_floor()
        self._products.append((energy, lagged))
        is_loud, is_data = self._is_loud(), self._is_data()
        self._after_data_blocks = 0 if is_data else self._after_data_blocks + 1
        if is_loud or is_data:
            is_of_data = self._after_data_blocks < _RECENT_BLOCKS
            self._hang_blocks = _DATA_HANG_BLOCKS if is_of_data else _VOICE_HANG_BLOCKS
        else:
            self._hang_blocks = max(0, self._hang_blocks - 1)
        was_busy, self.is_busy = self.is_busy, self._hang_blocks > 0
        return was_busy != self.is_busy

    def forget(self) -> None:
        """Forget all but the noise floor: after our own over, what was heard before says nothing about now."""
        self._hang_blocks = self._loud_blocks = self._data_blocks = 0
        self._products.clear()

    def silence(self) -> None:
        """The receiver is gone: nobody is heard any more."""
        self.forget()
        self.is_busy = False

    def _learn_floor(self) -> None:
        self._second.append(self.level_dbfs)
        if len(self._second) >= _SECOND_BLOCKS:
            self._quietest.append(min(self._second))
            self._second.clear()

    def _is_loud(self) -> bool:
        threshold = self._squelch_dbfs
        if len(self._quietest) == _FLOOR_SECONDS:
            threshold = max(threshold, min(self._quietest) + _ABOVE_FLOOR_DB)
        if self._loud_blocks >= _ATTACK_BLOCKS:
            threshold -= _HYSTERESIS_DB
        self._loud_blocks = self._loud_blocks + 1 if self.level_dbfs > threshold else 0
        return self._loud_blocks >= _ATTACK_BLOCKS

    def _is_data(self) -> bool:
        energy = sum(e for e, _ in self._products)
        is_data = (
            len(self._products) == _DATA_BLOCKS
            and self.level_dbfs > _DATA_DBFS_MIN
            and sum(c for _, c in self._products) < _DATA_CORRELATION * energy
        )
        self._data_blocks = self._data_blocks + 1 if is_data else 0
        return 0 < self._data_blocks <= _DATA_BLOCKS_MAX


_FULL_SCALE_DB: Final = 20 * math.log10(_FULL_SCALE)
