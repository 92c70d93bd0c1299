"""The lines between central and the notifier, on one Unix stream socket (docs/notices.md).

The notifier listens. Each line is one JSON object of at most :data:`LINE_BYTES_MAX` bytes with its line feed, told
apart by ``type``. Central may say two things, :class:`Notice` and :class:`CalledOff`; anything else from it ends the
connection. What the notifier says may grow: a reader leaves out types and fields that it does not know.

No line holds the name of a person or premises, or says which kind of alert it is: the notifier cannot tell what it does
not know.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, get_args

import msgspec

from wire.errors import DecodeError, EncodeError
from wire.ids import U32_MAX
from wire.limits import DETAIL_CHARS_MAX, TEXT_CHARS_MAX
from wire.snapshots import AccountId, Way
from wire.text import display_text

VERSION: Final = 1
"""Of the lines. A central that knows another one hangs up, and says so."""
LINE_BYTES_MAX: Final = 2_048
"""With the line feed; the longest of ours has an endpoint of 1,024 characters."""
ENDPOINT_CHARS_MAX: Final = 1_024
VALID_S_MAX: Final = 3_600

# An address as HTML's own pattern for one, without what lists are made with.
_TO: Final = r"^(\+[1-9][0-9]{6,14}|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,252})$(?!\n)"
Request = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
"""Central's: ordered again with the same one, nothing is sent twice."""
Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$(?!\n)")]
"""What central's page opens by. It means nothing to anybody else."""
ReasonText = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]{0,31}$(?!\n)")]
Occasion = Literal["alert", "test", "drill", "shift", "premises-alert", "premises-fault"]
"""An alert waits; a test of this phone; an alert that is a drill; the person's shift begins; an alert, or something
wrong with the unit, at premises of the member whose contact the person is."""
OccasionText = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]{0,31}$(?!\n)")]
FIRST_OCCASIONS: Final = ("alert", "test", "drill", "shift")
"""Those of a notifier that names none. It hangs up on any other."""


SHIFT_REFERENCE: Final = "shift"
"""Of each notice that a shift begins: it opens the control room, where its person goes on duty."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of the lines."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Of a browser's page to its push service, as the Push API gives it. It comes from outside."""

    endpoint: Annotated[str, msgspec.Meta(pattern=r"^https://[!#-\[\]-~]{1,1016}$(?!\n)")]
    """Where messages for it go (RFC 8030, section 5); without what JSON doubles, for it must fit into a line."""
    p256dh: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{87}$(?!\n)")]
    """The browser's public key: 65 bytes, base64url (RFC 8291, section 3.1)."""
    auth: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{22}$(?!\n)")]
    """The secret that it shares: 16 bytes, base64url (RFC 8291, section 3.2)."""


class Notice(Line, frozen=True, kw_only=True, tag="notice"):
    """Tell somebody, by one way, at one address."""

    request: Request
    account: AccountId
    way: Way
    to: Annotated[str, msgspec.Meta(pattern=_TO)] | None = None
    """A telephone number as E.164, or an e-mail address. Absent of ``push``."""
    subscription: Subscription | None = None
    """Of ``push`` alone."""
    priority: Annotated[int, msgspec.Meta(ge=1, le=5)]
    """1 is the most urgent: an attack."""
    occasion: Occasion
    reference: Reference
    valid_s: Annotated[int, msgspec.Meta(ge=1, le=VALID_S_MAX)]
    """For how long from now it is worth sending. A span, because a clock may be set meanwhile."""

    def __post_init__(self) -> None:
        if (self.way == "push") != (self.subscription is not None) or (self.way == "push") != (self.to is None):
            raise ValueError("a push goes to a subscription, a text message or an e-mail to an address")
        if self.to is not None and (self.way == "sms") != self.to.startswith("+"):
            raise ValueError("a text message goes to a number, an e-mail to an address")


class CalledOff(Line, frozen=True, kw_only=True, tag="call-off"):
    """It has been answered, or is over: nothing with this reference is begun any more."""

    reference: Reference


class Hello(Line, frozen=True, kw_only=True, tag="hello"):
    """The notifier's first line on each connection."""

    version: Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
    """:data:`VERSION`."""
    ways: tuple[Way, ...]
    """Those that are configured."""
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{87}$(?!\n)")]
    """Its public key for push services, which browsers subscribe with (RFC 8292, section 3.2): 65 bytes, base64url."""
    occasions: tuple[OccasionText, ...] = FIRST_OCCASIONS
    """Those that it can tell of: each an :data:`Occasion`, or one that a newer central knows."""


