"""The key that opens backups: made on another machine than the one whose state they hold."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.atomic import PRIVATE
from runtime.backup_file import new_identity


def make_key(to: Path) -> str:
    """Write a new secret key to a new file, for its owner alone; returns its public half.

    Raises:
        FileExistsError: there is one.
        OSError: the disk refuses.
    """
    identity = new_identity()
    recipient = str(identity.to_public())
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"# Opens backups of Watchlink. Public half: {recipient}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return recipient
