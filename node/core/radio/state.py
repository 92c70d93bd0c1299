"""What the node knows of the radio between two events, and what that is worth. Nothing here decides anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from node.core.controls import Part

if TYPE_CHECKING:
    from node.core.state import NodeState


class RadioPath(StrEnum):
    """What is known of the way over the air."""

    ABSENT = "absent"
    """No radio is configured."""
    FAULT = "fault"
    """The modem, the sound device or the PTT does not work."""
    LISTENING = "listening"
    """No licence reference: it hears, and never transmits (N10)."""
    UNTESTED = "untested"
    """It can transmit; no path test has come back lately. Alerts are sent all the same, and nothing is promised."""
    READY = "ready"
    """It can transmit, and the last path test came back over the air."""


@dataclass(frozen=True, slots=True)
class PathTests:
    """See :mod:`node.core.radio.path_tests`.

    Attributes:
        passed_ms: when one last came back over the air; ``None`` = never in this run.
        is_failed: the last one did not come back.
        counter: of the one that is under way, 0 = none.
        next_ms: when the next one is drafted; ``None`` = not planned.
    """

    passed_ms: int | None = None
    is_failed: bool = False
    counter: int = 0
    next_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Radio:
    """The radio.

    Attributes:
        tests: path tests.
        is_busy: somebody else speaks on the channel.
        blocked_since_ms: since when an alert has waited for a channel that is never clear; ``None`` = none waits.
        overs, airtime_ms, bursts_heard: since start.
    """

    tests: PathTests = field(default_factory=PathTests)
    is_busy: bool = False
    blocked_since_ms: int | None = None
    overs: int = 0
    airtime_ms: int = 0
    bursts_heard: int = 0


def radio_path(state: NodeState, now_ms: int) -> RadioPath:
    """What may be said of the radio now."""
    settings = state.settings.radio
    if settings is None:
        return RadioPath.ABSENT
    if Part.RADIO in state.faults:
        return RadioPath.FAULT
    if not settings.licence:
        return RadioPath.LISTENING
    tests = state.radio.tests
    is_valid = tests.passed_ms is not None and now_ms - tests.passed_ms < settings.timing.path_test_valid_ms
    return RadioPath.READY if is_valid and not tests.is_failed else RadioPath.UNTESTED


def can_transmit(state: NodeState) -> bool:
    """Whether an over can be ordered at all."""
    return state.settings.radio is not None and bool(state.settings.radio.licence) and Part.RADIO not in state.faults
