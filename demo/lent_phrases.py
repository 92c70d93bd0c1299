"""Sentences that the radios of one town have made, lent to the next one's.

Each takes a node a third of a second of a processor, and the towns of a run of tests have the same premises. Only where
:data:`FOLDER_VARIABLE` names a folder for them. A name says what is spoken and how: what no longer fits is not read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER_VARIABLE: Final = "WATCHLINK_DEMO_PHRASES"
_MADE: Final = "*.s16"


def lend(node: str, phrases: Path) -> None:
    """Give a node that has not started yet what one of that id has made before.

    Args:
        node: its id.
        phrases: its folder of sentences; made.
    """
    _copy(_kept(node), phrases)


def keep(node: str, phrases: Path) -> None:
    """Keep what a node that has stopped has made."""
    _copy(phrases, _kept(node))


def _kept(node: str) -> Path | None:
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) / node if folder else None


def _copy(source: Path | None, target: Path | None) -> None:
    if source is None or target is None or not source.is_dir():
        return
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob(_MADE):
        if not (target / file.name).exists():
            # Another town may be lent it at this moment: whole or not at all.
            with tempfile.NamedTemporaryFile(dir=target, delete=False) as copy, file.open("rb") as made:
                shutil.copyfileobj(made, copy)
            with suppress(OSError):
                Path(copy.name).replace(target / file.name)
