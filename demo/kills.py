"""``make kills``: the three campaigns of random kills side by side, each in a town of its own.

Exits 0 only if each passed; prints one line per campaign, and what is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

CAMPAIGNS: Final = ("kills-node", "kills-central", "kills-broker")
_TIMES: Final = 300


async def _play(script: str, options: Sequence[str]) -> bool:
    """Play one campaign and print its end; returns whether it passed."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "watchlink.cli", "demo", "--script", script, "--json", *options,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    kills, last = 0, dict[str, Any]()
    async for line in program.stdout:
        last = json.loads(line)
        kills += last["fact"] == "killed"
        if last["fact"] == "seeded":
            sys.stdout.write(f"{script}: seed {last['seed']}, {last['times']} kills …\n")
    is_passed = await program.wait() == 0
    counts = ", ".join(f"{last.get(what, '?')} {what}" for what in ("lost", "duplicates", "untrue"))
    sys.stdout.write(f"{script} {'passed' if is_passed else 'FAILED'}: {kills} kills, {counts}\n")
    for complaint in last.get("missing", ()):
        sys.stdout.write(f"  ✗ {complaint}\n")
    sys.stdout.flush()
    return is_passed


async def _play_all(options: Sequence[str]) -> bool:
    return all(await asyncio.gather(*(_play(script, options) for script in CAMPAIGNS)))


def main(arguments: Sequence[str]) -> int:
    """0: all passed; 1: one did not."""
    parser = argparse.ArgumentParser(prog="python -m demo.kills", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--times", type=int, default=_TIMES, metavar="N", help="kills of each program (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="repeat the same moments")
    options = parser.parse_args(list(arguments))
    seed = [] if options.seed is None else ["--seed", str(options.seed)]
    return 0 if asyncio.run(_play_all(["--times", str(options.times), *seed])) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
