"""``make soak``: what a flood of millions of messages leaves behind in the memory of central and of a node.

A real Mosquitto, central and node in a town of 5,000. One member sends everything that a member can send, at some
thousand messages a second, for a part while the broker is frozen again and again; a crowd of relays passes on frames as
heard; and a holder of the broker and of the signing keys sends the node states and directories. Each program's memory
at quiet, before and after, is printed. The exit status is 1 if one of them grows by more than half, and also if a flood
was not taken in: after each, the node is pressed and must get its receipt, what central keeps must be on its disk, and
what the node keeps on the node's.

    make soak                                # ten million messages, three quarters of an hour
    make soak SOAK="--messages 1_000_000"    # a tenth
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from bench import town
from bench.soak_floods import (
    RELAYS,
    SENDERS,
    Flood,
    authority_of,
    brokers_floods,
    brokers_rights,
    crowded_document,
    members_floods,
    send,
)
from bench.soak_watch import RATIO_MAX, Measured, Outcome, Presser, Report, committed, settled
from demo.flood.flooder import Thief
from provisioning.fleet import Fleet
from provisioning.records import NodeRecord
from wire.directory import DirectoryDocument, seal_directory
from wire.ids import parse_node

SETTLE_S: Final = 15.0
FROZEN_S: Final = 12.0
THAWED_S: Final = 6.0
"""While frozen the broker reads nothing but keeps its connections: programs take up to 30 s to notice."""
PROVEN_WITHIN_S: Final = 90.0
"""A node whose questions a flood left unanswered asks again within 80 s; until central answers it takes no states."""
NODE_UNIT: Final = Path(__file__).parent.parent / "systemd" / "watchlink-node.service"


def units_memory(unit: Path) -> dict[str, str]:
    """How a unit has memory given back to the system (``MALLOC_…``): a program is measured as systemd runs it."""
    return dict(re.findall(r"\b(MALLOC_\w+)=(\S+)", unit.read_text(encoding="utf-8")))


@contextlib.contextmanager
def freezing(pid: int, *, is_wanted: bool) -> Iterator[None]:
    """Freeze and thaw the broker again and again inside ``with``, if ``is_wanted``."""
    is_over = threading.Event()

    def freeze_and_thaw() -> None:
        is_over.wait(THAWED_S)
        while True:
            os.kill(pid, signal.SIGSTOP)
            is_over.wait(FROZEN_S)
            os.kill(pid, signal.SIGCONT)
            if is_over.wait(THAWED_S):
                return

    thread = threading.Thread(target=freeze_and_thaw, daemon=True)
    if is_wanted:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        if is_wanted:
            thread.join()
            time.sleep(THAWED_S)


class Soak:
    """A running town of one fleet, flooded and measured."""

    def __init__(self, fleet: Fleet, folder: Path, report: Report) -> None:
        self._fleet = fleet
        self._log = folder / "log"
        self._report = report
        self._shop, self._thief, self._holder, *self._crowd = fleet.nodes
        self._shop_folder = fleet.node_folder(self._shop.node)

    def run(self, messages: int, per_s: int) -> None:
        """Send all floods, each measured and judged, then start central again on what they left on its disk."""
        report, document = self._report, crowded_document(self._fleet, SENDERS)
        directory = seal_directory(document, authority_of(self._fleet))
        for place in (self._fleet.layout.directory, self._shop_folder / "directory.json"):
            place.write_bytes(directory)
        with (self._fleet.layout.broker / "acl").open("a", encoding="utf-8") as acl:
            acl.write(brokers_rights(parse_node(self._holder.node)))
        with ExitStack() as stack:
            broker = stack.enter_context(town.broker(self._fleet))
            with ExitStack() as with_central:
                central = self._central(with_central)
                node, presser = self._node(stack)
                time.sleep(SETTLE_S)
                # Memory used by a press belongs to quiet.
                report.judge(Outcome("nothing", 0, presser.press()))
                for measured in (central, node):
                    report.read(measured, "nothing yet")
                for flood in self._floods(document):
                    self._flood(flood, broker.pid, int(messages * flood.share), per_s, presser)
                    for measured in (central, node):
                        report.read(measured, flood.name)
            again = self._central(stack, central.before_kb)
            time.sleep(SETTLE_S)
            report.judge(Outcome("a new start of central", 0, presser.press()))
            report.read(again, "a new start")

    def _flood(self, flood: Flood, broker: int, count: int, per_s: int, presser: Presser) -> None:
        if flood.must_reach is not None:
            time.sleep(PROVEN_WITHIN_S)
        began_s, before = time.monotonic(), committed(self._fleet)
        with freezing(broker, is_wanted=flood.is_frozen):
            sent = send(flood, self._fleet.record.broker.port, count, per_s)
        took_s = time.monotonic() - began_s
        time.sleep(SETTLE_S)
        grown = settled(self._fleet) - before
        has_reached = flood.must_reach is None or flood.must_reach(self._shop_folder)
        kept = grown if flood.is_committed else None
        self._report.judge(Outcome(flood.name, sent, presser.press(), kept, has_reached=has_reached), took_s)

    def _floods(self, document: DirectoryDocument) -> Iterator[Flood]:
        yield from members_floods(self._stolen(self._thief), [self._stolen(node) for node in self._crowd])
        yield from brokers_floods(self._fleet, parse_node(self._shop.node), self._stolen(self._holder), document)

    def _stolen(self, node: NodeRecord) -> Thief:
        return Thief(self._fleet.node_folder(node.node), node.node)

    def _central(self, stack: ExitStack, before_kb: int = 0) -> Measured:
        process = stack.enter_context(town.central(self._fleet, self._log))
        # Its output is read from then on, so that it never waits for us.
        threading.Thread(target=deque, args=(process.stdout, 0), daemon=True).start()
        return Measured("central", process.pid, before_kb)

    def _node(self, stack: ExitStack) -> tuple[Measured, Presser]:
        config = str(self._shop_folder / "node.toml")
        program = town.program(
            "-m", "watchlink.cli", "node", "--config", config, log=self._log, environment=units_memory(NODE_UNIT)
        )
        process = stack.enter_context(program)
        town.wait_for(process, lambda fact: fact["fact"] == "armed")
        presser = stack.enter_context(closing(Presser(process, self._shop_folder / "board.sock")))
        return Measured("node", process.pid), presser


def main() -> int:
    """Run the soak; returns 0 if every flood was taken in, within the bar."""
    parser = argparse.ArgumentParser(prog="make soak", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--messages", type=int, default=10_000_000, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--per-second", type=int, default=6_000, metavar="N", help="highest rate (default: %(default)s)"
    )
    options = parser.parse_args()
    report = Report(lambda line: print(line, end="", flush=True))
    with tempfile.TemporaryDirectory(prefix="watchlink-soak-") as folder:
        fleet = town.make_fleet(Path(folder) / "town", 3 + RELAYS)
        Soak(fleet, Path(folder), report).run(options.messages, options.per_second)
    for failure in report.failures:
        print(failure)
    print(f"soak {'passed' if report.is_passed else 'FAILED'}: bar {RATIO_MAX} x each program's memory at quiet")
    return 0 if report.is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
