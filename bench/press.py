"""One press in a quiet town: from the decision that it is a press until the node has central's receipt."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from bench import town
from bench.crowd import Crowd
from bench.node_process import LET_GO_S, TAP_MS, MeasuredNode
from bench.percentiles import percentile, told
from provisioning.fleet import Fleet

WARM_UP: Final = 20
BAR: Final = 3


def run(presses: int) -> None:
    """Print press to receipt of a real node and a real central, beside the reference loop in the same run."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        base = Path(folder)
        fleet = town.make_fleet(base / "town", 1)
        log = base / "log"
        with town.broker(fleet):
            with town.reference(fleet, base / "reference.db", log):
                reference_ms = asyncio.run(_reference(fleet, presses))
            with town.central(fleet, log), MeasuredNode(fleet, log) as node:
                node.wait_until_central_is_seen()
                watchlink_ms = node.press_to_receipts_ms(WARM_UP + presses)[WARM_UP:]
    print(f"press to receipt over mTLS, {presses} presses one after another")
    for name, values in (("reference", reference_ms), ("watchlink", watchlink_ms)):
        print(f"  {name}: {told(values)}")
    for percent in (50, 99):
        ratio = percentile(watchlink_ms, percent) / percentile(reference_ms, percent)
        print(f"  p{percent} {ratio:.2f} x reference (bar {BAR})")


async def _reference(fleet: Fleet, presses: int) -> list[float]:
    """The same press without a button, a store, a signature or a screen: publish, and wait for the answer."""
    (presser,) = town.pressers(fleet, town.unsigned_press, 0)
    values: list[float] = []
    async with Crowd(fleet.record.broker.port, [presser]) as crowd:
        for _ in range(WARM_UP + presses):
            values += (await crowd.press_all()).answers_ms
            # Pause as long as a finger does: pressing again at once would find warm caches, as a shop never does.
            await asyncio.sleep((TAP_MS / 1_000) + LET_GO_S)
    return values[WARM_UP:]
