"""Who may speak: the one gate for every frame, at every node and at central, by whatever path.

Also the gate for signed JSON messages: whether the sender vouches for one.
"""

from __future__ import annotations

from msgspec import Struct

from wire.directory import Directory, Sender
from wire.errors import DecodeError
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
    DigestReceipt,
    DigestReceiptBatch,
    Frame,
    PathTest,
    Receipt,
    ReceiptBatch,
    Refusal,
    Response,
    SignedFrame,
    decode,
)
from wire.ids import NodeId
from wire.signing import verify_message
from wire.topics import FrameTopic


class FrameRefusedError(DecodeError):
    """A well-formed frame that its sender had no right to send. ``reason`` is a counter's label."""


class Admitted(Struct, frozen=True):
    """A frame that may be acted on, with who sent it."""

    signed: SignedFrame
    sender: Sender

    @property
    def frame(self) -> Frame:
        """The fields."""
        return self.signed.frame


def admit(data: bytes, directory: Directory, topic: FrameTopic | None) -> Admitted:
    """Decode, and check sender, standing, scheme and signature, cheapest first.

    Says nothing about replays: the same bytes are admitted every time, and the caller dedupes by id.

    Args:
        data: the frame's bytes as they came.
        directory: the newest directory this receiver holds.
        topic: where it was published; ``None`` for the radio and for ``down`` topics, which carry no scheme.

    Raises:
        FrameDecodeError: not a frame.
        FrameRefusedError: ``unknown sender``, ``revoked sender``, ``foreign scheme`` (the sender is no member
            of a scheme the frame names), ``topic sender`` / ``topic scheme`` (published where it does not
            belong), ``not central`` (a receipt, refusal or acknowledgement that central did not send).
        SignatureInvalidError: bytes were changed, or someone else signed them.
    """
    signed = decode(data)
    sender = _in_good_standing(signed.frame, directory)
    _check_right(signed.frame, sender)
    if topic is not None:
        _check_topic(signed.frame, sender, directory, topic)
    signed.verify(sender.key)
    return Admitted(signed, sender)


class MessageRefusedError(DecodeError):
    """A JSON message that its sender does not vouch for. ``reason`` is a counter's label."""


def stands_for(sender: Sender, topic: str, payload: bytes, signature: str | None) -> bool:
    """Whether ``sender`` has signed this JSON message (or relayed frame) on this topic.

    Like frames, the same message is admitted every time: one that must not count twice needs a sequence or a nonce.

    Args:
        sender: whose message it claims to be, by its topic.
        topic: in full, as it came.
        payload: the bytes as they came.
        signature: the user property, or ``None`` if there is none.

    Returns:
        True: signed. False: unsigned, from a sender of an old version that does not sign: nobody vouches for it.

    Raises:
        MessageRefusedError: ``unsigned``, though the directory says that this sender signs.
        SignatureInvalidError: signed by another sender, or over other bytes or another topic.
        FrameRefusedError: ``revoked sender``.
    """
    if sender.is_revoked:
        raise FrameRefusedError("revoked sender")
    if signature is None:
        if sender.signs:
            raise MessageRefusedError("unsigned")
        return False
    verify_message(sender.key, topic, payload, signature)
    return True


def is_signed_by(node: NodeId, directory: Directory, topic: str, payload: bytes, signature: str | None) -> bool:
    """As :func:`stands_for`, looking the sender up first.

    Raises:
        FrameRefusedError: also ``unknown sender``.
    """
    sender = directory.senders.get(node)
    if sender is None:
        raise FrameRefusedError("unknown sender")
    return stands_for(sender, topic, payload, signature)


def _in_good_standing(frame: Frame, directory: Directory) -> Sender:
    sender = directory.senders.get(frame.sender)
    if sender is None:
        raise FrameRefusedError("unknown sender", 1)
    if sender.is_revoked:
        raise FrameRefusedError("revoked sender", 1)
    return sender


def _check_right(frame: Frame, sender: Sender) -> None:
    match frame:
        case Alert() | Cancel() | Response():
            if not sender.schemes.issuperset(frame.schemes):
                raise FrameRefusedError("foreign scheme")
        case (
            Receipt()
            | ReceiptBatch()
            | Acknowledgement()
            | DigestReceipt()
            | DigestReceiptBatch()
            | Refusal()
            | AutomaticAcknowledgement()
        ):
            if not sender.is_central:
                raise FrameRefusedError("not central")
        case PathTest():
            pass


def _check_topic(frame: Frame, sender: Sender, directory: Directory, topic: FrameTopic) -> None:
    if topic.node != frame.sender:
        raise FrameRefusedError("topic sender")
    scheme = directory.scheme_by_slug(topic.scheme)
    meant_for = frame.schemes if isinstance(frame, Alert | Cancel | Response) else sender.schemes
    if scheme is None or scheme.number not in meant_for:
        raise FrameRefusedError("topic scheme")
