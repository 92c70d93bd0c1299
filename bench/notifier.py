"""``make bench-notifier``: press to receipt while 200 people are asked by phone, beside the same node alone."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Final

from bench import town
from bench.asking_town import PEOPLE, AskingTown
from bench.node_process import MeasuredNode
from bench.percentiles import percentile, told
from bench.unit_weights import weighed

WARM_UP: Final = 20
BAR_RATIO: Final = 1.2
SETTLE_S: Final = 3.0
"""What was called off has gone."""


def main() -> None:
    """Measure as often as asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.notifier", description=__doc__)
    parser.add_argument(
        "--presses",
        type=int,
        default=300,
        metavar="N",
        help="of a round, alone and beside (default %(default)s; fewer begin it before people may be told again)",
    )
    parser.add_argument("--rounds", type=int, default=8, metavar="N", help="default %(default)s")
    given = parser.parse_args()
    run(given.presses, given.rounds)


def run(presses: int, rounds: int) -> None:
    """Print both, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        log = Path(folder) / "log"
        asking = AskingTown(Path(folder) / "town", log)
        print(f"press to receipt, {presses} presses, while {PEOPLE} people are asked by push and by text message")
        all_alone: list[float] = []
        all_beside: list[float] = []
        with (
            town.broker(asking.fleet) as broker,
            asking.notifier() as notifier,
            asking.central() as central,
            MeasuredNode(asking.fleet, log) as node,
            weighed("watchlink-notifier.service", notifier.pid) as of_notifier,
        ):
            # The node is a machine of its own in truth, which no notifier disturbs.
            town.put_before_ordinary_programs(broker.pid, central.pid, node.pid)
            node.wait_until_central_is_seen()
            node.press_to_receipts_ms(WARM_UP)
            for number in range(1, rounds + 1):
                time.sleep(SETTLE_S)
                alone = node.press_to_receipts_ms(presses)
                with asking.asking():
                    before, began_s = asking.delivered, time.monotonic()
                    beside = node.press_to_receipts_ms(presses)
                    sent, took_s = asking.delivered - before, time.monotonic() - began_s
                all_alone += alone
                all_beside += beside
                print(
                    f"  round {number}: alone {told(alone)}; beside {sent} messages in {took_s:.0f} s {told(beside)}",
                    flush=True,
                )
        print(f"  notifier: {of_notifier}; {asking.failed} messages did not go out")
        print(f"  all {rounds} rounds: alone {told(all_alone)}; beside {told(all_beside)}")
        # Of all presses together: what a few hundred say of their slowest hundredth is chance.
        ratio = percentile(all_beside, 99) / percentile(all_alone, 99)
        print(f"  p99 {ratio:.2f} x alone (bar {BAR_RATIO})")


if __name__ == "__main__":
    main()
