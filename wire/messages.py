"""Everything that is not a frame: JSON, for people and other tools, checked and capped at the door.

Times are RFC 3339 with a zone. Unknown fields are ignored, so that a newer peer may say more. Texts are
cleaned by :func:`wire.text.display_text` before they are shown, not here: the message is kept as it came.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from wire.errors import MessageDecodeError
from wire.limits import MESSAGE_BYTES_MAX, NAME_CHARS_MAX, SYNC_ANSWER_BYTES_MAX, TEXT_CHARS_MAX

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware instant."""
Name = Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
NodeText = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$")]
FrameText = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}-[1-9][0-9]{0,9}$")]
Slug = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,31}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the JSON messages."""


class FaultReport(Message, frozen=True):
    """A part of the node that does not work now."""

    part: Name
    """``oled``, ``buttons``, ``sounder``, ``led``, ``store``, ``network``, ``clock``."""
    detail: Text
    """What the driver said, in one line."""
    age_ms: Count
    """How long it has been so."""


class Health(Message, frozen=True):
    """``node/{node}/up/health``: every 10 s, and (with ``state="lost"``) as the node's last will."""

    state: Literal["armed", "starting", "stopping", "lost"]
    boot_id: Name
    """New at every start of the program, so that a restart between two heartbeats shows."""
    version: Name = ""
    at: Moment | None = None
    """``None`` while the node's clock is not proven."""
    uptime_ms: Count = 0
    outbox_depth: Count = 0
    """Frames stored here for which central has given no receipt."""
    oldest_unreceipted_ms: Count = 0
    directory_serial: Count = 0
    faults: Annotated[tuple[FaultReport, ...], msgspec.Meta(max_length=16)] = ()
    rejected: dict[Name, Count] = {}
    """Input dropped since start, by reason."""


class PendingFrame(Message, frozen=True):
    """A frame that still waits at the node, and for how long, by the node's own monotonic clock."""

    counter: Count
    age_ms: Count


class Sync(Message, frozen=True):
    """``node/{node}/up/sync``: sent after each connect and each time central has a new boot id."""

    boot_id: Name
    directory_serial: Count = 0
    last_counter: Count = 0
    pending: Annotated[tuple[PendingFrame, ...], msgspec.Meta(max_length=128)] = ()
    """Oldest first; gives central the age of alerts whose clock was not proven (N13)."""


class Answer(Message, frozen=True):
    """Who has taken it."""

    role: Slug
    name: Name
    at: Moment


class MemberAnswer(Message, frozen=True):
    """What another premises pressed."""

    node: NodeText
    premises: Name
    response: Literal["seen", "responding"]
    at: Moment


class IncidentState(Message, frozen=True):
    """``scheme/{scheme}/incident``: the whole state of one incident, each time it changes."""

    incident: FrameText
    revision: Count
    """Rises with each change; an older revision that arrives later is ignored."""
    scheme: Slug
    node: NodeText
    premises: Name
    place: Name
    kind: Slug
    """Kind of its most urgent alert so far."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=5)]
    state: Literal["unanswered", "answered", "on-the-way", "closed"]
    opened_at: Moment
    """When it was pressed, or when it arrived if the node's clock was not proven."""
    expires_at: Moment
    """After this the message says nothing any more: ask with a sync."""
    late: bool = False
    silent: bool = False
    drill: bool = False
    cancelled: Literal["mistake", "stand-down"] | None = None
    answer: Answer | None = None
    members: Annotated[tuple[MemberAnswer, ...], msgspec.Meta(max_length=64)] = ()


class CentralStatus(Message, frozen=True):
    """``scheme/{scheme}/central``: at start, every 10 s, and when duty changes. Proves the path to the node."""

    boot_id: Name
    at: Moment
    expires_at: Moment
    on_duty: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=16)] = ()
    """Roles with somebody on watch; empty means nobody (C2)."""


class SyncAnswer(Message, frozen=True):
    """``node/{node}/down/sync``: what central knows that the node may have missed."""

    boot_id: Name
    counter_floor: Count
    """The highest counter central has seen of this node: the next one must be above it."""
    incidents: Annotated[tuple[IncidentState, ...], msgspec.Meta(max_length=256)] = ()
    """The node's schemes' open incidents, and its own that ended within a day."""


M = TypeVar("M", bound=Message)


def encode_message(message: Message) -> bytes:
    """The message as UTF-8 JSON."""
    return msgspec.json.encode(message)


def decode_message(data: bytes, kind: type[M]) -> M:
    """Read one JSON message.

    Raises:
        MessageDecodeError: too large, not JSON, a field of the wrong type or out of bounds.
    """
    cap = SYNC_ANSWER_BYTES_MAX if kind is SyncAnswer else MESSAGE_BYTES_MAX
    if len(data) > cap:
        raise MessageDecodeError("message too large", cap, f"{len(data)} bytes")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as e:
        raise MessageDecodeError("message field", detail=str(e)[:200]) from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise MessageDecodeError("message json", detail=str(e)[:200]) from e
