"""``make bench-gallery``: what the gallery costs, each beside a reference or a bar, in one run on one machine."""

from __future__ import annotations

import argparse
from typing import Final

from bench import gallery_change, gallery_footprint, gallery_log, gallery_page, gallery_press, gallery_sync

_ALL: Final = ("sync", "change", "page", "log", "footprint", "press")


def main() -> None:
    """Run the benchmarks asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench.gallery", description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*_ALL, []], help="default: all")
    parser.add_argument("--photographs", type=int, default=500, metavar="N", help="default %(default)s")
    parser.add_argument(
        "--nodes", type=int, default=50, metavar="N", help="that a change reaches (default %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default %(default)s")
    parser.add_argument("--idle-seconds", type=int, default=60, metavar="S", help="default %(default)s")
    parser.add_argument(
        "--presses", type=int, default=1_000, metavar="N", help="alone, and beside (default %(default)s)"
    )
    given = parser.parse_args()
    wanted = given.what or _ALL
    if "sync" in wanted:
        gallery_sync.run(given.photographs, given.rounds)
    if "change" in wanted:
        gallery_change.run(given.nodes, given.rounds)
    if "page" in wanted:
        gallery_page.run()
    if "log" in wanted:
        gallery_log.run()
    if "footprint" in wanted:
        gallery_footprint.run(given.idle_seconds)
    if "press" in wanted:
        gallery_press.run(given.presses, given.photographs, given.rounds)


if __name__ == "__main__":
    main()
