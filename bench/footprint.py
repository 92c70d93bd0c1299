"""What a node costs: time from start to armed, resident memory, processor time when idle."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from bench import town
from bench.node_process import MeasuredNode

SETTLE_S: Final = 5
STARTS: Final = 5


def run(idle_s: int) -> None:
    """Print the figures beside their bars."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        base = Path(folder)
        fleet = town.make_fleet(base / "town", 1)
        log = base / "log"
        with town.broker(fleet), town.central(fleet, log):
            starts_ms: list[float] = []
            for _ in range(STARTS):
                with MeasuredNode(fleet, log) as node:
                    starts_ms.append(node.start_to_armed_ms)
            with MeasuredNode(fleet, log) as node:
                node.wait_until_central_is_seen()
                time.sleep(SETTLE_S)
                before_s = town.cpu_s(node.pid)
                time.sleep(idle_s)
                idle_percent = (town.cpu_s(node.pid) - before_s) / idle_s * 100
                memory_mb = town.memory_kb(node.pid) / 1024
    print("node, fake board, connected to a live central")
    print(f"  start to armed {statistics.median(starts_ms):.0f} ms, median of {STARTS} (bar 1500)")
    print(f"  resident memory {memory_mb:.1f} MB (bar 60)")
    print(f"  idle processor time {idle_percent:.2f} % over {idle_s} s (bar 0.3)")
