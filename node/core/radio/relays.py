"""Relays: frames of other nodes, heard on the air and passed on to central (N9).

A gateway relays at once. All others wait a random moment and keep quiet if they hear central's receipt on the air
meanwhile, or get its state of the incident by the network: another relay was faster, or the sender's network works.

A frame heard again is relayed again, because its sender has not heard the receipt and central will answer once more:
at least :data:`APART_MS` after the last time, and :data:`TIMES_MAX` times within :data:`REMEMBERED_MS`, so that a
replayed frame costs central and the air next to nothing. While central cannot be reached, frames wait for
:data:`KEPT_MS`; after that the sender's own tries are fresher.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from msgspec.structs import replace

from node.core.effects import RelayFrame
from node.core.radio.bucket import spend
from node.core.radio.chance import draw
from node.core.radio_state import Relay
from node.core.scales import age_s
from node.core.state import NodeState
from node.core.table import PathPhase
from node.core.turn import Timer, Turn
from wire.admission import Admitted
from wire.frames import Alert, Cancel, PathTest, Response, decode
from wire.ids import FrameId, NodeId
from wire.lateness import SOUNDS_WITHIN_S

WAIT_MS: Final = (300, 1_500)
APART_MS: Final = 4_000
TIMES_MAX: Final = 6
KEPT_MS: Final = 60_000
REMEMBERED_MS: Final = 600_000
RELAYS_MAX: Final = 64
BURST: Final = 16
"""Relays at once; then one per :data:`REFILL_MS`."""
REFILL_MS: Final = 500


def heard(turn: Turn, admitted: Admitted) -> None:
    """Another node's verified frame came over the air, for the first time or again."""
    frame = admitted.frame
    if not isinstance(frame, Alert | Cancel | Response | PathTest):
        return
    relays = turn.state.radio.relays
    known = next((relay for relay in relays if relay.id == frame.id), None)
    if known is None:
        due_ms = turn.now_ms + _wait_ms(turn)
        made = Relay(frame.id, admitted.signed.data, due_ms, turn.now_ms)
        turn.state.radio.relays = (*relays, made)[-RELAYS_MAX:]
        return
    is_again = known.due_ms is None and known.data == admitted.signed.data
    if is_again and known.times < TIMES_MAX and turn.now_ms - known.heard_ms >= APART_MS:
        _replace(turn, replace(known, due_ms=turn.now_ms + _wait_ms(turn), heard_ms=turn.now_ms))


def answered(turn: Turn, targets: tuple[FrameId, ...]) -> None:
    """Central has these: do not relay them."""
    for relay in turn.state.radio.relays:
        if relay.due_ms is not None and relay.id in targets:
            _replace(turn, replace(relay, due_ms=None))


def timers(state: NodeState) -> Iterator[Timer]:
    """Relay as soon as central can be reached; drop what is old."""
    is_reachable = state.central.path is PathPhase.PROVEN
    for relay in state.radio.relays:
        yield relay.heard_ms + REMEMBERED_MS, partial(_forget, frame_id=relay.id)
        if relay.due_ms is not None:
            given_up_ms = max(relay.due_ms, relay.heard_ms + KEPT_MS)
            is_due = is_reachable or _is_struck_off(state, relay.id)
            yield relay.due_ms if is_due else given_up_ms, partial(_relay, relay=relay)


def _forget(turn: Turn, frame_id: FrameId) -> None:
    turn.state.radio.relays = tuple(relay for relay in turn.state.radio.relays if relay.id != frame_id)


def _relay(turn: Turn, relay: Relay) -> None:
    if turn.now_ms - relay.heard_ms >= KEPT_MS or _is_struck_off(turn.state, relay.id):
        _replace(turn, replace(relay, due_ms=None))
        return
    left = spend(turn.state.radio.relay_tokens, turn.now_ms, BURST, REFILL_MS)
    if left is None:
        _replace(turn, replace(relay, due_ms=turn.now_ms + REFILL_MS))
        return
    turn.state.radio.relay_tokens = left
    _replace(turn, replace(relay, due_ms=None, times=relay.times + 1))
    turn.order(RelayFrame(relay.id, relay.data))
    turn.fact("relayed", relay.id)


def alerting(state: NodeState, since_ms: int) -> set[NodeId]:
    """Other premises of our schemes whose alerts, and likely sentences, were heard on the air since then.

    Not silent ones, which were not spoken, nor those pressed more than :data:`SOUNDS_WITHIN_S` ago, which may be
    replays. A younger one counts though it is late: in a storm an alert waits for minutes until it is decoded.
    """
    found = set()
    for relay in state.radio.relays:
        seen = state.inbox.recent.get(relay.id) or state.inbox.older.get(relay.id)
        if relay.heard_ms < since_ms or seen is None:
            continue
        frame = decode(relay.data).frame
        if isinstance(frame, Alert) and not frame.silent and (not seen.is_late or _is_young(state, frame)):
            found.add(frame.sender)
    return found


def _is_young(state: NodeState, frame: Alert) -> bool:
    return frame.at_s > 0 and age_s(state, frame.at_s) < SOUNDS_WITHIN_S


def _is_struck_off(state: NodeState, frame_id: FrameId) -> bool:
    """Its sender was revoked while it waited."""
    sender = state.directory.senders.get(frame_id.node)
    return sender is None or sender.is_revoked


def _wait_ms(turn: Turn) -> int:
    ourselves = turn.state.directory.senders.get(turn.settings.node)
    if ourselves is not None and ourselves.is_gateway:
        return 0
    return draw(turn, *WAIT_MS)


def _replace(turn: Turn, relay: Relay) -> None:
    turn.state.radio.relays = tuple(relay if other.id == relay.id else other for other in turn.state.radio.relays)
