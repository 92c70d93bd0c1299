"""What central says of a press to the shop that made it, by radio."""

from __future__ import annotations

from node.core.events import FrameReceived
from tests.support.members import OURS
from tests.support.node_world import World
from wire.frames import PressAcknowledgement
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import PRIORITY, AnswerState, Path, Priority, Role

CLOCK_AHEAD_S = 40
"""Central's, of the shop's."""
INCIDENT = FrameId(OURS, 1)


def says_of(
    world: World,
    press: int,
    state: AnswerState = AnswerState.ANSWERED,
    *,
    urgency: Priority | None = None,
    incident: FrameId = INCIDENT,
) -> FrameReceived:
    """Of this press, by central, which has all before it; by ``urgency``, perhaps not all."""
    if urgency is None:
        urgency = min(PRIORITY[world.alert_on_disk(number).kind] for number in world.stored if number <= press)
    head, above = head_of(world, CLOCK_AHEAD_S), press - incident.counter
    frame = PressAcknowledgement(*head, incident, Role.PCSO, state, "J Patel", above, urgency)
    return FrameReceived(world.signed(frame).data, None, Path.RADIO)


def head_of(world: World, clock_ahead_s: int) -> tuple[NodeId, int, int]:
    """Of central's next frame."""
    world.central_counter += 1
    return CENTRAL, world.central_counter, int(world.wall().timestamp()) + clock_ahead_s
