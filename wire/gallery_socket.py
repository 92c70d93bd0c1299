"""The lines between a unit's gallery and its node, on one Unix stream socket (docs/gallery-socket.md).

The node listens. Each line is one JSON object of at most :data:`LINE_BYTES_MAX` bytes with its line feed, told apart by
``type``. The gallery may say two things, :class:`AlertAsked` and, for the panel, :class:`PanelFace`; whatever else it
says ends the connection. What the node says may grow: a reader leaves out types and fields that it does not know.

A person travels as the scheme's number and the number of the reference (``HART-0042``: scheme ``hart``, 42). No line
holds a name or a photograph.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, get_args

import msgspec

from wire.errors import DecodeError, EncodeError
from wire.ids import U32_MAX
from wire.kinds import AlertKind, LeftWhenAsked
from wire.limits import DETAIL_CHARS_MAX
from wire.messages.fields import FrameText, Name, NodeText, SchemeNumber
from wire.text import display_text

VERSION: Final = 1
"""Of the lines. A gallery that knows another one hangs up, and says so on its page."""
LINE_BYTES_MAX: Final = 1_024
"""With the line feed; the longest of ours has names of 64 four-byte characters."""
PICTURE_BYTES_MAX: Final = 30_000
"""Of a picture for the panel: 98 × 98 colours are the most."""
FACE_BYTES_MAX: Final = 41_000
"""Of a line with such a picture."""

PersonNumber = Annotated[int, msgspec.Meta(ge=1, le=U32_MAX)]
"""Of the reference, in its scheme."""
Request = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
"""Drawn at random by the gallery: asked again with the same one, nothing is raised twice."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)]
"""Unix time; 0 = not known."""
VisitNumber = Annotated[int, msgspec.Meta(ge=1, le=U32_MAX)]
"""Of a visit to the gallery by the panel, within a run of the node."""
PanelText = Annotated[str, msgspec.Meta(max_length=21)]
KindText = Literal["breach", "sighting"]
LeftText = Literal["yes", "no", "not-asked"]
Stage = Literal["sending", "not-delivered", "received", "answered", "on-the-way", "cancelled", "closed"]
"""How far an alert has come."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of the lines."""


class AlertAsked(Line, frozen=True, kw_only=True, tag="alert"):
    """Somebody who is signed in reports a person of a gallery: raise the alert."""

    request: Request
    kind: KindText
    scheme: SchemeNumber
    """The one scheme whose members and whose people at central hear of it."""
    person: PersonNumber
    left: LeftText | None = None
    """Of a breach: whether they left when asked. Absent of a sighting."""

    def __post_init__(self) -> None:
        if (self.left is None) == (self.kind == "breach"):
            raise ValueError("a breach says whether they left when asked, a sighting does not")

    @property
    def alert_kind(self) -> AlertKind:
        """As in frames."""
        return AlertKind.BREACH if self.kind == "breach" else AlertKind.SIGHTING

    @property
    def answer(self) -> LeftWhenAsked:
        """As in frames."""
        return LeftWhenAsked.by_slug(self.left or "") or LeftWhenAsked.NOT_ASKED


class Hello(Line, frozen=True, kw_only=True, tag="hello"):
    """The node's first line on each connection."""

    version: Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
    """:data:`VERSION`."""
    node: NodeText


class Accepted(Line, frozen=True, kw_only=True, tag="accepted"):
    """The alert has its number and is on its way; :class:`Progress` says how far."""

    request: Request
    incident: FrameText
    """Id of the incident, as central and the office call it."""
    alert: FrameText
    """Id of this alert: the same, or a later one in an incident about the same person that is still open."""


class NotRaised(StrEnum):
    """Why nothing was sent."""

    RATE = "rate"
    """Too many in too short a time."""
    SCHEME = "scheme"
    """This premises is not in that scheme."""
    NOT_ARMED = "not-armed"
    """The node is starting or stopping."""
    NOT_STORED = "not-stored"
    """The disk refused it, and it could not even be numbered: nothing is sent yet. It is tried on, as with a press."""


class Refused(Line, frozen=True, kw_only=True, tag="refused"):
    """Nothing was sent for this request and, but for ``not-stored``, nothing will be."""

    request: Request
    reason: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]{0,31}$(?!\n)")]
    """A :class:`NotRaised`, or one that a newer node knows."""


class CentralTime(Line, frozen=True, kw_only=True, tag="time"):
    """Central's time at this moment, learnt in this boot from its signed answer to the node's question."""

    at_s: Annotated[int, msgspec.Meta(ge=1, le=U32_MAX)]


class Heard(Line, frozen=True, kw_only=True, tag="heard"):
    """A frame signed by central bears this time. It may be a recording."""

    at_s: Annotated[int, msgspec.Meta(ge=1, le=U32_MAX)]


class NodeState(Line, frozen=True, kw_only=True, tag="state"):
    """Whom a press reaches now, for the strip on the page."""

    reach: Literal["central", "radio", "nobody"]
    """``central``: proven. ``radio``: only by radio. ``nobody``: neither."""
    words: Name


