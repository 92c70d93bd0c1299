"""What nodes are told of their reports, as the publisher's file has it now."""

from __future__ import annotations

import logging
from pathlib import Path

from office.gallery.outcomes_file import FILE_BYTES_MAX, FILE_NAME, OutcomesFile, decode_outcomes
from runtime.watched_file import WatchedFile
from wire.gallery_reports import Outcomes
from wire.ids import NodeId

logger = logging.getLogger(__name__)


class NodeOutcomes:
    """One thread looks, any asks.

    Args:
        folder: of the publisher's snapshots.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._watched = WatchedFile(self._path, decode_outcomes, FILE_BYTES_MAX, self._tell)

    def look(self) -> bool:
        """Read it if it is another. Returns whether it is. Before the first report there is none."""
        return self._path.exists() and self._watched.look()

    @property
    def taken(self) -> int:
        """Number of the newest report that the office has taken in."""
        return self._file.taken

    def news(self, node: NodeId, held: str | None) -> Outcomes | None:
        """What a node is to be told; ``None`` = nothing else than what it holds.

        Args:
            node: who asks.
            held: version that it holds; ``None`` = it can show none.
        """
        if held is None:
            return None
        found = self._file.of(node)
        return None if found.version == held else found

    @property
    def _file(self) -> OutcomesFile:
        return self._watched.contents or OutcomesFile()

    @staticmethod
    def _tell(fault: str) -> None:
        if fault:
            logger.error("%s", fault)
