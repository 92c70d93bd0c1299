"""``gallery.toml``, read once and checked whole; docs/configuration.md shows every key.

Its paths are relative to its folder. On a unit that is systemd's folder of credentials, which nobody else reads: the
identity lies in the node's, to which the gallery has no right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from runtime.config import ConfigError, load_toml
from runtime.key_file import read_key
from wire.errors import WireError
from wire.gallery_paths import MACHINE_PORT
from wire.ids import NodeId, parse_node
from wire.signing import PublicKey
from wire.snapshots import Town

PAGE_PORT: Final = 8445
BATTERY_CLOCK: Final = "/sys/class/rtc/rtc0/since_epoch"

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Table(Struct, frozen=True, kw_only=True):
    """Base of the tables."""


class IdentityTable(Table, frozen=True, kw_only=True):
    """``[identity]``: whose gallery it is. The files come with the node's identity."""

    node: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$")]
    """Eight hexadecimal digits; the certificate is for ``gallery-NODE``."""
    ca_file: str = "ca.pem"
    """PEM: the town's root, and nobody else."""
    certificate_file: str = "gallery.pem"
    """PEM, with its issuer's after it."""
    key_file: str = "gallery.key"
    """Of the certificate."""
    sealing_key_file: str = "sealing.key"
    """X25519, 64 hexadecimal digits: opens what is sealed to this unit."""
    authority_file: str = "authority.pub"
    """The authority's public key, likewise: who signs the directory."""
    directory_file: str = ""
    """The first directory; empty = the office is asked for it. Newer ones are kept in the state folder."""


class OfficeTable(Table, frozen=True, kw_only=True):
    """``[office]``: its machine port."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    """A name or an address."""
    port: Port = MACHINE_PORT


class PageTable(Table, frozen=True, kw_only=True):
    """``[page]``: where the shop's screens find it."""

    host: str = "127.0.0.1"
    """An address of this machine; ``0.0.0.0`` = all of them."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = PAGE_PORT
    """0 takes a free one, reported by the fact ``listening``."""
    tls_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    """For tablets: served once the office has given a certificate. Without it, only a screen on the unit is served."""
    names: tuple[str, ...] = ()
    """By which browsers reach it, besides the unit's addresses."""


class NodeTable(Table, frozen=True, kw_only=True):
    """``[node]``: the program beside this one."""

    socket: str = ""
    """Its Unix socket; empty = nothing can be reported here."""


class ClockTable(Table, frozen=True, kw_only=True):
    """``[clock]``: a clock with a battery of its own."""

    battery_file: str = BATTERY_CLOCK
    """Unix seconds, as Linux writes them; if there is no such file, there is no such clock."""


class GalleryFile(Table, frozen=True, kw_only=True):
    """The file as written."""

    state_dir: str = "state"
    """For all that is kept; made if missing."""
    identity: IdentityTable
    office: OfficeTable
    page: PageTable = PageTable()
    node: NodeTable = NodeTable()
    clock: ClockTable = ClockTable()


class Configuration(Struct, frozen=True):
    """The file, and where it is, with the keys that it names.

    Attributes:
        sealing_key: opens what is sealed to this unit.
        authority: whose directory is believed.
    """

    path: Path
    file: GalleryFile
    node: NodeId
    sealing_key: X25519PrivateKey
    authority: PublicKey

    def at(self, name: str) -> Path:
        """A path of the file, resolved."""
        return self.path.absolute().parent / name

    @property
    def state_dir(self) -> Path:
        """Resolved."""
        return self.at(self.file.state_dir)

    @property
    def town(self) -> Town:
        """Ours."""
        return Town(self.authority)


def load_configuration(path: Path) -> Configuration:
    """Read it.

    Raises:
        ConfigError: unusable; names file and key, and says what is allowed.
    """
    file = load_toml(path, GalleryFile)
    folder = path.absolute().parent
    sealing = read_key(folder / file.identity.sealing_key_file, f"{path}: key identity.sealing_key_file")
    authority_file = folder / file.identity.authority_file
    try:
        authority = PublicKey(read_key(authority_file, f"{path}: key identity.authority_file"))
    except WireError as e:
        raise ConfigError(f"{authority_file}: not an Ed25519 public key") from e
    node = parse_node(file.identity.node)
    return Configuration(path, file, node, X25519PrivateKey.from_private_bytes(sealing), authority)
