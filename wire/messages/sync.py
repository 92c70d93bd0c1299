"""A node's question about what it has missed, and central's answer."""

from __future__ import annotations

from typing import Annotated

import msgspec

from wire.ids import U32_MAX
from wire.messages.fields import (
    CAPABILITIES_MAX,
    INCIDENTS_MAX,
    PENDING_MAX,
    RECEIPTED_MAX,
    Count,
    Counter,
    DigestText,
    Message,
    Moment,
    Name,
    Nonce,
    PartNumber,
    Slug,
    check_parts,
    cut,
    settle_moments,
)
from wire.messages.incident import IncidentState


class PendingFrame(Message, frozen=True):
    """A frame still waiting at the node, and its age by the node's own monotonic clock."""

    counter: Counter
    """Of the frame."""
    age_ms: Count
    """Time since the press."""


class ReceiptedFrame(Message, frozen=True):
    """A frame of this node's for which it holds central's receipt."""

    counter: Counter
    """Of the frame."""
    digest: DigestText
    """Of the frame's bytes: 16 hexadecimal digits, the first eight bytes of their SHA-256."""


class Sync(Message, frozen=True):
    """``node/{node}/up/sync``: after each connect, each time central may have a new boot id, and every 60 s at least.

    A list that is too long for one message goes in parts with one nonce.
    """

    boot_id: Name
    """The node's, as in its health."""
    directory_serial: Count = 0
    """Serial of its directory; central sends a newer one."""
    last_counter: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)] = 0
    """The highest counter the node has stored; 0 = none."""
    pending: Annotated[tuple[PendingFrame, ...], msgspec.Meta(max_length=PENDING_MAX)] = ()
    """Oldest first; gives central the age of alerts whose clock was not proven (N13)."""
    nonce: Nonce = ""
    """32 hexadecimal digits, never used by this node before; the answer repeats them, and so proves that it is one."""
    receipted: Annotated[tuple[ReceiptedFrame, ...], msgspec.Meta(max_length=RECEIPTED_MAX)] = ()
    """Frames receipted within 48 hours, ascending; from them a restored central learns what it lacks."""
    central_counter: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)] = 0
    """The highest counter of central's frames that this node has seen; 0 = none."""
    central_revision: Count = 0
    """The highest revision of an incident that this node has seen signed; 0 = none."""
    part: PartNumber = 1
    """Number of this part."""
    parts: PartNumber = 1
    """Number of parts; all have the same nonce."""

    def __post_init__(self) -> None:
        check_parts(self.part, self.parts)
        cut(self, "pending", PENDING_MAX)


class SyncAnswer(Message, frozen=True):
    """``node/{node}/down/sync``: what the node may have missed."""

    boot_id: Name
    """Central's, as in its status."""
    counter_floor: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)]
    """The highest counter central has seen of this node, 0 = none: the next one must be above it."""
    incidents: Annotated[tuple[IncidentState, ...], msgspec.Meta(max_length=INCIDENTS_MAX)] = ()
    """The node's own open incidents, its own that ended within a day, then its schemes' open ones, most urgent first:
    four of each sender before any has more. Cut at its end to what fits."""
    nonce: Nonce = ""
    """The nonce of the sync that it answers."""
    at: Moment | None = None
    """Central's clock when it answered, to the millisecond. Absent from an old central."""
    sequence: Count = 0
    """As in central's status."""
    revision: Count = 0
    """The highest revision of any incident at that moment; a state not above it adds nothing."""
    more: bool = False
    """More is open than it can name: an incident that it does not name may be open. Absent from an old central."""
    missing: Annotated[tuple[Counter, ...], msgspec.Meta(max_length=RECEIPTED_MAX)] = ()
    """Frames that the node says were receipted but central lacks: send these bytes again."""
    part: PartNumber = 1
    """Number of this part."""
    parts: PartNumber = 1
    """Number of parts; all have the same nonce."""
    speaks: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=CAPABILITIES_MAX)] = ()
    """Newer features that central understands, names of :class:`~wire.kinds.CentralCapability`."""

    def __post_init__(self) -> None:
        check_parts(self.part, self.parts)
        settle_moments(self, "at")
        cut(self, "incidents", INCIDENTS_MAX)
