"""What a campaign prints."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from tools.mutation.mutants import Mutant, mutated
from tools.mutation.results import Outcome, Result

_HEAD = ("package", "drawn", "killed", "out of time", "survived", "no test", "judged", "killed %", "s each")


class Tally:
    """Outcomes counted by package.

    Args:
        packages: the order of the rows.
    """

    def __init__(self, packages: Sequence[str]) -> None:
        self._outcomes: dict[str, Counter[Outcome]] = {package: Counter() for package in packages}
        self._judged: Counter[str] = Counter()
        self._seconds: dict[str, float] = defaultdict(float)

    def add(self, mutant: Mutant, result: Result, *, is_judged: bool) -> None:
        """Count one more mutant."""
        package = next(package for package in self._outcomes if mutant.path.startswith(f"{package}/"))
        self._outcomes[package][result.outcome] += 1
        self._seconds[package] += result.seconds
        self._judged[package] += is_judged and result.is_alive

    @property
    def killed_share(self) -> float:
        """Share killed of all drawn, judged ones included; running out of time counts as killed."""
        total = sum(self._outcomes.values(), Counter())
        return (total[Outcome.KILLED] + total[Outcome.OUT_OF_TIME]) / max(total.total(), 1)

    def table(self) -> str:
        """A row for each package, and one for all."""
        rows = [self._row(package, counts) for package, counts in self._outcomes.items()]
        whole = self._row("all", sum(self._outcomes.values(), Counter()))
        widths = [max(len(row[place]) for row in (_HEAD, whole, *rows)) for place in range(len(_HEAD))]
        return "\n".join(
            f"{row[0]:<{widths[0]}}  "
            + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
            for row in (_HEAD, *rows, whole)
        )

    def _row(self, name: str, counts: Counter[Outcome]) -> tuple[str, ...]:
        drawn = counts.total()
        killed = counts[Outcome.KILLED] + counts[Outcome.OUT_OF_TIME]
        judged = self._judged.total() if name == "all" else self._judged[name]
        seconds = sum(self._seconds.values()) if name == "all" else self._seconds[name]
        shares = (f"{100 * killed / drawn:.1f}", f"{seconds / drawn:.1f}") if drawn else ("–", "–")
        return (name, str(drawn), *(str(counts[outcome]) for outcome in Outcome), str(judged), *shares)


def survivor(mutant: Mutant, result: Result, source: str) -> str:
    """Where a survivor is, what it changes, and its entry for judged.toml."""
    changed = mutated(mutant.path, source, {mutant.index})[mutant.index]
    lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm="")
    changes = [f"    {line}" for line in lines if not line.startswith(("---", "+++", "@@"))]
    fate = "no test runs it" if result.outcome is Outcome.NO_TEST else f"{result.reaching} tests run it"
    head = f"{mutant.path}:{mutant.lines[0]} {mutant.scope} ({fate})"
    return "\n".join([head, *changes, *(f"      {line}" for line in entry(mutant).splitlines())])


def entry(mutant: Mutant) -> str:
    """A survivor's entry in judged.toml, without the reason."""
    names = ("path", "scope", "text", "was", "becomes")
    lines = [f"{name} = {msgspec.json.encode(getattr(mutant, name)).decode()}" for name in names]
    return "\n".join(["[[judged]]", *lines, 'reason = ""'])
