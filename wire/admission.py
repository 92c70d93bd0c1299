"""Who may speak: the one gate every frame passes, at every node and at central, whatever path it came by."""

from __future__ import annotations

from dataclasses import dataclass

from wire.directory import Directory, Sender
from wire.errors import DecodeError
from wire.frames import (
    Acknowledgement,
    Alert,
    Cancel,
    Frame,
    PathTest,
    Receipt,
    ReceiptBatch,
    Response,
    SignedFrame,
    decode,
)
from wire.topics import FrameTopic


class FrameRefusedError(DecodeError):
    """A well-formed frame that its sender had no right to send. ``reason`` is a counter's label."""


@dataclass(frozen=True, slots=True)
class Admitted:
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
            belong), ``not central`` (a receipt or acknowledgement that central did not send).
        SignatureInvalidError: bytes were changed, or somebody else signed them.
    """
    signed = decode(data)
    sender = _in_good_standing(signed.frame, directory)
    _check_right(signed.frame, sender)
    if topic is not None:
        _check_topic(signed.frame, sender, directory, topic)
    signed.verify(sender.key)
    return Admitted(signed, sender)


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
        case Receipt() | ReceiptBatch() | Acknowledgement():
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
