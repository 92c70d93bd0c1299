"""``central.toml`` → one frozen object, checked once; docs/configuration.md shows every key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from sqlalchemy.engine import URL

from central.store.database import resolve_url
from central.store.errors import StoreConfigError
from runtime.config import ConfigError, load_toml
from runtime.key_file import read_key
from runtime.loopback import is_loopback
from runtime.mqtt_link import LinkSettings
from wire.errors import WireError
from wire.signing import PublicKey, SigningKey

ALERTS_CERTIFICATE_FILE: Final = "alerts.pem"
ALERTS_KEY_FILE: Final = "alerts.key"
"""Certificate and key of the connection for alerts, made by the fleet, beside the configuration."""
SETTINGS_FILE: Final = "settings.json"
"""Nodes' settings, likewise."""


HostName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.:-]{0,253}$(?!\n)")]
"""In lower case, without a port; or an address."""


class IdentityTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[identity]``."""

    signing_key_file: str
    authority_file: str
    directory_file: str
    delegated_directory_file: str = ""
    """Where the enrolment service puts the directory with its changes; empty = there is none."""


class WebTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[web]``. Port 0 takes a free one, reported by the fact ``listening``."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    names: tuple[HostName, ...] = ()
    """Names and addresses by which people open the page, besides this machine's own."""
    certificate_file: str = ""
    key_file: str = ""


class OfficeTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[office]``. Without ``url`` central is joined to no office, and nobody can sign in."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?)?$(?!\n)")] = ""
    """Of the office's pages."""
    snapshots: str = "../office/snapshots"
    """Folder into which the office's publisher writes, if it runs on this machine."""
    fetch_url: str = ""
    """Of the publisher, if it runs on another machine: ``https://HOST:PORT``. Central's certificate for the broker
    opens it, and ``snapshots`` is not used."""


class NotifierTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[notifier]``: the program beside this one that tells people on their phones."""

    socket: str = ""
    """Its Unix socket; empty = nobody is told by phone."""


class PageTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[page]``."""

    inter_font_dir: str = "/usr/share/fonts/opentype/inter"


class BackupTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[backup]``. Without ``recipients`` no backup is made. A mistake in it never keeps central from starting."""

    recipients: tuple[str, ...] = ()
    """Public keys of age, ``age1…``; any one of their secret halves opens a backup."""
    folder: str = "/var/backups/watchlink-central"
    keep: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 30
    """How many stay in the folder; older ones are deleted."""


class CentralFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file as written: paths unresolved, keys unread."""

    database: str
    identity: IdentityTable
    mqtt: LinkSettings
    web: WebTable = WebTable()
    page: PageTable = PageTable()
    office: OfficeTable = OfficeTable()
    backup: BackupTable = BackupTable()
    notifier: NotifierTable = NotifierTable()


class WebFiles(Struct, frozen=True):
    """The page's own side of TLS."""

    certificate_file: Path
    key_file: Path


class Configuration(Struct, frozen=True):
    """Everything resolved: paths absolute, keys read."""

    file: Path
    """Where it was written."""
    database: URL
    signing_key: SigningKey
    authority: PublicKey
    directory_file: Path
    delegated_directory_file: Path | None
    mqtt: LinkSettings
    alerts_mqtt: LinkSettings | None
    """With the certificate of the connection for alerts; ``None`` if the fleet has not made one yet."""
    web_host: str
    web_port: int
    web_names: frozenset[str]
    web_tls: WebFiles | None
    """``None``: without TLS, for this machine only."""
    inter_font_dir: Path
    quarantine_dir: Path
    office_url: str
    """With a slash at its end; empty = no office."""
    snapshots_dir: Path
    fetch_url: str
    """Where to fetch what comes into ``snapshots_dir``; empty = the office writes it there itself."""
    kept_snapshots_dir: Path
    backup: BackupTable
    """With its folder absolute."""
    backup_record_file: Path
    """How the last backup went."""
    settings_file: Path
    """Nodes' settings from the fleet, if there are any."""
    notifier_socket: Path | None
    """Where the notifier is ordered; ``None`` = nobody is told by phone."""


