"""Faults planted on purpose, one at a time, to see that the invariants have teeth. Never set outside the campaign."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from node.core import effects as do
from node.core import events as ev
from node.core.screens import Face
from node.core.settings import Settings
from node.core.state import NodeState

if TYPE_CHECKING:
    from sim.node_actor import NodeDisk


class Plant(StrEnum):
    """What is wrong."""

    RECEIPT_BEFORE_COMMIT = "receipt-before-commit"
    """Central answers as soon as it has decided to write."""
    COUNTER_NOT_PERSISTED = "counter-not-persisted"
    """The counter lives in memory only; a crash brings used ones back."""
    FORGOTTEN_ON_PUBACK = "forgotten-on-puback"
    """The outbox row goes when the broker has it."""
    INBOX_FORGOTTEN = "inbox-forgotten"
    """What was shown is not remembered over a restart."""
    OLD_INCIDENT_SUPPRESSES = "old-incident-suppresses"
    """A press is swallowed while an earlier one waits."""
    SAID_RECEIVED_ON_PUBACK = "said-received"
    """The screen says RECEIVED while it is still trying."""
    LATE_SHOWN_AS_LIVE = "late-shown-as-live"
    """Central forgets how old an alert is."""


def spoil_settings(plant: Plant | None, settings: Settings) -> Settings:
    """What the core is told of its node."""
    del plant
    return settings


def spoil_event(plant: Plant | None, state: NodeState, event: ev.Event) -> NodeState:
    """What the core remembers when it hears of an event."""
    del plant, event
    return state


def spoil_orders(
    plant: Plant | None, effects: tuple[do.Effect, ...], state: NodeState, disk: NodeDisk
) -> tuple[do.Effect, ...]:
    """What becomes of the core's orders."""
    del state
    if plant is Plant.OLD_INCIDENT_SUPPRESSES:
        is_open = any(not row.is_receipted for row in disk.rows.values())
        return tuple(e for e in effects if not (is_open and isinstance(e, do.StoreFrame)))
    if plant is Plant.SAID_RECEIVED_ON_PUBACK:
        return tuple(_boasting(effect) for effect in effects)
    return effects


def _boasting(effect: do.Effect) -> do.Effect:
    if isinstance(effect, do.ShowScreen) and effect.screen.face is Face.STORED:
        return do.ShowScreen(replace(effect.screen, face=Face.RECEIVED))
    return effect
