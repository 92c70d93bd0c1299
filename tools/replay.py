"""``make replay``: plays today's tests of the inspection's findings on the code that was inspected, to see them fail.

A worktree of that code is made, today's ``tests/`` laid over it, and the tests of each finding run there by this
interpreter, then here. What comes out is a table to paste: each test that fails there by an assertion, what it
saw, and how it fares today. Tests that pass there, that ask that code for what it does not have (a script, an option,
a name), that only waited in vain, or that lean on a field which it drops, are named or counted below and prove
nothing; but where the finding itself is that something never comes, the test says so with the mark ``never``, and
waiting in vain is the proof. Exit status 0 only if each finding has a proof and every test listed passes today.

    make replay                          # all of them; integration tests included, which takes a while
    make replay REPLAY="13 19"           # these
    make replay REPLAY="--units 13"      # without those that start real programs
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

INSPECTED: Final = "f02b764"
FINDINGS: Final = range(1, 20)
RUN_WITHIN_S: Final = 1_800
FILES_AT_ONCE: Final = 4
"""On the inspected code most of them wait in vain, for minutes, and need no processor for it."""
SEEN_CHARS: Final = 110
NO_PROOF: Final = {
    "timed out": "timed out, so prove nothing",
    "dropped": "fields dropped, so prove nothing",
    "missing": "ask for what it does not have",
    "error": "end by an error, so prove nothing",
    "passed": "pass there too, so prove nothing",
}
"""What a test may come to on the inspected code beside a failed assertion, that which says most first."""
WEAK: Final = ("timed out", "dropped")
"""Those of them that are a proof where the finding is that something never comes."""
BY_NAME: Final = ("timed out", "passed")
"""Those of which the tests are named."""
HERE: Final = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Test:
    """A test function, all its parameters together.

    Attributes:
        then: what its cases came to on the inspected code, by how many.
        now: the same, today.
        seen: what the first that came to it on the inspected code said, by outcome.
        names: what it leant on that the inspected code drops.
        never: what never comes there, if that is the finding.
    """

    then: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    seen: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    never: str = ""

    @property
    def is_green(self) -> bool:
        """Whether all of it passes today."""
        return set(self.now) == {"passed"}

    @property
    def outcome(self) -> str:
        """What it came to on the inspected code: of its cases, the one that says most."""
        return next((outcome for outcome in ("assertion", *NO_PROOF) if outcome in self.then), "missing")

    @property
    def is_proof(self) -> bool:
        """Whether it shows that something was mended."""
        return self.is_green and (self.outcome == "assertion" or (self.outcome in WEAK and bool(self.never)))


Tests = dict[str, Test]
DID_NOT_RUN: Final[dict[str, Any]] = {"outcome": "missing", "detail": "", "names": []}


def main() -> int:
    """Replay, and say what came of it."""
    parser = argparse.ArgumentParser(prog="make replay")
    parser.add_argument("findings", nargs="*", type=int, help="numbers; without any, all")
    parser.add_argument("--units", action="store_true", help="without tests that start real programs")
    options = parser.parse_args()
    wanted = sorted(set(options.findings) or set(FINDINGS))
    with tempfile.TemporaryDirectory(prefix="watchlink-replay-") as folder:
        tree = Path(folder) / "inspected"
        try:
            _git("worktree", "add", "--quiet", "--detach", str(tree), INSPECTED)
        except subprocess.CalledProcessError:
            sys.stderr.write(f"replay: this copy's history does not reach back to {INSPECTED}\n")
            return 2
        try:
            found = _replay(tree, wanted, has_programs=not options.units)
        finally:
            _git("worktree", "remove", "--force", str(tree))
    print(f"| | what is asked | {INSPECTED} | today |\n|--|--|--|--|")
    for finding in wanted:
        _tell(finding, found[finding])
    wrong = _wrong(found)
    for line in wrong:
        print(f"\n{line}")
    return 1 if wrong else 0


def _wrong(found: dict[int, Tests]) -> list[str]:
    """What keeps the replay from being a proof of all that was asked for, in a line each."""
    unproven = [finding for finding, tests in found.items() if not any(test.is_proof for test in tests.values())]
    not_green = {name for tests in found.values() for name, test in tests.items() if not test.is_green}
    return [
        *([f"NOT PROVEN: {', '.join(map(str, unproven))}"] if unproven else []),
        *([f"NOT GREEN TODAY: {'; '.join(map(_asked, sorted(not_green)))}"] if not_green else []),
    ]


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", HERE, *arguments], check=True, capture_output=True)


def _replay(tree: Path, wanted: list[int], *, has_programs: bool) -> dict[int, Tests]:
    """By finding and function, what today's tests came to in ``tree``, which holds the inspected code, and here."""
    shutil.rmtree(tree / "tests")
    shutil.copytree(HERE / "tests", tree / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "REPLAY_FINDINGS": " ".join(map(str, wanted)),
    }
    arguments = [] if has_programs else ["-m", "not integration"]
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in _pytest(HERE, [*arguments, "--collect-only", "tests"], environment):
        runs["units" if line["is_unit"] else line["file"]].append(line)
    found: dict[int, Tests] = {finding: defaultdict(Test) for finding in wanted}

    def run(name: str) -> list[dict[str, Any]]:
        """What the tests of one file came to there, then what they came to here."""
        marks = ["-m", "not integration" if name == "units" else "integration"]
        which = [*marks, *sorted({line["file"] for line in runs[name]}), "--runxfail"]
        of_both = [
            {line["ran"]: line for line in _pytest(where, which, environment) if "ran" in line}
            for where in (tree, HERE)
        ]
        sys.stderr.write(f"  played: {name}\n")
        return of_both

    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        begun = sorted(runs, reverse=True)
        outcomes = dict(zip(begun, pool.map(run, begun), strict=True))
    for name, tests in runs.items():
        then, now = outcomes[name]
        for line in tests:
            of_then, of_now = (played.get(line["collected"], DID_NOT_RUN) for played in (then, now))
            for finding in line["findings"]:
                test = found[finding][line["collected"].partition("[")[0]]
                test.never = line["never"]
                test.then[of_then["outcome"]] += 1
                test.now[of_now["outcome"]] += 1
                test.seen.setdefault(of_then["outcome"], of_then["detail"])
                test.names.update(of_then["names"])
    return found


