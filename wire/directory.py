"""The directory: who is a sender, with which key, in which schemes. Numbered, and signed by the authority.

Every node holds it, so a neighbour can verify an alert with central gone, and a stolen node can only ever
be itself until it is struck off. The authority's key stays with whoever runs the fleet; central only
passes the document on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from wire.errors import DirectoryError, SignatureInvalidError, WireError
from wire.ids import NodeId, parse_node
from wire.limits import DIRECTORY_BYTES_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import Count, Message, Moment, Name, NodeText, Slug
from wire.signing import DIRECTORY_DOMAIN, KEY_BYTES, PublicKey, SigningKey


class SchemeEntry(Message, frozen=True):
    """A scheme: its number in frames, its slug in topics, its name for people."""

    number: Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
    slug: Slug
    name: Name


class SenderEntry(Message, frozen=True):
    """A sender. Its key is 32 raw bytes (base64 in JSON)."""

    node: NodeText
    key: bytes
    premises: Name
    place: Name = ""
    schemes: Annotated[tuple[int, ...], msgspec.Meta(max_length=SCHEMES_PER_NODE_MAX)] = ()
    kind: Literal["premises", "central"] = "premises"
    revoked_at: Moment | None = None


class DirectoryDocument(Message, frozen=True):
    """What is signed."""

    serial: Count
    issued_at: Moment
    schemes: tuple[SchemeEntry, ...]
    senders: tuple[SenderEntry, ...]


class _Envelope(Message, frozen=True):
    document: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender as looked up."""

    node: NodeId
    key: PublicKey
    premises: str
    place: str
    schemes: frozenset[int]
    is_central: bool
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Directory:
    """A verified directory, ready to look up. Build it with :func:`open_directory`."""

    serial: int
    senders: Mapping[NodeId, Sender]
    schemes: Mapping[int, SchemeEntry]

    def scheme_by_slug(self, slug: str) -> SchemeEntry | None:
        """The scheme a topic names, or ``None``."""
        return next((scheme for scheme in self.schemes.values() if scheme.slug == slug), None)


EMPTY_DIRECTORY = Directory(0, MappingProxyType({}), MappingProxyType({}))


def seal_directory(document: DirectoryDocument, authority: SigningKey) -> bytes:
    """The document as it travels and rests: JSON with the signed bytes inside, so nothing is re-serialised."""
    inner = msgspec.json.encode(document)
    return msgspec.json.encode(_Envelope(document=inner, signature=authority.sign(DIRECTORY_DOMAIN, inner)))


def open_directory(data: bytes, authority: PublicKey) -> Directory:
    """Check the authority's signature and read the directory.

    Raises:
        DirectoryError: too large, malformed, or not signed by ``authority``.
    """
    if len(data) > DIRECTORY_BYTES_MAX:
        raise DirectoryError("directory too large", DIRECTORY_BYTES_MAX)
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        authority.verify(DIRECTORY_DOMAIN, envelope.document, envelope.signature)
        document = msgspec.json.decode(envelope.document, type=DirectoryDocument)
        senders = {sender.node: sender for sender in map(_sender, document.senders)}
    except SignatureInvalidError as e:
        raise DirectoryError("directory signature") from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, WireError) as e:
        raise DirectoryError("directory", detail=str(e)[:200]) from e
    if len(senders) != len(document.senders):
        raise DirectoryError("directory", detail="a sender is listed twice")
    schemes = {scheme.number: scheme for scheme in document.schemes}
    return Directory(document.serial, MappingProxyType(senders), MappingProxyType(schemes))


def _sender(entry: SenderEntry) -> Sender:
    if len(entry.key) != KEY_BYTES:
        raise DirectoryError("directory", detail=f"key of {entry.node} is not {KEY_BYTES} bytes")
    return Sender(
        parse_node(entry.node),
        PublicKey(entry.key),
        entry.premises,
        entry.place,
        frozenset(entry.schemes),
        entry.kind == "central",
        entry.revoked_at is not None,
    )
