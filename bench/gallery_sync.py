"""A new node fetches a gallery with photographs, beside ``curl`` of the same files from the same port."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import town
from bench.gallery_town import Curl, GalleryTown, people
from tests.support.asking_town import HART
from wire.ids import NodeId

BAR_RATIO: Final = 1.5


def run(photographs: int, rounds: int) -> None:
    """Print both, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        galleries = GalleryTown(Path(folder) / "town", 2 * rounds)
        number = galleries.publish(HART, people(photographs))
        ratios = []
        print(f"{photographs} photographs of 60 kB to a new node, beside curl of the same from the same port")
        with galleries.serving():
            for place in range(rounds):
                curl_s = _curl_s(galleries, galleries.shops[2 * place])
                node_s = _synced_s(galleries, galleries.shops[2 * place + 1], number)
                ratios.append(node_s / curl_s)
                print(f"  round {place + 1}: curl {curl_s:.2f} s, node {node_s:.2f} s, {node_s / curl_s:.2f} x")
    print(f"  {statistics.median(ratios):.2f} x curl, median of {rounds} rounds (bar {BAR_RATIO})")


def node_arguments(galleries: GalleryTown, port: int, nodes: Sequence[NodeId], *more: str) -> tuple[str, ...]:
    """Of :mod:`bench.gallery_node`."""
    return (
        "-m", "bench.gallery_node", "--town", str(galleries.folder), "--port", str(port),
        "--folder", str(galleries.folder / "cards"), *more, *(str(int(node)) for node in nodes),
    )  # fmt: skip


def _synced_s(galleries: GalleryTown, node: NodeId, number: int) -> float:
    """Seconds from the first question of a new node until all of it is on its disk, durable."""
    arguments = node_arguments(galleries, galleries.port, [node])
    with town.program(*arguments, log=galleries.folder / "node.log") as process:
        began = town.wait_for(process, lambda fact: fact["fact"] == "started")
        held = town.wait_for(process, lambda fact: fact["fact"] == "held" and fact["number"] == number)
    return float(held["at_ms"] - began["at_ms"]) / 1_000


def _curl_s(galleries: GalleryTown, node: NodeId) -> float:
    curl = Curl(galleries, node, galleries.digests)
    began_s = time.monotonic()
    curl.run()
    return time.monotonic() - began_s
