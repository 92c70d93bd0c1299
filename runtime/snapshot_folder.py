"""Watches a folder into which the office publishes snapshots of one name, and keeps the last good one.

A program that uses snapshots goes on with the last good one whatever happens to the office, to the folder or to a file
in it: nothing here ends the program, and every fault is one sentence. It must not know what a snapshot says.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, NamedTuple

from msgspec import Struct

from runtime.atomic import PRIVATE, write_atomic
from runtime.regular_file import read_regular
from wire.errors import REASONS, SnapshotError, WireError
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.signing import PublicKey
from wire.snapshots import NAMES, S, Town, file_name, open_snapshot, parse_file_name

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5
"""Between two looks at the folder."""
BUSY_SHARE: Final = 0.1
"""Of one processor: many large snapshots, one after the other, leave the rest to the program's own work."""
PAUSE_MAX_S: Final = 10.0
"""However slow the machine: whoever lost their account must be out within 30 s."""
REST_S: Final = 0.0005
"""Between parts of a snapshot. Other threads get Python's interpreter, which a thread at work gives up unwillingly."""
_KEPT_NAME: Final = re.compile(r"(people|premises|rota)-([1-9][0-9]{0,15})-([0-9a-f]{64})\.json")


class _Mark(NamedTuple):
    """What of a file changes whenever its contents do."""

    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int


class _Refused(Struct):
    """A file that was read and not accepted. Read twice before it counts: it may have been half-written."""

    mark: _Mark
    keys: tuple[PublicKey, ...]
    why: str
    is_settled: bool = False


class _Held(Struct, Generic[S]):
    snapshot: S
    signer: PublicKey
    digest: bytes
    data: bytes | None
    """The file, until it is on our own disk."""


