"""The fields that every frame begins with."""

from __future__ import annotations

from msgspec import Struct

from wire.ids import FrameId, NodeId


class Head(Struct, frozen=True):
    """Base of every frame.

    Attributes:
        sender: who signed it.
        counter: 1 … 2³²-1.
        at_s: Unix seconds, or 0 when the sender's clock was not proven.
    """

    sender: NodeId
    counter: int
    at_s: int

    @property
    def id(self) -> FrameId:
        """(sender, counter)."""
        return FrameId(self.sender, self.counter)
