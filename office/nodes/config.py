"""``nodes.toml``, read once and checked whole; docs/configuration.md shows every key.

A file of its own: ``office.toml`` may hold the password of the database, which this program has no business with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from runtime.config import ConfigError, load_toml
from runtime.key_file import read_key
from wire.errors import WireError
from wire.gallery_paths import MACHINE_PORT
from wire.signing import PublicKey


class WebTable(Struct, frozen=True, kw_only=True):
    """``[web]``: where nodes come to."""

    host: str = "0.0.0.0"  # noqa: S104 - nodes are elsewhere
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = MACHINE_PORT
    """0 takes a free one, reported by the fact ``listening``."""
    certificate_file: str = "server.pem"
    """PEM, of the services' issuer, with that one's after it."""
    key_file: str = "server.key"


class TownTable(Struct, frozen=True, kw_only=True):
    """``[town]``: who is believed to be whom."""

    authority_file: str = "../authority.pub"
    """The authority's public key, 64 hexadecimal digits."""
    directory_file: str = "../directory.json"
    """The authority's directory, as the fleet brings it."""
    delegated_file: str = ""
    """With the changes of the enrolment service, if that runs on this machine; it may be missing."""
    issuers_file: str = "ca.pem"
    """PEM: the issuers of nodes' certificates, and nobody else."""
    lists_file: str = "/etc/watchlink/broker/crl.pem"
    """The broker's revocation lists."""


class KeysTable(Struct, frozen=True, kw_only=True):
    """``[keys]``: 64 hexadecimal digits each."""

    gallery_key_file: str = "gallery.key"
    """From which the keys of texts are derived; the publisher has made it."""
    photographs_key_file: str = "photographs.key"
    """Opens the keys of photographs, as the pages' does."""


class PagesTable(Struct, frozen=True, kw_only=True):
    """``[pages]``: signs certificates of units' pages; all three or none (``watchlink fleet page-issuer``)."""

    certificate_file: str = ""
    """PEM, of the pages' issuer below the town's web CA."""
    key_file: str = ""
    root_file: str = ""
    """PEM, of the web CA."""


class NodesFile(Struct, frozen=True, kw_only=True):
    """The file as written."""

    web: WebTable = WebTable()
    town: TownTable = TownTable()
    keys: KeysTable = KeysTable()
    pages: PagesTable = PagesTable()
    snapshots: str = "../snapshots"
    """Where the publisher puts the galleries."""
    state_dir: str = "state"
    """For what nodes have reported; made if missing."""
    views_days: Annotated[int, msgspec.Meta(ge=1, le=3_660)] = 90
    """So long it is kept whom a node has shown."""


class Configuration(Struct, frozen=True):
    """The file, and where it is: its paths are relative to its folder."""

    path: Path
    file: NodesFile

    def at(self, name: str) -> Path:
        """A path of the file, resolved."""
        return self.path.absolute().parent / name

    @property
    def authority(self) -> PublicKey:
        """The town's.

        Raises:
            ConfigError: its key cannot be read.
        """
        path = self.at(self.file.town.authority_file)
        try:
            return PublicKey(read_key(path, "authority's key"))
        except WireError as e:
            raise ConfigError(f"{path}: not an Ed25519 public key") from e


def load_configuration(path: Path) -> Configuration:
    """Read it.

    Raises:
        ConfigError: unusable; names file and key, and says what is allowed.
    """
    return Configuration(path, load_toml(path, NodesFile))
