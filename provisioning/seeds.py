"""Seeds: what a new node needs to claim its identity, written to its card (:mod:`wire.seed`)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from provisioning.cards import Card
from provisioning.claims import MadeClaim
from provisioning.enrolment import served
from provisioning.errors import FleetDamagedError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.issuers import roots_for_senders
from provisioning.records import ClaimRecord, FleetRecord
from runtime.config import ConfigError, load_toml
from wire.claim_code import ClaimCodeError, claim_hash, read_claim_code
from wire.errors import DecodeError
from wire.gallery_paths import MACHINE_PORT
from wire.seed import (
    ENROLMENT_PORT,
    ROOTS_MAX,
    SEED_BYTES_MAX,
    EnrolmentAddress,
    OfficeAddress,
    Seed,
    SeedError,
    WiFi,
    decode_seed,
    encode_seed,
)

PORT_MAX: Final = 0xFFFF


def check_code(record: FleetRecord, claim: ClaimRecord, typed: str) -> str:
    """The code of ``claim``, as a person types it from the label.

    Raises:
        FleetInputError: a typo, another premises' code, or one that a newer has replaced.
    """
    try:
        code = read_claim_code(typed)
    except ClaimCodeError as e:
        raise FleetInputError(e.sentence) from e
    found = next((one for one in record.claims if one.claim_hash == claim_hash(code)), None)
    if found is None:
        raise FleetInputError(
            f"This code opens nothing: the label is an old one, or of another town. 'watchlink fleet claim"
            f" {claim.node}' makes a new one."
        )
    if found.node != claim.node:
        raise FleetInputError(f"This is the code of {found.node} ({found.premises}), not of {claim.node}.")
    return code


def seed_for(
    folder: FleetFolder,
    made: MadeClaim,
    enrolment: EnrolmentAddress,
    wifi: WiFi | None,
    office: OfficeAddress | None = None,
) -> Seed:
    """The seed of the unit that is to claim this.

    Raises:
        FleetDamagedError: a root or the authority's public key is missing.
    """
    names = roots_for_senders(folder.record, folder.now())[:ROOTS_MAX]
    roots = x509.load_pem_x509_certificates(folder.certificates_pem(names))
    return Seed(
        node=made.claim.node,
        claim=made.code,
        enrolment=enrolment,
        ca_sha256=tuple(root.fingerprint(hashes.SHA256()).hex() for root in roots),
        authority=folder.authority_public().raw.hex(),
        wifi=wifi,
        office=office,
    )


def enrolment_address(folder: FleetFolder, text: str = "") -> EnrolmentAddress:
    """Where the enrolment service is: ``text``, ``HOST`` or ``HOST:PORT``; else as its folder says.

    Raises:
        FleetInputError: not an address, or there is no such service yet.
        FleetDamagedError: its folder cannot be read.
    """
    if text:
        host, port = _address("--enrolment", text, ENROLMENT_PORT)
        return EnrolmentAddress(host=host, port=port)
    try:
        found = served(folder)
    except FleetDamagedError as e:
        raise FleetDamagedError(f"{e} Give --enrolment.") from e
    if found is None:
        raise FleetInputError(
            "This town has no enrolment service yet: 'watchlink fleet enrolment --host HOST' makes its folder."
        )
    return EnrolmentAddress(host=found.hosts[0], port=found.port)


def office_address(folder: FleetFolder, text: str = "") -> OfficeAddress | None:
    """Where the office's machine port is: ``text``, ``HOST`` or ``HOST:PORT``; else by the office's certificate.

    Returns ``None`` if the town has no office: its units have no gallery.

    Raises:
        FleetInputError: not an address.
    """
    if text:
        host, port = _address("--office", text, MACHINE_PORT)
        return OfficeAddress(host=host, port=port)
    host = folder.record.office.host
    return OfficeAddress(host=host) if host else None


def read_wifi(file: Path) -> WiFi:
    """The Wi-Fi of a file: ``name``, ``password`` and, if it is not GB, ``country``, as TOML.

    Raises:
        FleetInputError: it cannot be used.
    """
    try:
        return load_toml(file, WiFi)
    except ConfigError as e:
        raise FleetInputError(f'{e}. It needs two lines, name = "…" and password = "…".') from e


def check_seed(seed: Seed, card: Card) -> bytes:
    """Whether the seed may be written to the card; returns its bytes.

    Raises:
        FleetInputError: the card cannot be used, the seed is not fit for a node, or another node's seed is there.
    """
    card.check()
    try:
        data = encode_seed(seed)
    except SeedError as e:
        raise FleetInputError(e.sentence) from e
    there = _node_of(card.seed_there(SEED_BYTES_MAX + 1))
    if there not in (None, seed.node):
        raise FleetInputError(f"{card}: the seed of {there} is there. Take another card, or delete it first.")
    return data


def write_seed(seed: Seed, card: Card) -> None:
    """Write the seed to the card.

    Raises:
        FleetInputError: as :func:`check_seed`.
        FleetError: the card refused.
    """
    card.write(check_seed(seed, card))


def _node_of(data: bytes | None) -> str | None:
    """Whose seed; ``None`` = nobody's, or one that is of no use to anybody."""
    try:
        return None if data is None else decode_seed(data).node
    except DecodeError:
        return None


def _address(option: str, text: str, port_else: int) -> tuple[str, int]:
    bare = text.removeprefix("[").partition("]")[0] if text.startswith("[") else ""
    host, separator, port = text.removeprefix(f"[{bare}]").rpartition(":")
    if not bare and text.count(":") > 1:
        raise FleetInputError(f"{option} {text}: write an IPv6 address in brackets, as in [2001:db8::7]:{port_else}.")
    if not separator:
        host, port = text if not bare else "", str(port_else)
    if not port.isascii() or not port.isdecimal() or not 1 <= int(port) <= PORT_MAX:
        raise FleetInputError(f"{option} {text}: write HOST or HOST:PORT, with a port from 1 to {PORT_MAX}.")
    return bare or host, int(port)
