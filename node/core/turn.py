"""One step in progress: the state and the effects so far. Lives for one call of ``step``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from types import MappingProxyType
from typing import Final

from node.core.effects import (
    Effect,
    PlaySound,
    PublishFrame,
    RaiseCounterFloor,
    ReportFact,
    SetLed,
    ShowScreen,
    Stop,
    StoreFrame,
)
from node.core.settings import Settings, Timing
from node.core.state import Hint, NodeState
from wire.ids import FrameId

REJECTED_LABELS_MAX: Final = 32
"""Distinct reasons that are counted separately; the rest are counted together as "other"."""
_LABEL_CHARS_MAX: Final = 64

_RANK: Final[dict[type[Effect], int]] = {
    RaiseCounterFloor: 0,
    StoreFrame: 1,
    PublishFrame: 2,
    ShowScreen: 3,
    PlaySound: 4,
    SetLed: 4,
    Stop: 9,
}
_RANK_OTHERS: Final = 5


Timer = tuple[int, Callable[["Turn"], None]]
"""When, and what to do then. Each package lists its own; the machine wakes and acts by that list."""


class Turn:
    """Reads one state and makes another; the given one is not touched.

    ``state`` and its four parts belong to this turn, unseen by others until the step returns them: rules set their
    fields. Their contents are frozen and shared; ``msgspec.structs.replace`` makes a changed copy.
    """

    __slots__ = ("_effects", "now_ms", "state")

    def __init__(self, state: NodeState, now_ms: int) -> None:
        self.state = copy(state)
        self.state.outbox = copy(state.outbox)
        self.state.inbox = copy(state.inbox)
        self.state.central = copy(state.central)
        self.state.radio = copy(state.radio)
        self.now_ms = now_ms
        self.state.now_ms = now_ms
        self._effects: list[Effect] = []

    @property
    def settings(self) -> Settings:
        """The node's settings."""
        return self.state.settings

    @property
    def timing(self) -> Timing:
        """The node's timing."""
        return self.state.settings.timing

    def order(self, effect: Effect) -> None:
        """Add an effect."""
        self._effects.append(effect)

    def fact(self, fact: str, alert: FrameId | None, **detail: str) -> None:
        """Write a line to the fact log."""
        self.order(ReportFact(fact, alert, tuple(detail.items())))

    def reject(self, reason: str) -> None:
        """Count rejected input; the number of distinct labels is limited."""
        label = reason[:_LABEL_CHARS_MAX]
        counts = dict(self.state.rejected)
        if label not in counts and len(counts) >= REJECTED_LABELS_MAX - 1:
            label = "other"
        counts[label] = counts.get(label, 0) + 1
        self.state.rejected = MappingProxyType(counts)

    def hint(self, headline: str, line_1: str, line_2: str = "") -> None:
        """Show a brief hint about how to press."""
        self.state.hint = Hint(headline, (line_1, line_2), self.now_ms + self.timing.hint_shown_ms)

    def effects(self) -> Sequence[Effect]:
        """The effects, most important first: the disk, then the path, then the presser's eyes and ears.

        Within a rank they keep their order.
        """
        return sorted(self._effects, key=lambda effect: _RANK.get(type(effect), _RANK_OTHERS))
