"""The publisher's files: snapshots, whose numbers never go back, and what was last published of the audit."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any, Final

import msgspec
from django.db import transaction
from msgspec import Struct

from office.audit.chain import NO_HEAD
from office.publisher.models import PublishedNumber
from runtime.atomic import PRIVATE, write_atomic
from wire.errors import SnapshotError
from wire.signing import PublicKey
from wire.snapshots import (
    NAMES,
    AuditHead,
    GoneEntry,
    People,
    Premises,
    Rota,
    Snapshot,
    SnapshotName,
    Town,
    file_name,
    open_snapshot,
    parse_file_name,
)

logger = logging.getLogger(__name__)

FILES_KEPT: Final = 3
"""Of each name: whoever is reading the one before the newest may finish."""
GROUP_READABLE: Final = 0o640
"""Names and telephone numbers are for the programs that use them, by the folder's group."""
STATE_FILE: Final = "published.json"
KINDS: Final[dict[SnapshotName, type[Snapshot]]] = {"people": People, "premises": Premises, "rota": Rota}


def give_number(name: str, in_folder: int) -> int:
    """A number above ``in_folder`` and all that were ever given under this name."""
    with transaction.atomic():
        row, _ = PublishedNumber.objects.select_for_update().get_or_create(name=name)
        row.number = max(row.number, in_folder) + 1
        row.save()
    return row.number


class Shelf:
    """The folder of snapshots.

    Args:
        folder: made if missing.
        town: ours.
        key: the public half of the snapshot key.
        others: further keys that are trusted as much, such as one that was lost.
    """

    def __init__(self, folder: Path, town: Town, key: PublicKey, others: tuple[PublicKey, ...] = ()) -> None:
        self.folder = folder
        self._town = town
        self._keys = (key, *others)

    def newest(self, name: SnapshotName) -> tuple[int, Snapshot | None]:
        """The highest number in the folder (0 = none), and that snapshot if it is one of ours and whole."""
        numbers = self._numbers(name)
        if not numbers:
            return 0, None
        kind: Any = KINDS[name]
        try:
            data = (self.folder / file_name(name, numbers[-1])).read_bytes()
            return numbers[-1], open_snapshot(data, kind, self._town, self._keys)
        except (OSError, SnapshotError) as e:
            logger.warning("the newest %s snapshot in the folder is not used: %s", name, e)
            return numbers[-1], None

    def gone(self) -> frozenset[GoneEntry]:
        """What any list of people in the folder that is ours and whole names as gone."""
        found: set[GoneEntry] = set()
        for number in self._numbers("people"):
            with contextlib.suppress(OSError, SnapshotError):
                data = (self.folder / file_name("people", number)).read_bytes()
                found.update(open_snapshot(data, People, self._town, self._keys).gone)
        return frozenset(found)

    def head(self) -> AuditHead:
        """The newest head of the audit in the folder's snapshots that are ours and whole."""
        found = [snapshot.audit for _, snapshot in map(self.newest, KINDS) if snapshot is not None]
        return max(found, key=lambda head: head.sequence, default=NO_HEAD)

    def given_number(self, name: str) -> int:
        """The highest number that the database knows of; 0 = none."""
        return PublishedNumber.objects.filter(name=name).values_list("number", flat=True).first() or 0

    def given_names(self) -> list[str]:
        """Every name under which a number was ever given."""
        return list(PublishedNumber.objects.values_list("name", flat=True))

    def next_number(self, name: SnapshotName) -> int:
        """A number above all that were ever given; never given again, even if it is not used."""
        return give_number(name, max(self._numbers(name), default=0))

    def put(self, snapshot: Snapshot, data: bytes) -> None:
        """Write the file, whole or not at all, and remove old ones.

        Raises:
            OSError: it cannot be written.
        """
        name = NAMES[type(snapshot)]
        write_atomic(self.folder / file_name(name, snapshot.number), data, GROUP_READABLE)
        for number in self._numbers(name)[:-FILES_KEPT]:
            (self.folder / file_name(name, number)).unlink(missing_ok=True)
        self.tidy()

    def tidy(self) -> None:
        """Remove what a kill in the middle of writing has left."""
        for name in KINDS:
            for path in self.folder.glob(f".{name}-*.json.*"):
                path.unlink(missing_ok=True)

    def read(self, name: SnapshotName, number: int) -> bytes:
        """A file's bytes.

        Raises:
            OSError: it is not there any more.
        """
        return (self.folder / file_name(name, number)).read_bytes()

    def _numbers(self, name: SnapshotName) -> list[int]:
        try:
            parsed = [parse_file_name(path.name) for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []  # nothing was ever published
        return sorted(number for each in parsed if each is not None and each[0] == name for number in [each[1]])


class _State(Struct, frozen=True):
    head: AuditHead
    people: int = 0
    """Number of the list of people that was published before and said the same at this head; 0 = it said otherwise."""


class PublishedHead:
    """The head of the audit that was last published or seen: in the snapshots, and in a file of the publisher's own.

    Whoever can write to the database cannot write here, so a cut tail cannot be hidden.
    """

    def __init__(self, state_file: Path, shelf: Shelf) -> None:
        self._state_file = state_file
        self.shelf = shelf

    def read(self) -> AuditHead:
        """The newest of both. A state file that cannot be read counts for nothing."""
        return max(self._state().head, self.shelf.head(), key=lambda head: head.sequence)

    def last_said_by(self, people: int) -> AuditHead:
        """The newest head at which the list of people of this number is known to have been true, if after its own."""
        state = self._state()
        return state.head if people and state.people == people else NO_HEAD

    def write(self, head: AuditHead, people: int = 0) -> None:
        """Keep a head that was seen, before it is published.

        Args:
            head: the audit's.
            people: number of the newest list of people if nothing of it has changed since; else 0.

        Raises:
            OSError: it cannot be written.
        """
        write_atomic(self._state_file, msgspec.json.encode(_State(head, people)), PRIVATE)

    def _state(self) -> _State:
        try:
            return msgspec.json.decode(self._state_file.read_bytes(), type=_State)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as e:
            logger.warning("%s is not used: %s", self._state_file, e)
        return _State(NO_HEAD)
