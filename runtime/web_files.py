"""The files that a program's pages are made of."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache  # They stay as they are while the program runs.
def digest_of(*folders: Path) -> str:
    """16 hexadecimal digits, others after an update in which any file in these folders changed."""
    hashed = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            hashed.update(file.name.encode() + b"\0" + file.read_bytes())
    return hashed.hexdigest()[:16]
