"""What ``watchlink gallery`` costs the unit: resident memory with few and many people, processor time when idle."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from bench import town
from bench.gallery_town import GalleryTown, people
from tests.support.asking_town import HART

PEOPLE: Final = (500, 10_000)
PHOTOGRAPH_BYTES: Final = 300
"""What lies on the card costs no memory: only its name does."""
BAR_MB: Final = 70
BAR_IDLE_PERCENT: Final = 0.1
QUIET_S: Final = 2.0
QUIET_CPU_S: Final = 0.03


def run(idle_s: int) -> None:
    """Print the figures beside their bars."""
    print("watchlink gallery, connected to the office's machine port")
    for count in PEOPLE:
        with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
            _measure(GalleryTown(Path(folder) / "town", 1), count, idle_s)


def _measure(galleries: GalleryTown, count: int, idle_s: int) -> None:
    (node,) = galleries.shops
    galleries.publish(HART, people(count, PHOTOGRAPH_BYTES))
    with galleries.serving():
        with galleries.program(node) as process:
            town.wait_for(process, lambda fact: fact["fact"] == "gallery_held" and fact["number"] == "1")
        # The port lets nobody fetch thousands in a minute.
        for file in (galleries.folder / "snapshots").glob("*.bin"):
            shutil.copy(file, galleries.card(node) / "photographs")
        with galleries.program(node) as process:
            _wait_until_quiet(process.pid)
            memory_mb, most_mb = (town.memory_kb(process.pid, field) / 1_024 for field in ("VmRSS", "VmHWM"))
            before_s = town.cpu_s(process.pid)
            time.sleep(idle_s)
            idle_percent = (town.cpu_s(process.pid) - before_s) / idle_s * 100
    print(f"  {count} people: resident memory {memory_mb:.1f} MB (bar {BAR_MB}), at most {most_mb:.1f}")
    print(f"    idle processor time {idle_percent:.3f} % over {idle_s} s (bar {BAR_IDLE_PERCENT})")


def _wait_until_quiet(pid: int) -> None:
    """Everything is opened and listed."""
    while True:
        before_s = town.cpu_s(pid)
        time.sleep(QUIET_S)
        if town.cpu_s(pid) - before_s < QUIET_CPU_S:
            return
