"""The directory's documents, as they are signed and travel. What they mean together: :mod:`wire.directory`."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from wire.limits import OFFICE_KEYS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import Count, Message, Moment, Name, NodeText, SchemeNumber, Slug, settle_moments
from wire.signing import KEY_BYTES

DELEGATE_CHANGES_MAX: Final = 5_000
"""Added, and as many struck: every premises of a large town."""


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
    sealing_key: Annotated[bytes, msgspec.Meta(max_length=KEY_BYTES)] = b""
    """X25519 public key of its gallery, 32 raw bytes: what the office seals to the node. Empty = it has no gallery, or
    was claimed before directories said so; nodes of older versions skip this field."""
    revoked_at: Moment | None = None
    """Refused from the moment the document is read, whatever this says and whatever the clock says."""

    def __post_init__(self) -> None:
        settle_moments(self, "revoked_at")
        if len(self.sealing_key) not in {0, KEY_BYTES}:
            raise ValueError("a sealing key of another length")


class Delegation(Message, frozen=True):
    """Whom the authority lets add and strike premises' nodes on its behalf, and until when (:mod:`wire.delegation`)."""

    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """Rises with each delegation, and when one is ended. A receiver that has seen a higher one refuses a directory
    with a lower one."""
    expires_at: Moment
    """From then on nothing new that the delegate signs counts. What was accepted stays."""
    key: bytes = b""
    """The delegate's Ed25519 public key, 32 raw bytes; empty = the last delegation is ended, and there is no other."""

    def __post_init__(self) -> None:
        settle_moments(self, "expires_at")


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
    delegation: Delegation | None = None
    """Who else may add and strike premises' nodes; none in a town that has never had a delegate."""

    def __post_init__(self) -> None:
        settle_moments(self, "issued_at")


class DelegateChanges(Message, frozen=True):
    """The second document that is signed: all that the delegate has changed in the authority's directory."""

    serial: Count
    """Of the directory with these changes: above the authority's by 1 to 999,999."""
    made_at: Moment
    """By the delegate's clock: for people only, nothing is decided by it."""
    added: Annotated[tuple[SenderEntry, ...], msgspec.Meta(max_length=DELEGATE_CHANGES_MAX)] = ()
    """Premises' nodes that the authority does not list. One that is struck later stays, with ``revoked_at``."""
    struck: Annotated[tuple[NodeText, ...], msgspec.Meta(max_length=DELEGATE_CHANGES_MAX)] = ()
    """Premises' nodes of the authority's directory that are refused from now on."""

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")


class SealedChanges(Message, frozen=True):
    """The delegate's changes, signed."""

    document: bytes
    """UTF-8 JSON of a :class:`~wire.directory_document.DelegateChanges` (base64 here)."""
    signature: bytes
    """Ed25519 by the delegate over the delegate domain, the authority's signature, and ``document``: 64 bytes."""


class SealedDirectory(Message, frozen=True):
    """``node/{node}/down/directory``, and the file at rest: the signed bytes inside a JSON envelope."""

    document: bytes
    """UTF-8 JSON of a :class:`~wire.directory_document.DirectoryDocument` (base64 here)."""
    signature: bytes
    """Ed25519 by the authority over the directory domain and ``document``: 64 bytes (base64 here)."""
    changes: SealedChanges | None = None
    """What the authority's delegate has changed since. A reader older than that skips it, and knows the authority's
    part alone."""
