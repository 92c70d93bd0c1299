"""``make mutation``: a sample of mutants of the cores, ``wire``, the stores and provisioning, against the unit tests.

Exit status 0 if at least nine in ten are killed. Survivors that nobody has judged yet are printed, each with an entry
to paste into tools/mutation/judged.toml. Results are kept in var/mutation, so an interrupted campaign continues where
it stopped, and after a change only what the change concerns is tried again.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.mutation.campaign import BUDGET_S, PACKAGES, Campaign
from tools.mutation.judgement import read, stale
from tools.mutation.sample import draw
from tools.mutation.telling import Tally, survivor

KILLED_MIN: Final = 0.9
ROOT: Final = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign; print survivors and the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="draws another sample (default %(default)s)")
    parser.add_argument("--sample", type=int, default=1_000, help="mutants in all (default %(default)s)")
    parser.add_argument("--package", choices=PACKAGES, action="append", help="only this package; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default %(default)s)")
    parser.add_argument(
        "--budget", type=float, default=BUDGET_S, help="CPU seconds of tests for each mutant (default %(default)s)"
    )
    parser.add_argument("--fresh", action="store_true", help="discard what is kept in var/mutation")
    options = parser.parse_args(arguments)
    if options.fresh:
        shutil.rmtree(ROOT / "var" / "mutation", ignore_errors=True)
    campaign = Campaign(ROOT, options.jobs, options.budget)
    mutants = campaign.mutants()
    judged = read()
    every = [mutant for found in mutants.values() for mutant in found]
    wanted = options.package or PACKAGES
    drawn = draw({package: mutants[package] for package in wanted}, options.seed, options.sample)
    sample = [mutant for found in drawn.values() for mutant in found]
    print(f"seed {options.seed}: {len(sample)} of {len(every)} mutants")
    tally = Tally(list(drawn))
    alive = []
    for done, (mutant, result) in enumerate(campaign.play(sample, campaign.atlas()), start=1):
        is_judged = any(judgement.concerns(mutant) for judgement in judged)
        tally.add(mutant, result, is_judged=is_judged)
        if result.is_alive:
            alive.append((mutant, result, is_judged))
        print(f"{done} of {len(sample)}, {len(alive)} alive", end="\r", flush=True)
    print()
    for mutant, result, is_judged in alive:
        if not is_judged:
            print(survivor(mutant, result, campaign.sources[mutant.path]))
    for judgement in stale(judged, every):
        print(f"judged, but no longer there: {judgement.path} {judgement.scope}: {judgement.was} → {judgement.becomes}")
    print(tally.table())
    return 0 if tally.killed_share >= KILLED_MIN else 1


if __name__ == "__main__":
    # Raise, so that the child processes end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
