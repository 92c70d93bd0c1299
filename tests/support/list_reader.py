"""Reads an office's lists as central does, and says how much memory that took."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

import central.app
from central.core.premises import PremisesBook
from central.signin.register import Register
from runtime.snapshot_folder import SnapshotFolder
from wire.directory import Directory
from wire.signing import PublicKey, SigningKey
from wire.snapshots import People, Premises, Town

OFFICE: Final = SigningKey(b"o" * 32)
TOWN: Final = Town(SigningKey(b"a" * 32).public)
NOBODY: Final = Directory(serial=1, senders={}, schemes={})


class Reader:
    """The readers of both names, and what central holds of the newest lists."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self.register: Register | None = None
        self.book = PremisesBook(lambda part, *_: part())
        self.people = SnapshotFolder(folder, kept, People, TOWN, keys=_keys, on_new=self.take, on_fault=_refused)
        self.premises = SnapshotFolder(
            folder,
            kept,
            Premises,
            TOWN,
            keys=_keys,
            on_new=lambda new: self.book.take(new.premises, NOBODY),
            on_fault=_refused,
        )

    def take(self, people: People) -> None:
        """Ready to look up, as after the first sign-ins."""
        self.register = Register(people)
        assert self.register.named("nobody") is self.register.person(0) is self.register.owner(b"") is None

    def look(self) -> None:
        """Both at once."""
        threads = [threading.Thread(target=one.look) for one in (self.people, self.premises)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main(folder: Path) -> None:
    """Read each pair of ``*.new`` in the folder in turn; prints the most MiB that were ever resident."""
    assert central.app  # with all that central imports
    reader = Reader(folder, folder / "kept")
    numbers = sorted(int(path.name.split("-")[1].split(".")[0]) for path in folder.glob("people-*.json.new"))
    for number in numbers:
        for name in ("people", "premises"):
            (folder / f"{name}-{number}.json.new").rename(folder / f"{name}-{number}.json")
        reader.look()
        newest = reader.people.newest, reader.premises.newest
        assert [number, number] == [one.number for one in newest if one is not None]
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    most_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    sys.stdout.write(f"{most_kb // 1024}\n")


def _keys() -> tuple[PublicKey, ...]:
    return (OFFICE.public,)


def _refused(fault: str) -> None:
    if "is refused" in fault:
        raise AssertionError(fault)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
