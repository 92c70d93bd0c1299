"""The directory of senders, their keys and their schemes. Numbered, and signed by the authority.

Every node holds it, so a neighbour can verify an alert with central gone, and a stolen node can only speak for
itself until it is struck off. The authority's key stays with the fleet's engineer; central only passes the
document on.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Struct

from wire.errors import DirectoryError, EncodeError, SignatureInvalidError, WireError
from wire.ids import NodeId, parse_node
from wire.limits import DETAIL_CHARS_MAX, DIRECTORY_BYTES_MAX, OFFICE_KEYS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import Count, Message, Moment, Name, NodeText, SchemeNumber, Slug, settle_moments
from wire.signing import DIRECTORY_DOMAIN, PublicKey, SigningKey
from wire.text import display_text


class SchemeEntry(Message, frozen=True):
    """A scheme."""

    number: SchemeNumber
    """In frames."""
    slug: Slug
    """In topics."""
    name: Name
    """For people."""


class SenderEntry(Message, frozen=True):
    """A sender."""

    node: NodeText
    """Its id."""
    key: bytes
    """Ed25519 public key, 32 raw bytes (base64 in JSON)."""
    premises: Name
    """Its name for people."""
    place: Name = ""
    """Where the premises is."""
    schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(max_length=SCHEMES_PER_NODE_MAX)] = ()
    """Numbers of the schemes it is a member of."""
    kind: Literal["premises", "gateway", "central"] = "premises"
    """Only ``central`` may send receipts and acknowledgements. A ``gateway`` is central's own radio: the first
    asked to put a frame on the air, and it relays what it hears without waiting for others."""
    signs: bool = False
    """It signs its JSON messages: unsigned ones in its name are refused."""
    office_premises: Count = 0
    """Number of the premises at the office; 0 = none, or a fleet that knows no office."""
    revoked_at: Moment | None = None
    """Refused from the moment the document is read, whatever this says and whatever the clock says."""

    def __post_init__(self) -> None:
        settle_moments(self, "revoked_at")


class DirectoryDocument(Message, frozen=True):
    """The document that is signed."""

    serial: Count
    """Rises with each issue. A receiver that holds a newer one ignores an older one."""
    issued_at: Moment
    """By the authority's clock."""
    schemes: tuple[SchemeEntry, ...]
    """No number and no slug twice."""
    senders: tuple[SenderEntry, ...]
    """No node twice. Those struck off stay listed, so that their late frames are distinguished from strangers'."""
    office_keys: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=OFFICE_KEYS_MAX)] = ()
    """Ed25519 public keys of the office, 32 raw bytes each: who may sign snapshots. An office is no sender; nodes of
    older versions skip this field."""

    def __post_init__(self) -> None:
        settle_moments(self, "issued_at")


class SealedDirectory(Message, frozen=True):
    """``node/{node}/down/directory``, and the file at rest: the signed bytes inside a JSON envelope."""

    document: bytes
    """UTF-8 JSON of a :class:`~wire.directory.DirectoryDocument` (base64 here)."""
    signature: bytes
    """Ed25519 by the authority over the directory domain and ``document``: 64 bytes (base64 here)."""


class Sender(Struct, frozen=True):
    """A sender, ready to look up by node."""

    node: NodeId
    key: PublicKey
    premises: str
    place: str
    schemes: frozenset[int]
    is_central: bool
    is_revoked: bool
    is_gateway: bool = False
    signs: bool = False
    office_premises: int = 0


class Directory(Struct, frozen=True, dict=True):
    """A verified directory, ready to look up. Build it with :func:`open_directory`."""

    serial: int
    senders: Mapping[NodeId, Sender]
    schemes: Mapping[int, SchemeEntry]
    office_keys: tuple[PublicKey, ...] = ()

    def scheme_by_slug(self, slug: str) -> SchemeEntry | None:
        """The scheme a topic names, or ``None``."""
        return next((scheme for scheme in self.schemes.values() if scheme.slug == slug), None)

    def alike(self, premises: str) -> list[Sender]:
        """The senders whose names begin as this one: where names are cut, one could be taken for another."""
        return self._by_beginning.get(_beginning(premises), [])

    @cached_property
    def _by_beginning(self) -> Mapping[str, list[Sender]]:
        # Once for each directory: a panel asks at each step, and a large town has thousands.
        found: dict[str, list[Sender]] = {}
        for sender in self.senders.values():
            found.setdefault(_beginning(sender.premises), []).append(sender)
        return found


def _beginning(premises: str) -> str:
    return premises.removeprefix("The ")[:2]


EMPTY_DIRECTORY = Directory(0, MappingProxyType({}), MappingProxyType({}))


def seal_directory(document: DirectoryDocument, authority: SigningKey) -> bytes:
    """Sign and wrap the document: JSON with the signed bytes inside, so that nothing is re-serialised.

    Raises:
        EncodeError: no receiver would accept it: too large, a field out of bounds, or it contradicts itself.
    """
    try:
        inner = msgspec.json.encode(document)
    except UnicodeEncodeError as e:
        raise EncodeError(f"directory: {e}") from e
    sealed = SealedDirectory(document=inner, signature=authority.sign(DIRECTORY_DOMAIN, inner))
    data = msgspec.json.encode(sealed)
    try:
        open_directory(data, authority.public)
    except DirectoryError as e:
        raise EncodeError(str(e)) from e
    return data


def open_directory(data: bytes, authority: PublicKey) -> Directory:
    """Check the authority's signature and read the directory.

    Whether its serial is newer than the one held is the caller's question.

    Raises:
        DirectoryError: too large, malformed, not signed by ``authority``, or contradicting itself.
    """
    if len(data) > DIRECTORY_BYTES_MAX:
        raise DirectoryError("directory too large", DIRECTORY_BYTES_MAX, f"{len(data)} bytes")
    try:
        sealed = msgspec.json.decode(data, type=SealedDirectory)
        authority.verify(DIRECTORY_DOMAIN, sealed.document, sealed.signature)
        document = msgspec.json.decode(sealed.document, type=DirectoryDocument)
        senders = {sender.node: sender for sender in map(_sender, document.senders)}
        office_keys = tuple(map(PublicKey, document.office_keys))
    except SignatureInvalidError as e:
        raise DirectoryError("directory signature") from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, WireError) as e:
        raise DirectoryError("directory", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    schemes = {scheme.number: scheme for scheme in document.schemes}
    _check(document, senders, schemes)
    return Directory(document.serial, MappingProxyType(senders), MappingProxyType(schemes), office_keys)


def _check(document: DirectoryDocument, senders: Mapping[NodeId, Sender], schemes: Mapping[int, SchemeEntry]) -> None:
    if len(senders) != len(document.senders):
        raise DirectoryError("directory", detail="a sender is listed twice")
    if len(schemes) != len(document.schemes):
        raise DirectoryError("directory", detail="a scheme number is listed twice")
    if len({scheme.slug for scheme in document.schemes}) != len(document.schemes):
        raise DirectoryError("directory", detail="a scheme slug is listed twice")
    if any(not sender.schemes <= schemes.keys() for sender in senders.values()):
        raise DirectoryError("directory", detail="a sender is in a scheme that is not listed")


def _sender(entry: SenderEntry) -> Sender:
    return Sender(
        parse_node(entry.node),
        PublicKey(entry.key),
        entry.premises,
        entry.place,
        frozenset(entry.schemes),
        entry.kind == "central",
        entry.revoked_at is not None,
        entry.kind == "gateway",
        entry.signs,
        entry.office_premises,
    )
