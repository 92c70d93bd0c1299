"""Spectrograms: time from left to right, 0 … 4 kHz from the bottom, bright is loud."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from demo.air.channel import Samples
from node.core.air import RATE_HZ

HEIGHT: Final = 96
TOP_HZ: Final = 4_000
COLUMN_S: Final = 0.01
_WINDOW: Final = 1_024
_FLOOR_DB: Final = -58.0
_CEILING_DB: Final = -15.0
_DARK: Final = (11, 13, 15)
_BRIGHT: Final = (255, 197, 46)
"""The yellow of the OLED: no colour that means anything elsewhere."""


def draw(samples: Samples, file: Path) -> None:
    """Write a PNG, a column for each 10 ms."""
    hop = int(RATE_HZ * COLUMN_S)
    whole = np.concatenate((samples, np.zeros(_WINDOW, np.float32)))
    windows = np.lib.stride_tricks.sliding_window_view(whole, _WINDOW)[::hop]
    window = np.hanning(_WINDOW).astype(np.float32)
    loud = np.abs(np.fft.rfft(windows * window)) * (2 / float(window.sum()))
    bins = np.linspace(0, TOP_HZ * _WINDOW / RATE_HZ, HEIGHT)
    rows = np.maximum(loud[:, np.floor(bins).astype(int)], loud[:, np.ceil(bins).astype(int)])
    light = (20 * np.log10(rows + 1e-9) - _FLOOR_DB) / (_CEILING_DB - _FLOOR_DB)
    indices = (np.clip(light, 0, 1) * 255).astype(np.uint8).T[::-1]
    image = Image.fromarray(np.ascontiguousarray(indices), "P")
    palette = np.linspace(_DARK, _BRIGHT, 256).astype(np.uint8)
    image.putpalette(palette.tobytes())
    image.save(file, optimize=True)
