"""A sample of mutants, the same for the same seed and code, whatever else has changed.

Each line has its own rank, from the seed and its content, so an edit elsewhere moves nothing, and a larger sample
contains the smaller one. One mutant per line: a second would mostly repeat the first.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tools.mutation.mutants import Mutant


def draw(mutants: Mapping[str, Sequence[Mutant]], seed: int, size: int) -> dict[str, list[Mutant]]:
    """``size`` mutants of all packages together, each package by its share of lines; fewer if there are no more lines.

    Args:
        mutants: of each package, all of them.
        seed: another seed draws others.
        size: how many.
    """
    candidates = {package: _one_a_line(found, seed) for package, found in mutants.items()}
    shares = apportion({package: len(found) for package, found in candidates.items()}, size)
    return {package: found[: shares[package]] for package, found in candidates.items()}


def apportion(lines: Mapping[str, int], size: int) -> dict[str, int]:
    """Shares of ``size`` in proportion to ``lines``, by largest remainders; no package gets more than it has."""
    total = sum(lines.values())
    if size >= total:
        return dict(lines)
    exact = {package: size * count / total for package, count in lines.items()}
    shares = {package: int(share) for package, share in exact.items()}
    by_remainder = sorted(exact, key=lambda package: (shares[package] - exact[package], package))
    for package in by_remainder[: size - sum(shares.values())]:
        shares[package] += 1
    return shares


def _one_a_line(mutants: Sequence[Mutant], seed: int) -> list[Mutant]:
    by_line: dict[tuple[str, tuple[int, int]], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_line[mutant.path, mutant.lines].append(mutant)
    drawn = []
    for there in by_line.values():
        name = there[0].key
        family = min({mutant.family for mutant in there}, key=lambda family: _rank(seed, name, family))
        chosen = min((m for m in there if m.family == family), key=lambda m: _rank(seed, m.key))
        drawn.append((_rank(seed, name), chosen))
    return [mutant for _, mutant in sorted(drawn, key=lambda ranked: ranked[0])]


def _rank(seed: int, *names: str) -> str:
    return hashlib.sha256("\0".join((str(seed), *names)).encode()).hexdigest()
