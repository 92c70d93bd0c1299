"""Central's disk, read past central itself: the referee's evidence of what was true when it was said."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from wire.ids import FrameId


class CentralRecords:
    """Central's SQLite file, opened read-only for each query."""

    def __init__(self, database: Path) -> None:
        self._uri = f"{database.as_uri()}?mode=ro"

    def has_frame(self, frame: str) -> bool:
        """Whether the frame is committed.

        Args:
            frame: text id.
        """
        wanted = FrameId.parse(frame)
        return self._has("SELECT 1 FROM frames WHERE sender = ? AND counter = ?", (wanted.node, wanted.counter))

    def has_action(self, kind: str, incident: str) -> bool:
        """Whether this act of a person on the incident is committed.

        Args:
            kind: as in :data:`central.core.journal.ActionKind`.
            incident: text id.
        """
        wanted = FrameId.parse(incident)
        return self._has(
            "SELECT 1 FROM actions WHERE kind = ? AND incident_node = ? AND incident_counter = ?",
            (kind, wanted.node, wanted.counter),
        )

    def was_pressed_again(self, incident: str) -> bool:
        """Whether a further press of the incident is committed."""
        wanted = FrameId.parse(incident)
        return self._has(
            "SELECT 1 FROM frames WHERE incident_node = ? AND incident_counter = ? AND kind = 1 AND counter > ?",
            (wanted.node, wanted.counter, wanted.counter),
        )

    def counts(self) -> tuple[int, int]:
        """Numbers of committed frames and of committed acts of people."""
        with contextlib.closing(sqlite3.connect(self._uri, uri=True, timeout=60)) as database:
            frames, acts = database.execute(
                "SELECT (SELECT count(*) FROM frames), (SELECT count(*) FROM actions)"
            ).fetchone()
        return frames, acts

    def _has(self, query: str, values: tuple[int | str, ...]) -> bool:
        try:
            with contextlib.closing(sqlite3.connect(self._uri, uri=True, timeout=60)) as database:
                return database.execute(query, values).fetchone() is not None
        except sqlite3.OperationalError:
            return False  # no database yet: nothing was ever committed
