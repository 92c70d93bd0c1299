"""``fleet.json``, the fleet's record. Names, numbers and public keys; no secrets.

It is the only source: the directory, the ACL, the revocation list and the broker's configuration are made from it.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from provisioning.certificates import IssuedCertificate
from provisioning.errors import FleetDamagedError, FleetInputError
from wire.delegation import next_serial
from wire.directory import Delegation, DirectoryDocument, SchemeEntry, SenderEntry
from wire.errors import DecodeError
from wire.fingerprints import key_fingerprint
from wire.ids import CENTRAL, NodeId, node_text, parse_node
from wire.limits import NAME_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import Count, Moment, Name, NodeText
from wire.node_settings import NodeSettings
from wire.release import Release
from wire.signing import PublicKey
from wire.text import display_text
from wire.topics import SCHEME_SLUG

CENTRAL_NAME: Final = "Central"
FIRST_CA: Final = "ca"
"""Name of the CA that signed everything in fleets from before there were issuers."""

COLLECT_FIRST: Final = "Once a unit has claimed it: 'watchlink fleet collect', then this again."

NodeKind = Literal["premises", "gateway"]
KeyText = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
IssuerName = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,31}$")]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the records."""


class CertificateRecord(Record, frozen=True):
    """An issued certificate: enough to revoke it. The serial is hexadecimal."""

    serial: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{1,40}$")]
    expires_at: Moment
    issuer: IssuerName = FIRST_CA
    """Who signed it; in older records the first CA. Means nothing in a page's, which the web CA signs."""


def remember(certificate: IssuedCertificate) -> CertificateRecord:
    """The record of a certificate."""
    return CertificateRecord(
        serial=f"{certificate.serial:x}",
        expires_at=certificate.expires_at,
        issuer=certificate.issuer or FIRST_CA,
    )


class IssuerRecord(Record, frozen=True):
    """An issuer: ``NAME.pem`` and ``NAME.key`` in the authority folder. Its name is never used again."""

    name: IssuerName
    organisation: Literal["", "node", "services"]
    """In every subject that it signs; empty = the fleet's first CA, which signs a common name alone."""
    root: IssuerName
    """Whose certificate is trusted: ``ROOT.pem``. The first CA is its own."""
    cut_off_at: Moment | None = None
    """The broker refuses all its certificates from then on."""


class ReplacementRecord(Record, frozen=True):
    """That a node was replaced by another unit at the same premises (:mod:`provisioning.replacing`)."""

    node: NodeText
    """The number of the unit that takes its place."""
    to_do: Literal["label", "proof", "nothing"] = "label"
    """What is left of the command that was interrupted."""


class NodeRecord(Record, frozen=True):
    """One premises' node. Its id is never used again, revoked or not."""

    node: NodeText
    premises: Name
    place: Name
    schemes: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]
    profile: str
    key: KeyText
    """The public key of its frames."""
    added_at: Moment
    certificates: tuple[CertificateRecord, ...]
    """All ever issued to it here, oldest first: revoking a node revokes them all. None of a node that claimed its
    premises: the enrolment service knows what it made, and revokes that."""
    revoked_at: Moment | None = None
    kind: NodeKind = "premises"
    """``gateway``: central's own radio, as in the directory."""
    signs: bool = False
    """Unsigned JSON in its name is refused, as in the directory."""
    office_premises: Count = 0
    """Number of its premises at the office, as in the directory; 0 = not joined with one."""
    sealing_key: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    """The public key of its gallery, as in the directory: the delegate's word, taken over with the node. Empty = it has
    none: its keys were made here, or it was taken over before directories said so."""
    settings: NodeSettings | None = None
    """The newest that were signed for it; ``None`` = it is as its own file says."""
    replacement: ReplacementRecord | None = None
    """What takes its place; ``None`` = it was not replaced."""

    @property
    def id(self) -> NodeId:
        """The id as a number."""
        return parse_node(self.node)


