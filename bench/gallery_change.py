"""One change reaches all nodes of a scheme: until the last one has it, and what it costs on the wire."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from subprocess import Popen
from typing import Final

from msgspec import Struct

from bench import town
from bench.gallery_relay import Relay
from bench.gallery_sync import node_arguments
from bench.gallery_town import PHOTOGRAPH_BYTES, GalleryTown, people
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HART, Entry, ciphertext_of

BAR_S: Final = 3.0
BAR_BYTES: Final = 1_000
HELD_BEFORE: Final = 100
BEFORE_BYTES: Final = 1_000
SETTLE_S: Final = 7.0
"""Longer than a server keeps a connection by which nothing is asked: whatever is open then waits for news."""
AFTER_S: Final = 3.0
"""The last receipts are on their way."""


class _Counted(Struct, frozen=True):
    down: int
    up: int
    connections: int


def run(nodes: int, changes: int) -> None:
    """Print both, for each change."""
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        galleries = GalleryTown(Path(folder) / "town", nodes)
        held = people(HELD_BEFORE, BEFORE_BYTES)
        number = galleries.publish(HART, held)
        relay = Relay()
        print(f"one change, with a photograph of 60 kB, to {nodes} nodes that hold {HELD_BEFORE} people")
        with galleries.serving(), relay.before(galleries.port):
            arguments = node_arguments(galleries, relay.port, galleries.shops)
            with town.program(*arguments, log=galleries.folder / "node.log") as process:
                _wait_for_all(process, number, nodes)
                for _ in range(changes):
                    time.sleep(SETTLE_S)
                    (new,) = people(1, PHOTOGRAPH_BYTES, first=len(held) + 1)
                    held.append(new)
                    before = _counted(relay)
                    began_ms = monotonic_ms()
                    last_ms = _wait_for_all(process, galleries.publish(HART, held), nodes)
                    time.sleep(AFTER_S)
                    _print((last_ms - began_ms) / 1_000, new, before, _counted(relay), nodes)


def _wait_for_all(process: Popen[str], number: int, nodes: int) -> int:
    """When the last of them had it, photographs and all, durable; in milliseconds."""
    at_ms = 0
    for _ in range(nodes):
        at_ms = town.wait_for(process, lambda fact: fact.get("number") == number)["at_ms"]
    return at_ms


def _counted(relay: Relay) -> _Counted:
    return _Counted(relay.down, relay.up, relay.connections)


def _print(last_s: float, new: Entry, before: _Counted, now: _Counted, nodes: int) -> None:
    down = (now.down - before.down) / nodes - len(ciphertext_of(new))
    up = (now.up - before.up) / nodes
    made = (now.connections - before.connections) / nodes
    print(f"  {last_s:.2f} s until the last has it (bar {BAR_S:.0f})", end="")
    print(f"; to each node: photograph + {down:.0f} bytes (bar {BAR_BYTES}), from it {up:.0f}; {made:.1f} handshakes")
