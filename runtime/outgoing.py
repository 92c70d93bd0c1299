"""Messages handed to paho and not yet sent or confirmed: their tokens, and the memory they take, which is limited.

If a broker stops reading but keeps the connection, paho's queues grow with every publish; paho itself counts only
QoS 1 messages, and not their bytes. Thread-safe: any thread hands over, paho's thread settles.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable
from typing import Final

from msgspec import Struct
from paho.mqtt.reasoncodes import ReasonCode

logger = logging.getLogger(__name__)

BYTES_MAX: Final = 8 * 1024 * 1024
"""Limit per connection, as Python holds it: a directory of 16,000 nodes, or the state of 3,000 incidents."""
CONFIRMED_SHARE: Final = 7 / 8
"""Share for QoS 1 messages: they wait for the broker's PUBACKs, and must leave room for receipts (QoS 0)."""
HELD_BYTES: Final = {0: 1_200, 1: 2_048}
"""Memory per message beside topic and payload, by QoS: paho's objects, measured."""


class Handed(Struct, frozen=True):
    """One message that paho holds."""

    qos: int
    token: Hashable
    size_bytes: int


class Outgoing:
    """The messages of one connection, by paho's message id."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._was_full = False
        self._lock = threading.Lock()
        self._held: dict[int, Handed] = {}
        # PUBACKs that came before publish() returned.
        self._early: dict[int, ReasonCode] = {}

    def reserve(self, qos: int, token: Hashable, content_bytes: int) -> Handed | None:
        """Reserve room for a message; ``None`` = none. Follow it with :meth:`give_back` or :meth:`note`."""
        handed = Handed(qos, token, HELD_BYTES[qos] + content_bytes)
        bytes_max = self._bytes_max if qos == 0 else int(self._bytes_max * CONFIRMED_SHARE)
        with self._lock:
            if self._bytes + handed.size_bytes > bytes_max:
                if not self._was_full:
                    logger.warning("the broker cannot keep up: messages are dropped")
                self._was_full = True
                return None
            self._bytes += handed.size_bytes
        return handed

    def give_back(self, handed: Handed) -> None:
        """Free the reservation: paho did not take the message."""
        with self._lock:
            self._free(handed)

    def note(self, mid: int, handed: Handed) -> ReasonCode | None:
        """Paho took the message under ``mid``. Returns the broker's answer if it came already."""
        with self._lock:
            reason = self._early.pop(mid, None)
            if reason is None:
                # An id is reused after 65,535 messages; its earlier holder is no longer reported.
                before = self._held.pop(mid, None)
                if before:
                    self._free(before)
                self._held[mid] = handed
            else:
                self._free(handed)
            return reason

    def settle(self, mid: int, reason: ReasonCode) -> Handed | None:
        """The message is written (QoS 0) or answered (QoS 1); ``None`` = its publish() has not returned yet."""
        with self._lock:
            handed = self._held.pop(mid, None)
            if handed is None:
                self._early[mid] = reason
            else:
                self._free(handed)
            return handed

    def drop_lost(self) -> None:
        """The connection ended: paho drops QoS 0 and keeps QoS 1 for the next one."""
        with self._lock:
            for mid in [mid for mid, handed in self._held.items() if handed.qos == 0]:
                self._free(self._held.pop(mid))

    def _free(self, handed: Handed) -> None:
        self._bytes -= handed.size_bytes
        # Warn once each time it is full, not for each message.
        self._was_full = self._was_full and self._bytes > self._bytes_max // 2
