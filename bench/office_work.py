"""What people do at the office's pages while others are measured: imports, notices to print, hostile photographs."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.office_browser import Browser

ROWS: Final = 1_000
NICE_PAGES: Final = 7
"""A fifth of central's share of a short processor, as CPUWeight=20 of their unit has it."""
NICE_PUBLISHER: Final = 3
"""Half of central's share, as CPUWeight=50 of its unit has it."""
TOO_SLOW: Final = r"(took too long to read)"


def step_back(pid: int, nice: int) -> None:
    """Give way to others, with every thread; those that are started later inherit it."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), nice)


class Importing:
    """Imports CSV files of premises that do not exist yet. Each process that gets a copy has names of its own for them.

    Attributes:
        made: how many.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.made = 0

    def __call__(self, count: int = ROWS) -> None:
        """Import the next ``count``."""
        file = io.StringIO()
        table = csv.writer(file)
        table.writerow(("Member", "Schemes", "Name", "Street or area", "Address", "Contact 1 name", "Contact 1 phone"))
        for number in range(self.made + 1, self.made + count + 1):
            name = f"{os.getpid()}-{number}"
            phone = f"0116 496 {number % 10_000:04}"
            street = f"Street {number % 97}"
            table.writerow((f"Member {name}", "HART", f"Shop {name}", street, f"{number} {street}", "Sam", phone))
        self.made += count
        self._browser.import_premises(file.getvalue().encode())


class Printing:
    """Orders a notice, and waits for its PDF."""

    def __init__(self, browser: Browser, notice: int) -> None:
        self._browser = browser
        self._path = f"/papers/notices/{notice}/"

    def __call__(self) -> None:
        """Print it once."""
        self._browser.get(self._path).find(r"^(%PDF-)")


class HandingIn:
    """Hands in a photograph that takes too long to read."""

    def __init__(self, browser: Browser, individual: int, photograph: bytes) -> None:
        self._browser = browser
        self._path = f"/individuals/{individual}/photographs/add/"
        self._photograph = photograph

    def __call__(self) -> None:
        """Hand it in once, and be refused."""
        self._browser.get(self._path)
        self._browser.upload(self._path, self._photograph, source="Camera 4").find(TOO_SLOW)


class Beside:
    """Work that is done again and again, as fast as the pages let one person, from entering to leaving.

    A process of its own: in ours, reading the pages would hold up what we measure. It steps back like the pages,
    because a person's browser runs on another machine.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        context = multiprocessing.get_context("spawn")
        self._should_stop = context.Event()
        self._done = context.Value("i", 0)
        self._process = context.Process(target=_again_and_again, args=(work, self._should_stop, self._done))

    def __enter__(self) -> Self:
        self._process.start()
        assert self._process.pid is not None
        step_back(self._process.pid, NICE_PAGES)
        return self

    def done(self) -> int:
        """How many times it was done.

        Raises:
            RuntimeError: it failed, so that nothing more is measured beside it.
        """
        if not self._process.is_alive():
            raise RuntimeError("what people do at the pages failed")
        return int(self._done.value)

    def __exit__(self, kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None) -> None:
        self._should_stop.set()
        self._process.join()
        if self._process.exitcode and kind is None:
            raise RuntimeError("what people do at the pages failed")


def _again_and_again(work: Callable[[], None], should_stop: Event, done: Synchronized[int]) -> None:
    while not should_stop.is_set():
        work()
        done.value += 1
