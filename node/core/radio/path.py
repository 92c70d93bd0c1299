"""The state of the radio path."""

from __future__ import annotations

from enum import StrEnum

from node.core.controls import Part
from node.core.state import NodeState


class RadioPath(StrEnum):
    """What is known about the radio path."""

    ABSENT = "absent"
    """No radio is configured."""
    FAULT = "fault"
    """The modem, the sound device or the PTT does not work."""
    LISTENING = "listening"
    """No licence reference: it hears, and never transmits (N10)."""
    UNTESTED = "untested"
    """It can transmit, but no recent path test has come back. Alerts are sent, without any promise."""
    READY = "ready"
    """It can transmit, and the last path test came back over the air."""


def radio_path(state: NodeState, now_ms: int) -> RadioPath:
    """The state of the radio path now."""
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
