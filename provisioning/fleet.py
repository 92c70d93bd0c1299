"""A town's fleet: one folder with the CA, the directory, the broker's files, central's folder and one for each node.

``fleet.json`` is written first and is the source; whatever is made from it is made again from it by the next
change, so an interrupted command is finished by running it, or any other, once more.
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import os
import pwd
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from provisioning.atomic import PRIVATE, PUBLIC, put_in_place, sync_folder, write_atomic, write_beside
from provisioning.broker import Member, render_acl, render_configuration
from provisioning.certificates import (
    CertificateAuthority,
    IssuedCertificate,
    check_crl,
    issue_client_certificate,
    issue_crl,
    issue_server_certificate,
)
from provisioning.errors import FleetDamagedError, FleetError, FleetInputError
from provisioning.layout import (
    CENTRAL_TEXT,
    DEFAULT_PROFILE,
    FAKE_SOCKET,
    FOLDER,
    Layout,
    authority_text,
    central_toml,
    node_toml,
)
from provisioning.records import (
    BrokerRecord,
    CentralRecord,
    CertificateRecord,
    FleetRecord,
    NodeRecord,
    clean_name,
    clean_scheme,
    encode_record,
    load_record,
)
from wire.directory import seal_directory
from wire.ids import FIRST_PREMISES_NODE, U32_MAX, NodeId, node_text
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import KEY_BYTES, SigningKey

PORT_MAX: Final = 0xFFFF
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class NewNode:
    """What is asked of :meth:`Fleet.add`.

    Attributes:
        premises, place: names for people, at most 64 characters each.
        schemes: slugs of the schemes it is in, one at least.
        profile: its hardware; ``fake`` for a board of mocked pins.
        fake_socket: the fake board's Unix socket, relative to the node's folder.
    """

    premises: str
    place: str
    schemes: Sequence[str]
    profile: str = DEFAULT_PROFILE
    fake_socket: str = FAKE_SOCKET


class Fleet:
    """One fleet folder. Changes are serialised by a lock on the folder, so two commands at once are safe.

    Attributes:
        layout: where everything lies.
        record: what the fleet knew when it was last read or changed here.
    """

    def __init__(self, layout: Layout, record: FleetRecord, clock: Callable[[], datetime]) -> None:
        self.layout = layout
        self.record = record
        self._clock = clock

    # -- making and opening ---------------------------------------------------------------------------------------

    @classmethod
    def init(
        cls,
        town: Path,
        *,
        schemes: Mapping[str, str],
        host: str = "127.0.0.1",
        port: int = 8883,
        bind: str = "",
        web_port: int = 8080,
        broker_folder: str = "",
        broker_user: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Fleet:
        """Make a fleet without nodes. It appears whole or not at all.

        Args:
            town: the folder; it must not exist, or be empty.
            schemes: slug → name, numbered from 1 in that order.
            host: the broker's address or name as nodes reach it.
            port: the broker's port.
            bind: the address the broker listens on; empty: ``host``, where that is an address.
            web_port: central's, on loopback.
            broker_folder: where the broker's machine keeps its folder; empty: in the fleet folder.
            broker_user: whom the broker becomes when root starts it; empty: who runs this.
            clock: aware now.

        Raises:
            FleetInputError: the folder is taken, or a name, scheme, address or port cannot be used.
        """
        town = Path(os.path.abspath(town))  # noqa: PTH100 - resolve() would look through links, and fail on their ends
        if town.exists() and (not town.is_dir() or any(town.iterdir())):
            raise FleetInputError(f"{town} is taken, and nothing there is overwritten: choose a new or empty folder.")
        now = clock()
        entries = [clean_scheme(slug, name, number) for number, (slug, name) in enumerate(schemes.items(), start=1)]
        if not entries:
            raise FleetInputError("A fleet needs at least one scheme.")
        for what, value in (("broker", port), ("web", web_port)):
            if not 1 <= value <= PORT_MAX:
                raise FleetInputError(f"{value} is no {what} port: 1 to 65535.")
        broker = BrokerRecord(
            host=clean_name(host, "broker's host"),
            port=port,
            bind=bind or _bind_address(host),
            user=broker_user or _own_name(),
            certificates=(),
            folder=broker_folder,
        )
        ca = CertificateAuthority.create(f"Watchlink CA of {town.name}"[:64], now)
        signing_seed = secrets.token_bytes(KEY_BYTES)
        server = issue_server_certificate(ca, (host, *LOCAL_NAMES), now=now)
        client = issue_client_certificate(ca, CENTRAL_TEXT, now=now)
        record = FleetRecord(
            created_at=now,
            schemes=tuple(entries),
            broker=msgspec.structs.replace(broker, certificates=(_remember(server),)),
            central=CentralRecord(
                key=SigningKey(signing_seed).public.raw.hex(), certificates=(_remember(client),), web_port=web_port
            ),
            next_node=FIRST_PREMISES_NODE,
            directory_serial=1,
            directory_issued_at=now,
        )
        cls._build(town, record, clock=clock, ca=ca, signing_seed=signing_seed, server=server, client=client)
        return cls.open(town, clock=clock)

    @classmethod
    def _build(
        cls,
        town: Path,
        record: FleetRecord,
        *,
        clock: Callable[[], datetime],
        ca: CertificateAuthority,
        signing_seed: bytes,
        server: IssuedCertificate,
        client: IssuedCertificate,
    ) -> None:
        """Build the folder beside its place and rename it: an interrupted init leaves no half a town."""
        town.parent.mkdir(parents=True, exist_ok=True)
        staging = Layout(town.with_name(f".{town.name}.{secrets.token_hex(4)}"))
        authority_seed = secrets.token_bytes(KEY_BYTES)
        authority = SigningKey(authority_seed)
        try:
            staging.town.mkdir(mode=FOLDER)
            staging.create()
            write_atomic(staging.authority / "ca.pem", ca.certificate_pem, PUBLIC)
            write_atomic(staging.authority / "ca.key", ca.key_pem, PRIVATE)
            write_atomic(staging.authority / "authority.key", authority_seed.hex().encode() + b"\n", PRIVATE)
            write_atomic(staging.authority / "authority.pub", authority_text(authority), PUBLIC)
            write_atomic(staging.broker / "ca.pem", ca.certificate_pem, PUBLIC)
            staging.write_certificate(staging.broker, "server", server)
            staging.write_identity(staging.central, client, signing_seed, ca.certificate_pem, authority_text(authority))
            toml = central_toml(record.broker, record.central.web_port)
            write_atomic(staging.central / "central.toml", toml.encode(), PUBLIC)
            write_atomic(staging.record, encode_record(record), PUBLIC)
            built = cls(staging, record, clock)
            built.publish(settings_of=Layout(town))
            built.publish_crl(ca)
            staging.town.replace(town)
            sync_folder(town.parent)
        except OSError as e:
            raise FleetError(f"The fleet could not be made in {town}: {e.strerror or e}.") from e
        finally:
            shutil.rmtree(staging.town, ignore_errors=True)

    @classmethod
    def open(cls, town: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Fleet:
        """Open a fleet.

        Raises:
            FleetInputError: there is none.
            FleetDamagedError: its record cannot be read.
        """
        layout = Layout(Path(os.path.abspath(town)))  # noqa: PTH100 - as in init
        return cls(layout, load_record(layout.record), clock)

    # -- what is known --------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The fleet's clock, aware."""
        return self._clock()

    @property
    def nodes(self) -> tuple[NodeRecord, ...]:
        """Every node there ever was, by id."""
        return self.record.nodes

    def node_folder(self, node: str) -> Path:
        """The folder that is carried to ``node``."""
        return self.layout.node(node)

    def authority(self) -> CertificateAuthority:
        """The CA with its key.

        Raises:
            FleetDamagedError: missing or unusable.
        """
        try:
            certificate_pem = (self.layout.authority / "ca.pem").read_bytes()
            key_pem = (self.layout.authority / "ca.key").read_bytes()
        except OSError as e:
            raise FleetDamagedError(
                f"The CA cannot be read ({e.filename}: {e.strerror}); docs/runbook.md, 'A lost CA key'."
            ) from e
        return CertificateAuthority.load(certificate_pem, key_pem)

    # -- changing it ----------------------------------------------------------------------------------------------

    def add(
        self,
        premises: str,
        place: str,
        schemes: Sequence[str],
        *,
        profile: str = DEFAULT_PROFILE,
        fake_socket: str = FAKE_SOCKET,
    ) -> NodeRecord:
        """Add one node; see :meth:`add_all`."""
        return self.add_all([NewNode(premises, place, schemes, profile, fake_socket)])[0]

    def add_all(self, wanted: Sequence[NewNode]) -> tuple[NodeRecord, ...]:
        """Add nodes, with one new directory for all. A running broker must be told (:mod:`provisioning.enforcement`).

        Each node's private keys are only in its folder: carry it to the node, then delete it here.

        Raises:
            FleetInputError: a name or scheme cannot be used; nothing was changed.
        """
        with self.changing():
            now = self.now()
            ca = self.authority()
            added: list[NodeRecord] = []
            record = self.record
            for new in wanted:
                folder_id = self._next_id(record)
                seed = secrets.token_bytes(KEY_BYTES)
                certificate = issue_client_certificate(ca, folder_id, now=now)
                node = NodeRecord(
                    node=folder_id,
                    premises=clean_name(new.premises, "name of the premises"),
                    place=clean_name(new.place, "place", is_required=False),
                    schemes=record.scheme_numbers(tuple(new.schemes)),
                    profile=clean_name(new.profile, "hardware profile"),
                    key=SigningKey(seed).public.raw.hex(),
                    added_at=now,
                    certificates=(_remember(certificate),),
                )
                record = msgspec.structs.replace(record, nodes=(*record.nodes, node), next_node=int(folder_id, 16) + 1)
                added.append(node)
                self._write_node(node, new.fake_socket, certificate, seed, ca)
            self.commit(_next_directory(record, now))
            self.publish()
        return tuple(added)

    def _next_id(self, record: FleetRecord) -> str:
        # A folder without a record is what an interrupted add left: its keys are in nobody's directory.
        number = record.next_node
        while number <= U32_MAX and self.layout.node(node_text(NodeId(number))).exists():
            number += 1
        if number > U32_MAX:
            raise FleetInputError("All node ids have been used.")
        return node_text(NodeId(number))

    def _write_node(
        self, node: NodeRecord, fake_socket: str, certificate: IssuedCertificate, seed: bytes, ca: CertificateAuthority
    ) -> None:
        folder = self.layout.node(node.node)
        folder.mkdir(mode=FOLDER)
        authority_public = (self.layout.authority / "authority.pub").read_bytes()
        self.layout.write_identity(folder, certificate, seed, ca.certificate_pem, authority_public)
        toml = node_toml(node, self.record.broker, fake_socket)
        write_atomic(folder / "node.toml", toml.encode(), PUBLIC)

    # -- the steps that changes are made of; also for provisioning.enforcement ------------------------------------

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the folder's lock, with the record read afresh; other commands wait."""
        descriptor = os.open(self.layout.town, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self.record = load_record(self.layout.record)
            yield
        finally:
            os.close(descriptor)

    def commit(self, record: FleetRecord) -> None:
        """Make ``record`` what the fleet knows."""
        write_atomic(self.layout.record, encode_record(record), PUBLIC)
        self.record = record

    def publish(self, settings_of: Layout | None = None) -> None:
        """Write the directory, the ACL and the broker's configuration from the record.

        Raises:
            FleetDamagedError: the authority's key is missing or unusable.
            FleetError: the directory no longer fits what a node accepts.
        """
        record = self.record
        sealed = seal_directory(record.directory(), self._directory_key())
        if len(sealed) > DIRECTORY_BYTES_MAX:
            raise FleetError(f"The directory would be larger than the {DIRECTORY_BYTES_MAX} bytes a node accepts.")
        members = [
            Member(node.id, record.scheme_slugs(node.schemes), node.revoked_at is not None) for node in record.nodes
        ]
        acl = render_acl(members, [scheme.slug for scheme in record.schemes], record.crl_number)
        settings = (settings_of or self.layout).broker_settings(record.broker)
        self.layout.write_directory(sealed)
        write_atomic(self.layout.broker / "acl", acl.encode(), PRIVATE)
        write_atomic(self.layout.broker / "mosquitto.conf", render_configuration(settings).encode(), PUBLIC)

    def publish_crl(self, ca: CertificateAuthority) -> None:
        """Write the revocation list from the record; what the broker gets was read back and checked.

        Raises:
            CrlError: it is not fit for a broker; the one in place stays.
        """
        now = self.now()
        serials = self.record.revoked_serials(now)
        crl = issue_crl(ca, serials, self.record.crl_number, now=now)
        for folder in (self.layout.authority, self.layout.broker):
            beside = write_beside(folder / "crl.pem", crl, PUBLIC)
            try:
                check_crl(beside.read_bytes(), ca, serials, now)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            put_in_place(beside, folder / "crl.pem")

    def _directory_key(self) -> SigningKey:
        path = self.layout.authority / "authority.key"
        try:
            seed = bytes.fromhex(path.read_text().strip())
            key = SigningKey(seed)
        except (OSError, ValueError) as e:
            raise FleetDamagedError(f"The directory cannot be signed: {path} cannot be used ({e}).") from e
        return key


def _remember(certificate: IssuedCertificate) -> CertificateRecord:
    return CertificateRecord(serial=f"{certificate.serial:x}", expires_at=certificate.expires_at)


def _next_directory(record: FleetRecord, now: datetime) -> FleetRecord:
    return msgspec.structs.replace(record, directory_serial=record.directory_serial + 1, directory_issued_at=now)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user without an account cannot become another, so the broker will never look
        return str(os.geteuid())


def _bind_address(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError as e:
        raise FleetInputError(
            f"{host!r} is a name: say with --broker-bind on which address the broker listens (0.0.0.0 for all)."
        ) from e
