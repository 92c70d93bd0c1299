"""The office's database as a file of SQLite."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from runtime.backup_file import BackupError
from runtime.backup_workspace import move, place

FOR_THE_GROUP: Final = 0o660
_WITH_IT: Final = ("-wal", "-shm", "")
"""What belongs to a database. The log is moved first: without it the file is whole, only older."""


class SqliteState:
    """See :class:`office.backup.state.State`."""

    name = "office.sqlite3"
    whose = "SQLite’s"

    def __init__(self, file: Path) -> None:
        self.beside = file
        self._file = file

    def size_bytes(self) -> int:
        """Of the file."""
        try:
            return self._file.stat().st_size
        except OSError as e:
            raise BackupError(
                f"{self._file} cannot be read: {e.strerror}. Has 'watchlink office init' been run?"
            ) from e

    def is_there(self) -> bool:
        """An empty file is what a program leaves that found no database."""
        return any(path.stat().st_size > 0 for path in self._there())

    def copy(self, to: Path) -> None:
        """One reading transaction: writers go on meanwhile. What was deleted is not in the copy."""
        try:
            with contextlib.closing(sqlite3.connect(f"{self._file.as_uri()}?mode=rw", uri=True, timeout=20)) as disk:
                disk.execute("VACUUM INTO ?", (str(to),))
        except sqlite3.Error as e:
            raise BackupError(f"{self._file} cannot be copied: {e}") from e

    @contextlib.contextmanager
    def opened(self, copy: Path) -> Iterator[str]:
        """The copy itself, if it is whole."""
        try:
            with contextlib.closing(sqlite3.connect(copy)) as disk:
                found = [row[0] for row in disk.execute("PRAGMA integrity_check(1)")]
        except sqlite3.DatabaseError as e:
            found = [str(e)]
        if found != ["ok"]:
            raise BackupError(f"the database is damaged ({found[0]}): take an older backup")
        yield str(copy)

    def take_place(self, opened: str, aside: Path) -> None:
        """Moved there whole; its log is in it."""
        copy = Path(opened)
        if copy.with_name(f"{copy.name}-wal").exists():
            raise BackupError("the opened copy was not closed: restore again")
        for path in self._there():
            move(path, aside / path.name)
        place(copy, self._file, self._file.parent, FOR_THE_GROUP)

    def forget_aside(self, now_at: datetime, keep: timedelta) -> list[str]:  # noqa: ARG002 - as in the other
        """None: they lie in the folder of files."""
        return []

    def _there(self) -> list[Path]:
        return [path for end in _WITH_IT if (path := self._file.with_name(f"{self._file.name}{end}")).exists()]
