"""``notifier.toml``, read once and checked whole; docs/configuration.md shows every key. Paths are relative to it."""

from __future__ import annotations

import ipaddress
import pwd
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from notifier.endpoints import Network
from notifier.gateway import EMAIL, SMS, Gateway
from notifier.vapid import VapidKey, load_or_make_key
from runtime.config import ConfigError, load_toml

SOCKET: Final = "/run/watchlink-notifier/notifier.socket"
_GATEWAY_BYTES_MAX: Final = 4_096


class Table(Struct, frozen=True, kw_only=True):
    """Base of the tables."""


class CentralTable(Table, frozen=True, kw_only=True):
    """``[central]``: who orders."""

    socket: str = SOCKET
    """Where it connects."""
    user: str = ""
    """Its user; empty = our own (a demo, a test)."""
    page: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^/?#\s]+/)?$(?!\n)")] = ""
    """The control room's, for text messages and e-mail: ``https://central.town.example/``."""


class PushTable(Table, frozen=True, kw_only=True):
    """``[push]``: Web Push."""

    contact: Annotated[str, msgspec.Meta(pattern=r"^(mailto:\S+@\S+|https://\S+)$(?!\n)")]
    """Whom a push service may ask about us."""
    key_file: str = "push.pem"
    """Made at the first start. Whoever loses it sets every phone up anew."""
    ca_file: str = ""
    """Whom to believe beside the usual authorities: for a push service of one's own."""
    allowed_networks: tuple[str, ...] = ()
    """Where endpoints may be, beside the public internet."""


class GatewayTable(Table, frozen=True, kw_only=True):
    """``[sms]`` and ``[email]``."""

    gateway_file: Annotated[str, msgspec.Meta(min_length=1)]
    """A file with one address of Apprise, with its password, and ``{to}`` for the person's."""


class NotifierFile(Table, frozen=True, kw_only=True):
    """The file as written."""

    central: CentralTable = CentralTable()
    push: PushTable
    sms: GatewayTable | None = None
    email: GatewayTable | None = None


class Configuration(Struct, frozen=True):
    """The file, with what it names.

    Attributes:
        user: id of central's user; ``None`` = our own.
        gateways: by way.
    """

    file: NotifierFile
    socket: Path
    user: int | None
    key: VapidKey
    ca_file: Path | None
    allowed: tuple[Network, ...]
    gateways: dict[Literal["sms", "email"], Gateway]


def load_configuration(path: Path) -> Configuration:
    """Read it, and make the push key if there is none.

    Raises:
        ConfigError: unusable; names file and key, and says what is allowed.
    """
    file = load_toml(path, NotifierFile)
    folder = path.absolute().parent
    if file.central.page and not urlsplit(file.central.page).hostname:
        raise ConfigError(f"{path}: key central.page: {file.central.page!r} is no address of a page")
    ca_file = folder / file.push.ca_file if file.push.ca_file else None
    if ca_file is not None and not ca_file.is_file():
        raise ConfigError(f"{path}: key push.ca_file: there is no file {ca_file}")
    gateways: dict[Literal["sms", "email"], Gateway] = {}
    if file.sms is not None:
        gateways["sms"] = _gateway(path, "sms", SMS, folder / file.sms.gateway_file)
    if file.email is not None:
        gateways["email"] = _gateway(path, "email", EMAIL, folder / file.email.gateway_file)
    return Configuration(
        file,
        folder / file.central.socket,
        _user(path, file.central.user),
        load_or_make_key(folder / file.push.key_file, file.push.contact),
        ca_file,
        tuple(_network(path, text) for text in file.push.allowed_networks),
        gateways,
    )


def _user(path: Path, name: str) -> int | None:
    if not name:
        return None
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError as e:
        raise ConfigError(f"{path}: key central.user: there is no user {name!r} on this machine") from e


def _network(path: Path, text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as e:
        raise ConfigError(f"{path}: key push.allowed_networks: {text!r} is no network, such as 192.0.2.0/24") from e


def _gateway(path: Path, way: str, name: str, file: Path) -> Gateway:
    try:
        with file.open("rb") as source:
            url = source.read(_GATEWAY_BYTES_MAX).decode("ascii").strip()
    except OSError as e:
        raise ConfigError(f"{path}: key {way}.gateway_file: {file} cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path}: key {way}.gateway_file: {file} holds something else than an address") from e
    gateway = Gateway(name, url)
    if fault := gateway.fault():
        raise ConfigError(f"{path}: key {way}.gateway_file: {file}: {fault}")
    return gateway
