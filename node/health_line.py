"""The node's status line for systemd: armed, connected or not, and which parts are out of order.

``watchlink node check`` reads it back: it is the running node's own word about parts that nobody else may touch.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from node.core.controls import Part

_FAULTS: Final = "armed, faults: "
_NO_FAULTS: Final = "armed, no faults"
_LINK_CHARS_MAX: Final = 60
"""systemd's line is cut at 120 characters: the faults come first, the network's detail may be cut."""


def health_line(faults: Collection[Part], link: str) -> str:
    """The line; ``link`` says how the network is."""
    parts = f"{_FAULTS}{' '.join(sorted(faults))}" if faults else _NO_FAULTS
    return f"{parts}; {link[:_LINK_CHARS_MAX]}"


def faults_of(line: str) -> frozenset[Part] | None:
    """The parts that a line names; ``None`` = it says nothing of parts (an older node, or one that just starts)."""
    parts = line.partition(";")[0]
    if not parts.startswith((_FAULTS, _NO_FAULTS)):
        return None
    known = {part.value: part for part in Part}
    return frozenset(known[word] for word in parts.removeprefix(_FAULTS).split() if word in known)