def load_configuration(path: Path) -> Configuration:
    """Read the file and the keys it names.

    Raises:
        ConfigError: one sentence with the key, the file and what is allowed.
    """
    file = load_toml(path, CentralFile)
    folder = path.resolve().parent
    web_tls = _web_files(path, file.web, folder)
    _check_office(path, file.office)
    try:
        database = resolve_url(file.database, folder)
    except StoreConfigError as e:
        raise ConfigError(f"{path}: key database: {e}") from e
    seed = read_key(folder / file.identity.signing_key_file, f"{path}: key identity.signing_key_file")
    authority = read_key(folder / file.identity.authority_file, f"{path}: key identity.authority_file")
    try:
        authority_key = PublicKey(authority)
    except (WireError, ValueError) as e:
        raise ConfigError(f"{path}: key identity.authority_file: not a public key") from e
    return Configuration(
        file=path.resolve(),
        database=database,
        signing_key=SigningKey(seed),
        authority=authority_key,
        directory_file=folder / file.identity.directory_file,
        delegated_directory_file=folder / delegated if (delegated := file.identity.delegated_directory_file) else None,
        mqtt=file.mqtt.resolved(folder),
        alerts_mqtt=_alerts_settings(file.mqtt, folder),
        web_host=file.web.host,
        web_port=file.web.port,
        web_names=frozenset(file.web.names),
        web_tls=web_tls,
        inter_font_dir=folder / file.page.inter_font_dir,
        quarantine_dir=folder / "quarantine",
        office_url=f"{file.office.url.rstrip('/')}/" if file.office.url else "",
        snapshots_dir=folder / ("fetched" if file.office.fetch_url else file.office.snapshots),
        fetch_url=file.office.fetch_url,
        kept_snapshots_dir=folder / "snapshots",
        backup=msgspec.structs.replace(file.backup, folder=str(folder / file.backup.folder)),
        backup_record_file=folder / "backup.json",
        settings_file=folder / SETTINGS_FILE,
        notifier_socket=folder / file.notifier.socket if file.notifier.socket else None,
    )


def _web_files(path: Path, web: WebTable, folder: Path) -> WebFiles | None:
    if bool(web.certificate_file) != bool(web.key_file):
        missing = "key_file" if web.certificate_file else "certificate_file"
        raise ConfigError(f"{path}: key web.{missing} is missing: TLS needs certificate_file and key_file")
    if web.certificate_file:
        if not (is_loopback(web.host) or web.names):
            raise ConfigError(
                f"{path}: key web.names is missing: give the names by which people open the page, as the certificate"
                ' has them, such as names = ["central.town.example"]'
            )
        return WebFiles(folder / web.certificate_file, folder / web.key_file)
    if not is_loopback(web.host):
        raise ConfigError(
            f"{path}: key web.host: {web.host!r} is not allowed: without TLS the page listens on this machine only"
            " (127.0.0.1, ::1 or localhost). For other computers set certificate_file, key_file and names as well"
        )
    return None


def _check_office(path: Path, office: OfficeTable) -> None:
    host = urlsplit(office.url).hostname
    if office.url.startswith("http:") and not (host and is_loopback(host)):
        raise ConfigError(f"{path}: key office.url: {office.url!r} is not allowed: on another machine it must be https")


def _alerts_settings(mqtt: LinkSettings, folder: Path) -> LinkSettings | None:
    if not (folder / ALERTS_CERTIFICATE_FILE).exists():
        return None
    own = msgspec.structs.replace(mqtt, certificate_file=ALERTS_CERTIFICATE_FILE, key_file=ALERTS_KEY_FILE)
    return own.resolved(folder)
