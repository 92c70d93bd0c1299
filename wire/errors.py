"""What can go wrong at the contract. Encode errors are ours, decode errors are the peer's."""

from __future__ import annotations


class WireError(Exception):
    """Base of every error of the contract."""


class EncodeError(WireError, ValueError):
    """We tried to send something the contract does not allow: a bug on this side."""


class DecodeError(WireError, ValueError):
    """The peer sent something that is not of the contract: count it, drop it, carry on.

    Attributes:
        reason: a short stable slug, fit to be a counter's label (``"truncated"``, ``"version"`` …).
        offset: the byte at which the input stopped making sense, or ``None`` where that has no meaning.
    """

    def __init__(self, reason: str, offset: int | None = None, detail: str = "") -> None:
        self.reason = reason
        self.offset = offset
        at = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{reason}{at}{': ' if detail else ''}{detail}")


class FrameDecodeError(DecodeError):
    """Bytes that are not a frame of this version."""


class MessageDecodeError(DecodeError):
    """A payload that is not the JSON message its topic promises."""


class TopicError(DecodeError):
    """A topic that is not one of ours."""


class DirectoryError(DecodeError):
    """A directory that is malformed or not signed by the authority."""


class SignatureInvalidError(DecodeError):
    """A well-formed frame whose signature does not match its sender's key."""
