"""``make bench``: press to receipt and storms, each beside a reference loop in the same run, and what a node costs."""

from __future__ import annotations

import argparse
import resource
from typing import Final

from bench import footprint, press, storm

FILES_NEEDED: Final = 6_000


def main() -> None:
    """Run the benchmarks asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["press", "storm", "node", []], help="default: all three")
    parser.add_argument("--presses", type=int, default=300, metavar="N", help="default %(default)s")
    parser.add_argument(
        "--nodes",
        type=int,
        nargs="+",
        default=[1_000, 5_000],
        metavar="N",
        help="sizes of the storms (default 1000 5000)",
    )
    parser.add_argument("--idle-seconds", type=int, default=40, metavar="S", help="default %(default)s")
    options = parser.parse_args()
    wanted = options.what or ["node", "press", "storm"]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(FILES_NEEDED, max(options.nodes) + 1_000)), hard))
    if "node" in wanted:
        footprint.run(options.idle_seconds)
    if "press" in wanted:
        press.run(options.presses)
    if "storm" in wanted:
        for nodes in options.nodes:
            storm.run(nodes)


if __name__ == "__main__":
    main()
