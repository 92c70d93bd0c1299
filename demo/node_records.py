"""Others' alerts on a killed node's disk: a fact may be lost with the program that was about to report it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from wire.ids import FrameId, NodeId


def shown_on_disk(database: Path) -> Iterator[str]:
    """Text ids of others' alerts recorded as shown on this node's disk; the node must not be running."""
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=60)) as opened:
        for node, counter in opened.execute("SELECT node, counter FROM inbox WHERE is_shown"):
            yield FrameId(NodeId(node), counter).text
