"""The newest lists of staff, as the publisher has put them into the folder of snapshots."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from office.gallery.staff_file import (
    STAFF_FILE,
    STAFF_FILE_BYTES_MAX,
    StaffFile,
    StaffFileError,
    StaffSeal,
)
from runtime.regular_file import read_regular
from wire.gallery_staff import StaffEntry, staff_digest

logger = logging.getLogger(__name__)


class StaffList(Struct, frozen=True):
    """Of a premises.

    Attributes:
        entries: all who may sign in.
        digest: of them.
    """

    entries: tuple[StaffEntry, ...]
    digest: str


NOBODY: Final = StaffList((), staff_digest(()))


class Staff:
    """One thread looks, any asks.

    Args:
        folder: of the publisher.
        gallery_key: 32 bytes, under which the file is encrypted.
    """

    def __init__(self, folder: Path, gallery_key: bytes) -> None:
        self._path = folder / STAFF_FILE
        self._seal = StaffSeal(gallery_key)
        self._seen: tuple[int, int, int] | None = None
        self._now: tuple[StaffFile, dict[int, StaffList]] | None = None
        self._fault = ""

    @property
    def open_schemes(self) -> frozenset[int]:
        """Those that show their gallery without proof of the time."""
        now = self._now
        return frozenset(() if now is None else now[0].open_schemes)

    @property
    def broken_cards(self) -> Mapping[int, int]:
        """By the node's number, the alarm of which a person has said that the card was broken, not copied."""
        now = self._now
        return {} if now is None else now[0].broken_cards

    def of(self, premises: int) -> StaffList | None:
        """A premises' list; ``None`` = an older publisher says nothing of staff, or no file was ever readable."""
        now = self._now
        if now is None:
            return None
        # Both of one file, whatever is read meanwhile.
        file, lists = now
        entries = file.premises.get(premises, ())
        found = lists.get(premises) if entries else NOBODY
        if found is None:
            found = lists[premises] = StaffList(entries, staff_digest(entries))
        return found

    def look(self) -> bool:
        """Read what is new. Returns whether anything is. A file that cannot be used changes nothing."""
        try:
            status = self._path.stat()
            seen = status.st_mtime_ns, status.st_ino, status.st_size
            if seen == self._seen:
                return False
            data = read_regular(self._path, STAFF_FILE_BYTES_MAX)
            self._seen = seen
            file = self._seal.open(data)
        except FileNotFoundError:
            return False
        except (OSError, StaffFileError) as e:
            self._tell(f"{self._path.name} is not used: {e}")
            return False
        self._now, self._fault = (file, {}), ""
        return True

    def _tell(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            logger.warning("%s", fault)
