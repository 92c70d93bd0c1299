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
CAPABILITIES_MAX: Final = 16
RECEIPTED_MAX: Final = 512
"""In one part of a sync; as many again may be named as missing in a part of its answer."""
PARTS_MAX: Final = 1_024
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
# Of 16 random bytes; empty from a node of an old version.
Nonce = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")]
DigestText = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
"""The first eight bytes of SHA-256 over a frame's bytes (:func:`wire.answers.frame_digest`)."""
PartNumber = Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)]
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


def _check_parts(part: int, parts: int) -> None:
    if part > parts:
        raise ValueError(f"part {part} of {parts}")


class FaultReport(Message, frozen=True):
    """A part of the node that does not work now."""

    part: Name
    """``oled``, ``buttons``, ``sounder``, ``led``, ``store``, ``network``, ``radio``, ``modem``, ``speech``, ``clock``,
    ``identity`` (another unit has this one's)."""
    detail: Text
    """What the driver said, in one line."""
    age_ms: Count
    """How long it has been so."""

    def __post_init__(self) -> None:
        # A driver may say a page, or a path that is no Unicode; what travels is a line of it.
        force_setattr(self, "detail", display_text(self.detail, TEXT_CHARS_MAX))


class RadioReport(Message, frozen=True):
    """The radio path as its node sees it (N10, N11)."""

    state: Literal["fault", "listening", "untested", "ready"]
    """``listening``: no licence reference, so it never transmits. ``untested``: no path test has come back lately.
    ``ready``: the last one did."""
    licence: Name = ""
    """The reference, as configured."""
    tested_age_ms: Count | None = None
    """Since the last path test that came back over the air; absent = never."""
    overs: Count = 0
    """Transmitted since start."""
    airtime_ms: Count = 0
    """Transmitted since start."""
    bursts_heard: Count = 0
    """Frames heard on the air and verified, since start."""
    busy_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    """Of the last minutes in which the channel was in use by others."""
    blocked_ms: Count = 0
    """How long an alert has waited for a channel that is never clear; 0 = none waits."""


class Health(Message, frozen=True):
    """``node/{node}/up/health``: every 10 s, and (with ``state="lost"``) as the node's last will."""

    state: Literal["armed", "starting", "stopping", "lost"]
    """``armed``: pins watched, store open. ``lost`` comes from the broker, as the last will."""
    boot_id: Name
    """New at every start of the program, so that a restart between two heartbeats shows."""
    version: Name = ""
    """The program's."""
    at: Moment | None = None
    """Absent while the node's clock is not proven."""
    uptime_ms: Count = 0
    """Since the start of the program."""
    outbox_depth: Count = 0
    """Frames stored here for which central has given no receipt."""
    oldest_unreceipted_ms: Count = 0
    """Age of the oldest of them."""
    directory_serial: Count = 0
    """Of the directory it holds; 0 = none."""
    faults: Annotated[tuple[FaultReport, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()
    """What does not work now."""
    rejected: Annotated[dict[Name, Count], msgspec.Meta(max_length=REASONS_MAX)] = {}
    """Input dropped since start, by reason (:data:`wire.errors.REASONS`)."""
    radio: RadioReport | None = None
    """Absent where no radio is configured."""
    speaks: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=CAPABILITIES_MAX)] = ()
    """What newer things it understands, names of :class:`~wire.kinds.Capability`. Believed only if signed."""

    def __post_init__(self) -> None:
        settle_moments(self, "at")
        _cut(self, "faults", FAULTS_MAX)


class PendingFrame(Message, frozen=True):
    """A frame that still waits at the node, and for how long, by the node's own monotonic clock."""

    counter: Counter
    """Of the frame."""
    age_ms: Count
    """Since the press."""


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
    """Of the directory it holds; central sends a newer one."""
    last_counter: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)] = 0
    """The highest counter the node has stored; 0 = none."""
    pending: Annotated[tuple[PendingFrame, ...], msgspec.Meta(max_length=PENDING_MAX)] = ()
    """Oldest first; gives central the age of alerts whose clock was not proven (N13)."""
    nonce: Nonce = ""
    """32 hexadecimal digits that this node has never used: the answer bears them, and so proves that it is one."""
    receipted: Annotated[tuple[ReceiptedFrame, ...], msgspec.Meta(max_length=RECEIPTED_MAX)] = ()
    """What central has receipted within 48 hours, ascending: a central that was restored finds out what it lacks."""
    central_counter: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)] = 0
    """The highest counter of a frame of central's that this node has seen; 0 = none."""
    central_revision: Count = 0
    """The highest revision of an incident that this node has seen signed; 0 = none."""
    part: PartNumber = 1
    """Which part this is."""
    parts: PartNumber = 1
    """How many there are; all bear the same nonce."""

    def __post_init__(self) -> None:
        _check_parts(self.part, self.parts)
        _cut(self, "pending", PENDING_MAX)


