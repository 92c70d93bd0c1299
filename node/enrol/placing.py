"""Checks what the service gave, and puts it where ``node.toml`` expects it. Whole, or the unit stays new."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from node.config import check_directory, load_config
from node.enrol.asking import roots_of
from node.enrol.keys import GALLERY_KEY, SEALING_KEY, SIGNING_KEY, TLS_KEY, UnitKeys
from node.enrol.trouble import another_town, no_service, unknown_hardware
from node.hw.profiles import PROFILES
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from runtime.config import ConfigError
from runtime.issuing import subject_name
from wire.enrolment import GALLERY_PREFIX, EnrolmentAnswer
from wire.ids import parse_node
from wire.node_file import FAKE_PROFILE, gallery_toml, node_toml
from wire.seed import Seed
from wire.subjects import NODES

NODE_TOML: Final = "node.toml"
GALLERY_TOML: Final = "gallery.toml"
GALLERY_STATE: Final = "/var/lib/watchlink-gallery"
GALLERY_SOCKET: Final = "/run/watchlink-gallery-node/node.socket"
"""As docs/gallery-socket.md says."""
GALLERY_USER: Final = "watchlink-gallery"
_FAKE_SOCKET: Final = "board.sock"
_KEYS: Final = (TLS_KEY, GALLERY_KEY, SIGNING_KEY, SEALING_KEY)
_FILES: Final = ("ca.pem", "client.pem", "gallery.pem", "authority.pub", "directory.json")


def prepare(folder: Path, seed: Seed, keys: UnitKeys, answer: EnrolmentAnswer, version: str) -> None:
    """Write everything beside the keys in ``folder``, and check it as the node will read it.

    Raises:
        Trouble: it is not what the seed's town gives to this unit.
        OSError: the disk refuses.
    """
    if answer.node != seed.node:
        raise no_service(f"it gave the identity of {answer.node}")
    if answer.profile not in PROFILES:
        raise unknown_hardware(answer.profile)
    _check_certificates(seed, keys, answer)
    text = node_toml(
        node=answer.node,
        premises=answer.premises,
        place=answer.place,
        schemes=answer.schemes,
        profile=answer.profile,
        broker=(answer.broker_host, answer.broker_port),
        fake_socket=_FAKE_SOCKET if answer.profile == FAKE_PROFILE else "",
        enrolment=(seed.enrolment.host, seed.enrolment.port),
        gallery=None if seed.office is None else (GALLERY_SOCKET, GALLERY_USER),
    )
    contents = {
        "ca.pem": answer.roots.encode(),
        "client.pem": answer.certificate.encode(),
        "gallery.pem": answer.gallery_certificate.encode(),
        "authority.pub": seed.authority.encode() + b"\n",
        "directory.json": answer.directory,
        NODE_TOML: text.encode(),
    }
    if seed.office is not None:
        office = seed.office.host, seed.office.port
        gallery = gallery_toml(node=answer.node, office=office, state_dir=GALLERY_STATE, socket=GALLERY_SOCKET)
        contents[GALLERY_TOML] = gallery.encode()
    for name, data in contents.items():
        write_atomic(folder / name, data, PUBLIC)
    try:
        config = load_config(folder / NODE_TOML, version)
    except ConfigError as e:
        raise no_service(f"what it gave cannot be used ({e})") from e
    wrong = check_directory(config.directory, parse_node(answer.node), tuple(sorted(answer.schemes)), keys.signing)
    if wrong:
        raise no_service(f"its list of units is wrong: {wrong[0]}")


def put_in_place(folder: Path, target: Path) -> None:
    """Copy the identity to where the node reads it. ``node.toml`` comes last: without it there is no node.

    Raises:
        OSError: the disk refuses; doing it again finishes it.
    """
    gallery = (GALLERY_TOML,) if (folder / GALLERY_TOML).exists() else ()
    for name in (*_KEYS, *_FILES, *gallery, NODE_TOML):
        # What a power cut has left half written may be a key.
        for half in target.glob(f".{name}.*"):
            half.unlink()
        write_atomic(target / name, (folder / name).read_bytes(), PRIVATE if name in _KEYS else PUBLIC)


def remove(folder: Path) -> None:
    """Remove what was prepared, if there is something."""
    if folder.exists():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _check_certificates(seed: Seed, keys: UnitKeys, answer: EnrolmentAnswer) -> None:
    try:
        trusted = x509.load_pem_x509_certificates(answer.roots.encode())
        chains = [
            x509.load_pem_x509_certificates(one.encode()) for one in (answer.certificate, answer.gallery_certificate)
        ]
    except ValueError as e:
        raise no_service("it gave no certificates") from e
    roots = roots_of(seed, trusted)
    for one in trusted:
        if one not in roots and not any(_has_signed(root, one) for root in roots):
            # Whom the node trusts for years is decided by the seed, not by whoever runs the service.
            raise another_town("it wants to be trusted with another root than the seed's")
    names = answer.node, GALLERY_PREFIX + answer.node
    for (own, *_), key, name in zip(chains, (keys.tls, keys.gallery), names, strict=True):
        if own.subject != subject_name(name, NODES) or not _is_of(own, key):
            raise no_service("it gave a certificate for another unit")


def _is_of(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    return certificate.public_key() == key.public_key()


def _has_signed(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
