"""Press to receipt of a node while its gallery fetches all its photographs, beside the same node alone."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import town
from bench.gallery_sync import node_arguments
from bench.gallery_town import GalleryTown, people
from bench.node_process import MeasuredNode
from bench.percentiles import percentile, told
from bench.unit_weights import weighed
from tests.support.asking_town import HART
from wire.ids import NodeId

WARM_UP: Final = 20
BAR_RATIO: Final = 1.2
SYNC_S: Final = 0.5
"""No synchronisation is shorter: there are enough identities for so many."""
PRESS_S: Final = 0.2
"""With the pause that a finger makes."""


def run(presses: int, photographs: int, rounds: int) -> None:
    """Print both, and their ratio.

    One new gallery after another is filled, as long as the presses go on: a node of its own each, as far as the office
    knows, and an empty card.
    """
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        base = Path(folder)
        log = base / "log"
        fleet = town.make_fleet(base / "town", 1)
        each = int(presses * PRESS_S / SYNC_S) + 1
        galleries = GalleryTown(base / "galleries", rounds * each)
        galleries.publish(HART, people(photographs))
        print(f"press to receipt, {presses} presses, while {photographs} photographs of 60 kB come in beside it")
        ratios = []
        with (
            town.broker(fleet) as broker,
            town.central(fleet, log) as central,
            galleries.serving() as port,
            MeasuredNode(fleet, log) as node,
            weighed("watchlink-node.service", node.pid) as of_node,
            weighed("watchlink-office-nodes.service", port.pid),
        ):
            town.put_before_ordinary_programs(broker.pid, central.pid)
            node.wait_until_central_is_seen()
            node.press_to_receipts_ms(WARM_UP)
            for place in range(rounds):
                alone = node.press_to_receipts_ms(presses)
                filling = _Filling()
                with filling.again_and_again(galleries, galleries.shops[place * each : (place + 1) * each]):
                    beside = node.press_to_receipts_ms(presses)
                ratios.append(percentile(beside, 99) / percentile(alone, 99))
                print(f"  round {place + 1}: alone {told(alone)}; beside {filling.filled} of them {told(beside)}")
    print(f"  node: {of_node}; gallery: {filling.how}")
    print(f"  p99 {statistics.median(ratios):.2f} x alone, median of {rounds} rounds (bar {BAR_RATIO})")


class _Filling:
    """New galleries that are filled.

    Attributes:
        filled: how many were.
        how: with which weights.
    """

    def __init__(self) -> None:
        self.filled = 0
        self.how = ""

    @contextlib.contextmanager
    def again_and_again(self, galleries: GalleryTown, nodes: tuple[NodeId, ...]) -> Iterator[None]:
        """From the first question on, one after another."""
        arguments = node_arguments(galleries, galleries.port, nodes, "--in-turn")
        with (
            town.program(*arguments, log=galleries.folder / "node.log") as process,
            weighed("watchlink-gallery.service", process.pid) as self.how,
        ):
            town.wait_for(process, lambda fact: fact["fact"] == "started")
            counting = threading.Thread(target=self._count, args=(process,))
            counting.start()
            yield
            process.terminate()
            counting.join()

    def _count(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.filled = sum('"held"' in line for line in process.stdout)