class Accepted(Line, frozen=True, kw_only=True, tag="accepted"):
    """It has been taken, and is tried at once."""

    request: Request


class Grouped(Line, frozen=True, kw_only=True, tag="grouped"):
    """Not tried by itself: this address was told less than a minute ago, or is told of something more urgent now.

    It goes out with the next message there, and is then reported like any other.
    """

    request: Request
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=U32_MAX)]
    """How long until that message at the latest."""


class Delivered(Line, frozen=True, kw_only=True, tag="delivered"):
    """The push service or gateway has taken it. Whether anybody saw it, nobody knows."""

    request: Request


class Reason(StrEnum):
    """Why nothing was sent."""

    GONE = "gone"
    """The subscription exists no more (404, 410): forget it."""
    REFUSED = "refused"
    """The push service or gateway said no."""
    NO_CREDIT = "no-credit"
    """The gateway wants to be paid (402)."""
    TOO_MANY = "too-many"
    """It is flooded, or broken, and was still so when tried again (429, 5xx)."""
    REDIRECTED = "redirected"
    """It points elsewhere: nothing is sent there."""
    UNREACHED = "unreached"
    """No connection, or a certificate that is not its own."""
    NO_ANSWER = "no-answer"
    """It did not answer in time. The message may have gone out."""
    BAD_ADDRESS = "bad-address"
    """Nothing is sent there: no https, or an address in a private network; or keys that are none."""
    NOT_CONFIGURED = "not-configured"
    """The notifier has no gateway for this way."""
    EXPIRED = "expired"
    """Its time had passed before it could be sent."""
    CALLED_OFF = "called-off"
    """As central said."""
    FULL = "full"
    """Too many notices wait."""
    OWN_FAULT = "own-fault"
    """A fault of the notifier's, in its log."""


class Failed(Line, frozen=True, kw_only=True, tag="failed"):
    """It did not go out; this person was not asked by it."""

    request: Request
    reason: ReasonText
    """A :class:`Reason`, or one that a newer notifier knows."""
    words: Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)] = ""
    """For the operator: one line, without an address."""


CentralLine = Notice | CalledOff
"""What central says."""
NotifierLine = Hello | Accepted | Grouped | Delivered | Failed
"""What the notifier says. Each notice ends with one ``Delivered`` or ``Failed``."""


class NoticeLineError(DecodeError):
    """Not a line of this socket."""


class _Kind(msgspec.Struct, frozen=True):
    type: str


_read_kind: Final = msgspec.json.Decoder(_Kind).decode
_read_ordered: Final = msgspec.json.Decoder(CentralLine).decode
_read_reported: Final = msgspec.json.Decoder(NotifierLine).decode
_REPORTED: Final = frozenset(one.__struct_config__.tag for one in get_args(NotifierLine))


def encode_notice_line(line: CentralLine | NotifierLine) -> bytes:
    """The line, with its line feed.

    Raises:
        EncodeError: longer than any reader takes.
    """
    data = msgspec.json.encode(line) + b"\n"
    if len(data) > LINE_BYTES_MAX:
        raise EncodeError(f"a line of {len(data)} bytes")
    return data


def decode_ordered(data: bytes) -> CentralLine:
    """What central says.

    Raises:
        NoticeLineError: too long, malformed, or neither a :class:`Notice` nor a :class:`CalledOff`.
    """
    _check_length(data)
    try:
        line: CentralLine = _read_ordered(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _malformed(e) from e
    return line


def decode_reported(data: bytes) -> NotifierLine | None:
    """What the notifier says; ``None`` = something that only a newer version knows.

    Raises:
        NoticeLineError: too long or malformed.
    """
    _check_length(data)
    try:
        if _read_kind(data).type not in _REPORTED:
            return None
        line: NotifierLine = _read_reported(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise _malformed(e) from e
    return line


def _check_length(data: bytes) -> None:
    if len(data) > LINE_BYTES_MAX:
        raise NoticeLineError("notice line", LINE_BYTES_MAX, f"{len(data)} bytes")


def _malformed(error: Exception) -> NoticeLineError:
    return NoticeLineError("notice line", detail=display_text(str(error), DETAIL_CHARS_MAX))
