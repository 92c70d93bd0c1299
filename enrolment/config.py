"""``enrol.toml``, read once and checked whole; docs/configuration.md shows every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from runtime.config import ConfigError, load_toml
from runtime.key_file import read_key
from wire.errors import WireError
from wire.seed import ENROLMENT_PORT
from wire.signing import PublicKey


class DirectoryTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[directory]``: whose it is, what is added to it, and where that is put."""

    authority_file: str = "authority.pub"
    """The authority's public key, 64 hexadecimal digits."""
    file: str = "directory.json"
    """The authority's directory, as the fleet brings it."""
    delegate_key_file: str = "delegate.key"
    """What signs changes; 'watchlink enrol key' makes it."""
    changed_file: str = "changed/directory.json"
    """The directory with the changes, where central looks for it. Its folder must be there."""


class IssuerTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[issuer]``: who signs for nodes."""

    certificate_file: str = "nodes.pem"
    key_file: str = "nodes.key"
    roots_file: str = "ca.pem"
    """PEM: the roots that a node trusts."""


class WebTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[web]``: where nodes come to."""

    host: str = "0.0.0.0"  # noqa: S104 - nodes are elsewhere
    """The address that it listens on."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = ENROLMENT_PORT
    """0 takes a free one, reported by the fact ``listening``."""
    certificate_file: str = "server.pem"
    """PEM, of the services' issuer, with that one's after it."""
    key_file: str = "server.key"
    bundle_kilobytes_per_s: Annotated[int, msgspec.Meta(ge=50, le=10_000_000)] = 2_500
    """All bundles of releases together: the line is the alerts', too. With less than 50, units in their turn would give
    up before their next piece came."""


class BrokerTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[broker]``: as nodes see it."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8883


class EnrolFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file as written."""

    broker: BrokerTable
    claims_file: str = "claims.json"
    """The open claims, as the fleet brings them."""
    state_dir: str = "state"
    """For the register; made if missing."""
    directory: DirectoryTable = DirectoryTable()
    issuer: IssuerTable = IssuerTable()
    web: WebTable = WebTable()


class Configuration(Struct, frozen=True):
    """The file, and where it is: its paths are relative to its folder."""

    path: Path
    file: EnrolFile

    def at(self, name: str) -> Path:
        """A path of the file, resolved."""
        return self.path.absolute().parent / name


def load_configuration(path: Path) -> Configuration:
    """Read it.

    Raises:
        runtime.config.ConfigError: unusable; names file and key, and says what is allowed.
    """
    return Configuration(path, load_toml(path, EnrolFile))


def authority_of(configuration: Configuration) -> PublicKey:
    """The town's.

    Raises:
        runtime.config.ConfigError: its key cannot be read.
    """
    path = configuration.at(configuration.file.directory.authority_file)
    try:
        return PublicKey(read_key(path, "authority's key"))
    except WireError as e:
        raise ConfigError(f"{path}: not an Ed25519 public key") from e
