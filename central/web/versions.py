"""Which system units run, and what became of their updates, in words. Pure.

A unit's version is that of the system image that it has booted, by its own signed word: never the one that a release
intends for it. A unit without an image says its program's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine
from wire.release import version_numbers

SHOWN_MAX: Final = 4
"""Versions that are named one by one."""
_UNDER_WAY: Final = {"fetching": "fetching", "waiting": "waiting to restart", "trying": "trying"}
_UPDATES: Final = {
    "fetching": "Fetching {version}",
    "waiting": "Waiting with {version}",
    "trying": "Trying {version}",
    "taken": "{version} taken",
    "returned": "Tried {version}, went back to {image}",
    "refused": "Refused {version}",
}


def booted_version(line: NodeLine) -> str:
    """Of the system that runs there, or of the program where there is no image; empty = not told."""
    return (line.facts.image if line.facts is not None else "") or line.version


def by_version(line: NodeLine) -> tuple[tuple[int, ...], str]:
    """Sorts by :func:`booted_version`, the oldest first; what is no version, or not told, before all."""
    version = booted_version(line)
    return version_numbers(version) or (), version


def update_words(facts: UnitFacts) -> str:
    """What became of the newest release at a unit, and why; no full stop."""
    update = facts.update
    if update is None:
        return "none yet"
    said = _UPDATES.get(update.state, f"{update.state} {{version}}")
    reason = f". {update.reason[0].upper()}{update.reason[1:].rstrip('.')}" if update.reason else ""
    return f"{said.format(version=update.version, image=facts.image or 'the one before')}{reason}"


def versions_in_use(lines: Iterable[NodeLine]) -> str:
    """``7 units on 0.1.1, 2 on 0.1.0. Updates: 1 trying.``: the newest first; empty = nobody has told."""
    in_use = [line for line in lines if line.state != "revoked"]
    counts = Counter(by_version(line) for line in in_use if booted_version(line))
    newest_first = sorted(counts, reverse=True)
    if not newest_first:
        return ""
    noun = "unit" if counts[newest_first[0]] == 1 else "units"
    told = [f"{counts[newest_first[0]]} {noun} on {newest_first[0][1]}"]
    told += [f"{counts[each]} on {each[1]}" for each in newest_first[1:SHOWN_MAX]]
    if older := sum(counts[each] for each in newest_first[SHOWN_MAX:]):
        told.append(f"{older} on older ones")
    states = Counter(line.facts.update.state for line in in_use if line.facts is not None and line.facts.update)
    under_way = [f"{states[state]} {said}" for state, said in _UNDER_WAY.items() if states[state]]
    return ", ".join(told) + "." + (f" Updates: {', '.join(under_way)}." if under_way else "")
