"""The empty database that one demo's office has made, lent to the next one's.

Making one takes two seconds of a processor. Only where :data:`FILE_VARIABLE` names a file for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

FILE_VARIABLE: Final = "WATCHLINK_DEMO_DATABASE"


def lend(database: Path) -> bool:
    """Give an office that has no database yet the one that is kept.

    Returns:
        Whether it is to make one that can be kept: a file is named, and none is there.
    """
    named = os.environ.get(FILE_VARIABLE)
    if not named or not Path(named).exists():
        return bool(named)
    shutil.copyfile(named, database)
    return False


def keep(database: Path) -> None:
    """Keep one that nobody has written in yet."""
    kept = Path(os.environ[FILE_VARIABLE])
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Another office may be lent it at this moment: whole or not at all.
    with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as copy, database.open("rb") as made:
        shutil.copyfileobj(made, copy)
    Path(copy.name).replace(kept)
