"""Central's heartbeat: that it is there, and who is on duty."""

from __future__ import annotations

from typing import Annotated

import msgspec

from wire.messages.fields import ROLES_MAX, Count, Message, Moment, Name, Slug, settle_moments


class CentralStatus(Message, frozen=True):
    """``scheme/{scheme}/central``: at start, every 10 s, and when duty changes. Proves the path to the node."""

    boot_id: Name
    """New at every start of central: a node that sees a new one asks for a sync."""
    at: Moment
    """Central's clock."""
    expires_at: Moment
    """After this it proves nothing."""
    on_duty: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=ROLES_MAX)] = ()
    """Roles with someone on duty for the scheme; empty means nobody (C2)."""
    sequence: Count = 0
    """Rises with each status and sync answer of one boot id; an older one that arrives later is ignored."""

    def __post_init__(self) -> None:
        settle_moments(self, "at", "expires_at")