class Answer(Message, frozen=True):
    """Who has taken it."""

    role: Slug
    """A name of :class:`~wire.kinds.Role`; a newer central may know more."""
    name: Name
    """As the person gave it, in full."""
    at: Moment
    """When central committed it."""
    press: FrameText | None = None
    """Id of the press that was answered: a later one of the same incident is not. Absent from an old central."""
    after_s: Count | None = None
    """Whole seconds from that press to the answer, so that every screen says the same."""

    def __post_init__(self) -> None:
        if self.press is not None:
            FrameId.parse(self.press)
        settle_moments(self, "at")


class MemberAnswer(Message, frozen=True):
    """What another premises pressed."""

    node: NodeText
    """The member's."""
    premises: Name
    """Its name in the directory."""
    response: Literal["seen", "responding"]
    """The latest it pressed."""
    at: Moment
    """When central committed it."""

    def __post_init__(self) -> None:
        settle_moments(self, "at")


class IncidentState(Message, frozen=True):
    """``scheme/{scheme}/incident``: the whole state of one incident, each time it changes."""

    incident: FrameText
    """Id of the alert that opened it."""
    revision: Count
    """Rises with each change; an older revision that arrives later is ignored."""
    scheme: Slug
    """The scheme this copy is for."""
    node: NodeText
    """The presser's."""
    premises: Name
    """The presser's, in the directory."""
    place: Name
    """Where that is."""
    kind: Slug
    """Kind of its most urgent alert so far, a name of :class:`~wire.kinds.AlertKind`; a newer central may know more."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=5)]
    """1 … 4 as on the badges, 5 = test."""
    state: Literal["unanswered", "answered", "on-the-way", "closed"]
    """What a person on duty has said."""
    opened_at: Moment
    """When it was pressed, or when it arrived if the node's clock was not proven."""
    expires_at: Moment
    """After this the message says nothing any more: ask with a sync."""
    late: bool = False
    """It reached central late (N13): never shown as live."""
    live_at: Moment | None = None
    """When its newest press that is not late was made, by central's clock, or else reached central; absent if late."""
    silent: bool = False
    """Nothing may be seen or heard at the presser's premises (N4)."""
    drill: bool = False
    """An exercise."""
    cancelled: Literal["mistake", "stand-down"] | None = None
    """The presser took it back, and why; it stays open until a person closes it (N6)."""
    answer: Answer | None = None
    """Who has taken it; absent while nobody has."""
    members: Annotated[tuple[MemberAnswer, ...], msgspec.Meta(max_length=MEMBERS_MAX)] = ()
    """What neighbours pressed, first come first; one entry for each."""

    def __post_init__(self) -> None:
        FrameId.parse(self.incident)
        settle_moments(self, "opened_at", "expires_at", "live_at")
        _cut(self, "members", MEMBERS_MAX)


class CentralStatus(Message, frozen=True):
    """``scheme/{scheme}/central``: at start, every 10 s, and when duty changes. Proves the path to the node."""

    boot_id: Name
    """New at every start of central: a node that sees a new one asks for a sync."""
    at: Moment
    """Central's clock."""
    expires_at: Moment
    """After this it proves nothing any more."""
    on_duty: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=ROLES_MAX)] = ()
    """Roles with somebody on duty; empty means nobody (C2)."""
    sequence: Count = 0
    """Rises with each status and sync answer of one boot id: an older one that arrives later is ignored."""

    def __post_init__(self) -> None:
        settle_moments(self, "at", "expires_at")


class SyncAnswer(Message, frozen=True):
    """``node/{node}/down/sync``: what central knows that the node may have missed."""

    boot_id: Name
    """Central's, as in its status."""
    counter_floor: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)]
    """The highest counter central has seen of this node, 0 = none: the next one must be above it."""
    incidents: Annotated[tuple[IncidentState, ...], msgspec.Meta(max_length=INCIDENTS_MAX)] = ()
    """The node's own open incidents, its own that ended within a day, then its schemes' open ones, most
    urgent first. Cut from its end to what fits."""
    nonce: Nonce = ""
    """That of the sync which it answers."""
    at: Moment | None = None
    """Central's clock when it answered, to the millisecond. Absent from an old central."""
    sequence: Count = 0
    """Of the boot id, as in its status."""
    revision: Count = 0
    """The highest revision of an incident when it answered: a state with none above it says nothing more."""
    more: bool = False
    """More is open than it can name: what it does not name is not closed for that. Absent from an old central."""
    missing: Annotated[tuple[Counter, ...], msgspec.Meta(max_length=RECEIPTED_MAX)] = ()
    """Of the frames that the node says were receipted, those that central does not have: send these bytes again."""
    part: PartNumber = 1
    """Which part this is."""
    parts: PartNumber = 1
    """How many there are; all bear the same nonce."""

    def __post_init__(self) -> None:
        _check_parts(self.part, self.parts)
        settle_moments(self, "at")
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
