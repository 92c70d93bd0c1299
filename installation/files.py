"""Puts files in place, and knows those that somebody has changed since.

``/var/lib/watchlink/installed.json`` keeps the digest of each file as it was put. A file that is no longer so has been
changed here: an engineer's own is kept, and the new one is laid beside it; the fleet's is replaced, and that is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from installation.errors import InstallError
from installation.machine import READ_BYTES_MAX, Machine
from runtime.atomic import PRIVATE, write_atomic
from runtime.folder_lock import folder_lock
from runtime.key_pair import KeyPair
from runtime.regular_file import NoFileError, read_regular

STATE: Final = "/var/lib/watchlink"
RECORD: Final = f"{STATE}/installed.json"
BESIDE: Final = ".new"
How = Literal["made", "updated", "joined", "replaced", "kept"]


class Wanted(Struct, frozen=True):
    """A file as it should be.

    Attributes:
        path: on the machine.
        is_editable: an engineer may change it, and what they have changed is kept.
        is_shared: a program here writes it too, so that what is found is no stranger's.
    """

    path: str
    data: bytes
    mode: int
    is_editable: bool = False
    is_shared: bool = False


class Change(Struct, frozen=True):
    """What is to be done with a file; ``kept`` = the new one is laid beside it."""

    wanted: Wanted
    how: How

    @property
    def target(self) -> str:
        """The path to be written."""
        return self.wanted.path + (BESIDE if self.how == "kept" else "")


class Record(Struct):
    """What was put, as SHA-256, and what is still to be acted on."""

    files: dict[str, str] = msgspec.field(default_factory=dict)
    without_central: bool = False
    """This is the machine of the office alone."""
    left_out: list[str] = msgspec.field(default_factory=list)
    """Units that a directory put here did not know any more, by number, to be told until one knows them again."""
    claims_number: int = 0
    """Of the newest open claims that were installed, wherever the enrolment service is."""
    enrols_elsewhere: bool = False
    """The fleet has given the enrolment service, which an installation had put here, a machine of its own."""
    unfinished: list[str] = msgspec.field(default_factory=list)
    """Paths that were about to change when an installation was cut short: whoever reads them has not been told."""


def change_of(machine: Machine, record: Record, wanted: Wanted) -> Change | None:
    """What there is to do; ``None`` = nothing.

    Raises:
        InstallError: the file that is there cannot be read.
    """
    found = read(machine.path(wanted.path))
    put = record.files.get(wanted.path)
    if found is None:
        return Change(wanted, "made")
    if found == wanted.data or (put == digest(wanted.data) and wanted.is_editable):
        return None
    if put == digest(found) or wanted.is_shared:
        return Change(wanted, "updated")
    if not wanted.is_editable:
        return Change(wanted, "replaced")
    # Laid beside once, not at every run.
    return None if read(machine.path(wanted.path + BESIDE)) == wanted.data else Change(wanted, "kept")


def put(machine: Machine, record: Record, change: Change) -> None:
    """Write it, whole or not at all, and remember it."""
    wanted = change.wanted
    path = machine.path(change.target)
    try:
        make_folder(path.parent)
        write_atomic(path, wanted.data, wanted.mode)
    except OSError as e:
        raise InstallError(f"{change.target} cannot be written: {e.strerror}.") from e
    if change.how != "kept":
        record.files[wanted.path] = digest(wanted.data)


def sweep(machine: Machine, wanted: Iterable[Wanted], record: str = RECORD) -> None:
    """Remove what a kill in the middle of a write may have left beside these: among it copies of private keys."""
    for path in map(machine.path, (record, *(one.path + end for one in wanted for end in ("", BESIDE)))):
        arriving = KeyPair(path, path).arriving
        for name in (path.name, arriving.name):
            for left in path.parent.glob(f".{name}.{'[0-9a-f]' * 8}"):
                left.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make it where it is missing: its parents' owner's, and as closed as its parent."""
    if not folder.is_dir():
        make_folder(folder.parent)
        parent = folder.parent.stat()
        folder.mkdir(mode=parent.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(folder, parent.st_uid, parent.st_gid)


def load_record(machine: Machine, path: str = RECORD) -> Record:
    """The record; a new one if there is none, or if it cannot be read: then everything counts as changed here."""
    data = read(machine.path(path))
    try:
        return Record() if data is None else msgspec.json.decode(data, type=Record)
    except msgspec.MsgspecError:
        return Record()


def save_record(machine: Machine, record: Record, path: str = RECORD) -> None:
    """Keep it."""
    try:
        write_atomic(
            machine.path(path), msgspec.json.format(msgspec.json.encode(record, order="deterministic")) + b"\n", PRIVATE
        )
    except OSError as e:
        raise InstallError(f"{path} cannot be written: {e.strerror}.") from e


@contextlib.contextmanager
def alone(machine: Machine) -> Iterator[None]:
    """While others wait."""
    folder = machine.path(STATE)
    make_folder(folder)
    with folder_lock(folder):
        yield


def digest(data: bytes) -> str:
    """As the record has it."""
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> bytes | None:
    """Its contents; ``None`` = it is not there. What is no file, such as a pipe, is as good as damaged.

    Raises:
        InstallError: it cannot be read.
    """
    try:
        return read_regular(path, READ_BYTES_MAX)
    except FileNotFoundError:
        return None
    except NoFileError:
        return b""
    except OSError as e:
        raise InstallError(f"{path} cannot be read: {e.strerror}.") from e
