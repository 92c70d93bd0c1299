"""How often a node may ask. Pure: the caller tells the time."""

from __future__ import annotations

from typing import Final

from wire.ids import NodeId

AT_ONCE: Final = 1_200
"""A first gallery: five hundred photographs in two sizes each, and some more."""
EACH_S: Final = 10.0
VIEWS_AT_ONCE: Final = 20_000
"""Of a busy counter that was without network for a week."""
VIEWS_EACH_S: Final = 1.0
"""35 MB a day, all of which is kept. As fast as it may ask a node could fill the office's disk in a night."""
REPORTS_AT_ONCE: Final = 400
"""Twice what a node keeps."""
REPORTS_EACH_S: Final = 1 / 600
"""Each is a row of the office's journal for ever. A shop that has more keeps them, and sends them later."""


class Allowance:
    """A node that asks more often waits, and costs the others nothing. Not safe across threads."""

    def __init__(self, at_once: int = AT_ONCE, each_s: float = EACH_S) -> None:
        self._at_once = float(at_once)
        self._each_s = each_s
        self._left: dict[NodeId, tuple[float, float]] = {}

    def wait_s(self, node: NodeId, now_s: float, count: int = 1) -> float:
        """How long this node must wait; 0 = so many count, and are answered."""
        left, since_s = self._left.get(node, (self._at_once, now_s))
        left = min(self._at_once, left + (now_s - since_s) * self._each_s)
        if left < count:
            self._left[node] = left, now_s
            return (count - left) / self._each_s
        self._left[node] = left - count, now_s
        return 0.0

    def give_back(self, node: NodeId, count: int) -> None:
        """So many, which were counted, were not kept: they come again."""
        left, since_s = self._left[node]
        self._left[node] = min(self._at_once, left + count), since_s
