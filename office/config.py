"""``office.toml`` → one frozen object, checked once; docs/configuration.md shows every key.

Paths are resolved here, keys are read where they are used: the publisher alone may read the snapshot key, and need not
be able to read the keys of the pages.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from runtime.config import ConfigError, load_toml
from runtime.key_file import read_key
from runtime.loopback import is_loopback
from wire.errors import WireError
from wire.signing import PublicKey
from wire.snapshots import Town

CONFIG_VARIABLE: Final = "WATCHLINK_OFFICE_CONFIG"
"""Environment variable with the path of ``office.toml``, for Django's settings."""
DATABASE_VARIABLE: Final = "WATCHLINK_OFFICE_DATABASE"
"""Environment variable with another database than the file's: a copy that is being opened."""
KEEP_DAYS_MAX: Final = 366
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class WebTable(Struct, frozen=True, kw_only=True):
    """``[web]``: the pages. Port 0 takes a free one, reported by the fact ``listening``."""

    host: str = "localhost"
    port: Port = 8090
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=8)] = ("localhost",)
    """Host names by which browsers reach the pages; the first is that of the passkeys. No addresses, no ports."""
    certificate_file: str = ""
    key_file: str = ""
    workers: Annotated[int, msgspec.Meta(ge=1, le=32)] = 8


class PublicTable(Struct, frozen=True, kw_only=True):
    """``[public]``: the page for everybody, with the certificate of the pages. Without a host it is off."""

    host: str = ""
    port: Port = 8092


class KeysTable(Struct, frozen=True, kw_only=True):
    """``[keys]``: made by ``watchlink office init``."""

    pages_key_file: str = "keys/pages.key"
    """Signs cookies and encrypts the secrets of authenticator apps. Readable by the pages alone."""
    ticket_key_file: str = "keys/ticket.key"
    """Signs tickets for central. Readable by the pages alone; its public half is in ``ticket.pub`` beside it."""
    photographs_key_file: str = "keys/photographs.key"
    """Opens the keys of photographs. In no backup of the database. Readable by the pages alone."""
    snapshot_key_file: str = "publisher/snapshot.key"
    """Signs snapshots. Readable by the publisher alone; its public half is in ``snapshot.pub`` beside it."""
    gallery_key_file: str = "publisher/gallery.key"
    """Names in galleries are encrypted under keys derived from it. Made by the publisher, in no backup: lost, it is
    made anew, and so are the lines."""


class CentralTable(Struct, frozen=True, kw_only=True):
    """``[central]``."""

    url: str = ""
    """Of central's page, such as ``https://watch.example.org:8080/``; empty = there is no central yet."""


class PublisherTable(Struct, frozen=True, kw_only=True):
    """``[publisher]``: the program that signs. Without a certificate it only writes files."""

    snapshots: str = "snapshots"
    host: str = "127.0.0.1"
    port: Port = 8091
    certificate_file: str = ""
    key_file: str = ""
    clients_ca_file: str = ""
    gallery_lease_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7
    """So long shops show who is excluded without any contact with the office."""


class NodesTable(Struct, frozen=True, kw_only=True):
    """``[nodes]``: the machine port, whose word the pages show."""

    file: str = "nodes/nodes.toml"
    """Its configuration; without that file the office answers no nodes."""


class StaffTable(Struct, frozen=True, kw_only=True):
    """``[staff]``: of shops, who may sign in at the gallery."""

    kept_days: Annotated[int, msgspec.Meta(ge=1, le=3_660)] = 120
    """So long the name of somebody who was taken off is kept: for ``views_days`` of the machine port, and as long as a
    unit without network may be late."""


class PapersTable(Struct, frozen=True, kw_only=True):
    """``[papers]``: the program that makes PDFs."""

    socket: str = "/run/watchlink-office-papers/papers.sock"
    """Where the pages order."""


class MailTable(Struct, frozen=True, kw_only=True):
    """``[mail]``: a mail server, if there is one."""

    host: str = ""
    port: Port = 587
    user: str = ""
    password_file: str = ""
    sender: str = ""


class PageTable(Struct, frozen=True, kw_only=True):
    """``[page]``."""

    inter_font_dir: str = "/usr/share/fonts/opentype/inter"


class BackupTable(Struct, frozen=True, kw_only=True):
    """``[backup]``. Without ``recipients`` no backup is made. A mistake in it keeps no program from starting."""

    recipients: tuple[str, ...] = ()
    """Public keys of age, ``age1…``; any one of their secret halves opens a backup."""
    keys_recipients: tuple[str, ...] = ()
    """Others, for the backup of the keys: whoever opens the one must not be able to open the other."""
    folder: str = "/var/backups/watchlink-office"
    keep_days: Annotated[int, msgspec.Meta(ge=1, le=KEEP_DAYS_MAX)] = 30
    """Older ones are deleted: so long lives on what was erased."""


class OfficeFile(Struct, frozen=True, kw_only=True):
    """The file as written: paths unresolved."""

    authority_file: str
    directory_file: str
    database: str = "office.sqlite3"
    photographs: str = "data/photographs"
    web: WebTable = WebTable()
    public: PublicTable = PublicTable()
    keys: KeysTable = KeysTable()
    central: CentralTable = CentralTable()
    publisher: PublisherTable = PublisherTable()
    nodes: NodesTable = NodesTable()
    staff: StaffTable = StaffTable()
    papers: PapersTable = PapersTable()
    mail: MailTable = MailTable()
    page: PageTable = PageTable()
    backup: BackupTable = BackupTable()