class Progress(Line, frozen=True, kw_only=True, tag="progress"):
    """What is true of an alert that the gallery asked for; the panel shows the same."""

    incident: FrameText
    state: Stage
    words: Name


class Neighbour(Line, frozen=True, kw_only=True, tag="neighbour"):
    """Another premises' open alert about a person; again whenever it changes, and on each connection."""

    incident: FrameText
    kind: KindText
    scheme: SchemeNumber
    person: PersonNumber
    left: LeftText | None = None
    premises: Name
    place: Name = ""
    at_s: Seconds = 0
    """When it was pressed, as the panel shows it."""
    is_late: bool = False
    """It waited for over a minute: never shown as if it were happening now."""


class Ended(Line, frozen=True, kw_only=True, tag="ended"):
    """That alert is over, cancelled or too old for the panel: say no more that it is happening."""

    incident: FrameText


class PanelVisit(Line, frozen=True, kw_only=True, tag="visit"):
    """Somebody wants to look at the gallery on the unit's own panel. The one before it, if any, is over."""

    visit: VisitNumber
    width_px: Annotated[int, msgspec.Meta(ge=8, le=128)]
    """Of the place for a photograph."""
    height_px: Annotated[int, msgspec.Meta(ge=8, le=128)]
    mode: Literal["1", "L", "RGB"]
    """Of its pixels, by rows from the top: eight a byte, a grey a byte, or three bytes each."""


class PanelKey(Line, frozen=True, kw_only=True, tag="key"):
    """A button went down during a visit."""

    visit: VisitNumber
    key: Literal["up", "next", "press", "back"]


class VisitOver(Line, frozen=True, kw_only=True, tag="visit-over"):
    """An alert has the panel, or nobody pressed anything for a while: sign out."""

    visit: VisitNumber


class PanelFace(Line, frozen=True, kw_only=True, tag="face"):
    """What the gallery shows on the panel, as long as nothing else has it."""

    visit: VisitNumber
    headline: Annotated[tuple[PanelText, ...], msgspec.Meta(max_length=2)] = ()
    lines: Annotated[tuple[PanelText, ...], msgspec.Meta(max_length=4)] = ()
    """Two; beside a picture four."""
    picture: Annotated[bytes, msgspec.Meta(max_length=PICTURE_BYTES_MAX)] = b""
    """Raw pixels, all of the place that the visit named; empty = words alone."""
    is_over: bool = False
    """The gallery ends the visit."""


NodeLine = (
    Hello
    | Accepted
    | Refused
    | CentralTime
    | Heard
    | NodeState
    | Progress
    | Neighbour
    | Ended
    | PanelVisit
    | PanelKey
    | VisitOver
)
"""What the node says."""


GalleryLine = AlertAsked | PanelFace
"""What the gallery says."""


class SocketLineError(DecodeError):
    """Not a line of this socket."""


class _Kind(msgspec.Struct, frozen=True):
    type: str


_read_kind: Final = msgspec.json.Decoder(_Kind).decode
_read_asked: Final = msgspec.json.Decoder(AlertAsked | PanelFace).decode
_read_said: Final = msgspec.json.Decoder(NodeLine).decode
_SAID: Final = frozenset(one.__struct_config__.tag for one in get_args(NodeLine))


def encode_line(line: GalleryLine | NodeLine) -> bytes:
    """The line, with its line feed.

    Raises:
        EncodeError: longer than any reader takes.
    """
    data = msgspec.json.encode(line) + b"\n"
    if len(data) > (FACE_BYTES_MAX if isinstance(line, PanelFace) else LINE_BYTES_MAX):
        raise EncodeError(f"a line of {len(data)} bytes")
    return data


def decode_asked(data: bytes) -> GalleryLine:
    """What the gallery says.

    Raises:
        SocketLineError: too long, malformed, or neither an :class:`AlertAsked` nor a :class:`PanelFace`.
    """
    _check_length(data, FACE_BYTES_MAX)
    try:
        line: GalleryLine = _read_asked(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _malformed(e) from e
    if not isinstance(line, PanelFace):
        _check_length(data)
    return line


def decode_said(data: bytes) -> NodeLine | None:
    """What the node says; ``None`` = something that only a newer version knows.

    Raises:
        SocketLineError: too long or malformed.
    """
    _check_length(data)
    try:
        if _read_kind(data).type not in _SAID:
            return None
        line: NodeLine = _read_said(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _malformed(e) from e
    return line


def _check_length(data: bytes, bytes_max: int = LINE_BYTES_MAX) -> None:
    if len(data) > bytes_max:
        raise SocketLineError("socket line", bytes_max, f"{len(data)} bytes")


def _malformed(error: Exception) -> SocketLineError:
    return SocketLineError("socket line", detail=display_text(str(error), DETAIL_CHARS_MAX))
