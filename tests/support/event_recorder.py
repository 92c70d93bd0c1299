"""Keeps the events that adapters emit from their threads, and waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from node.core.events import Event, PinChanged

PATIENCE_S = 120.0


class EventRecorder:
    """Called as ``emit``; keeps what it is told, in order.

    Attributes:
        edges_at_ms: when each pin changed. The events kept do not say it, so that they can be compared.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self.edges_at_ms: list[int | None] = []

    def __call__(self, event: Event) -> None:
        """As the board calls it."""
        with self._changed:
            if isinstance(event, PinChanged):
                self.edges_at_ms.append(event.at_ms)
                event = replace(event, at_ms=None)
            self._events.append(event)
            self._changed.notify_all()

    @property
    def all(self) -> list[Event]:
        """Everything so far."""
        with self._changed:
            return list(self._events)

    def of(self, *kinds: type) -> list[Any]:
        """Those of the given kinds."""
        return [event for event in self.all if isinstance(event, kinds)]

    def wait_for(self, event: Event, count: int = 1) -> None:
        """Wait until ``event`` was told ``count`` times."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._events.count(event) >= count, PATIENCE_S):
                raise TimeoutError(f"no {event} × {count} among {self._events}")

    def wait_until(self, is_so: Callable[[list[Event]], bool]) -> None:
        """Wait until the events so far are as wanted."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_so(self._events), PATIENCE_S):
                raise TimeoutError(f"never so: {self._events}")
