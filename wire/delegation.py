"""What a delegate of the authority may do: add and strike premises' nodes, and nothing else (ADR 0026).

The delegate signs no directory of its own. It signs a list of changes, which travels beside the authority's directory,
untouched: there is no field in which to say anything about central, an office's key, a scheme or another node's key,
and what a field could still say is refused here. Which of two directories may follow the other, and when a delegation
has ended: :mod:`wire.directory_succession`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from wire.directory_document import DelegateChanges, DirectoryDocument, SealedDirectory, SenderEntry
from wire.errors import DirectoryError, SignatureInvalidError
from wire.ids import FIRST_PREMISES_NODE, parse_node
from wire.signing import DELEGATE_DOMAIN, PublicKey

SERIALS_PER_ISSUE: Final = 1_000_000
"""In a town with a delegate the authority numbers its directories in whole millions. What lies between is the
delegate's, so that no delegate can use up the numbers that the authority needs to end it."""


_read_delegate_changes: Final = msgspec.json.Decoder(DelegateChanges).decode


def next_serial(serial: int) -> int:
    """The authority's next serial in a town that has, or had, a delegate: above any that a delegate could have used."""
    return (serial // SERIALS_PER_ISSUE + 1) * SERIALS_PER_ISSUE


def open_changes(sealed: SealedDirectory, document: DirectoryDocument) -> DelegateChanges | None:
    """The delegate's changes to ``document``, which the authority's signature has been checked on; ``None`` = none.

    Raises:
        DirectoryError: ``delegate signature``: not signed by the delegate that ``document`` names, or it names none.
        msgspec.MsgspecError: signed, but not :class:`~wire.directory_document.DelegateChanges`.
    """
    if sealed.changes is None:
        return None
    delegation = document.delegation
    if delegation is None or not delegation.key:
        raise DirectoryError("delegate signature", detail="the authority has no delegate")
    try:
        signed = changes_signed(sealed.signature, sealed.changes.document)
        PublicKey(delegation.key).verify(DELEGATE_DOMAIN, signed, sealed.changes.signature)
    except SignatureInvalidError as e:
        raise DirectoryError("delegate signature") from e
    return _read_delegate_changes(sealed.changes.document)


def changes_signed(authority_signature: bytes, changes: bytes) -> bytes:
    """What the delegate signs: with the authority's signature, so that changes to one directory fit no other."""
    return authority_signature + changes


def changed_senders(document: DirectoryDocument, changes: DelegateChanges) -> tuple[SenderEntry, ...]:
    """The senders of ``document`` with a delegate's changes.

    Raises:
        DirectoryError: ``delegate change``: more than a delegate may.
    """
    if not document.serial < changes.serial < next_serial(document.serial):
        raise _refused("a serial that is the authority's")
    listed = {entry.node: entry for entry in document.senders}
    for node in changes.struck:
        if node not in listed:
            raise _refused("strikes a node that the authority does not list")
        if listed[node].kind != "premises":
            raise _refused(f"strikes a {listed[node].kind}")
    for entry in changes.added:
        if entry.kind != "premises":
            raise _refused(f"adds a {entry.kind}")
        if parse_node(entry.node) < FIRST_PREMISES_NODE:
            raise _refused("adds a number that is no premises'")
        if entry.node in listed:
            raise _refused("changes a node that the authority lists")
    struck = frozenset(changes.struck)
    return (*(_struck(entry, changes) if entry.node in struck else entry for entry in document.senders), *changes.added)


def _struck(entry: SenderEntry, changes: DelegateChanges) -> SenderEntry:
    return msgspec.structs.replace(entry, revoked_at=entry.revoked_at or changes.made_at)


def _refused(what: str) -> DirectoryError:
    return DirectoryError("delegate change", detail=what)