class Configuration(Struct, frozen=True, kw_only=True):
    """Everything resolved: paths absolute.

    Attributes:
        file: of the configuration itself.
        authority: whose signature the directory must bear.
        database: a URL ``postgresql://…``, or the absolute path of the SQLite file.
        photographs_folder: of the encrypted files.
        ticket_public_file, snapshot_public_file: 64 hexadecimal digits each, readable by every program of the office.
        central_url: without a path, without a slash at the end; empty = none.
    """

    file: Path
    authority: PublicKey
    directory_file: Path
    database: str
    photographs_folder: Path
    web: WebTable
    public: PublicTable
    certificate_file: Path | None
    key_file: Path | None
    pages_key_file: Path
    ticket_key_file: Path
    ticket_public_file: Path
    photographs_key_file: Path
    snapshot_key_file: Path
    snapshot_public_file: Path
    gallery_key_file: Path
    central_url: str
    snapshots_folder: Path
    publisher: PublisherTable
    nodes_file: Path
    staff: StaffTable
    papers_socket: Path
    mail: MailTable
    mail_password_file: Path | None
    inter_font_dir: Path
    backup: BackupTable
    backup_folder: Path

    @property
    def backup_record_file(self) -> Path:
        """How the last backup went: beside the alarm, where the pages can read and not write."""
        return self.snapshots_folder / "backup.json"

    @property
    def keys_record_file(self) -> Path:
        """When the keys were last copied, and which they were."""
        return self.snapshots_folder / "keys-backup.json"

    @property
    def town(self) -> Town:
        """Ours."""
        return Town(self.authority)

    @property
    def has_tls(self) -> bool:
        """Whether the pages are served over HTTPS."""
        return self.certificate_file is not None

    @property
    def url(self) -> str:
        """Where people reach the pages, by the first of their names: for links. Without a slash at the end."""
        name, port = self.web.names[0], self.web.port
        scheme, usual_port = ("https", 443) if self.has_tls else ("http", 80)
        return f"{scheme}://{name}" if port == usual_port else f"{scheme}://{name}:{port}"

    def path(self, text: str) -> Path:
        """A path of the file, which may be relative to its folder."""
        return self.file.parent / text


def load_configuration(path: Path) -> Configuration:
    """Read the file and the authority's public key.

    Raises:
        ConfigError: one sentence with the key, the file and what is allowed.
    """
    file = load_toml(path, OfficeFile)
    path = path.resolve()
    folder = path.parent
    web = file.web
    if bool(web.certificate_file) != bool(web.key_file):
        raise ConfigError(f"{path}: keys web.certificate_file and web.key_file: give both or neither")
    for key, host in (("web.host", web.host), ("public.host", file.public.host)):
        if host and not web.certificate_file and not is_loopback(host):
            raise ConfigError(
                f"{path}: key {key}: {host!r} is not allowed without web.certificate_file and web.key_file: pages"
                " without TLS listen on this machine only (127.0.0.1, ::1 or localhost)"
            )
    if any(not name or set(name) & set(":/*@ ") for name in web.names):
        raise ConfigError(f"{path}: key web.names: host names only, such as office.example.org, without ports")
    try:
        authority = PublicKey(read_key(folder / file.authority_file, f"{path}: key authority_file"))
    except (WireError, ValueError) as e:
        raise ConfigError(str(e) if isinstance(e, ConfigError) else f"{path}: key authority_file: no public key") from e
    keys = file.keys
    return Configuration(
        file=path,
        authority=authority,
        directory_file=folder / file.directory_file,
        database=_database(path, file.database),
        photographs_folder=folder / file.photographs,
        web=web,
        public=file.public,
        certificate_file=folder / web.certificate_file if web.certificate_file else None,
        key_file=folder / web.key_file if web.key_file else None,
        pages_key_file=folder / keys.pages_key_file,
        ticket_key_file=folder / keys.ticket_key_file,
        ticket_public_file=(folder / keys.ticket_key_file).with_suffix(".pub"),
        photographs_key_file=folder / keys.photographs_key_file,
        snapshot_key_file=folder / keys.snapshot_key_file,
        snapshot_public_file=(folder / keys.snapshot_key_file).with_suffix(".pub"),
        gallery_key_file=folder / keys.gallery_key_file,
        central_url=_central_url(path, file.central.url),
        snapshots_folder=folder / file.publisher.snapshots,
        publisher=file.publisher,
        nodes_file=folder / file.nodes.file,
        staff=file.staff,
        papers_socket=folder / file.papers.socket,
        mail=file.mail,
        mail_password_file=folder / file.mail.password_file if file.mail.password_file else None,
        inter_font_dir=folder / file.page.inter_font_dir,
        backup=file.backup,
        backup_folder=folder / file.backup.folder,
    )


def configured() -> Configuration | None:
    """The configuration that the environment names; ``None`` = it names none, as in tests.

    Raises:
        ConfigError: as :func:`load_configuration`.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    if not named:
        return None
    configuration = load_configuration(Path(named))
    copy = os.environ.get(DATABASE_VARIABLE)
    return msgspec.structs.replace(configuration, database=copy) if copy else configuration


def _database(path: Path, text: str) -> str:
    if text.startswith("postgresql://"):
        # They would win over the path, by which a backup is tried in a database beside the office's own.
        if {"dbname", "service"} & {name for name, _ in parse_qsl(urlsplit(text).query)}:
            raise ConfigError(f"{path}: key database: name the database in the path: postgresql://USER@HOST/NAME")
        return text
    if "://" in text:
        raise ConfigError(f"{path}: key database: a file, or postgresql://USER@HOST/NAME")
    return str(path.parent / text)


def _central_url(path: Path, text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ConfigError(f"{path}: key central.url: such as https://watch.example.org:8080/, without a path")
    return f"{parts.scheme}://{parts.netloc}"