class SnapshotFolder(Generic[S]):
    """One name's folder, looked at every :data:`LOOK_S` seconds on a thread of its own.

    Accepted is a snapshot that a trusted key signed and whose number is higher than the one held. If the held one's
    signer is no longer trusted, it stays in use, with a fault; then any number by a trusted key replaces it, so that
    whoever stole a key cannot shut the true office out by a high number.

    Args:
        folder: where the office, or a :class:`runtime.snapshot_fetcher.SnapshotFetcher`, puts ``NAME-NUMBER.json``.
        kept_folder: of this program alone; made if missing. Here lies the last good one.
        kind: :class:`wire.snapshots.People`, :class:`wire.snapshots.Premises` or :class:`wire.snapshots.Rota`.
        town: ours.
        keys: the office keys of the newest signed directory; asked at each look.
        on_new: takes each accepted snapshot, the kept one first. Called again with the same one if it raises.
        on_fault: takes one sentence when what is wrong changes, and ``""`` when all is well again.
        is_optional: an older office publishes none, which is no fault.

    Both are called on the thread of the looks, or on the caller's of :meth:`look`, and must not wait.
    """

    def __init__(
        self,
        folder: Path,
        kept_folder: Path,
        kind: type[S],
        town: Town,
        *,
        keys: Callable[[], tuple[PublicKey, ...]],
        on_new: Callable[[S], None],
        on_fault: Callable[[str], None],
        is_optional: bool = False,
    ) -> None:
        self._folder = folder
        self._is_optional = is_optional
        self._kept_folder = kept_folder
        self._kind: type[S] = kind
        self._name = NAMES[kind]
        self._town = town
        self._keys = keys
        self._on_new: Callable[[S], None] = on_new
        self._on_fault = on_fault
        self._held: _Held[S] | None = None
        self._held_mark: _Mark | None = None
        self._has_recalled = False
        self._is_delivered = True
        self._refused: dict[int, _Refused] = {}
        self._unkept = ""
        self._fault = ""
        self._trouble = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{self._name} snapshots", daemon=True)

    @property
    def newest(self) -> S | None:
        """The snapshot held; ``None`` = never had one."""
        return None if self._held is None else self._held.snapshot

    @property
    def is_trusted(self) -> bool:
        """Whether the key that signed the snapshot held is trusted now; true while none is held. From any thread."""
        held = self._held
        return held is None or held.signer in self._keys()

    @property
    def fault(self) -> str:
        """What is wrong, as one sentence; empty = nothing."""
        return self._fault

    def start(self) -> None:
        """Begin to look, at once and then regularly."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end. From any thread, also before :meth:`start`, more than once."""
        self._is_stopping.set()

    def look(self) -> None:
        """Look once. Before :meth:`start` this gives the kept or published snapshot at once. Never raises."""
        try:
            fault = self._look()
        except Exception as e:  # noqa: BLE001 - whatever it is, the next look may be better
            self._note_trouble(e)
            fault = f"Looking for {self._name} snapshots in {self._folder} failed: {type(e).__name__}."
        try:
            self._tell(fault)
            self._deliver()
        except Exception as e:  # noqa: BLE001 - the program's own; it is called again
            self._note_trouble(e)

    def _run(self) -> None:
        pause = 0.0
        while not self._is_stopping.wait(pause):
            began_s = time.thread_time()
            self.look()
            pause = pause_s(time.thread_time() - began_s)

    def _note_trouble(self, error: Exception) -> None:
        if repr(error) != self._trouble:
            logger.error("looking for %s snapshots failed", self._name, exc_info=error)
        self._trouble = repr(error)

    def _deliver(self) -> None:
        if self._held is not None and not self._is_delivered:
            self._on_new(self._held.snapshot)
            self._is_delivered, self._trouble = True, ""

    def _tell(self, fault: str) -> None:
        if fault != self._fault:
            self._on_fault(fault)
            self._fault = fault
            if fault:
                logger.warning("%s", fault)

    def _look(self) -> str:
        """Look, accept, keep. Returns what is wrong."""
        if not self._has_recalled:
            self._recall()
            self._has_recalled = True
        keys = self._keys()
        try:
            marks = self._marks()
        except OSError as e:
            fault = f"The folder {self._folder} of the office's snapshots cannot be read: {e.strerror}."
        else:
            fault = self._choose(marks, keys)
        self._keep()
        if self._held is not None and self._held.signer not in keys:
            fault = (
                f"The {self._name} snapshot in use, number {self._held.snapshot.number}, was signed with a key that is"
                " no longer trusted. It stays in use until the office publishes one with a trusted key."
            )
        return fault or self._unkept

    def _marks(self) -> dict[int, _Mark]:
        """Number and mark of each published file."""
        found: dict[int, _Mark] = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                parsed = parse_file_name(entry.name)
                if parsed is None or parsed[0] != self._name:
                    continue
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue  # the office has just removed it: there is a newer one
                found[parsed[1]] = _Mark(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        return found

    def _choose(self, marks: dict[int, _Mark], keys: tuple[PublicKey, ...]) -> str:
        """Accept the highest good one of the files; what is wrong with those above it, or with all of them."""
        self._refused = {number: one for number, one in self._refused.items() if number in marks}
        faults: list[str] = []
        for number in sorted(marks, reverse=True):
            if self._is_old(number, keys):
                break
            if self._is_held(number, marks[number]):
                if self._is_trusted(keys):
                    break
                continue
            refused = self._refused.get(number)
            if refused is None or not refused.is_settled or (refused.mark, refused.keys) != (marks[number], keys):
                if self._read(number, marks[number], keys):
                    break
                refused = self._refused.get(number)
            if refused is not None and refused.is_settled:
                faults.append(refused.why)
        return faults[0] if faults else self._gone_back(marks, keys)

    def _is_trusted(self, keys: tuple[PublicKey, ...]) -> bool:
        return self._held is not None and self._held.signer in keys

    def _is_held(self, number: int, mark: _Mark) -> bool:
        return self._held is not None and (self._held.snapshot.number, self._held_mark) == (number, mark)

    def _is_old(self, number: int, keys: tuple[PublicKey, ...]) -> bool:
        return self._held is not None and self._is_trusted(keys) and number < self._held.snapshot.number

    def _gone_back(self, marks: dict[int, _Mark], keys: tuple[PublicKey, ...]) -> str:
        if self._held is None:
            is_well = marks or self._is_optional
            return "" if is_well else f"The office has not published a {self._name} snapshot in {self._folder} yet."
        held = self._held.snapshot.number
        if not marks:
            return f"There is no {self._name} snapshot in {self._folder} any more. Number {held} stays in use."
        newest = max(marks)
        if not self._is_old(newest, keys):
            return ""
        return (
            f"The office's newest {self._name} snapshot has number {newest}, lower than number {held} in use here, and"
            f" is refused. If the office was restored from a backup, let it publish above {held}."
        )

    def _read(self, number: int, mark: _Mark, keys: tuple[PublicKey, ...]) -> bool:
        """Read a file; accept it (true), or note why not."""
        name = file_name(self._name, number)
        try:
            data = read_regular(self._folder / name, SNAPSHOT_BYTES_MAX)
            snapshot, signer = self._open(data, keys)
        except FileNotFoundError:
            return False
        except OSError as e:
            # To be read again at each look: what was wrong need not show in the file's mark.
            self._refuse(number, mark, (), f"{name} cannot be read: {e.strerror}.")
        except SnapshotError as e:
            logger.info("%s is refused: %s", name, e)
            self._refuse(number, mark, keys, f"The office's {name} is refused: {REASONS[e.reason]}.")
        else:
            why = self._contradiction(number, snapshot, data, keys)
            if not why:
                self._accept(_Held(snapshot, signer, _digest(data), data), mark)
                return True
            self._refuse(number, mark, keys, f"The office's {name} is refused: {why}.")
        return False

    def _accept(self, found: _Held[S], mark: _Mark) -> None:
        self._refused.pop(found.snapshot.number, None)
        self._held_mark = mark
        if self._held is None or self._held.digest != found.digest:
            self._held = found
            self._is_delivered = False

    def _open(self, data: bytes, keys: tuple[PublicKey, ...]) -> tuple[S, PublicKey]:
        for key in keys:
            try:
                return open_snapshot(data, self._kind, self._town, (key,), rest=_rest), key
            except SnapshotError as e:
                if e.reason != "snapshot signature":
                    raise
        raise SnapshotError("snapshot signature")

    def _contradiction(self, number: int, snapshot: S, data: bytes, keys: tuple[PublicKey, ...]) -> str:
        if snapshot.number != number:
            return f"its name says number {number}, its contents say {snapshot.number}"
        held = self._held
        if held is None or held.signer not in keys or held.snapshot.number != number or held.digest == _digest(data):
            return ""
        return "the office has used this number before, for other contents"

    def _refuse(self, number: int, mark: _Mark, keys: tuple[PublicKey, ...], why: str) -> None:
        before = self._refused.get(number)
        is_settled = before is not None and (before.mark, before.keys, before.why) == (mark, keys, why)
        self._refused[number] = _Refused(mark, keys, why, is_settled)

    def _recall(self) -> None:
        """Take up the kept one. It was verified when it was kept; whether its signer is still trusted is told."""
        for path, number, signer in sorted(self._kept_files(), key=lambda kept: kept[1], reverse=True):
            try:
                data = read_regular(path, SNAPSHOT_BYTES_MAX)
                snapshot = open_snapshot(data, self._kind, self._town, (PublicKey(bytes.fromhex(signer)),), rest=_rest)
            except (OSError, WireError) as e:
                logger.warning("the kept %s is not used: %s", path.name, e)
                continue
            if snapshot.number == number:
                self._held = _Held(snapshot, PublicKey(bytes.fromhex(signer)), _digest(data), None)
                self._is_delivered = False
                return

    def _keep(self) -> None:
        """Write the held one to our own disk, then remove those before it. Tried again at each look."""
        held = self._held
        if held is None or held.data is None:
            return
        path = self._kept_folder / f"{self._name}-{held.snapshot.number}-{held.signer.raw.hex()}.json"
        try:
            self._kept_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(path, held.data, PRIVATE)
        except OSError as e:
            self._unkept = (
                f"The newest {self._name} snapshot is in use but cannot be kept in {self._kept_folder}: {e.strerror}."
            )
            return
        held.data, self._unkept = None, ""
        for other, _, _ in self._kept_files():
            if other != path:
                other.unlink(missing_ok=True)

    def _kept_files(self) -> list[tuple[Path, int, str]]:
        try:
            names = [path.name for path in self._kept_folder.iterdir()]
        except OSError:
            return []
        found = [(name, kept) for name in names if (kept := parse_kept_name(name))]
        return [
            (self._kept_folder / name, number, signer) for name, (kind, number, signer) in found if kind == self._name
        ]


def parse_kept_name(text: str) -> tuple[str, int, str] | None:
    """Of a kept file: which snapshot, its number, and its signer's key in hexadecimal digits; ``None`` = not kept."""
    match = _KEPT_NAME.fullmatch(text)
    return None if match is None else (match[1], int(match[2]), match[3])


def pause_s(busy_s: float) -> float:
    """How long to wait after a look that took ``busy_s`` seconds of a processor's time."""
    return min(max(LOOK_S, busy_s / BUSY_SHARE), PAUSE_MAX_S)


def _rest() -> None:
    time.sleep(REST_S)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
