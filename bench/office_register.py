"""What a register of 10,000 people costs: its pages and its search, on SQLite or, with ``--database``, PostgreSQL.

Pages run as on a real machine. Each figure stands beside its bar and a reference of the same run: a page that asks the
register for nothing, and a plain reading of all texts that a search looks through. In brackets is the processor time of
our own process; by it and by the fastest runs on a busy machine are compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import office, town
from bench.office_browser import Browser

PEOPLE: Final = 10_000
TIMES: Final = 15
REFERENCE_PAGE: Final = "/rights/add/"
BAR_PAGE_MS: Final = 150
BAR_SEARCH_MS: Final = 50


def main() -> None:
    """Measure, and print each figure beside its bar."""
    parser = argparse.ArgumentParser(prog="python -m bench.office_register", description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE, metavar="N", help="default %(default)s")
    parser.add_argument("--database", default="", metavar="URL", help="postgresql://…, empty; left out: SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="watchlink-bench-") as folder:
        fleet, log = town.make_fleet(Path(folder) / "town", 1), Path(folder) / "log"
        config, link = office.found(fleet, options.database)
        with office.serve(config, log) as (process, url, _):
            browser = Browser(url)
            browser.join(link, office.CO_ORDINATOR)
            told = _fill(config, options.people)
            kind = "PostgreSQL" if options.database else "SQLite"
            print(f"register of {options.people} people, {kind}, median of {TIMES}, the fastest, [processor]")
            reference = _page(browser, process.pid, REFERENCE_PAGE)
            print(f"  reference: a page that asks it for nothing {_told(reference, reference)}")
            for what, path in told["pages"].items():
                print(f"  {what}: {_told(_page(browser, process.pid, path), reference)} (bar {BAR_PAGE_MS})")
            searches = told["searches"]
            plain = searches.pop("reference")
            print(f"  reference: reading the texts of all {_told(plain, plain)}")
            for what, search in searches.items():
                print(f"  search {what}: {_told(search, plain)} (bar {BAR_SEARCH_MS})")


def _told(figures: Sequence[float], reference: Sequence[float]) -> str:
    median_ms, fastest_ms, used_ms = figures
    ratio = fastest_ms / reference[1]
    return f"{median_ms:.0f} ms, {fastest_ms:.0f} ms, [{used_ms:.0f} ms], {ratio:.1f} x reference"


def _fill(config: Path, people: int) -> dict[str, Any]:
    said = town.output("-m", "bench.office_register_rows", str(config), office.CO_ORDINATOR, str(people))
    told: dict[str, Any] = json.loads(said)
    return told


def _page(browser: Browser, pid: int, path: str) -> tuple[float, float, float]:
    """Milliseconds of a page: median, fastest, processor. Its first, which may fill caches, does not count."""
    browser.get(path).find("(<main)")
    used_s, values_ms = town.cpu_s(pid), []
    for _ in range(TIMES):
        began_s = time.perf_counter()
        browser.get(path).find("(<main)")
        values_ms.append((time.perf_counter() - began_s) * 1_000)
    return statistics.median(values_ms), min(values_ms), (town.cpu_s(pid) - used_s) / TIMES * 1_000


if __name__ == "__main__":
    main()
