"""Other premises that respond to an incident of ours."""

from __future__ import annotations

from msgspec import Struct

from wire.kinds import PRIORITY, AlertKind, MemberResponse


class Member(Struct, frozen=True):
    """One that responded; ``kind``: what the incident was when they did."""

    node: int
    premises: str
    response: MemberResponse
    kind: AlertKind

    def holds_for(self, kind: AlertKind) -> bool:
        """Whether they are coming, or have seen what it is now: who saw an assist has not seen an attack."""
        return self.response is MemberResponse.RESPONDING or PRIORITY[self.kind] <= PRIORITY[kind]
