"""Path tests over the air (N11): that alerts can go by radio is proven regularly, never assumed.

A test is a signed frame like any other, stored (for its counter), put on the air, and answered by central's receipt
over the air. It is not an alert, goes to no broker, and is useless to a later run.

- The first comes within ``path_test_first_ms`` of the start, or of a radio's recovery: a test passed before a fault
  proves nothing after the repair. After one that passed, the next comes in ``path_test_ms`` ± a quarter.
- A lost one is repeated after a minute or two; after two in a row the path counts as failed and is tested
  again about every quarter of an hour, for ever.
- It gives way to anyone speaking, to a waiting alert, and to an incident of ours or a neighbour's; it then comes half a
  minute or more later. A test requested by a person (N12) gives way to nothing but channel access.

Every wait is random, so that a town switched on all at once does not transmit all at once.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.effects import PathTestDraft
from node.core.incident.hush import is_hushed
from node.core.radio.chance import draw
from node.core.radio.duty_cycle import POLITE_PERCENT, busy_percent
from node.core.radio.path import can_transmit
from node.core.radio_state import PathTests
from node.core.state import NodeState
from node.core.table import Phase
from node.core.turn import Turn
from wire.ids import FrameId

REPEAT_MS: Final = (60_000, 120_000)
"""After one that was lost."""
FAILED_MS: Final = 900_000
"""Between two tests of a path that has failed, ± a quarter."""
GIVE_WAY_MS: Final = (30_000, 60_000)
INCIDENT_QUIET_MS: Final = 900_000
"""An incident of ours that changed within this time may still need the channel."""
HEARD_QUIET_MS: Final = 300_000
"""Another member's alert was on the air within this time: the channel is theirs."""
GIVEN_UP_MS: Final = 300_000
"""The radio's rules give up a lost test long before this; if they do not, it is lost then."""
LOSSES_ALLOWED: Final = 1


def settle(turn: Turn) -> None:
    """Plan the first test; none if nothing can be transmitted."""
    state = turn.state
    tests = state.radio.tests
    if not state.is_started or not can_transmit(state):
        is_known = tests.counter or tests.next_ms is not None or tests.passed_ms is not None
        if is_known and not is_hushed(state, turn.now_ms):  # The idle face must not tell of a silent press (N4).
            _forget(turn, tests.counter)
            _keep(turn, replace(turn.state.radio.tests, counter=0, next_ms=None, passed_ms=None, is_asked=False))
    elif tests.next_ms is None:
        first_ms = _timing(state)[0]
        _plan(turn, (first_ms // 4, first_ms))


def next_ms(state: NodeState) -> int | None:
    """When the next one is due, or the current one is given up."""
    return state.radio.tests.next_ms if can_transmit(state) else None


def is_to_be_drafted(turn: Turn) -> bool:
    """A test is due: plan the next, and return whether this one may be drafted now."""
    state = turn.state
    tests = state.radio.tests
    if tests.counter:
        lost(turn, tests.counter)
        return False
    if _is_drafted(state) or not (tests.is_asked or _is_quiet(state, turn.now_ms)):
        _plan(turn, GIVE_WAY_MS, is_asked=tests.is_asked)
        return False
    # If the disk refuses it, this is when the next one comes.
    _plan(turn, _around(FAILED_MS))
    return True


def ask(turn: Turn) -> None:
    """A person requests a test (N12): it comes now, unless one is under way."""
    tests = turn.state.radio.tests
    if can_transmit(turn.state) and not tests.counter:
        _keep(turn, replace(turn.state.radio.tests, next_ms=turn.now_ms, is_asked=True))


def stored(turn: Turn, counter: int) -> None:
    """It has its counter, and goes to the radio now."""
    _keep(turn, replace(turn.state.radio.tests, counter=counter, next_ms=turn.now_ms + GIVEN_UP_MS))


def passed(turn: Turn, counter: int) -> None:
    """Central's receipt of a frame of ours came back over the air. Only a test's proves the radio path.

    An alert's may answer a frame that central had by the network.
    """
    if not counter or counter != turn.state.radio.tests.counter:
        return
    turn.fact("path_test", FrameId(turn.settings.node, counter), result="ok")
    _forget(turn, counter)
    _keep(turn, replace(turn.state.radio.tests, counter=0, passed_ms=turn.now_ms, losses=0, is_failed=False))
    _plan(turn, _around(_timing(turn.state)[1]))


def lost(turn: Turn, counter: int) -> None:
    """The radio has given up a test: no receipt came back over the air."""
    tests = turn.state.radio.tests
    if not counter or counter != tests.counter:
        return
    turn.fact("path_test", FrameId(turn.settings.node, counter), result="lost")
    _forget(turn, counter)
    losses = tests.losses + 1
    # One that met a silent attack is judged by the next: the idle face must not tell of the press (N4).
    is_failed = tests.is_failed if is_hushed(turn.state, turn.now_ms) else losses > LOSSES_ALLOWED
    _keep(turn, replace(turn.state.radio.tests, counter=0, losses=losses, lost_ms=turn.now_ms, is_failed=is_failed))
    _plan(turn, _around(FAILED_MS) if losses > LOSSES_ALLOWED else REPEAT_MS)


def _is_quiet(state: NodeState, now_ms: int) -> bool:
    """Whether nobody needs the channel, as far as we know."""
    radio = state.radio
    heard_ms = radio.channel.member_ms
    if radio.is_busy or radio.wanted or busy_percent(radio, state.started_ms, now_ms) > POLITE_PERCENT:
        return False
    if heard_ms is not None and now_ms - heard_ms < HEARD_QUIET_MS:
        return False
    if any(draft.signed is None for draft in state.drafts):
        return False
    if state.neighbours or is_hushed(state, now_ms):
        return False
    newest = next(state.outbox.rows.newest(), None)
    pressed_ms = newest[1].pressed_ms if newest is not None else None
    if pressed_ms is not None and now_ms - pressed_ms < INCIDENT_QUIET_MS:
        return False
    found = [state.incidents.get(key) for key in state.recent]
    return not any(
        incident.phase is not Phase.CLOSED and now_ms - incident.changed_ms < INCIDENT_QUIET_MS
        for incident in found
        if incident is not None
    )


def _is_drafted(state: NodeState) -> bool:
    return any(isinstance(draft.content, PathTestDraft) for draft in state.drafts)


def _forget(turn: Turn, counter: int) -> None:
    """Stop waiting for its receipt."""
    outbox = turn.state.outbox
    if counter and outbox.rows.get(counter) is not None:
        outbox.rows = outbox.rows.drop(counter)
        outbox.in_flight = outbox.in_flight - {counter}


def _timing(state: NodeState) -> tuple[int, int]:
    assert state.settings.radio is not None, "only asked where it can transmit"
    timing = state.settings.radio.timing
    return timing.path_test_first_ms, timing.path_test_ms


def _around(wait_ms: int) -> tuple[int, int]:
    return wait_ms - wait_ms // 4, wait_ms + wait_ms // 4


def _plan(turn: Turn, within_ms: tuple[int, int], *, is_asked: bool = False) -> None:
    next_ms = turn.now_ms + draw(turn, *within_ms)
    _keep(turn, replace(turn.state.radio.tests, next_ms=next_ms, is_asked=is_asked))


def _keep(turn: Turn, tests: PathTests) -> None:
    turn.state.radio.tests = tests
