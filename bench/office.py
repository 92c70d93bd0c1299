"""``make bench-office``: what the office costs, and what it takes from an alert: nothing but a fifth at most.

Pages, publisher and papers run as on a real machine, with 5,000 premises that came in through the page. The alerts are
those of one node, one after another, to a real central beside them: alone, while the office imports 1,000 rows again
and again, and while it prints 100 notices.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from bench import office_filling, town
from bench.office_alerts import PressingNode
from bench.office_browser import Browser
from bench.office_work import (
    NICE_PAGES,
    NICE_PUBLISHER,
    ROWS,
    Beside,
    HandingIn,
    Importing,
    Printing,
    step_back,
)
from bench.percentiles import percentile
from office.people.intake_terms import Job
from provisioning.fleet import Fleet
from tests.office.people.pictures import of_many_scans, png

PREMISES: Final = 5_000
PRESSES: Final = 1_000
ROUNDS: Final = 3
NOTICES: Final = 100
LISTS: Final = 40
SIGN_INS: Final = 3
HANDED_IN: Final = 10
LOOK_S: Final = 0.002
SOCKET: Final = "papers.sock"
HOSTILE: Final[dict[str, Callable[[], bytes]]] = {
    "PNG that wants 867 MB": lambda: png(17_000, 17_000, data=bytes(20_000_000)),
    "PNG of 16 bits, with transparency": lambda: png(
        2_880, 2_880, bits=16, colour=6, data=bytes(8 * 2_880 + 1) * 2_880
    ),
    "JPEG of thousands of scans": lambda: of_many_scans(4_000),
}
"""The last takes the most processor time."""
CO_ORDINATOR: Final = "cora"
BAR_START_S: Final = 3.0
BAR_MEMORY_MB: Final = 110
BAR_LIST_MS: Final = 100
BAR_SIGN_IN_S: Final = 1.0
BAR_NOTICE_S: Final = 2.0
BAR_PHOTOGRAPH_S: Final = 2.0
BAR_PHOTOGRAPH_MB: Final = 128
BAR_PAGE_MS: Final = 150


def main() -> None:
    """Measure, and print each figure beside its bar."""
    parser = argparse.ArgumentParser(prog="python -m bench.office", description=__doc__)
    parser.add_argument("--premises", type=int, default=PREMISES, metavar="N", help="default %(default)s")
    parser.add_argument("--presses", type=int, default=PRESSES, metavar="N", help="of a round; default %(default)s")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="default %(default)s")
    parser.add_argument("--notices", type=int, default=NOTICES, metavar="N", help="of a round; default %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        base = Path(folder)
        fleet = town.make_fleet(base / "town", 1)
        log = base / "log"
        config, link = found(fleet)
        with serve(config, log) as (pages, url, start_s), _publisher(config, log) as publisher, _papers(config, log):
            step_back(pages.pid, NICE_PAGES)
            step_back(publisher.pid, NICE_PUBLISHER)
            browser = Browser(url)
            browser.join(link, CO_ORDINATOR)
            importing = Importing(browser)
            while importing.made < options.premises:
                importing(min(ROWS, options.premises - importing.made))
            _print_costs(browser, pages, publisher, start_s, options.premises)
            notice, individual = _fill(config)
            _print_notices(printing := Printing(browser, notice))
            _print_photographs(browser, individual)
            with town.broker(fleet) as broker, town.central(fleet, log) as central:
                town.put_before_ordinary_programs(broker.pid, central.pid)
                print(f"alert to receipt over mTLS, {options.presses} presses a round or more, one after another")
                node = PressingNode(fleet)
                for what, work, times in (
                    (f"imports {ROWS} rows again and again", importing, 1),
                    (f"prints {options.notices} notices", printing, options.notices),
                ):
                    node.print_beside(what, work, presses=options.presses, times=times, rounds=options.rounds)


def found(fleet: Fleet, database: str = "") -> tuple[Path, str]:
    """An office in the fleet's folder; returns its configuration and the first co-ordinator's link.

    Args:
        fleet: whose.
        database: a URL, or empty: SQLite.
    """
    office = fleet.layout.office
    office.mkdir()
    config = office / "office.toml"
    authority = fleet.layout.authority / "authority.pub"
    config.write_text(
        (f'database = "{database}"\n' if database else "")
        + f'authority_file = "{authority}"\ndirectory_file = "{fleet.layout.directory}"\n[web]\nport = 0\n'
        f'[papers]\nsocket = "{SOCKET}"\n'
    )
    said = town.output("-m", "watchlink.cli", "office", "init", "--config", str(config))
    return config, next(word for word in said.split() if "/join/" in word)


@contextmanager
def serve(config: Path, log: Path) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
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


@contextmanager
def _papers(config: Path, log: Path) -> Iterator[None]:
    """Once it listens; it gets what nobody else wants of the processor, as CPUWeight=idle of its unit has it."""
    socket = str(config.parent / SOCKET)
    with town.program("-m", "watchlink.cli", "office", "papers", "--socket", socket, log=log) as process:
        town.wait_for(process, lambda fact: fact["fact"] == "listening")
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
        yield


def _fill(config: Path) -> tuple[int, int]:
    """A notice and the individual that it is about."""
    notice, individual = map(int, town.output("-m", "bench.office_filling", str(config), CO_ORDINATOR).split())
    return notice, individual


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
        used_s = town.cpu_s(pages.pid)
        values_ms = [_page_ms(browser, path) for _ in range(LISTS)]
        used_ms = (town.cpu_s(pages.pid) - used_s) / LISTS * 1_000
        median, p99 = statistics.median(values_ms), percentile(values_ms, 99)
        print(
            f"  {premises} premises, {what}: median {median:.0f} ms, p99 {p99:.0f} ms [{used_ms:.0f} ms]"
            f" (bar {BAR_LIST_MS})"
        )
    for name, process in (("pages", pages), ("publisher", publisher)):
        memory_mb, peak_mb = (town.memory_kb(process.pid, field) / 1_024 for field in ("VmRSS", "VmHWM"))
        print(
            f"  {name}: resident memory {memory_mb:.0f} MB (bar {BAR_MEMORY_MB}), at most {peak_mb:.0f} MB"
            " while importing"
        )


def _print_notices(printing: Printing) -> None:
    printing()
    took_s = [_seconds_of(printing) for _ in range(LISTS)]
    print(
        f"  notice of {office_filling.PREMISES} premises, as PDF: median {statistics.median(took_s):.2f} s,"
        f" at most {max(took_s):.2f} s (bar {BAR_NOTICE_S:.0f})"
    )


def _print_photographs(browser: Browser, individual: int) -> None:
    """Each in its cage; then pages, while the last of them is handed in again and again."""
    for name, make in HOSTILE.items():
        took_s, used_s, peak_mb = _caged(make())
        print(
            f"  photograph, {name}: {took_s:.2f} s [{used_s:.2f} s] (bar {BAR_PHOTOGRAPH_S:.0f}),"
            f" at most {peak_mb:.0f} MB (bar {BAR_PHOTOGRAPH_MB})"
        )
    handing_in = HandingIn(browser, individual, make())
    print(f"    handed in at the page: {_seconds_of(handing_in):.2f} s (bar {BAR_PHOTOGRAPH_S:.0f})")
    alone_ms = [_page_ms(browser) for _ in range(LISTS)]
    beside_ms = []
    with Beside(handing_in) as beside:
        while beside.done() < HANDED_IN:
            beside_ms.append(_page_ms(browser))
    print(
        f"    a page meanwhile: median {statistics.median(beside_ms):.0f} ms, p99 {percentile(beside_ms, 99):.0f} ms;"
        f" alone {statistics.median(alone_ms):.0f} and {percentile(alone_ms, 99):.0f} ms (bar {BAR_PAGE_MS})"
    )


def _caged(photograph: bytes) -> tuple[float, float, float]:
    """Of the child that reads it, from its start to its end: seconds, of these on the processor, and megabytes."""
    with tempfile.TemporaryFile() as job:
        job.write(msgspec.json.encode(Job("take", len(photograph))) + b"\n" + photograph)
        job.seek(0)
        began_s, used_s, peak_kb = time.perf_counter(), _used_by_children_s(), 0
        child = subprocess.Popen(
            [sys.executable, "-I", "-B", "-m", "office.people.intake", "once"], stdin=job, stdout=subprocess.DEVNULL
        )
        # Its own peak, which rusage would mix with ours.
        while child.poll() is None:
            with contextlib.suppress(LookupError):
                peak_kb = town.memory_kb(child.pid, "VmHWM")
            time.sleep(LOOK_S)
        return time.perf_counter() - began_s, _used_by_children_s() - used_s, peak_kb / 1_024


def _used_by_children_s() -> float:
    """Processor time of those that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _page_ms(browser: Browser, path: str = "/premises/") -> float:
    return _seconds_of(lambda: browser.get(path).find("(Shop)")) * 1_000


def _seconds_of(do: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    do()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
