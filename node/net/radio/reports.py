"""Reports of both drivers to the loop, and how many may wait there."""

from __future__ import annotations

from typing import Final

from node.core.events import Emit, FrameReceived, InputRejected, Offer
from wire.kinds import Path

FRAMES_WAITING_MAX: Final = 200
"""Frames waiting to be looked at. The channel carries about one a second."""
REJECTIONS_WAITING_MAX: Final = 100


class Reports:
    """The way to the loop's queue. Safe from any thread.

    Attributes:
        put: for the node's own events; never refused.
        dropped: frames that found the queue full, since start.
    """

    def __init__(self, offer: Offer, put: Emit) -> None:
        """The two lanes of the queue.

        Args:
            offer: for frames heard.
            put: for the node's own events.
        """
        self.put = put
        self.dropped = 0
        self._offer = offer

    def heard(self, frame: bytes) -> None:
        """Offer a received frame."""
        if not self._offer(FrameReceived(frame, None, Path.RADIO), FRAMES_WAITING_MAX):
            self.dropped += 1

    def rejected(self, reason: str) -> None:
        """Count something that is not even a frame. In a flood the number is a minimum."""
        self._offer(InputRejected(reason), REJECTIONS_WAITING_MAX)
