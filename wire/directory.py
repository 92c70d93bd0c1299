"""The directory of senders, their keys and their schemes. Numbered, and signed by the authority.

Every node holds it, so a neighbour can verify an alert with central gone, and a stolen node can only speak for
itself until it is struck off. The authority's key stays with the fleet's engineer; central only passes the
document on. A delegate of the authority may add and strike premises' nodes (:mod:`wire.delegation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from wire.delegation import changed_senders, changes_signed, open_changes
from wire.directory_document import (
    DelegateChanges,
    Delegation,
    DirectoryDocument,
    SchemeEntry,
    SealedChanges,
    SealedDirectory,
    SenderEntry,
)
from wire.errors import DirectoryError, EncodeError, SignatureInvalidError, WireError
from wire.ids import NodeId, parse_node
from wire.limits import DETAIL_CHARS_MAX, DIRECTORY_BYTES_MAX
from wire.signing import DELEGATE_DOMAIN, DIRECTORY_DOMAIN, PublicKey, SigningKey
from wire.text import display_text

__all__ = [
    "EMPTY_DIRECTORY",
    "DelegateChanges",
    "Delegation",
    "Directory",
    "DirectoryDocument",
    "SchemeEntry",
    "SealedChanges",
    "SealedDirectory",
    "Sender",
    "SenderEntry",
    "open_directory",
    "seal_changes",
    "seal_directory",
]


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
    sealing_key: bytes = b""


class Directory(Struct, frozen=True, dict=True):
    """A verified directory, ready to look up. Build it with :func:`open_directory`.

    Attributes:
        issued_at_s: Unix time at which the authority signed its part.
        delegation: the authority's; ``None`` = it has never had a delegate.
        base: the authority's signature, which names its part.
        is_delegated: the delegate has changed it.
        authority_serial: of the authority's part.
    """

    serial: int
    senders: Mapping[NodeId, Sender]
    schemes: Mapping[int, SchemeEntry]
    office_keys: tuple[PublicKey, ...] = ()
    issued_at_s: int = 0
    delegation: Delegation | None = None
    base: bytes = b""
    is_delegated: bool = False
    authority_serial: int = 0

    @property
    def epoch(self) -> int:
        """The delegation's; 0 = there has never been one."""
        return 0 if self.delegation is None else self.delegation.epoch

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


_read_sealed_directory: Final = msgspec.json.Decoder(SealedDirectory).decode
_read_directory_document: Final = msgspec.json.Decoder(DirectoryDocument).decode


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


def seal_changes(base: bytes, changes: DelegateChanges, delegate: SigningKey, authority: PublicKey) -> bytes:
    """The authority's sealed directory with a delegate's changes in place of any that it has.

    Raises:
        EncodeError: no receiver would accept it: more than a delegate may, or not of the delegate that ``base`` names.
    """
    try:
        sealed = _read_sealed_directory(base)
        inner = msgspec.json.encode(changes)
        signature = delegate.sign(DELEGATE_DOMAIN, changes_signed(sealed.signature, inner))
        changed = msgspec.structs.replace(sealed, changes=SealedChanges(document=inner, signature=signature))
        data = msgspec.json.encode(changed)
        open_directory(data, authority)
    except (msgspec.MsgspecError, UnicodeEncodeError, DirectoryError) as e:
        raise EncodeError(f"changes: {e}") from e
    return data


def open_directory(data: bytes, authority: PublicKey) -> Directory:
    """Check the signatures, and read the authority's directory with its delegate's changes.

    Whether it may follow the one held is the caller's question: its serial must be higher, and
    :func:`wire.directory_succession.refusal` has no objection.

    Raises:
        DirectoryError: too large, malformed, not signed by ``authority``, contradicting itself, or with changes that
            its delegate has not signed or may not make.
    """
    if len(data) > DIRECTORY_BYTES_MAX:
        raise DirectoryError("directory too large", DIRECTORY_BYTES_MAX, f"{len(data)} bytes")
    try:
        sealed = _read_sealed_directory(data)
        authority.verify(DIRECTORY_DOMAIN, sealed.document, sealed.signature)
        document = _read_directory_document(sealed.document)
        changes = open_changes(sealed, document)
        entries = document.senders if changes is None else changed_senders(document, changes)
        senders = {sender.node: sender for sender in map(_sender, entries)}
        office_keys = tuple(map(PublicKey, document.office_keys))
        _check_delegate(document)
    except DirectoryError:
        raise
    except SignatureInvalidError as e:
        raise DirectoryError("directory signature") from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, WireError) as e:
        raise DirectoryError("directory", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    schemes = {scheme.number: scheme for scheme in document.schemes}
    _check(document, entries, senders, schemes)
    return Directory(
        document.serial if changes is None else changes.serial,
        MappingProxyType(senders),
        MappingProxyType(schemes),
        office_keys,
        int(document.issued_at.timestamp()),
        document.delegation,
        sealed.signature,
        changes is not None,
        document.serial,
    )


def _check_delegate(document: DirectoryDocument) -> None:
    if document.delegation is not None and document.delegation.key:
        PublicKey(document.delegation.key)


def _check(
    document: DirectoryDocument,
    entries: tuple[SenderEntry, ...],
    senders: Mapping[NodeId, Sender],
    schemes: Mapping[int, SchemeEntry],
) -> None:
    if len(senders) != len(entries):
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
        entry.sealing_key,
    )
