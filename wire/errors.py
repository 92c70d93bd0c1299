"""Errors of the contract. Encode errors are ours, decode errors are the peer's."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    # frames, as they are read
    "too long": "more bytes than any frame has",
    "truncated": "the bytes end before the frame does",
    "version": "not frame version 1",
    "kind": "no such kind of frame",
    "sender": "sender 0",
    "counter": "counter 0",
    "alert kind": "no such kind of alert",
    "flags": "a flag that has no meaning in this version",
    "incident": "0, or not opened before this frame",
    "schemes": "none, more than four, a 0, or not ascending",
    "person": "0, or of an alert that can be about nobody",
    "left when asked": "no such answer, or of a sighting",
    "cancel reason": "no such reason",
    "target": "a node or counter of 0",
    "role": "no such role",
    "answer state": "no such state",
    "refusal reason": "no such reason",
    "name": "more than nine bytes, or not UTF-8",
    "path": "no such path",
    "response": "no such response",
    "trailing bytes": "the frame ends before the bytes do",
    # frames, as they are admitted
    "unknown sender": "not in the directory",
    "revoked sender": "struck from the directory",
    "foreign scheme": "the sender is not a member of a scheme that the frame names",
    "topic sender": "published under another node's name",
    "topic scheme": "published to a scheme that it is not for",
    "not central": "a receipt, refusal or acknowledgement that central did not send",
    "signature": "not signed by that key over these bytes",
    # JSON messages, as they are admitted
    "unsigned": "no signature, and the directory says that this sender signs",
    # the rest
    "message too large": "over the limit of its type",
    "message json": "not JSON",
    "message field": "a field is missing, of another type, or out of bounds",
    "topic too long": "over 128 bytes",
    "topic prefix": "does not begin with watchlink/1/",
    "topic": "not one of the topics",
    "node id": "not eight lower-case hexadecimal digits, or zero",
    "frame id": "not a node id, a dash and a decimal counter",
    "public key": "not 32 bytes, or a point for which anyone can sign",
    "directory too large": "over 4 MiB",
    "directory part": "parts that are too large, misnumbered, or do not match their digest",
    "directory signature": "not signed by the authority",
    "directory": "not a directory, or one that contradicts itself",
    "delegate signature": "changes that are not signed by the authority's delegate",
    "delegate change": "a delegate may only add and strike premises' nodes, and takes nothing back",
    "old delegation": "the authority has ended this delegation, or renewed it",
    "delegation expired": "changes that are signed by a delegate whose time is over",
    # nodes that renew their certificates
    "renewal": "not a request for a certificate, or one that is too large",
    "settings too large": "over 16 KiB",
    "settings signature": "not signed by the authority",
    "settings": "not a node's settings",
    "release too large": "over 16 KiB",
    "release signature": "not signed by the authority",
    "release": "not a release",
    # snapshots and tickets of the office
    "snapshot too large": "over 32 MiB, with too many entries, or with one that is too long",
    "snapshot name": "a snapshot of another name",
    "snapshot town": "of another town",
    "snapshot signature": "not signed by an office that the directory lists",
    "snapshot": "not a snapshot, or one that contradicts itself",
    "ticket": "not a ticket of this town's office",
    "ticket browser": "made for another browser",
    "ticket expired": "older than a minute, or made for longer",
    "ticket early": "from the future: one of the clocks is wrong",
    # the notifier's socket
    "notice line": "not a line between central and the notifier",
    # the gallery
    "gallery lines": "not lines of a gallery, out of order, or too many",
    "gallery digest": "not the lines that the head names",
    "gallery change": "not from the number that is held to that of the head",
    "gallery text": "too long, another line's, or not an entry's text",
    "gallery photograph": "not the file that the line names, or another's key",
    "gallery question": "not a question of a gallery, or too large",
    "gallery answer": "not an answer to a gallery, or too large",
    "gallery rows": "not rows of keys, a case twice, or too large",
    "socket line": "not a line between gallery and node, or too long",
    "page certificate": "not an answer to a request for a page's certificate, or too large",
    "gallery reports": "not reports of breaches, one twice, or too large",
    "gallery reports taken": "not an answer to reports, or too large",
    "gallery views": "not records of views, too many, or no chain",
    # what is sealed to one receiver
    "sealing key": "not 32 bytes, or a point with which everybody shares a secret",
    "sealed": "sealed to another key, for another purpose, altered, or cut short",
    # claims of new nodes
    "claim code": "not a claim code: of another length, or with a typo",
    "claims": "not a list of claims, or one that contradicts itself",
    "seed": "not a seed, or one with a typo",
    # enrolment of new nodes
    "enrolment": "not a request for enrolment, or not signed by its own key",
}
"""Every reason a decoder gives, usable as a counter's label. None contains a byte from the peer."""


class WireError(Exception):
    """Base of every error of the contract."""


class EncodeError(WireError, ValueError):
    """We tried to send something that the contract does not allow: a bug on our side."""


class DecodeError(WireError, ValueError):
    """The peer sent something outside the contract: count it, drop it, carry on.

    Attributes:
        reason: one of :data:`REASONS`, usable as a counter's label (``"truncated"``, ``"version"`` …).
        offset: the byte at which the input stopped making sense, or ``None`` where that has no meaning.
        detail: more, for the log; may quote the peer.
    """

    def __init__(self, reason: str, offset: int | None = None, detail: str = "") -> None:
        self.reason = reason
        self.offset = offset
        self.detail = detail
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


class SettingsError(DecodeError):
    """A node's settings that are malformed or not signed by the authority."""


class ReleaseError(DecodeError):
    """A release that is malformed or not signed by the authority."""


class SnapshotError(DecodeError):
    """A snapshot that is malformed, of another town, or not signed by a trusted office."""


class TicketError(DecodeError):
    """A ticket that lets nobody in."""


class SignatureInvalidError(DecodeError):
    """A well-formed frame whose signature does not match its sender's key."""
