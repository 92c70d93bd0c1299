"""A fleet folder: reading, locking and writing it, the steps of every change.

``fleet.json`` is written first and is the source; the next change makes all other files from it again, so running any
command once more finishes an interrupted one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from provisioning.broker import Member, render_acl, render_configuration
from provisioning.certificates import CertificateAuthority, check_crl, crl_expiry, issue_crl
from provisioning.door import render_door
from provisioning.errors import CrlError, FleetDamagedError, FleetError
from provisioning.layout import Layout
from provisioning.records import FleetRecord, encode_record, load_record
from runtime.atomic import PRIVATE, PUBLIC, put_in_place, write_atomic, write_beside
from wire.directory import seal_directory
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import PublicKey, SigningKey


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
        descriptor = os.open(self.layout.town, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self.record = load_record(self.layout.record)
            yield
        except OSError as e:
            raise FleetError(
                f"{e.filename or self.layout.town}: {e.strerror}. The change may be half written: run it again."
            ) from e
        finally:
            os.close(descriptor)

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
                f"The CA cannot be read ({e.filename}: {e.strerror}). See 'A lost CA key' in docs/runbook.md."
            ) from e
        return CertificateAuthority.load(certificate_pem, key_pem)

    def commit(self, record: FleetRecord) -> None:
        """Write ``record`` to ``fleet.json`` and keep it."""
        write_atomic(self.layout.record, encode_record(record), PUBLIC)
        self.record = record

    def publish(self, final: Layout | None = None) -> None:
        """Write the ACL, the directory and the broker's configuration from the record.

        Args:
            final: the folder's final place, if it is being built elsewhere.

        Raises:
            FleetDamagedError: the authority's key is missing or unusable.
            FleetError: the directory is larger than a node accepts.
        """
        record = self.record
        members = [
            Member(node.id, record.scheme_slugs(node.schemes), node.revoked_at is not None) for node in record.nodes
        ]
        acl = render_acl(members, [scheme.slug for scheme in record.schemes], record.crl_number)
        # First: this silences a revoked node, whatever happens to the rest.
        write_atomic(self.layout.broker / "acl", acl.encode(), PRIVATE)
        sealed = seal_directory(record.directory(), self._directory_key())
        if len(sealed) > DIRECTORY_BYTES_MAX:
            raise FleetError(f"The directory would be larger than the {DIRECTORY_BYTES_MAX} bytes a node accepts.")
        self.layout.write_directory(sealed)
        settings = (final or self.layout).broker_settings(record.broker)
        write_atomic(self.layout.broker / "door.nft", render_door(record.broker.port).encode(), PUBLIC)
        write_atomic(self.layout.broker / "mosquitto.conf", render_configuration(settings).encode(), PUBLIC)

    def publish_crl(self, ca: CertificateAuthority) -> None:
        """Write the revocation list from the record, after reading it back and checking it.

        Raises:
            CrlError: it is not fit for a broker; the existing list stays.
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
        """When the broker will begin to refuse everyone; ``None`` if the list cannot be read."""
        try:
            return crl_expiry(self.crl_in_place())
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