class ClaimRecord(Record, frozen=True):
    """A number that waits for its node, which is yet to make its keys and to claim it (:mod:`provisioning.claims`)."""

    node: NodeText
    """Never used again, even if no node comes."""
    premises: Name
    place: Name
    schemes: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]
    profile: str
    claim_hash: KeyText
    """Of the code on its label, which is stored nowhere (:func:`wire.claim_code.claim_hash`)."""
    ends_at: Moment
    """From then on the code opens nothing."""
    office_premises: Count = 0
    """Number of its premises at the office; 0 = not joined with one."""
    settings: NodeSettings | None = None
    """Signed for the unit that will come, in place of another that had them."""

    def claimed(self, key: str, now: datetime, *, is_struck: bool, sealing_key: str = "") -> NodeRecord:
        """The node that a unit with these keys becomes by claiming it, or that is struck off at once."""
        return NodeRecord(
            node=self.node,
            premises=self.premises,
            place=self.place,
            schemes=self.schemes,
            profile=self.profile,
            key=key,
            added_at=now,
            certificates=(),
            revoked_at=now if is_struck else None,
            signs=True,
            office_premises=self.office_premises,
            sealing_key=sealing_key,
            settings=self.settings,
        )


class BrokerRecord(Record, frozen=True):
    """The broker: its address for nodes, where it listens, and where its files are."""

    host: str
    port: Port
    bind: str
    user: str
    folder: str = ""
    """The broker's folder on its own machine; empty = in the fleet folder."""
    reads: Literal["common name", "unknown", "subject"] = "common name"
    """What it takes as user name. ``unknown``: it is told to read the subject, but was not yet seen to."""


class CentralRecord(Record, frozen=True):
    """Central: a sender like the nodes, under the number 1."""

    key: KeyText
    certificates: tuple[CertificateRecord, ...]
    web_port: Port
    alerts_certificates: tuple[CertificateRecord, ...] = ()
    """Of its second connection, for alerts; none in a fleet older than that."""
    signs: bool = False
    """Nodes refuse its unsigned JSON, as in the directory."""


class OfficeKeyRecord(Record, frozen=True):
    """A key that may sign the office's snapshots, or could once."""

    key: KeyText
    trusted_at: Moment
    struck_at: Moment | None = None
    """In no directory from then on. The record keeps it, so that it is not trusted again by mistake."""

    def __post_init__(self) -> None:
        _ = self.public

    @property
    def public(self) -> PublicKey:
        """The key itself."""
        return PublicKey(bytes.fromhex(self.key))

    @property
    def fingerprint(self) -> str:
        """As the office shows it too."""
        return key_fingerprint(self.public.raw)


class OfficeRecord(Record, frozen=True):
    """The office, as far as the fleet knows it."""

    keys: tuple[OfficeKeyRecord, ...] = ()
    premises_number: Count = 0
    """Of the newest premises snapshot that a change was made from: an older one is refused."""
    host: str = ""
    """Where others fetch snapshots from; empty = no certificate was made for it yet."""
    certificates: tuple[CertificateRecord, ...] = ()
    """Of the program that hands snapshots out, oldest first."""

    @property
    def trusted(self) -> tuple[OfficeKeyRecord, ...]:
        """The keys that the directory lists."""
        return tuple(key for key in self.keys if key.struck_at is None)


class DelegationRecord(Record, frozen=True):
    """Who may add and strike premises' nodes for the authority, as in the directory (ADR 0026)."""

    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    key: KeyText | None
    """``None`` = the last delegation is ended, and there is no other."""
    expires_at: Moment
    ended: tuple[KeyText, ...] = ()
    """Keys that were delegates before: none of them becomes one again, for it may have been stolen."""


class WebCertificateRecord(Record, frozen=True):
    """A certificate for pages, valid for these names and addresses."""

    names: tuple[str, ...]
    certificate: CertificateRecord


class WebRecord(Record, frozen=True):
    """The town's web CA and what it has issued: the newest certificate for each list of names."""

    domain: str
    fingerprint: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of its certificate, as browsers show it."""
    expires_at: Moment
    issued: tuple[WebCertificateRecord, ...] = ()
    page_issuer: CertificateRecord | None = None
    """The newest issuer for the pages of units, on the office's machine."""


