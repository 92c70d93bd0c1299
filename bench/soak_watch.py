"""What ``make soak`` watches while it floods: each program's memory, a member's press, central's disk, a node's."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from bench import town
from node.hw.fake_board_client import FakeBoardClient
from node.store.database import DATABASE_NAME
from node.store.kept import kept_told
from provisioning.fleet import Fleet
from runtime.sqlite_file import read_value
from wire.directory import DirectoryDocument, SealedDirectory

RATIO_MAX: Final = 1.5
COMMITTED_MIN: Final = 1_000
"""Frames of a flood that central keeps; for a small flood a tenth of it."""
PRESSED_WITHIN_S: Final = 10.0
RECEIPTED_WITHIN_S: Final = 25.0
"""Without a receipt by then a press counts as lost, as in the demo script *flood*."""
SETTLED_WITHIN_S: Final = 120.0
UNCHANGED_S: Final = 5.0
_FACTS_KEPT: Final = 1_000


def memory_kb(pid: int) -> int:
    """Its present memory in KiB, resident or swapped out."""
    return town.memory_kb(pid) + town.memory_kb(pid, "VmSwap")


@dataclass(slots=True)
class Measured:
    """One program, its memory at quiet in KiB, and its readings: after which flood, memory, most resident before."""

    name: str
    pid: int
    before_kb: int = 0
    readings: list[tuple[str, int, int]] = field(default_factory=list)

    def read(self, after: str) -> str:
        """Read its memory now, and the most resident since the last reading; returns a row of the table."""
        self.readings.append((after, memory_kb(self.pid), town.memory_kb(self.pid, "VmHWM")))
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
        self.before_kb = self.before_kb or self.readings[0][1]
        return self.row(*self.readings[-1])

    def row(self, after: str, now_kb: int, peak_kb: int) -> str:
        """A row of the table, as a line."""
        ratio, peak_ratio = now_kb / self.before_kb, peak_kb / self.before_kb
        too_much = "" if ratio <= RATIO_MAX else "   TOO MUCH"
        return (
            f"  {self.name:8}{after:26}{now_kb / 1024:9.1f}{ratio:7.2f} x{peak_kb / 1024:9.1f}{peak_ratio:7.2f} x"
            f"{too_much}\n"
        )

    @property
    def is_bounded(self) -> bool:
        """Whether its memory was within the bar at every reading."""
        return all(now_kb <= RATIO_MAX * self.before_kb for _, now_kb, _ in self.readings)


class Outcome(Struct, frozen=True):
    """The outcome of a flood.

    Attributes:
        name: the flood's.
        sent: messages that the broker has read.
        receipt_ms: from another member's press after it to the receipt; ``None`` = none in time.
        committed: frames of the flood on central's disk; ``None`` = central keeps none of its frames.
        has_reached: the node holds what it was sent.
    """

    name: str
    sent: int
    receipt_ms: float | None
    committed: int | None = None
    has_reached: bool = True

    @property
    def failures(self) -> tuple[str, ...]:
        """Why flat memory would prove nothing; empty if the flood was taken in."""
        found = []
        if self.receipt_ms is None:
            found.append(f"after {self.name}: another member's press got no receipt")
        if self.committed is not None and self.committed < min(COMMITTED_MIN, self.sent // 10):
            found.append(f"{self.name}: central has committed {self.committed:,} of {self.sent:,}")
        if not self.has_reached:
            found.append(f"{self.name}: none of it reached the node")
        return tuple(found)

    def line(self, took_s: float) -> str:
        """Its lines for the table."""
        kept = "" if self.committed is None else f", {self.committed:,} committed"
        receipt = "no receipt" if self.receipt_ms is None else f"receipt after {self.receipt_ms:.0f} ms"
        failures = "".join(f"  FAILED {failure}\n" for failure in self.failures)
        return f"{self.name}: {self.sent:,} messages in {took_s:.0f} s{kept}; then a press: {receipt}\n{failures}"


class Report:
    """A run's output and verdict.

    Attributes:
        failures: of floods that were not taken in.
        measured: the programs.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self.failures: list[str] = []
        self.measured: list[Measured] = []
        self._say = say

    @property
    def is_passed(self) -> bool:
        """Whether every flood was taken in, and each program stayed within the bar."""
        return not self.failures and all(measured.is_bounded for measured in self.measured)

    def judge(self, outcome: Outcome, took_s: float = 0.0) -> None:
        """Judge a flood that is over."""
        self.failures += outcome.failures
        self._say(outcome.line(took_s))

    def read(self, measured: Measured, after: str) -> None:
        """Read its memory at quiet."""
        if measured not in self.measured:
            self.measured.append(measured)
            if len(self.measured) == 1:
                self._say(f"  {'':8}{'at quiet after':26}{'MiB':>9}{'':9}{'most':>9}\n")
        self._say(measured.read(after))


