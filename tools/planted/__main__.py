"""``make planted``: plant each bug of the list in a copy of the tree, and play the tests that must notice it.

Exit status 0 if every bug was caught: its tests pass without it, and fail with it by what they assert. A bug whose
text is no longer there exactly once is not caught either.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tools.mutation.processes import Ending, Job, play
from tools.planted.bugs import Bug, outcome, read
from tools.planted.trial import Word, attempt, copy_tree, plant

ROOT: Final = Path(__file__).resolve().parents[2]
LIST: Final = "tools/planted/bugs.toml"
LIMIT_S: Final = 1_800
"""Real time for the tests of one bug: with it, some wait for minutes for what does not come."""
ALL_LIMIT_S: Final = 3_600
"""The same for the tests of all bugs, without any."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try every bug; print a table, then of those that were not caught what their tests said."""
    parser = argparse.ArgumentParser(prog="python -m tools.planted", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORDS", help="only bugs whose kind or name has these words")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default %(default)s)")
    options = parser.parse_args(arguments)
    bugs = [bug for bug in read(ROOT / LIST) if options.only.casefold() in f"{bug.kind}\n{bug.name}".casefold()]
    if not bugs:
        parser.error(f"no planted bug has “{options.only}” in its kind or name")
    with tempfile.TemporaryDirectory(prefix="watchlink-planted-") as folder:
        copy = Path(folder).resolve() / "unchanged"
        copy_tree(ROOT, copy)
        found = dict(_try(bugs, copy, options.jobs))
    missed = [bug for bug in bugs if found[bug.name] != "caught"]
    print(_table(bugs, found))
    for bug in missed:
        print(f"\n{bug.name}: {found[bug.name]}\n  {bug.means}")
    print(f"\n{len(bugs) - len(missed)} of {len(bugs)} planted bugs were caught.")
    return 1 if missed else 0


def _try(bugs: Sequence[Bug], copy: Path, workers: int) -> Iterator[tuple[str, str]]:
    tests = sorted({test for bug in bugs for test in bug.tests})
    _, ending = next(play([Job("", partial(attempt, tree=copy, tests=tests), ALL_LIMIT_S)], 1))
    before = ending.said(Word)
    jobs = []
    for number, bug in enumerate(bugs):
        tree = copy.with_name(f"planted-{number}")
        try:
            plant(copy, bug, tree)
        except (OSError, ValueError) as e:
            yield bug.name, str(e)
        else:
            jobs.append(Job(bug, partial(attempt, tree=tree, tests=bug.tests), LIMIT_S))
    for done, (bug, ending) in enumerate(play(jobs, workers), start=1):
        yield bug.name, _judge(bug, before, ending)
        print(f"{done} of {len(jobs)}", end="\r", file=sys.stderr, flush=True)


def _judge(bug: Bug, before: Word, ending: Ending) -> str:
    if not ending.word:
        why = "did not end" if ending.is_out_of_time else "could not be played"
        return f"its tests {why}\n{ending.output}"
    planted = ending.said(Word)
    if elsewhere := before.elsewhere + planted.elsewhere:
        return f"played against code elsewhere: {', '.join(elsewhere)}"
    said = outcome(bug, before.outcomes, planted.outcomes)
    return said if said == "caught" else f"{said}\n{ending.output}"


def _table(bugs: Sequence[Bug], found: dict[str, str]) -> str:
    lines, kind = [], ""
    width = max((len(bug.name) for bug in bugs), default=0)
    for bug in bugs:
        if bug.kind != kind:
            kind = bug.kind
            lines.append(f"\n{kind}")
        said = "caught" if found[bug.name] == "caught" else "NOT CAUGHT"
        lines.append(f"  {bug.name:<{width}}  {said}")
    return "\n".join(lines)


if __name__ == "__main__":
    # Raise, so that the child processes end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
