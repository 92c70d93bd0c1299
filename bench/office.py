"""``make bench-office``: what the office costs, and what it takes from an alert: nothing but a fifth at most.

Pages and publisher run as on a real machine, with 5,000 premises that came in through the page. The alerts are those of
one node, one after another, to a real central beside them: alone, and while the office imports 1,000 rows again and
again.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import multiprocessing
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

from bench import town
from bench.mqtt_client import RawClient, connect
from bench.office_browser import Browser
from provisioning.fleet import Fleet
from wire.ids import parse_node
from wire.topics import Down, DownTopic, FrameTopic

PREMISES: Final = 5_000
ROWS: Final = 1_000
PRESSES: Final = 1_000
ROUNDS: Final = 3
WARM_UP: Final = 50
LISTS: Final = 40
SIGN_INS: Final = 3
ANSWER_DEADLINE_S: Final = 30.0
NICE_PAGES: Final = 7
"""A fifth of central's share of a short processor, as CPUWeight=20 of their unit has it."""
NICE_PUBLISHER: Final = 3
"""Half of central's share, as CPUWeight=50 of its unit has it."""
ROWS_OF_A_ROUND_MAX: Final = 100_000
CO_ORDINATOR: Final = "cora"
BAR_START_S: Final = 3.0
BAR_MEMORY_MB: Final = 110
BAR_PUBLISHER_MB: Final = 70
BAR_LIST_MS: Final = 100
BAR_SIGN_IN_S: Final = 1.0
BAR_RATIO: Final = 1.2


def main() -> None:
    """Measure, and print each figure beside its bar."""
    parser = argparse.ArgumentParser(prog="python -m bench.office", description=__doc__)
    parser.add_argument("--premises", type=int, default=PREMISES, metavar="N", help="default %(default)s")
    parser.add_argument("--presses", type=int, default=PRESSES, metavar="N", help="of a round; default %(default)s")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="default %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        base = Path(folder)
        fleet = town.make_fleet(base / "town", 1)
        log = base / "log"
        config, link = _found(fleet)
        with _pages(config, log) as (pages, url, start_s), _publisher(config, log) as publisher:
            _step_back(pages.pid, NICE_PAGES)
            _step_back(publisher.pid, NICE_PUBLISHER)
            browser = Browser(url)
            browser.join(link, CO_ORDINATOR)
            rows = _Rows()
            while rows.made < options.premises:
                browser.import_premises(rows.next(min(ROWS, options.premises - rows.made)))
            _print_costs(browser, pages, publisher, start_s, options.premises)
            with town.broker(fleet), town.central(fleet, log):
                _print_alerts(_measure(fleet, browser, rows, options.presses, options.rounds), options.presses)


