"""One step in progress: the state and the effects so far. Lives for one call of ``step``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from types import MappingProxyType
from typing import Final, TypeVar

from gallery.core.effects import Effect, ReportFact
from gallery.core.holdings import Gallery
from gallery.core.state import STORE_RETRY_MS, State

K = TypeVar("K")
V = TypeVar("V")
_LABELS_MAX: Final = 32


class Turn:
    """Reads one state and makes another; the given one is not touched."""

    __slots__ = ("effects", "state")

    def __init__(self, state: State, now_ms: int) -> None:
        self.state = copy(state)
        self.state.now_ms = max(now_ms, state.now_ms)
        self.effects: list[Effect] = []

    @property
    def now_ms(self) -> int:
        """The moment of this step."""
        return self.state.now_ms

    def order(self, effect: Effect) -> None:
        """Add an effect."""
        self.effects.append(effect)

    def store(self, make: Callable[[int], Effect]) -> None:
        """Add an effect that must become durable; it is made with its ticket."""
        ticket = self.state.last_ticket + 1
        self.state.last_ticket = ticket
        effect = make(ticket)
        self.state.waiting = with_key(self.state.waiting, ticket, effect)
        self.order(effect)

    def refused(self, reason: str) -> None:
        """The store refused: leave it alone for a while."""
        self.state.retry_ms = self.now_ms + STORE_RETRY_MS
        self.fact("store_refused", reason=reason)

    def change(self, gallery: Gallery) -> None:
        """Put a gallery in place of the one of its scheme."""
        self.state.galleries = with_key(self.state.galleries, gallery.scheme, gallery)

    def fact(self, fact: str, **detail: str) -> None:
        """Write a line to the fact log."""
        self.order(ReportFact(fact, tuple(detail.items())))

    def reject(self, reason: str, **detail: str) -> None:
        """Count input that was refused, and report it."""
        label = reason if reason in self.state.rejected or len(self.state.rejected) < _LABELS_MAX else "other"
        self.state.rejected = with_key(self.state.rejected, label, self.state.rejected.get(label, 0) + 1)
        self.fact("gallery_rejected", reason=reason, **detail)


def with_key(held: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    """The same with this key."""
    return MappingProxyType({**held, key: value})


def without(held: Mapping[K, V], *keys: K) -> Mapping[K, V]:
    """The same without these keys."""
    return MappingProxyType({key: value for key, value in held.items() if key not in keys})
