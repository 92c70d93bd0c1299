"""A node as the invariants see it; :class:`sim.node_actor.SimNode` is one."""

from __future__ import annotations

from typing import Protocol

from node.core.settings import Settings
from node.core.state import NodeState
from sim.node_disk import NodeDisk
from wire.ids import NodeId


class WatchedNode(Protocol):
    """What the invariants may read. They change nothing."""

    settings: Settings
    disk: NodeDisk
    clock_error_s: int
    is_clock_proven: bool
    booted_ms: int

    @property
    def id(self) -> NodeId: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> NodeState | None: ...  # noqa: D102
    @property
    def monotonic_ms(self) -> int: ...  # noqa: D102
    @property
    def wall_at_s(self) -> int: ...  # noqa: D102
    @property
    def is_time_true(self) -> bool: ...  # noqa: D102
