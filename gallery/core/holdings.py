"""A scheme's gallery as the node holds it: its lines, which keys are on the disk, and what of it must go.

A line is one exclusion. Its key lies on the disk in a row of its own, good for one line (case and ``since``). A line
that changes gets another ``since``, and so another key.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

Key = tuple[int, int]
"""Case and ``since`` of the line whose key it is."""


class Line(Struct, frozen=True, gc=False):
    """What of an exclusion is not sealed.

    Attributes:
        case: its number in its scheme.
        since: number of the gallery with which it became what it is.
        not_before_s, not_after_s: Unix seconds of the begin of its first day and of the end of its last.
        photographs: SHA-256 of each file of ciphertext.
    """

    case: int
    since: int
    not_before_s: int
    not_after_s: int
    photographs: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """The key that opens it."""
        return self.case, self.since


NO_LINES: Final[Mapping[int, Line]] = MappingProxyType({})


class Title(Struct, frozen=True):
    """What the disk holds beside the lines.

    Attributes:
        number: of the head that names them; 0 = there is none.
        floor: what was ever held of the scheme; nothing older is taken again, after it was left either.
        lease_s: for how long after contact they may be shown.
        is_allowed: whether this node may hold the scheme's gallery.
        shows_without_proof: the scheme lets it be shown when nobody knows whether the time is right.
    """

    number: int = 0
    floor: int = 0
    lease_s: int = 0
    is_allowed: bool = True
    shows_without_proof: bool = False


class Gallery(Struct, frozen=True):
    """One scheme's.

    Attributes:
        scheme: its number in the directory.
        title: as it must be.
        disk: as the disk has it; ``None`` = nothing yet.
        lines: those of ``title``, by case.
        edges_s: begins and ends of their days, ascending.
        keys: those on the disk, wanted or not.
        dying: those of them that the store was told to destroy.
        coming: those that will be stored together with the lines.
        keeping: what the store was told to keep.
        elsewhere: cases that the office gave no key for: they are shown at other premises.
        unopened: cases whose key does not open: the office is asked for all of it again.
        held: number beside which nothing else is on the disk; the office is told so.
        came_whole: number that came whole: what is missing all the same is not asked for again.
    """

    scheme: int
    title: Title = Title()
    disk: Title | None = None
    lines: Mapping[int, Line] = NO_LINES
    edges_s: tuple[int, ...] = ()
    keys: frozenset[Key] = frozenset()
    dying: frozenset[Key] = frozenset()
    coming: frozenset[Key] = frozenset()
    keeping: Title | None = None
    elsewhere: frozenset[int] = frozenset()
    unopened: frozenset[int] = frozenset()
    held: int = 0
    came_whole: int = -1

    def is_wanted(self, key: Key, proven_s: int) -> bool:
        """Whether this key may stay: its line is there, unchanged, for here, and not over by proven time."""
        line = self.lines.get(key[0])
        return (
            self.title.is_allowed
            and line is not None
            and line.key == key
            and line.case not in self.elsewhere
            and proven_s < line.not_after_s
        )

    def doomed(self, proven_s: int) -> frozenset[Key]:
        """Keys on the disk that must go."""
        return frozenset(key for key in self.keys if not self.is_wanted(key, proven_s))

    def wanted(self, proven_s: int) -> tuple[Line, ...]:
        """Lines that should have a key, those first that changed last."""
        lines = [line for line in self.lines.values() if self.is_wanted(line.key, proven_s)]
        return tuple(sorted(lines, key=lambda line: (-line.since, -line.case)))


def edges_s(lines: Mapping[int, Line]) -> tuple[int, ...]:
    """When something about these changes by time alone: begins and ends of days, ascending."""
    return tuple(sorted({at_s for line in lines.values() for at_s in (line.not_before_s, line.not_after_s)}))
