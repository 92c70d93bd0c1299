"""Who this unit is, as its claim has left it in the node's folder. Read here, never written."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import msgspec

from runtime.config import ConfigError
from runtime.key_file import read_key
from runtime.regular_file import read_regular
from wire.errors import WireError
from wire.messages import NodeText
from wire.seed import ENROLMENT_PORT
from wire.signing import PublicKey

NODE_TOML: Final = "node.toml"
_TOML_BYTES_MAX: Final = 65_536


class _Node(msgspec.Struct, frozen=True):
    node: NodeText


class _Service(msgspec.Struct, frozen=True):
    host: str = ""
    port: int = ENROLMENT_PORT


class _File(msgspec.Struct, frozen=True):
    """Of ``node.toml``, what this program needs."""

    identity: _Node
    enrolment: _Service = _Service()


class Identity(msgspec.Struct, frozen=True):
    """Who it is, and whom it asks.

    Attributes:
        node: its number.
        host, port: of the enrolment service; no host = an engineer brings updates.
        ca_file: PEM; the only roots that are trusted there.
        authority: who signs releases.
    """

    node: str
    host: str
    port: int
    ca_file: Path
    authority: PublicKey


def load_identity(folder: Path) -> Identity | None:
    """The unit's; ``None`` = it has none yet, or it cannot be read."""
    try:
        data = read_regular(folder / NODE_TOML, _TOML_BYTES_MAX).decode("utf-8")
        file = msgspec.convert(tomllib.loads(data), _File)
        authority = PublicKey(read_key(folder / "authority.pub", "the authority's key"))
    except (OSError, ValueError, ConfigError, WireError, msgspec.ValidationError):
        return None
    return Identity(file.identity.node, file.enrolment.host, file.enrolment.port, folder / "ca.pem", authority)