class Presser:
    """A running node with a fake board. Its facts are read at once, so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str], board: Path) -> None:
        self._process = process
        self._changed = threading.Condition()
        self._facts: deque[dict[str, Any]] = deque(maxlen=_FACTS_KEPT)
        threading.Thread(target=self._read, daemon=True).start()
        self._board = FakeBoardClient(board)

    def press(self) -> float | None:
        """Press *assist*; returns the time to its receipt by network in ms, or ``None`` if there is none in time."""
        with self._changed:
            self._facts.clear()
        self._board.set_level("assist", "low")
        pressed = self._wait_for(lambda fact: fact["fact"] == "pressed", PRESSED_WITHIN_S)
        self._board.set_level("assist", "high")
        stored = pressed and self._wait_for(lambda fact: fact["fact"] == "stored", PRESSED_WITHIN_S)
        if not pressed or not stored:
            return None
        receipt = self._wait_for(
            lambda fact: (fact["fact"], fact.get("alert"), fact.get("path")) == ("receipt", stored["alert"], "network"),
            RECEIPTED_WITHIN_S,
        )
        return float(receipt["at_ms"] - pressed["at_ms"]) if receipt else None

    def close(self) -> None:
        """Close the board."""
        self._board.close()

    def _wait_for(self, is_wanted: Callable[[dict[str, Any]], bool], within_s: float) -> dict[str, Any] | None:
        def found() -> dict[str, Any] | None:
            return next((fact for fact in self._facts if is_wanted(fact)), None)

        with self._changed:
            return self._changed.wait_for(found, within_s)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._facts.append(json.loads(line))
                self._changed.notify_all()


def committed(fleet: Fleet) -> int:
    """Frames on central's disk."""
    (file,) = (fleet.layout.central / "state").glob("*.db")
    with contextlib.closing(_opened(file)) as db:
        count: int = db.execute("SELECT count(*) FROM frames").fetchone()[0]
    return count


def settled(fleet: Fleet) -> int:
    """Frames on central's disk, once their number is steady: what waited is committed."""
    until_s = time.monotonic() + SETTLED_WITHIN_S
    before, now = -1, committed(fleet)
    while before != now and time.monotonic() < until_s:
        time.sleep(UNCHANGED_S)
        before, now = now, committed(fleet)
    return now


def highest_revision(node_folder: Path) -> int:
    """Highest revision of the incident states that the node has taken, from its disk."""
    with _copied(node_folder / "state") as db:
        return kept_told(db).revision


def directory_serial(node_folder: Path) -> int:
    """Serial of the directory on the node's disk; 0 = it has none."""
    with _copied(node_folder / "state") as db:
        sealed = read_value(db, "directory")
    if not sealed:
        return 0
    document = msgspec.json.decode(sealed, type=SealedDirectory).document
    return msgspec.json.decode(document, type=DirectoryDocument).serial


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=60)


@contextlib.contextmanager
def _copied(state: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the node's database, which is locked while the node runs; the node is quiet, so its files are whole."""
    with tempfile.TemporaryDirectory(prefix="watchlink-soak-") as folder:
        for suffix in ("-wal", ""):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(state / f"{DATABASE_NAME}{suffix}", folder)
        with contextlib.closing(sqlite3.connect(Path(folder) / DATABASE_NAME)) as db:
            yield db
