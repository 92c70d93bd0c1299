"""A fleet folder: reading, locking and writing it, the steps of every change.

``fleet.json`` is written first and is the source; the next change makes all other files from it again, so running any
command once more finishes an interrupted one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509

from provisioning.broker import Member, Services, render_acl, render_configuration
from provisioning.certificates import CertificateAuthority, check_lists, crl_expiry, issue_crl, whole_lists
from provisioning.door import render_door
from provisioning.errors import CrlError, FleetDamagedError, FleetError, FleetInputError
from provisioning.issuers import (
    current_issuer,
    issuers_in_force,
    node_users,
    proof_users,
    roots_for_broker,
    roots_for_senders,
    users,
)
from provisioning.layout import Layout
from provisioning.records import FleetRecord, encode_record, load_record
from runtime.atomic import PRIVATE, PUBLIC, put_in_place, write_atomic, write_beside
from runtime.folder_lock import folder_lock
from wire.claims import OpenClaim, OpenClaims, encode_claims
from wire.directory import seal_directory
from wire.errors import EncodeError
from wire.ids import CENTRAL, CENTRAL_ALERTS_CLIENT, node_text, parse_node
from wire.limits import DIRECTORY_BYTES_MAX
from wire.node_settings import SealedSettings, SettingsFile, seal_settings
from wire.release import Release, seal_release
from wire.signing import PublicKey, SigningKey
from wire.subjects import NODES, SERVICES


class FleetFolder:
    """One fleet folder.

    Attributes:
        layout: its paths.
        record: as last read or changed here.
    """

    def __init__(self, layout: Layout, record: FleetRecord, clock: Callable[[], datetime]) -> None:
        self.layout = layout
        self.record = record
        self._clock = clock

    @classmethod
    def open(cls, town: Path, clock: Callable[[], datetime]) -> FleetFolder:
        """Open the folder ``town``.

        Raises:
            FleetInputError: there is no fleet.
            FleetDamagedError: its record cannot be read.
        """
        # Not resolve(), which follows links: the broker's files name the path as given.
        layout = Layout(Path(os.path.abspath(town)))  # noqa: PTH100
        return cls(layout, load_record(layout.record), clock)

    def now(self) -> datetime:
        """The fleet's clock, aware."""
        return self._clock()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the folder's lock, with the record read again; other commands wait."""
        try:
            with folder_lock(self.layout.town):
                self.record = load_record(self.layout.record)
                self.layout.settle()
                yield
        except OSError as e:
            raise FleetError(
                f"{e.filename or self.layout.town}: {e.strerror}. The change may be half written: run it again."
            ) from e

    def issuer(self, organisation: str) -> CertificateAuthority:
        """The issuer that signs for the organisation now, with its key.

        Raises:
            FleetInputError: it was cut off, and there is no new one yet.
            FleetDamagedError: missing or unusable.
        """
        return self.authority(current_issuer(self.record, organisation).name)

    def authority(self, name: str) -> CertificateAuthority:
        """The root or issuer of that name, with its key.

        Raises:
            FleetDamagedError: missing or unusable.
        """
        try:
            certificate_pem = (self.layout.authority / f"{name}.pem").read_bytes()
            key_pem = (self.layout.authority / f"{name}.key").read_bytes()
        except OSError as e:
            raise FleetDamagedError(
                f"The CA {name} cannot be read ({e.filename}: {e.strerror}). See 'A lost CA key' in docs/town-keys.md."
            ) from e
        return CertificateAuthority.load(certificate_pem, key_pem, name)

    def certificates_pem(self, names: Iterable[str]) -> bytes:
        """The certificates of these roots or issuers, one after the other.

        Raises:
            FleetDamagedError: one is missing.
        """
        try:
            return b"".join((self.layout.authority / f"{name}.pem").read_bytes() for name in names)
        except OSError as e:
            raise FleetDamagedError(f"The CA's certificate cannot be read: {e.filename}: {e.strerror}.") from e

    def trust_pem(self, issuer: CertificateAuthority | None = None) -> bytes:
        """``ca.pem`` of central, or of a node with a certificate of that issuer.

        The issuer comes first, because node programs from before there were issuers compare their certificate with that
        one alone. Nobody trusts more for it: TLS asks for a root.
        """
        own = issuer.chain_pem if issuer is not None else b""
        return own + self.certificates_pem(roots_for_senders(self.record, self.now()))

    def issuers_in_force(self) -> tuple[str, ...]:
        """Names of the issuers whose certificates the broker lets in, oldest first."""
        return tuple(one.name for one in issuers_in_force(self.record, self.now()))

    def commit(self, record: FleetRecord) -> None:
        """Write ``record`` to ``fleet.json`` and keep it. Open claims that differ get the next number."""
        if record.claims != self.record.claims:
            number = max(self.record.claims_number + 1, int(self.now().timestamp()))
            record = msgspec.structs.replace(record, claims_number=number)
        write_atomic(self.layout.record, encode_record(record), PUBLIC)
        self.record = record

    def publish(self, final: Layout | None = None) -> None:
        """Write the ACL, the directory, and the broker's trusted roots and configuration from the record.

        Args:
            final: the folder's final place, if it is being built elsewhere.

        Raises:
            FleetDamagedError: the authority's key is missing or unusable.
            FleetError: the directory is larger than a node accepts.
        """
        record = self.record
        acl = self._acl()
        # First: this silences a revoked node, whatever happens to the rest.
        write_atomic(self.layout.broker / "acl", acl.encode(), PRIVATE)
        sealed = seal_directory(record.directory(), self._directory_key())
        if len(sealed) > DIRECTORY_BYTES_MAX:
            raise FleetError(f"The directory would be larger than the {DIRECTORY_BYTES_MAX} bytes a node accepts.")
        self.layout.write_directory(sealed)
        self._publish_claims()
        self._publish_settings()
        if record.release is not None:
            write_atomic(self.layout.release, self.sealed(record.release), PUBLIC)
        roots = self.certificates_pem(roots_for_broker(record, self.now()))
        write_atomic(self.layout.broker / "ca.pem", roots, PUBLIC)
        # The broker does not read it: whoever installs its files sees by it that each issuer has a list.
        write_atomic(self.layout.broker / "issuers.pem", self.certificates_pem(self.issuers_in_force()), PUBLIC)
        every = dict.fromkeys(one.root for one in record.issuers)
        write_atomic(self.layout.trusted, self.certificates_pem(every), PUBLIC)
        settings = (final or self.layout).broker_settings(record.broker)
        write_atomic(self.layout.broker / "door.nft", render_door(record.broker.port).encode(), PUBLIC)
        write_atomic(self.layout.broker / "mosquitto.conf", render_configuration(settings).encode(), PUBLIC)

    def sealed(self, release: Release) -> bytes:
        """The release, signed.

        Raises:
            FleetInputError: no unit would accept it.
            FleetDamagedError: the authority's key is missing or unusable.
        """
        try:
            return seal_release(release, self._directory_key())
        except EncodeError as e:
            raise FleetInputError(f"No unit would accept it ({e}). Nothing was signed.") from e

    def _publish_claims(self) -> None:
        """Write the open claims from the record, for the enrolment service."""
        claims = tuple(
            OpenClaim(
                node=claim.node,
                premises=claim.premises,
                place=claim.place,
                schemes=claim.schemes,
                profile=claim.profile,
                claim_hash=claim.claim_hash,
                ends_at=int(claim.ends_at.timestamp()),
                office_premises=claim.office_premises,
            )
            for claim in self.record.claims
        )
        open_claims = OpenClaims(claims=claims, number=self.record.claims_number)
        # Not before there was one: a fleet that makes all keys itself has no such file.
        if claims or self.layout.claims.exists():
            write_atomic(self.layout.claims, encode_claims(open_claims), PUBLIC)

    def _publish_settings(self) -> None:
        record = self.record
        wanted = [node.settings for node in record.nodes if node.revoked_at is None]
        wanted += [claim.settings for claim in record.claims]
        newest = [settings for settings in wanted if settings is not None]
        if not newest and not self.layout.settings.exists():
            return
        key = self._directory_key()
        sealed = tuple(msgspec.json.decode(seal_settings(one, key), type=SealedSettings) for one in newest)
        write_atomic(self.layout.settings, msgspec.json.encode(SettingsFile(nodes=sealed)), PUBLIC)

    def _acl(self) -> str:
        record, now = self.record, self.now()
        in_force = issuers_in_force(record, now)
        members = [
            Member(
                node.id,
                record.scheme_slugs(node.schemes),
                node_users(record, in_force, node, now),
                node.revoked_at is not None,
            )
            for node in record.nodes
        ]
        # Before anybody has a certificate in that name: so a node that claims it can be heard at once, and the service
        # that answers it needs no right over the broker.
        members += [
            Member(
                parse_node(claim.node),
                record.scheme_slugs(claim.schemes),
                users(record, in_force, (), (claim.node, NODES), now),
            )
            for claim in record.claims
        ]
        central = record.central
        services = Services(
            users(record, in_force, central.certificates, (node_text(CENTRAL), SERVICES), now),
            users(record, in_force, central.alerts_certificates, (CENTRAL_ALERTS_CLIENT, SERVICES), now),
            proof_users(record, in_force),
        )
        return render_acl(members, [scheme.slug for scheme in record.schemes], services, record.crl_number)

    def publish_crl(self) -> None:
        """Write the revocation lists of all issuers in force, one file, after reading it back and checking it.

        Raises:
            CrlError: it is not fit for a broker; the existing one stays.
            FleetDamagedError: an issuer's key is missing or unusable.
        """
        now, number = self.now(), self.record.crl_number
        issuers = [self.authority(name) for name in self.issuers_in_force()]
        serials = [self.record.revoked_serials(one.name, now) for one in issuers]
        lists = b"".join(issue_crl(ca, revoked, number, now=now) for ca, revoked in zip(issuers, serials, strict=True))
        wanted = list(zip((one.certificate for one in issuers), serials, strict=True))
        for folder in (self.layout.authority, self.layout.broker):
            beside = write_beside(folder / "crl.pem", lists, PUBLIC)
            try:
                check_lists(beside.read_bytes(), wanted, now)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            put_in_place(beside, folder / "crl.pem")

    def check_crl_in_place(self) -> None:
        """Check that a broker may read the list in its folder: one in force for each issuer, and no other.

        Raises:
            CrlError: it may not. Some damage lets everybody in.
        """
        issuers = x509.load_pem_x509_certificates(self.certificates_pem(self.issuers_in_force()))
        check_lists(self.crl_in_place(), [(one, frozenset()) for one in issuers], self.now())

    def crl_in_place(self) -> bytes:
        """The revocation list now in the broker's folder.

        Raises:
            CrlError: missing or unreadable.
        """
        try:
            return (self.layout.broker / "crl.pem").read_bytes()
        except OSError as e:
            raise CrlError(f"{e.filename}: {e.strerror}.") from e

    def crl_expires_at(self) -> datetime | None:
        """When the broker will begin to refuse everyone; ``None`` if a list is missing or cannot be read."""
        try:
            data = self.crl_in_place()
            return crl_expiry(data) if len(whole_lists(data)) == len(self.issuers_in_force()) else None
        except CrlError:
            return None

    def authority_public(self) -> PublicKey:
        """The key that names this town.

        Raises:
            FleetDamagedError: missing or unusable.
        """
        path = self.layout.authority / "authority.pub"
        try:
            return PublicKey(bytes.fromhex(path.read_text("ascii").strip()))
        except (OSError, ValueError) as e:
            raise FleetDamagedError(f"The authority's public key cannot be read: {path} ({e}).") from e

    def _directory_key(self) -> SigningKey:
        path = self.layout.authority / "authority.key"
        try:
            return SigningKey(bytes.fromhex(path.read_text().strip()))
        except (OSError, ValueError) as e:
            raise FleetDamagedError(f"The directory cannot be signed: {path} cannot be used ({e}).") from e
