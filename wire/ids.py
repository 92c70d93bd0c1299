"""Ids of senders and of frames."""

from __future__ import annotations

import re
from typing import Final, NewType

from msgspec import Struct

from wire.errors import DecodeError

NodeId = NewType("NodeId", int)
"""A sender: 1 … 2³²-1. As text, eight lower-case hexadecimal digits; that text is its certificate's name."""

CENTRAL: Final = NodeId(1)
"""Central is a sender like any other; its key is in the directory under this number."""
CENTRAL_ALERTS_CLIENT: Final = "00000001-alerts"
"""Common name of central's second connection, the one for alerts."""

FIRST_PREMISES_NODE: Final = NodeId(0x10)

U16_MAX: Final = 0xFFFF
U32_MAX: Final = 0xFFFF_FFFF

_NODE_TEXT = re.compile(r"[0-9a-f]{8}")
_FRAME_TEXT = re.compile(r"([0-9a-f]{8})-([1-9][0-9]{0,9})")


def node_text(node: NodeId) -> str:
    """``NodeId(16)`` → ``"00000010"``."""
    return f"{node:08x}"


def parse_node(text: str) -> NodeId:
    """``"00000010"`` → ``NodeId(16)``.

    Raises:
        DecodeError: not eight lower-case hexadecimal digits, or zero.
    """
    if not _NODE_TEXT.fullmatch(text) or int(text, 16) == 0:
        raise DecodeError("node id", detail="eight lower-case hexadecimal digits, not all zero")
    return NodeId(int(text, 16))


class FrameId(Struct, frozen=True, order=True):
    """The identity of a frame: its sender and that sender's counter, which is never reused.

    An alert's id is its frame's id; an incident's id is the id of the alert that opened it.

    Attributes:
        node: the sender.
        counter: 1 … 2³²-1, rising per sender, gaps allowed.
    """

    node: NodeId
    counter: int

    @property
    def text(self) -> str:
        """As people and JSON see it: ``"00000010-7"``."""
        return f"{self.node:08x}-{self.counter}"

    @classmethod
    def parse(cls, text: str) -> FrameId:
        """Read ``text`` back.

        Raises:
            DecodeError: not of that form, or out of range.
        """
        match = _FRAME_TEXT.fullmatch(text)
        if not match or int(match[2]) > U32_MAX:
            raise DecodeError("frame id", detail="eight hexadecimal digits, a dash, a decimal counter")
        return cls(parse_node(match[1]), int(match[2]))