def _pytest(where: Path, arguments: list[str], environment: dict[str, str]) -> list[dict[str, Any]]:
    """The plugin's lines of one run; today's configuration, wherever it is: the marks are registered there."""
    with tempfile.NamedTemporaryFile(prefix="watchlink-replay-", delete=False) as file:
        out = Path(file.name)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "replay_report"]
    command += [
        "-c",
        str(HERE / "pyproject.toml"),
        "--rootdir",
        str(where),
        "--continue-on-collection-errors",
        *arguments,
    ]
    path = f"{where}{os.pathsep}{HERE / 'tools'}"
    environment = {**environment, "PYTHONPATH": path, "REPLAY_OUT": str(out)}
    if where != HERE:
        environment["REPLAY_LENDS"] = "1"
    try:
        subprocess.run(command, cwd=where, env=environment, capture_output=True, check=False, timeout=RUN_WITHIN_S)
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"  did not end within {RUN_WITHIN_S} s\n")
    lines = out.read_text(encoding="utf-8").splitlines()
    out.unlink()
    return [json.loads(line) for line in lines]


def _tell(finding: int, tests: Tests) -> None:
    """Its rows, the proofs first."""
    for name, test in sorted(tests.items()):
        if test.is_proof:
            print(f"| {finding} | {_asked(name)} | {_proof(test)} | passes |")
    for name, test in sorted(tests.items()):
        if not test.is_green:
            print(f"| {finding} | {_asked(name)} | {_told(test.then)} | NOT GREEN: {_told(test.now)} |")
    others = {name: test for name, test in tests.items() if test.is_green and not test.is_proof}
    for outcome, what in NO_PROOF.items():
        these = {name: test for name, test in others.items() if test.outcome == outcome}
        if these and outcome in BY_NAME:
            print(f"| {finding} | {'; '.join(map(_asked, sorted(these)))} | {what} | pass |")
        elif these:
            names = ", ".join(sorted({name for test in these.values() for name in test.names}))
            print(f"| {finding} | {len(these)} more tests | {what}{': ' * bool(names)}{names} | pass |")


def _proof(test: Test) -> str:
    """What the inspected code did, and why that proves something."""
    seen = f"`{_seen(test.seen[test.outcome])}`"
    if test.outcome == "assertion":
        return f"fails: {seen}"
    how = "timed out" if test.outcome == "timed out" else f"field dropped ({', '.join(sorted(test.names))})"
    return f"{how}: {seen}; {test.never} never comes"


def _asked(name: str) -> str:
    """``node/core/test_x.py::test_y_z`` in words."""
    file, _, function = name.partition("::")
    return f"{function.removeprefix('test_').replace('_', ' ')} ({file.removeprefix('tests/')})"


def _seen(text: str) -> str:
    """What fits in a cell."""
    text = " ".join(text.removeprefix("AssertionError: ").split()).replace("|", "/").replace("`", "'")
    return text if len(text) <= SEEN_CHARS else text[: SEEN_CHARS - 1] + "…"


def _told(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))


if __name__ == "__main__":
    sys.exit(main())
