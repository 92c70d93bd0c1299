"""The weekly test (N12): staff are asked to press *test*, and the press goes the whole way by every path.

A test is an alert like any other, and counts once central has it, by either path. If the radio may transmit, a path
test is requested at the same time, so that the radio path is proven beside the network's. Central acknowledges it by
itself and closes it two minutes later (:mod:`central.core.pending_decisions`). The whole of it: docs/architecture.md.

A test is due ``weekly_test_due_ms`` after the last that reached central. If there was none, the time counts from the
first proven time of this unit; without a proven clock, from its start.
"""

from __future__ import annotations

from typing import Final

from node.core.radio import path_tests
from node.core.state import Incident, NodeState, wall_at_s
from node.core.turn import Turn
from wire.frames import Alert
from wire.kinds import AUTOMATIC_NAME, AlertKind, Path

_MS_PER_S: Final = 1_000


def numbered(turn: Turn, frame: Alert) -> None:
    """An alert is about to be sent: a test also tests the radio, but never while an offender may watch (N4)."""
    if frame.kind is AlertKind.TEST and not frame.silent:
        path_tests.ask(turn)


def is_unanswered_test(test: Incident) -> bool:
    """Whether it is a test that no person has answered, so that the screen shows what it proved."""
    is_told = test.answer is not None and test.answer.name != AUTOMATIC_NAME
    return test.kind is AlertKind.TEST and not (is_told or test.is_late or test.is_restored)


def is_due(state: NodeState, now_ms: int) -> bool:
    """Whether staff are to be asked for a test."""
    return now_ms - since_ms(state, now_ms) >= state.settings.timing.weekly_test_due_ms


def next_moment_ms(state: NodeState, now_ms: int) -> int | None:
    """When :func:`is_due` becomes true by itself; ``None`` = it is true."""
    due_ms = since_ms(state, now_ms) + state.settings.timing.weekly_test_due_ms
    return due_ms if due_ms > now_ms else None


def paths_proven(state: NodeState, test: Incident) -> tuple[bool, bool | None]:
    """Whether a test that reached central has proven the network, and the radio; ``None`` = not known yet.

    One of the two is always true.
    """
    by_network = test.path is not Path.RADIO
    tests, pressed_ms = state.radio.tests, test.pressed_ms if test.pressed_ms is not None else test.changed_ms
    if not by_network or (tests.passed_ms is not None and tests.passed_ms >= pressed_ms):
        return by_network, True
    return by_network, False if tests.lost_ms is not None and tests.lost_ms >= pressed_ms else None


def since_ms(state: NodeState, now_ms: int) -> int:
    """From when the next one is counted: the last good one, if known."""
    tests = state.weekly_test
    if tests.good_ms is not None:
        return tests.good_ms
    known_s = tests.good_at_s or tests.since_at_s
    if known_s and wall_at_s(state, now_ms) and state.clock.offset_ms is not None:
        return min(known_s * _MS_PER_S - state.clock.offset_ms, now_ms)
    return state.started_ms
