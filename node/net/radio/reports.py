"""What both drivers say to the loop, and how much of it may wait there."""

from __future__ import annotations

from typing import Final

from node.core.events import Emit, FrameReceived, InputRejected, Offer
from wire.kinds import Path

FRAMES_WAITING_MAX: Final = 200
"""Heard and not yet looked at. The channel carries about one a second."""
REJECTIONS_WAITING_MAX: Final = 100


class Reports:
    """The way to the loop's queue. Safe from any thread.

    Attributes:
        put: for what happened here; never refused.
        dropped: frames that found the queue full, since start.
    """

    def __init__(self, offer: Offer, put: Emit) -> None:
        """The two lanes of the queue.

        Args:
            offer: for what was heard.
            put: for what happened here.
        """
        self.put = put
        self.dropped = 0
        self._offer = offer

    def heard(self, frame: bytes) -> None:
        """Something that claims to be a frame."""
        if not self._offer(FrameReceived(frame, None, Path.RADIO), FRAMES_WAITING_MAX):
            self.dropped += 1

    def rejected(self, reason: str) -> None:
        """Something that does not even claim to be one. In a flood the number is "at least"."""
        self._offer(InputRejected(reason), REJECTIONS_WAITING_MAX)
