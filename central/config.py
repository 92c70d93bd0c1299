"""``central.toml`` → one frozen object, checked once; docs/configuration.md shows every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Struct
from sqlalchemy.engine import URL

from central.store.database import resolve_url
from central.store.errors import StoreConfigError
from runtime.config import ConfigError, load_toml
from runtime.mqtt_link import LinkSettings
from runtime.web_server import is_loopback
from wire.errors import WireError
from wire.signing import KEY_BYTES, PublicKey, SigningKey

ALERTS_CERTIFICATE_FILE: Final = "alerts.pem"
ALERTS_KEY_FILE: Final = "alerts.key"
"""Certificate and key of the connection for alerts, made by the fleet, beside the configuration."""
_KEY_FILE_BYTES_MAX: Final = 1_024


class IdentityTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[identity]``."""

    signing_key_file: str
    authority_file: str
    directory_file: str


class WebTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[web]``. Port 0 takes a free one, reported by the fact ``listening``."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080


class PageTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[page]``."""

    inter_font_dir: str = "/usr/share/fonts/opentype/inter"


class CentralFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file as written: paths unresolved, keys unread."""

    database: str
    identity: IdentityTable
    mqtt: LinkSettings
    web: WebTable = WebTable()
    page: PageTable = PageTable()


class Configuration(Struct, frozen=True):
    """Everything resolved: paths absolute, keys read."""

    database: URL
    signing_key: SigningKey
    authority: PublicKey
    directory_file: Path
    mqtt: LinkSettings
    alerts_mqtt: LinkSettings | None
    """With the certificate of the connection for alerts; ``None`` if the fleet has not made one yet."""
    web_host: str
    web_port: int
    inter_font_dir: Path
    quarantine_dir: Path


def load_configuration(path: Path) -> Configuration:
    """Read the file and the keys it names.

    Raises:
        ConfigError: one sentence with the key, the file and what is allowed.
    """
    file = load_toml(path, CentralFile)
    folder = path.resolve().parent
    if not is_loopback(file.web.host):
        raise ConfigError(
            f"{path}: key web.host: {file.web.host!r} is not allowed: until there are accounts the page listens on"
            " this machine only (127.0.0.1, ::1 or localhost)"
        )
    try:
        database = resolve_url(file.database, folder)
    except StoreConfigError as e:
        raise ConfigError(f"{path}: key database: {e}") from e
    seed = _read_key(path, "identity.signing_key_file", folder / file.identity.signing_key_file)
    authority = _read_key(path, "identity.authority_file", folder / file.identity.authority_file)
    try:
        authority_key = PublicKey(authority)
    except (WireError, ValueError) as e:
        raise ConfigError(f"{path}: key identity.authority_file: not a public key") from e
    return Configuration(
        database=database,
        signing_key=SigningKey(seed),
        authority=authority_key,
        directory_file=folder / file.identity.directory_file,
        mqtt=file.mqtt.resolved(folder),
        alerts_mqtt=_alerts_settings(file.mqtt, folder),
        web_host=file.web.host,
        web_port=file.web.port,
        inter_font_dir=folder / file.page.inter_font_dir,
        quarantine_dir=folder / "quarantine",
    )


def _alerts_settings(mqtt: LinkSettings, folder: Path) -> LinkSettings | None:
    if not (folder / ALERTS_CERTIFICATE_FILE).exists():
        return None
    own = msgspec.structs.replace(mqtt, certificate_file=ALERTS_CERTIFICATE_FILE, key_file=ALERTS_KEY_FILE)
    return own.resolved(folder)


def _read_key(path: Path, key: str, file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            raw = bytes.fromhex(source.read(_KEY_FILE_BYTES_MAX).decode("ascii").strip())
    except OSError as e:
        raise ConfigError(f"{path}: key {key}: {file} cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise ConfigError(f"{path}: key {key}: {file} does not hold {2 * KEY_BYTES} hexadecimal digits") from e
    if len(raw) != KEY_BYTES:
        raise ConfigError(f"{path}: key {key}: {file} does not hold {2 * KEY_BYTES} hexadecimal digits")
    return raw
