"""What a backup asks of a database, whichever it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


class State(Protocol):
    """The office's database.

    Attributes:
        name: of a copy of it, in a backup.
        whose: what it is called, for people.
        beside: a file or folder in whose folder copies are made and opened.
    """

    name: str
    whose: str
    beside: Path

    def size_bytes(self) -> int:
        """About as large as a copy will be.

        Raises:
            BackupError: there is none.
        """

    def is_there(self) -> bool:
        """Whether there is anything that a restore would take the place of."""

    def copy(self, to: Path) -> None:
        """Copy it as it is at one moment, while others write.

        Raises:
            BackupError: it cannot be done; the message says what is missing.
        """

    def opened(self, copy: Path) -> AbstractContextManager[str]:
        """A database with the contents of a copy, to be tried and changed; it is gone at the end, unless it took place.

        Yields:
            What ``office.toml`` would call it.
        """

    def take_place(self, opened: str, aside: Path) -> None:
        """Put the one that is opened, closed by all, in the place of the office's own, durably.

        Args:
            opened: from :meth:`opened`.
            aside: a folder for what was there.
        """

    def forget_aside(self, now_at: datetime, keep: timedelta) -> list[str]:
        """Remove databases that :meth:`take_place` has set aside longer than ``keep`` ago, outside the folder of files.

        Returns:
            Their names.

        Raises:
            BackupError: the server refuses.
        """
