"""How often a node may ask. Pure: the caller tells the time."""

from __future__ import annotations

from typing import Final

from wire.ids import NodeId

AT_ONCE: Final = 600
"""A first gallery: five hundred photographs, and some more."""
EACH_S: Final = 10.0


class Allowance:
    """A node that asks more often waits, and costs the others nothing. Not safe across threads."""

    def __init__(self) -> None:
        self._left: dict[NodeId, tuple[float, float]] = {}

    def wait_s(self, node: NodeId, now_s: float) -> float:
        """How long this node must wait; 0 = its request counts, and is answered."""
        left, since_s = self._left.get(node, (float(AT_ONCE), now_s))
        left = min(float(AT_ONCE), left + (now_s - since_s) * EACH_S)
        if left < 1:
            self._left[node] = left, now_s
            return (1 - left) / EACH_S
        self._left[node] = left - 1, now_s
        return 0.0
