"""A central that signs, beside a node's core."""

from __future__ import annotations

from datetime import timedelta

from node.core.events import CentralStatusReceived, SyncAnswered
from tests.support.node_world import World
from wire.messages import CentralStatus, IncidentState, SyncAnswer


class Signing:
    """What it says, and what a broker may keep of it."""

    def __init__(self, world: World, boot: str = "central-1") -> None:
        self.world, self.boot, self.sequence = world, boot, 0

    def status(self, *on_duty: str) -> CentralStatusReceived:
        """The next heartbeat."""
        self.sequence += 1
        at = self.world.wall()
        said = CentralStatus(
            boot_id=self.boot, at=at, expires_at=at + timedelta(seconds=30), on_duty=on_duty, sequence=self.sequence
        )
        return CentralStatusReceived(said, is_signed=True)

    def answer(self, *states: IncidentState, revision: int = 0, floor: int = 0) -> SyncAnswered:
        """To the newest question."""
        self.sequence += 1
        said = SyncAnswer(
            boot_id=self.boot,
            counter_floor=floor,
            incidents=states,
            nonce=self.world.state.central.questions[-1].nonce,
            at=self.world.wall(),
            sequence=self.sequence,
            revision=revision,
        )
        return SyncAnswered(said, is_signed=True)