class FleetRecord(Record, frozen=True, kw_only=True):
    """The whole of ``fleet.json``."""

    format: Literal[1] = 1
    created_at: Moment
    schemes: tuple[SchemeEntry, ...]
    broker: BrokerRecord
    broker_certificates: tuple[CertificateRecord, ...]
    central: CentralRecord
    nodes: tuple[NodeRecord, ...] = ()
    claims: tuple[ClaimRecord, ...] = ()
    """Numbers that wait for their node, by number."""
    claims_number: Count = 0
    """Rises whenever those change, at least to the clock's seconds: so a restored fleet's are above what it has
    forgotten."""
    next_node: Annotated[int, msgspec.Meta(ge=0x10, le=0xFFFF_FFFF)]
    directory_serial: Count
    directory_issued_at: Moment
    crl_number: Count = 0
    canaries: tuple[CertificateRecord, ...] = ()
    """Certificates made to be refused, kept in the revocation list until they expire."""
    office: OfficeRecord = OfficeRecord()
    web: WebRecord | None = None
    delegation: DelegationRecord | None = None
    """``None`` = there has never been a delegate."""
    release: Release | None = None
    """What units are to run, as it was signed last; ``None`` = nothing was published yet."""
    release_before: Release | None = None
    """The newest of the version before that one; ``None`` = there is none to go back to."""
    highest_release: Name = ""
    """Version above which the next one must be: units that were not reached when the town went back run it still."""
    contact: Name = ""
    """Where people report a weakness, as labels say it; empty = nobody has said."""
    issuers: tuple[IssuerRecord, ...] = (IssuerRecord(name=FIRST_CA, organisation="", root=FIRST_CA),)
    """Oldest first; the last of an organisation that is not cut off signs."""

    def node(self, text: str, while_waiting: str = COLLECT_FIRST) -> NodeRecord:
        """The node of that id.

        Args:
            text: the id, as somebody typed it.
            while_waiting: what to do about a number that waits for its unit, in sentences; its id goes in for ``{}``.

        Raises:
            FleetInputError: not an id, not of this fleet, or it waits for its unit.
        """
        try:
            wanted = node_text(parse_node(text.strip().lower()))
        except DecodeError as e:
            raise FleetInputError(
                f"{text!r} is not a node's id: use eight hexadecimal digits, as 'watchlink fleet list' shows."
            ) from e
        if wanted == node_text(CENTRAL):
            raise FleetInputError("00000001 is central, not a node.")
        found = next((node for node in self.nodes if node.node == wanted), None)
        waiting = next((claim for claim in self.claims if claim.node == wanted), None)
        if waiting is not None:
            raise FleetInputError(
                f"{wanted} ({waiting.premises}) waits for its unit. {while_waiting.format(wanted)} Nothing was changed."
            )
        if found is None:
            raise FleetInputError(f"No node {wanted} in this fleet: see 'watchlink fleet list'.")
        return found

    def with_node(self, node: NodeRecord) -> FleetRecord:
        """A copy with ``node`` in place of the node with its id."""
        nodes = tuple(node if old.node == node.node else old for old in self.nodes)
        return msgspec.structs.replace(self, nodes=nodes)

    def nodes_of_premises(self, premises: int) -> tuple[NodeRecord, ...]:
        """The nodes in use that stand in this premises of the office."""
        return tuple(node for node in self.nodes if node.revoked_at is None and node.office_premises == premises)

    def with_next_directory(self, now: datetime) -> FleetRecord:
        """A copy with the next directory serial: above all that a delegate could use, if there was ever one."""
        serial = self.directory_serial + 1 if self.delegation is None else next_serial(self.directory_serial)
        return msgspec.structs.replace(self, directory_serial=serial, directory_issued_at=now)

    def scheme_slugs(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """The slugs of ``numbers``, in that order."""
        slugs = {scheme.number: scheme.slug for scheme in self.schemes}
        return tuple(slugs[number] for number in numbers)

    def scheme_numbers(self, slugs: tuple[str, ...]) -> tuple[int, ...]:
        """The numbers of ``slugs``, in the directory's order.

        Raises:
            FleetInputError: none given, too many, or one that the fleet does not have.
        """
        known = {scheme.slug: scheme.number for scheme in self.schemes}
        for slug in slugs:
            if slug not in known:
                raise FleetInputError(f"No scheme {slug!r} in this fleet; it has: {', '.join(known)}.")
        numbers = tuple(sorted({known[slug] for slug in slugs}))
        if not 1 <= len(numbers) <= SCHEMES_PER_NODE_MAX:
            raise FleetInputError(f"A premises belongs to 1 to {SCHEMES_PER_NODE_MAX} schemes, not {len(numbers)}.")
        return numbers

    def revoked_serials(self, issuer: str, now: datetime) -> frozenset[int]:
        """The serials that this issuer's revocation list must name at ``now``."""
        struck = [node for node in self.nodes if node.revoked_at is not None]
        kept = [certificate for node in struck for certificate in node.certificates]
        kept += [canary for canary in self.canaries if canary.expires_at > now]
        return frozenset(int(certificate.serial, 16) for certificate in kept if certificate.issuer == issuer)

    def directory(self) -> DirectoryDocument:
        """The directory, to be signed. Revoked nodes stay in it, struck off, so that a reused id shows."""
        central = SenderEntry(
            node=node_text(CENTRAL),
            key=bytes.fromhex(self.central.key),
            premises=CENTRAL_NAME,
            kind="central",
            signs=self.central.signs,
        )
        members = [
            SenderEntry(
                node=node.node,
                key=bytes.fromhex(node.key),
                premises=node.premises,
                place=node.place,
                schemes=node.schemes,
                revoked_at=node.revoked_at,
                kind=node.kind,
                signs=node.signs,
                office_premises=node.office_premises,
                sealing_key=bytes.fromhex(node.sealing_key),
            )
            for node in self.nodes
        ]
        return DirectoryDocument(
            serial=self.directory_serial,
            issued_at=self.directory_issued_at,
            schemes=self.schemes,
            senders=(central, *members),
            office_keys=tuple(key.public.raw for key in self.office.trusted),
            delegation=None if self.delegation is None else _delegation(self.delegation),
        )


def _delegation(record: DelegationRecord) -> Delegation:
    return Delegation(epoch=record.epoch, key=bytes.fromhex(record.key or ""), expires_at=record.expires_at)


def encode_record(record: FleetRecord) -> bytes:
    """The record as JSON, readable by people."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def load_record(path: Path) -> FleetRecord:
    """Read ``fleet.json``.

    Raises:
        FleetInputError: there is no fleet.
        FleetDamagedError: its record cannot be used.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as e:
        raise FleetInputError(f"{path.parent} holds no fleet: make one with 'watchlink fleet init'.") from e
    except OSError as e:
        raise FleetDamagedError(f"{path} cannot be read: {e.strerror}.") from e
    try:
        return msgspec.json.decode(data, type=FleetRecord)
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise FleetDamagedError(f"{path} is damaged: {e}") from e


def clean_name(text: str, what: str, *, is_required: bool = True) -> str:
    """A name that every screen can show unchanged, without spaces at its ends.

    Raises:
        FleetInputError: empty, too long, or with characters that no screen should show.
    """
    shown = display_text(text, 4 * NAME_CHARS_MAX)
    visible = "".join(c for c in unicodedata.normalize("NFC", text) if not c.isspace())
    if len(text) > 4 * NAME_CHARS_MAX or len(shown) > NAME_CHARS_MAX:
        raise FleetInputError(f"The {what} is too long: {NAME_CHARS_MAX} characters at most.")
    if any(c.isspace() and c != " " for c in text) or display_text(visible, 8 * NAME_CHARS_MAX) != visible:
        raise FleetInputError(
            f"The {what} has characters that cannot be shown (control, direction or line-break characters);"
            f" without them it reads {display_text(text, NAME_CHARS_MAX)!r}."
        )
    if is_required and not shown:
        raise FleetInputError(f"The {what} is empty.")
    return shown


def clean_scheme(slug: str, name: str, number: int) -> SchemeEntry:
    """A checked scheme, fit for topics and screens.

    Raises:
        FleetInputError: the slug or the name cannot be used.
    """
    if not SCHEME_SLUG.fullmatch(slug):
        raise FleetInputError(
            f"{slug!r} cannot be a scheme's short name: use up to 32 small letters, digits and dashes, a letter first."
        )
    return SchemeEntry(number=number, slug=slug, name=clean_name(name, f"name of scheme {slug}"))
