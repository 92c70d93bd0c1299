"""A node's identity as the fleet hands it over: its folder, or the file that ``watchlink fleet pack NODE`` made of it.

A pack with less than all of it (a renewed certificate) completes what the machine has. What is put together has to be
one node's, of one town: two cards with one identity, or a card with halves of two, are found out only in an emergency.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from msgspec import Struct

from installation.authority import authority_of
from installation.errors import PackError
from installation.private_keys import public_part
from installation.revocation import is_authority, is_below
from runtime.archive import ArchiveError, read_archive
from wire.directory import Directory, open_directory
from wire.errors import WireError
from wire.ids import NodeId, node_text, parse_node
from wire.seed import SEED_BYTES_MAX, SEED_FILE
from wire.signing import KEY_BYTES, PublicKey, SigningKey
from wire.subjects import NODES, subject_text

FOLDER: Final = "node"
"""In the archive."""
CERTIFICATE: Final = ("ca.pem", "client.key", "client.pem")
FILES: Final = ("authority.pub", "directory.json", "signing.key", *CERTIFICATE, "node.toml")
"""In the order of writing: without the last nothing starts, and a key comes before the certificate that names it."""
BYTES_MAX: Final = 64 * 1024 * 1024


class Identity(Struct, frozen=True):
    """Whose files they are.

    Attributes:
        files: name → contents, all of :data:`FILES`.
        toml: the configuration.
    """

    files: Mapping[str, bytes]
    node: NodeId
    authority: PublicKey
    directory: Directory
    certificate: x509.Certificate
    toml: dict[str, Any]


def read_node_pack(source: Path) -> dict[str, bytes]:
    """Its files by name, not yet checked; of a seed that alone.

    Args:
        source: a node's folder, a file of ``watchlink fleet pack NODE``, or a seed, or a folder with one.

    Raises:
        PackError: it cannot be read, or holds something else.
    """
    try:
        seed = source / SEED_FILE if source.is_dir() else source
        if seed.name == SEED_FILE and seed.is_file():
            return {SEED_FILE: seed.read_bytes()[: SEED_BYTES_MAX + 1]}
        files = _folder(source) if source.is_dir() else dict(_archive(source))
    except OSError as e:
        raise PackError(f"{source} cannot be read: {e.strerror}.") from e
    if not files:
        raise PackError(f"{source} holds nothing of a node. Give a file made by 'watchlink fleet pack NODE'.")
    return files


def identity_of(files: Mapping[str, bytes], now: datetime | None = None) -> Identity:
    """Check that they are one node's, and complete.

    Args:
        files: name → contents.
        now: aware; ``None`` = the system's clock.

    Raises:
        PackError: something is missing, does not belong together, has expired, or must not be here.
    """
    missing = [name for name in FILES if name not in files]
    if missing:
        raise PackError(f"{', '.join(missing)} is missing here and in what was given: 'watchlink fleet pack NODE'.")
    try:
        toml = tomllib.loads(files["node.toml"].decode("utf-8"))
        node = parse_node(str(toml["identity"]["node"]))
        authority = authority_of(files["authority.pub"])
        directory = open_directory(files["directory.json"], authority)
        certificate = _certificate(files, node, now or datetime.now(UTC))
        _check_signing_key(files["signing.key"], node, directory)
    except PackError:
        raise
    except (WireError, ValueError, KeyError, TypeError, UnsupportedAlgorithm) as e:
        raise PackError(f"These files of a node do not hold what they should: {e}.") from e
    return Identity({name: files[name] for name in FILES}, node, authority, directory, certificate, toml)


def _folder(source: Path) -> dict[str, bytes]:
    return {name: (source / name).read_bytes() for name in FILES if (source / name).is_file()}


def _archive(file: Path) -> Iterator[tuple[str, bytes]]:
    try:
        for path, contents in read_archive(file, files_max=len(FILES), bytes_max=BYTES_MAX):
            folder, _, name = path.partition("/")
            if folder != FOLDER or name not in FILES:
                raise PackError(
                    f"{file} is no file of 'watchlink fleet pack NODE': it holds {path!r}. A pack for central is for"
                    " 'watchlink central install'."
                )
            yield name, contents
    except ArchiveError as e:
        raise PackError(f"{file} is no file of 'watchlink fleet pack NODE': it {e}.") from e


def _certificate(files: Mapping[str, bytes], node: NodeId, now: datetime) -> x509.Certificate:
    own = x509.load_pem_x509_certificates(files["client.pem"])
    subject = own[0].subject.rfc4514_string()
    # With a common name alone: of a fleet from before there were issuers.
    if subject not in {subject_text(node_text(node), NODES), subject_text(node_text(node))} or is_authority(own[0]):
        raise PackError(f"client.pem is the certificate of {subject}, but node.toml is that of {node_text(node)}.")
    key = serialization.load_pem_private_key(files["client.key"], password=None)
    if public_part(own[0].public_key()) != public_part(key.public_key()):
        raise PackError("client.key is not the key of client.pem.")
    if not is_below(own, x509.load_pem_x509_certificates(files["ca.pem"])):
        raise PackError("client.pem is not from the CA in ca.pem.")
    if own[0].not_valid_after_utc <= now:
        raise PackError(
            f"Its certificate expired on {own[0].not_valid_after_utc:%Y-%m-%d}. On the fleet's machine run"
            f" 'watchlink fleet renew {node_text(node)}', then pack again."
        )
    return own[0]


def _check_signing_key(data: bytes, node: NodeId, directory: Directory) -> None:
    seed = bytes.fromhex(data.decode("ascii").strip())
    if len(seed) != KEY_BYTES:
        raise PackError("signing.key is no signing key.")
    listed = directory.senders.get(node)
    if listed is None or listed.key != SigningKey(seed).public:
        raise PackError(f"signing.key is not the key that the directory gives {node_text(node)}: nobody would hear it.")
    if listed.is_revoked:
        raise PackError(f"{node_text(node)} is revoked: add the premises again on the fleet's machine.")
