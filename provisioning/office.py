"""The office, as the fleet sees it: whose snapshots are believed, and the certificate of what hands them out.

Who the members are and which premises they have is the office's own business (ADR 0021).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from provisioning.certificates import issue_server_certificate
from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.founding import LOCAL_NAMES
from provisioning.issuers import issuers_in_force, server_issuer
from provisioning.layout import FOLDER
from provisioning.public_keys import KeyOwner, read_public_key
from provisioning.records import FleetRecord, OfficeKeyRecord, clean_name, remember
from runtime.atomic import PUBLIC, write_atomic
from wire.limits import OFFICE_KEYS_MAX
from wire.subjects import NODES

THE_OFFICE: Final = KeyOwner("the office", "invent members", "snapshot.pub")


def read_office_key(path: Path, folder: FleetFolder) -> bytes:
    """The office's public key, 32 raw bytes, from the file that the office made.

    Raises:
        FleetInputError: not such a file: unreadable, a private key, or a key of the fleet itself.
    """
    return read_public_key(path, folder, THE_OFFICE)


def change_keys(folder: FleetFolder, *, trust: bytes | None = None, strike: str = "") -> None:
    """List a key in the next directory, strike one, or both at once. Running it again finishes an interrupted change.

    Args:
        folder: the fleet's.
        trust: a public key, 32 raw bytes, as :func:`read_office_key` gives it.
        strike: a listed key's 64 hexadecimal digits or its fingerprint; empty = none.

    Raises:
        FleetInputError: no such key, or no room for another; nothing was changed.
    """
    with folder.changing():
        record, now = folder.record, folder.now()
        keys = record.office.keys
        if strike:
            keys = _struck(keys, find_key(record, strike), now)
        if trust is not None:
            keys = _trusted(keys, trust.hex(), now)
        office = msgspec.structs.replace(record.office, keys=keys)
        if len(office.trusted) > OFFICE_KEYS_MAX:
            raise FleetInputError(
                f"The directory has room for {OFFICE_KEYS_MAX} keys of the office: strike an old one with --strike."
            )
        if office != record.office:
            if not {key.key for key in office.trusted} & {key.key for key in record.office.trusted}:
                # Nothing that was believed is believed now: a new office, which counts from one again.
                office = msgspec.structs.replace(office, premises_number=0)
            folder.commit(msgspec.structs.replace(record, office=office).with_next_directory(now))
        folder.publish()


def find_key(record: FleetRecord, text: str) -> OfficeKeyRecord:
    """The key with these 64 hexadecimal digits, or this fingerprint in any spelling.

    Raises:
        FleetInputError: the fleet has never trusted such a key.
    """
    plain = _plain(text)
    for key in record.office.keys:
        if plain in {_plain(key.key), _plain(key.fingerprint)}:
            return key
    known = ", ".join(key.fingerprint for key in record.office.trusted) or "none"
    raise FleetInputError(f"{text!r} is no key of the office that this fleet trusts; it trusts: {known}.")


def issue_office_certificate(folder: FleetFolder, host: str = "") -> Path:
    """A new key and certificate for the program that hands out snapshots to other machines.

    Args:
        folder: the fleet's.
        host: its address or name, as others reach it; empty = as before, at first the broker's.

    Returns the folder with ``server.pem`` and ``server.key``.

    Raises:
        FleetInputError: the host cannot be used.
    """
    with folder.changing():
        return renew_office(folder, host)


def renew_office(folder: FleetFolder, host: str = "") -> Path:
    """As :func:`issue_office_certificate`, for a caller that holds the folder's lock."""
    record, now = folder.record, folder.now()
    ca = folder.authority(server_issuer(record, now).name)
    host = clean_name(host or record.office.host or record.broker.host, "office's host")
    server = issue_server_certificate(ca, (host, *LOCAL_NAMES), now=now)
    office = msgspec.structs.replace(
        record.office, host=host, certificates=(*record.office.certificates, remember(server))
    )
    # Recorded before it is written, as every certificate.
    folder.commit(msgspec.structs.replace(record, office=office))
    layout = folder.layout
    for made in (layout.office, layout.publisher):
        made.mkdir(mode=FOLDER, exist_ok=True)
    # Not the root: so an issuer that was cut off is refused here too, where there is no revocation list.
    trusted = [one.name for one in issuers_in_force(record, now) if one.organisation != NODES]
    write_atomic(layout.publisher / "ca.pem", folder.certificates_pem(trusted), PUBLIC)
    write_atomic(layout.office / "authority.pub", (layout.authority / "authority.pub").read_bytes(), PUBLIC)
    layout.write_certificate(layout.publisher, "server", server)
    return layout.publisher


def _trusted(keys: tuple[OfficeKeyRecord, ...], key: str, now: datetime) -> tuple[OfficeKeyRecord, ...]:
    if any(one.key == key and one.struck_at is None for one in keys):
        return keys
    return (*(one for one in keys if one.key != key), OfficeKeyRecord(key=key, trusted_at=now))


def _struck(keys: tuple[OfficeKeyRecord, ...], struck: OfficeKeyRecord, now: datetime) -> tuple[OfficeKeyRecord, ...]:
    if struck.struck_at is not None:
        return keys
    return tuple(msgspec.structs.replace(one, struck_at=now) if one is struck else one for one in keys)


def _plain(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum()).translate({ord("O"): "0", ord("I"): "1", ord("L"): "1"})
