"""What a killed node has on disk of others' alerts: a fact may die with the program that was about to say it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from wire.ids import FrameId, NodeId


def shown_on_disk(database: Path) -> Iterator[str]:
    """Alerts of others, as text ids, whose place on the panel is confirmed on this node's disk; it must not run."""
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5)) as opened:
        for node, counter in opened.execute("SELECT node, counter FROM inbox WHERE is_shown"):
            yield FrameId(NodeId(node), counter).text
