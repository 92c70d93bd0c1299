"""Frames v1: an alert's form on every path, at most 96 bytes, signed by its sender.

| offset | width | type | meaning |
|---|---|---|---|
| 0 | 1 | u4 · u4 | version (1) · :class:`~wire.kinds.FrameKind` |
| 1 | 4 | u32 | sender, a node id, not 0 |
| 5 | 4 | u32 | the sender's counter, not 0, never reused |
| 9 | 4 | u32 | Unix time of the fact, seconds; 0 = the sender's clock is not proven |
| 13 | ≤ 19 | | body, by kind (see each class) |
| end-64 | 64 | | Ed25519 over ``watchlink/1/frame`` NUL and all bytes before it |

Integers are big-endian. There is no length field: every carrier delimits its payload. A retransmission
repeats identical bytes, so a receiver dedupes by id and answers again. Two different frames with one id
are the sender's fault (a copied card, a reused counter) and are never both shown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import ClassVar, Final

from msgspec import Struct

from wire.answers import (
    BATCH_DIGEST_BYTES,
    DIGEST_BYTES,
    Acknowledgement,
    AutomaticAcknowledgement,
    DigestReceipt,
    DigestReceiptBatch,
    DigestReceipted,
    PressAcknowledgement,
    Receipt,
    ReceiptBatch,
    Receipted,
    Refusal,
    frame_digest,
)
from wire.bodies import BodyReader, pack_schemes, pack_target
from wire.errors import EncodeError, FrameDecodeError
from wire.head import Head
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import (
    ABOUT_PERSONS,
    AlertKind,
    AnswerState,
    CancelReason,
    FrameKind,
    LeftWhenAsked,
    MemberResponse,
    Path,
    Priority,
    RefusalReason,
    Role,
)
from wire.limits import FRAME_BYTES_MAX
from wire.signing import FRAME_DOMAIN, SIGNATURE_BYTES, PublicKey, SigningKey

__all__ = [
    "Acknowledgement",
    "Alert",
    "AutomaticAcknowledgement",
    "Cancel",
    "CentralFrame",
    "DigestReceipt",
    "DigestReceiptBatch",
    "DigestReceipted",
    "Frame",
    "MemberFrame",
    "PathTest",
    "PressAcknowledgement",
    "Receipt",
    "ReceiptBatch",
    "Receipted",
    "Refusal",
    "Response",
    "SignedFrame",
    "decode",
    "encode",
    "frame_digest",
]

VERSION: Final = 1
_HEADER: Final = struct.Struct(">BIII")
_FLAG_SILENT: Final = 1
_FLAG_DRILL: Final = 2
_FLAG_ABOUT: Final = 4
_ABOUT: Final = struct.Struct(">IB")
_PATHS: Final = {Path.NETWORK: 1, Path.RADIO: 2}
_PATHS_BY_NUMBER: Final = {number: path for path, number in _PATHS.items()}


class Alert(Head, frozen=True):
    """A press. Body: kind u8 · flags u8 (1 silent, 2 drill, 4 about a person) · incident u32 · schemes n × u16.

    With flag 4, which only a breach or a sighting has, and no silent one: one scheme, then about u32 · left u8.

    Attributes:
        kind: what the alert is about.
        incident: counter of this sender's alert that opened the incident; the frame's own counter opens a new
            one, an earlier counter makes it an upgrade or a repeat (N2).
        schemes: numbers of the schemes it is for, ascending, without repeats.
        silent: nothing may be seen or heard at the sender's premises (N4).
        drill: an exercise; shown and counted separately.
        about: number of the person's reference in the alert's one scheme; 0 = about nobody in its gallery.
        left: of a breach about a person, whether they left when asked.
    """

    KIND: ClassVar[FrameKind] = FrameKind.ALERT

    kind: AlertKind
    incident: int
    schemes: tuple[int, ...]
    silent: bool = False
    drill: bool = False
    about: int = 0
    left: LeftWhenAsked = LeftWhenAsked.NOT_ASKED

    @property
    def incident_id(self) -> FrameId:
        """The incident this alert opens or belongs to."""
        return FrameId(self.sender, self.incident)

    def body(self) -> bytes:  # noqa: D102
        if not 0 < self.incident <= self.counter:
            raise EncodeError(f"incident {self.incident} is not in 1 … {self.counter}, the alert's own counter")
        flags = _FLAG_SILENT * self.silent | _FLAG_DRILL * self.drill | _FLAG_ABOUT * bool(self.about)
        head = struct.pack(">BBI", self.kind, flags, self.incident) + pack_schemes(self.schemes)
        return head + self._person() if self.about or self.left else head

    def _person(self) -> bytes:
        if self.about == 0 or self.kind not in ABOUT_PERSONS or self.silent or len(self.schemes) != 1:
            raise EncodeError("a person is of one scheme, in a breach or a sighting that is not silent")
        if self.left and self.kind is not AlertKind.BREACH:
            raise EncodeError("only whoever broke a ban can have been asked to leave")
        return _ABOUT.pack(self.about, self.left)


class Cancel(Head, frozen=True):
    """The presser takes an incident back (N6). Body: incident u32 · reason u8 · schemes n × u16.

    Attributes:
        incident: counter of the alert that opened it; below the frame's own counter.
    """

    KIND: ClassVar[FrameKind] = FrameKind.CANCEL

    incident: int
    reason: CancelReason
    schemes: tuple[int, ...]

    @property
    def incident_id(self) -> FrameId:
        """The incident that is taken back."""
        return FrameId(self.sender, self.incident)

    def body(self) -> bytes:  # noqa: D102
        if not 0 < self.incident < self.counter:
            raise EncodeError(f"incident {self.incident} is not in 1 … {self.counter - 1}, before the cancel itself")
        return struct.pack(">IB", self.incident, self.reason) + pack_schemes(self.schemes)


class PathTest(Head, frozen=True):
    """Proves a path end to end without alarming anyone (N11). Body: path u8 (1 network, 2 radio)."""

    KIND: ClassVar[FrameKind] = FrameKind.PATH_TEST

    path: Path

    def body(self) -> bytes:  # noqa: D102
        return bytes([_PATHS[self.path]])


class Response(Head, frozen=True):
    """Another member pressed *seen* or *responding* on incident ``target`` (N5).

    Body: target u32 u32 · response u8 · schemes n × u16.
    """

    KIND: ClassVar[FrameKind] = FrameKind.RESPONSE

    target: FrameId
    response: MemberResponse
    schemes: tuple[int, ...]

    def body(self) -> bytes:  # noqa: D102
        return pack_target(self.target) + bytes([self.response]) + pack_schemes(self.schemes)


MemberFrame = Alert | Cancel | PathTest | Response
"""Frames that members send."""
CentralFrame = (
    Receipt
    | Acknowledgement
    | ReceiptBatch
    | DigestReceipt
    | DigestReceiptBatch
    | Refusal
    | AutomaticAcknowledgement
    | PressAcknowledgement
)
"""Frames that only central may send."""
Frame = MemberFrame | CentralFrame


class SignedFrame(Struct, frozen=True):
    """A frame together with the exact bytes that carried it."""

    frame: Frame
    data: bytes

    def verify(self, key: PublicKey) -> None:
        """Check the signature.

        Raises:
            SignatureInvalidError: ``key`` did not sign these bytes.
        """
        key.verify(FRAME_DOMAIN, self.data[:-SIGNATURE_BYTES], self.data[-SIGNATURE_BYTES:])


def encode(frame: Frame, key: SigningKey) -> bytes:
    """The frame's bytes, signed; the same frame and key always give the same bytes.

    Raises:
        EncodeError: a field is out of its range.
    """
    for name, value, lowest in (("sender", frame.sender, 1), ("counter", frame.counter, 1), ("at_s", frame.at_s, 0)):
        if not lowest <= value <= U32_MAX:
            raise EncodeError(f"{name} {value} is not in {lowest} … {U32_MAX}")
    try:
        body = frame.body()
    except (struct.error, UnicodeEncodeError) as e:
        raise EncodeError(f"{type(frame).__name__}: {e}") from e
    head = _HEADER.pack(VERSION << 4 | frame.KIND, frame.sender, frame.counter, frame.at_s)
    unsigned = head + body
    return unsigned + key.sign(FRAME_DOMAIN, unsigned)


def decode(data: bytes) -> SignedFrame:
    """Read a frame's fields. The signature is *not* checked: see :meth:`SignedFrame.verify`.

    Exactly one byte string decodes to a given frame and signature: decoding then encoding repeats it.

    Raises:
        FrameDecodeError: with a reason and the offset, for anything that is not a frame v1.
    """
    if len(data) > FRAME_BYTES_MAX:
        raise FrameDecodeError("too long", FRAME_BYTES_MAX, f"{len(data)} bytes")
    if len(data) < _HEADER.size + SIGNATURE_BYTES:
        raise FrameDecodeError("truncated", len(data))
    first, sender, counter, at_s = _HEADER.unpack_from(data)
    if first >> 4 != VERSION:
        raise FrameDecodeError("version", 0, str(first >> 4))
    try:
        kind = FrameKind(first & 0x0F)
    except ValueError as e:
        raise FrameDecodeError("kind", 0, str(first & 0x0F)) from e
    if sender == 0:
        raise FrameDecodeError("sender", 1, "0")
    if counter == 0:
        raise FrameDecodeError("counter", 5, "0")
    body = BodyReader(data[: len(data) - SIGNATURE_BYTES], _HEADER.size)
    frame = _BODIES[kind](NodeId(sender), counter, at_s, body)
    body.end()
    return SignedFrame(frame, bytes(data))


def _alert(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> Alert:
    kind = body.one_of(AlertKind, "alert kind")
    flags = body.flags(_FLAG_SILENT | _FLAG_DRILL | _FLAG_ABOUT)
    incident = body.nonzero("incident")
    if incident > counter:
        raise FrameDecodeError("incident", 15, f"{incident} is after the alert's own counter {counter}")
    if not flags & _FLAG_ABOUT:
        schemes, about, left = body.schemes(), 0, LeftWhenAsked.NOT_ASKED
    elif kind in ABOUT_PERSONS and not flags & _FLAG_SILENT:
        schemes, about, left = _person(kind, body)
    else:
        raise FrameDecodeError("person", 14, f"{kind.slug} {flags:#04x}")
    return Alert(
        sender,
        counter,
        at_s,
        kind,
        incident,
        schemes,
        silent=bool(flags & _FLAG_SILENT),
        drill=bool(flags & _FLAG_DRILL),
        about=about,
        left=left,
    )


def _person(kind: AlertKind, body: BodyReader) -> tuple[tuple[int, ...], int, LeftWhenAsked]:
    scheme = body.number(2)
    if scheme == 0:
        raise FrameDecodeError("schemes", 19, "0")
    about, left = body.nonzero("person"), body.one_of(LeftWhenAsked, "left when asked")
    if left and kind is not AlertKind.BREACH:
        raise FrameDecodeError("left when asked", 25, str(int(left)))
    return (scheme,), about, left


def _cancel(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> Cancel:
    incident = body.nonzero("incident")
    if incident >= counter:
        raise FrameDecodeError("incident", 13, f"{incident} is not before the cancel's own counter {counter}")
    return Cancel(sender, counter, at_s, incident, body.one_of(CancelReason, "cancel reason"), body.schemes())


def _receipt(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> Receipt:
    return Receipt(sender, counter, at_s, body.target(), late=bool(body.flags(1)))


def _acknowledgement(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> Acknowledgement:
    target, role = body.target(), body.one_of(Role, "role")
    return Acknowledgement(sender, counter, at_s, target, role, body.one_of(AnswerState, "answer state"), body.name())


def _press_acknowledgement(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> PressAcknowledgement:
    target, press, said = body.target(), body.number(1), body.number(1)
    role = body.member(Role, "role", said >> 4)
    urgency, state = Priority((said >> 2 & 3) + 1), AnswerState((said & 3) + 1)
    return PressAcknowledgement(sender, counter, at_s, target, role, state, body.name(), press, urgency)


def _path_test(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> PathTest:
    number = body.number(1)
    if number not in _PATHS_BY_NUMBER:
        raise FrameDecodeError("path", 13, str(number))
    return PathTest(sender, counter, at_s, _PATHS_BY_NUMBER[number])


def _response(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> Response:
    target, response = body.target(), body.one_of(MemberResponse, "response")
    return Response(sender, counter, at_s, target, response, body.schemes())


def _receipt_batch(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> ReceiptBatch:
    return ReceiptBatch(sender, counter, at_s, tuple(Receipted(target, late) for target, late in body.pairs()))


def _digest_receipt(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> DigestReceipt:
    target, late = body.target(), bool(body.flags(1))
    return DigestReceipt(sender, counter, at_s, target, body.raw(DIGEST_BYTES), late)


def _digest_receipt_batch(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> DigestReceiptBatch:
    entries = body.entries(BATCH_DIGEST_BYTES)
    return DigestReceiptBatch(
        sender, counter, at_s, tuple(DigestReceipted(target, digest, late) for target, late, digest in entries)
    )


def _refusal(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> Refusal:
    target, reason = body.target(), body.one_of(RefusalReason, "refusal reason")
    return Refusal(sender, counter, at_s, target, reason, body.raw(DIGEST_BYTES))


def _automatic_acknowledgement(sender: NodeId, counter: int, at_s: int, body: BodyReader) -> AutomaticAcknowledgement:
    return AutomaticAcknowledgement(sender, counter, at_s, body.target(), body.one_of(AnswerState, "answer state"))


_BODIES: Final[dict[FrameKind, Callable[[NodeId, int, int, BodyReader], Frame]]] = {
    FrameKind.ALERT: _alert,
    FrameKind.CANCEL: _cancel,
    FrameKind.RECEIPT: _receipt,
    FrameKind.ACKNOWLEDGEMENT: _acknowledgement,
    FrameKind.PATH_TEST: _path_test,
    FrameKind.RESPONSE: _response,
    FrameKind.RECEIPT_BATCH: _receipt_batch,
    FrameKind.DIGEST_RECEIPT: _digest_receipt,
    FrameKind.DIGEST_RECEIPT_BATCH: _digest_receipt_batch,
    FrameKind.REFUSAL: _refusal,
    FrameKind.AUTOMATIC_ACKNOWLEDGEMENT: _automatic_acknowledgement,
    FrameKind.PRESS_ACKNOWLEDGEMENT: _press_acknowledgement,
}
