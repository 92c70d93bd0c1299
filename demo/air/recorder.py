"""Records the air: each stretch with someone keyed, as WAV and spectrogram; keeps the last few."""

from __future__ import annotations

import wave
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from demo.air import spectrogram
from demo.air.channel import Samples, encoded
from demo.air.orders import SILENT_DBFS, Recording
from node.core.air import RATE_HZ

KEPT: Final = 12
TICKS_MAX: Final = 2_000
"""Longer stretches continue in the next recording."""


@dataclass(slots=True)
class Stretch:
    """One stretch of the air, in memory."""

    number: int
    who: dict[str, None]
    blocks: list[Samples]
    peak_dbfs: float = SILENT_DBFS


class Recorder:
    """Fed by each tick.

    Attributes:
        recordings: the last ones, newest first.
        level_dbfs: of this tick.
    """

    def __init__(self, folder: Path) -> None:
        self.recordings: deque[Recording] = deque()
        self.level_dbfs = SILENT_DBFS
        self._folder = folder
        self._running: Stretch | None = None
        self._number = 0

    def take(self, monitor: Samples | None, keyed: tuple[str, ...]) -> Stretch | None:
        """Take one tick; returns a finished stretch, to be written."""
        if monitor is None:
            self.level_dbfs = SILENT_DBFS
            over, self._running = self._running, None
            return over
        if self._running is None:
            self._number += 1
            self._running = Stretch(self._number, {}, [])
        running = self._running
        running.blocks.append(monitor)
        running.who.update(dict.fromkeys(keyed))
        self.level_dbfs = level_dbfs(monitor)
        running.peak_dbfs = max(running.peak_dbfs, self.level_dbfs)
        if len(running.blocks) < TICKS_MAX:
            return None
        self._running = None
        return running

    def write(self, stretch: Stretch) -> Recording:
        """Write the files, replacing an old recording. Takes a tick or two, so not on the air's own thread.

        Raises:
            OSError: the disk refuses.
        """
        samples = np.concatenate(stretch.blocks)
        stem = f"over-{stretch.number:04d}"
        with wave.open(str(self._folder / f"{stem}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes(encoded(samples))
        spectrogram.draw(samples, self._folder / f"{stem}.png")
        return Recording(
            stretch.number,
            tuple(stretch.who),
            round(len(samples) / RATE_HZ, 2),
            round(stretch.peak_dbfs, 1),
            f"{stem}.wav",
            f"{stem}.png",
        )

    def keep(self, recording: Recording) -> None:
        """List a written recording first, and drop the oldest."""
        self.recordings.appendleft(recording)
        while len(self.recordings) > KEPT:
            old = self.recordings.pop()
            for name in (old.wav, old.png):
                (self._folder / name).unlink(missing_ok=True)


def level_dbfs(samples: Samples) -> float:
    """Mean level; a sine of full scale is −3."""
    return max(SILENT_DBFS, float(10 * np.log10(np.mean(np.square(samples)) + 1e-9)))
