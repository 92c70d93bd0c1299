"""Everything that is not a frame: JSON, for people and other tools, checked and capped at the door.

Times are RFC 3339 with a zone, and UTC once read. Unknown fields are ignored, so that a newer peer may say
more. Texts are cleaned by :func:`wire.text.display_text` before they are shown, not here: the message is
kept as it came.

A list that is too long is cut from its end when a message is *built*, so that a long night never makes a
message that its receiver would refuse whole. A receiver refuses what is over a limit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec.structs import force_setattr, replace

from wire.errors import EncodeError, MessageDecodeError
from wire.ids import U32_MAX, FrameId
from wire.limits import DETAIL_CHARS_MAX, MESSAGE_BYTES_MAX, NAME_CHARS_MAX, SYNC_ANSWER_BYTES_MAX, TEXT_CHARS_MAX
from wire.text import display_text

FAULTS_MAX: Final = 16
REASONS_MAX: Final = 128
PENDING_MAX: Final = 128
MEMBERS_MAX: Final = 64
ROLES_MAX: Final = 16
INCIDENTS_MAX: Final = 256
_YEARS: Final = range(1970, 9999)

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware instant, 1970 … 9998."""
Name = Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
# "$" alone would let a trailing newline pass in Python; with the look-ahead it means the same everywhere.
NodeText = Annotated[str, msgspec.Meta(pattern=r"^(?!0{8})[0-9a-f]{8}$(?!\n)")]
FrameText = Annotated[str, msgspec.Meta(pattern=r"^(?!0{8})[0-9a-f]{8}-[1-9][0-9]{0,9}$(?!\n)")]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$(?!\n)")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Counter = Annotated[int, msgspec.Meta(ge=1, le=U32_MAX)]
"""Of a frame."""
SchemeNumber = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the JSON messages."""


def settle_moments(message: Message, *fields: str) -> None:
    """Bring these fields to UTC, so that no reader overflows on the first or last day of the calendar.

    Raises:
        ValueError: no zone, or outside 1970 … 9998. msgspec reports it as a field that is out of bounds.
    """
    for field in fields:
        moment: datetime | None = getattr(message, field)
        if moment is None:
            continue
        if moment.tzinfo is None or moment.year not in _YEARS:
            raise ValueError(f"{field} is not a moment with a zone in 1970 … 9998")
        if moment.tzinfo is not UTC:
            force_setattr(message, field, moment.astimezone(UTC))


def _cut(message: Message, field: str, length_max: int) -> None:
    items: tuple[object, ...] = getattr(message, field)
    if len(items) > length_max:
        force_setattr(message, field, items[:length_max])


class FaultReport(Message, frozen=True):
    """A part of the node that does not work now."""

    part: Name
    """``oled``, ``buttons``, ``sounder``, ``led``, ``store``, ``network``, ``clock``."""
    detail: Text
    """What the driver said, in one line."""
    age_ms: Count
    """How long it has been so."""

    def __post_init__(self) -> None:
        # A driver may say a page, or a path that is no Unicode; what travels is a line of it.
        force_setattr(self, "detail", display_text(self.detail, TEXT_CHARS_MAX))


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
    faults: Annotated[tuple[FaultReport, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()
    rejected: Annotated[dict[Name, Count], msgspec.Meta(max_length=REASONS_MAX)] = {}
    """Input dropped since start, by reason (:data:`wire.errors.REASONS`)."""

    def __post_init__(self) -> None:
        settle_moments(self, "at")
        _cut(self, "faults", FAULTS_MAX)


class PendingFrame(Message, frozen=True):
    """A frame that still waits at the node, and for how long, by the node's own monotonic clock."""

    counter: Counter
    age_ms: Count


class Sync(Message, frozen=True):
    """``node/{node}/up/sync``: sent after each connect and each time central has a new boot id."""

    boot_id: Name
    directory_serial: Count = 0
    last_counter: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)] = 0
    """The highest counter the node has stored; 0 = none."""
    pending: Annotated[tuple[PendingFrame, ...], msgspec.Meta(max_length=PENDING_MAX)] = ()
    """Oldest first; gives central the age of alerts whose clock was not proven (N13)."""

    def __post_init__(self) -> None:
        _cut(self, "pending", PENDING_MAX)


class Answer(Message, frozen=True):
    """Who has taken it."""

    role: Slug
    name: Name
    at: Moment

    def __post_init__(self) -> None:
        settle_moments(self, "at")


class MemberAnswer(Message, frozen=True):
    """What another premises pressed."""

    node: NodeText
    premises: Name
    response: Literal["seen", "responding"]
    at: Moment

    def __post_init__(self) -> None:
        settle_moments(self, "at")


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
    members: Annotated[tuple[MemberAnswer, ...], msgspec.Meta(max_length=MEMBERS_MAX)] = ()
    """First come, first named."""

    def __post_init__(self) -> None:
        FrameId.parse(self.incident)
        settle_moments(self, "opened_at", "expires_at")
        _cut(self, "members", MEMBERS_MAX)


class CentralStatus(Message, frozen=True):
    """``scheme/{scheme}/central``: at start, every 10 s, and when duty changes. Proves the path to the node."""

    boot_id: Name
    at: Moment
    expires_at: Moment
    on_duty: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=ROLES_MAX)] = ()
    """Roles with somebody on watch; empty means nobody (C2)."""

    def __post_init__(self) -> None:
        settle_moments(self, "at", "expires_at")


class SyncAnswer(Message, frozen=True):
    """``node/{node}/down/sync``: what central knows that the node may have missed."""

    boot_id: Name
    counter_floor: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)]
    """The highest counter central has seen of this node, 0 = none: the next one must be above it."""
    incidents: Annotated[tuple[IncidentState, ...], msgspec.Meta(max_length=INCIDENTS_MAX)] = ()
    """The node's own open incidents, its own that ended within a day, then its schemes' open ones, most
    urgent first. Cut from its end to what fits."""

    def __post_init__(self) -> None:
        _cut(self, "incidents", INCIDENTS_MAX)


M = TypeVar("M", bound=Message)


@cache
def _decoder(kind: type[Message]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def bytes_max(kind: type[Message]) -> int:
    """The size cap of a type of message."""
    return SYNC_ANSWER_BYTES_MAX if kind is SyncAnswer else MESSAGE_BYTES_MAX


def encode_message(message: Message) -> bytes:
    """The message as UTF-8 JSON. A sync answer over its size cap loses incidents from the end until it fits.

    Raises:
        EncodeError: no receiver would take it: a field is out of bounds, or it is over its cap.
    """
    try:
        data = msgspec.json.encode(message)
        while isinstance(message, SyncAnswer) and len(data) > SYNC_ANSWER_BYTES_MAX and message.incidents:
            message = replace(message, incidents=message.incidents[: len(message.incidents) // 2])
            data = msgspec.json.encode(message)
        decode_message(data, type(message))
    except (MessageDecodeError, UnicodeEncodeError) as e:
        raise EncodeError(f"{type(message).__name__}: {e}") from e
    return data


def decode_message(data: bytes, kind: type[M]) -> M:
    """Read one JSON message.

    Raises:
        MessageDecodeError: too large, not JSON, a field of the wrong type or out of bounds.
    """
    cap = bytes_max(kind)
    if len(data) > cap:
        raise MessageDecodeError("message too large", cap, f"{len(data)} bytes")
    try:
        message: M = _decoder(kind).decode(data)
    except msgspec.ValidationError as e:
        raise MessageDecodeError("message field", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise MessageDecodeError("message json", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    return message