def _found(fleet: Fleet) -> tuple[Path, str]:
    """An office in the fleet's folder; returns its configuration and the first co-ordinator's link."""
    office = fleet.layout.office
    office.mkdir()
    config = office / "office.toml"
    authority = fleet.layout.authority / "authority.pub"
    config.write_text(f'authority_file = "{authority}"\ndirectory_file = "{fleet.layout.directory}"\n[web]\nport = 0\n')
    made = subprocess.run(
        [sys.executable, "-m", "watchlink.cli", "office", "init", "--config", str(config)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return config, next(word for word in made.stdout.split() if "/join/" in word)


@contextmanager
def _pages(config: Path, log: Path) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """The pages, with their address and the seconds from start to the first page."""
    began_s = time.perf_counter()
    with town.program("-m", "watchlink.cli", "office", "serve", "--config", str(config), log=log) as process:
        url = town.wait_for(process, lambda fact: fact["fact"] == "listening")["url"]
        Browser(url).get("/sign-in/")
        start_s = time.perf_counter() - began_s
        yield process, url, start_s


@contextmanager
def _publisher(config: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    with town.program("-m", "watchlink.cli", "office", "publish", "--config", str(config), log=log) as process:
        town.wait_for(process, lambda fact: fact["fact"] == "snapshot_published")
        # Its facts are read, or it would wait for us once the pipe is full.
        assert process.stdout is not None
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield process


def _step_back(pid: int, nice: int) -> None:
    """Give way to others, with every thread; those that are started later inherit it."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), nice)


class _Rows:
    """CSV files of premises that do not exist yet."""

    def __init__(self, made: int = 0) -> None:
        self.made = made

    def next(self, count: int) -> bytes:
        file = io.StringIO()
        table = csv.writer(file)
        table.writerow(("Member", "Schemes", "Name", "Street or area", "Address", "Contact 1 name", "Contact 1 phone"))
        for number in range(self.made + 1, self.made + count + 1):
            phone = f"0116 496 {number % 10_000:04}"
            street = f"Street {number % 97}"
            table.writerow((f"Member {number}", "HART", f"Shop {number}", street, f"{number} {street}", "Sam", phone))
        self.made += count
        return file.getvalue().encode()


def _print_costs(
    browser: Browser, pages: subprocess.Popen[str], publisher: subprocess.Popen[str], start_s: float, premises: int
) -> None:
    sign_ins_s = []
    used_s = town.cpu_s(pages.pid)
    for _ in range(SIGN_INS):
        browser.sign_out()
        sign_ins_s.append(browser.sign_in(CO_ORDINATOR))
    used_s = (town.cpu_s(pages.pid) - used_s) / SIGN_INS
    print("office, SQLite (on a busy machine only the processor time, in brackets, can be compared)")
    print(f"  start to the first page {start_s:.2f} s (bar {BAR_START_S:.0f})")
    sign_in_s = statistics.median(sign_ins_s)
    print(f"  sign-in with password and code {sign_in_s:.2f} s [{used_s:.2f} s] (bar {BAR_SIGN_IN_S:.0f})")
    for what, path in (
        ("list", "/premises/"),
        ("search in it", "/premises/?q=street+42"),
        ("page 90", "/premises/?page=90"),
    ):
        values_ms = []
        used_s = town.cpu_s(pages.pid)
        for _ in range(LISTS):
            began_s = time.perf_counter()
            browser.get(path).find("(Shop)")
            values_ms.append((time.perf_counter() - began_s) * 1_000)
        used_ms = (town.cpu_s(pages.pid) - used_s) / LISTS * 1_000
        median, p99 = statistics.median(values_ms), _percentile(values_ms, 99)
        print(
            f"  {premises} premises, {what}: median {median:.0f} ms, p99 {p99:.0f} ms [{used_ms:.0f} ms]"
            f" (bar {BAR_LIST_MS})"
        )
    for name, process, bar in (("pages", pages, BAR_MEMORY_MB), ("publisher", publisher, BAR_PUBLISHER_MB)):
        memory_mb, peak_mb = (town.memory_kb(process.pid, field) / 1_024 for field in ("VmRSS", "VmHWM"))
        print(f"  {name}: resident memory {memory_mb:.0f} MB (bar {bar}), at most {peak_mb:.0f} MB while importing")


def _measure(
    fleet: Fleet, browser: Browser, rows: _Rows, presses: int, rounds: int
) -> list[tuple[list[float], list[float]]]:
    """For each round: milliseconds from press to receipt alone, and during imports."""
    node = _PressingNode(fleet)
    measured = []
    node.press(WARM_UP, while_=None)
    for _ in range(rounds):
        alone = node.press(presses, while_=None)
        importing = _Importing(browser, rows)
        importing.start()
        try:
            during = node.press(presses, while_=importing)
        finally:
            importing.stop()
        measured.append((alone, during))
    return measured


class _Importing:
    """Imports 1,000 rows again and again, as fast as the page lets one person.

    A process of its own: in ours, reading the pages would hold up the presses that we measure. It steps back like the
    pages, because a person's browser runs on another machine.
    """

    def __init__(self, browser: Browser, rows: _Rows) -> None:
        context = multiprocessing.get_context("spawn")
        self._should_stop = context.Event()
        self._process = context.Process(target=_import_again_and_again, args=(browser, rows.made, self._should_stop))
        rows.made += ROWS_OF_A_ROUND_MAX

    def start(self) -> None:
        """Begin."""
        self._process.start()
        assert self._process.pid is not None
        _step_back(self._process.pid, NICE_PAGES)

    def is_alive(self) -> bool:
        """No import has failed so far."""
        return self._process.is_alive()

    def stop(self) -> None:
        """End after the import under way.

        Raises:
            RuntimeError: an import failed, so that the presses were not measured beside one.
        """
        self._should_stop.set()
        self._process.join()
        if self._process.exitcode:
            raise RuntimeError("an import failed")


def _import_again_and_again(browser: Browser, made: int, should_stop: Event) -> None:
    rows = _Rows(made)
    while not should_stop.is_set():
        browser.import_premises(rows.next(ROWS))


class _PressingNode:
    """One node, raw: its next alert goes when the last one's receipt is here. Counters rise over all rounds."""

    def __init__(self, fleet: Fleet) -> None:
        (record,) = fleet.nodes
        self._fleet = fleet
        self._node = parse_node(record.node)
        self._text = record.node
        self._folder = fleet.node_folder(record.node)
        self._counter = 0

    def press(self, count: int, while_: _Importing | None) -> list[float]:
        """Milliseconds from each press to its receipt; with ``while_``, it must go on for all of them."""
        values = asyncio.run(self._press(count))
        if while_ is not None and not while_.is_alive():
            while_.stop()
        return values

    async def _press(self, count: int) -> list[float]:
        context = ssl.create_default_context(cafile=str(self._folder / "ca.pem"))
        context.load_cert_chain(self._folder / "client.pem", self._folder / "client.key")
        answered = asyncio.Event()
        topic = str(DownTopic(self._node, Down.RECEIPT))
        client = await connect(
            self._text, self._fleet.record.broker.port, context, (topic,), lambda _topic, _payload: answered.set()
        )
        try:
            return [await self._press_once(client, answered) for _ in range(count)]
        finally:
            client.close()
            await asyncio.sleep(0)

    async def _press_once(self, client: RawClient, answered: asyncio.Event) -> float:
        self._counter += 1
        frame = town.signed_alert(self._folder, self._text, int(time.time()), self._counter)
        answered.clear()
        began_s = time.perf_counter()
        client.publish(str(FrameTopic(town.SCHEME, self._node)), frame)
        await asyncio.wait_for(answered.wait(), ANSWER_DEADLINE_S)
        return (time.perf_counter() - began_s) * 1_000


def _print_alerts(rounds: list[tuple[list[float], list[float]]], presses: int) -> None:
    print(f"alert to receipt over mTLS, {presses} presses a round, one after another")
    ratios = []
    for number, (alone, during) in enumerate(rounds, start=1):
        ratios.append(_percentile(during, 99) / _percentile(alone, 99))
        print(
            f"  round {number}: alone p50 {_percentile(alone, 50):.1f} ms, p99 {_percentile(alone, 99):.1f} ms;"
            f" while the office imports {ROWS} rows p50 {_percentile(during, 50):.1f} ms,"
            f" p99 {_percentile(during, 99):.1f} ms"
        )
    print(f"  p99 {statistics.median(ratios):.2f} x alone, median of {len(ratios)} rounds (bar {BAR_RATIO})")


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    main()
