"""A fleet folder as it is read, locked and written: the steps that every change is made of.

``fleet.json`` is written first and is the source; whatever is made from it is made again from it by the next
change, so an interrupted command is finished by running it, or any other, once more.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from provisioning.atomic import PRIVATE, PUBLIC, put_in_place, write_atomic, write_beside
from provisioning.broker import Member, render_acl, render_configuration
from provisioning.certificates import CertificateAuthority, check_crl, crl_expiry, issue_crl
from provisioning.door import render_door
from provisioning.errors import CrlError, FleetDamagedError, FleetError
from provisioning.layout import Layout
from provisioning.records import FleetRecord, encode_record, load_record
from wire.directory import seal_directory
from wire.limits import DIRECTORY_BYTES_MAX
from wire.signing import SigningKey


class FleetFolder:
    """One fleet folder.

    Attributes:
        layout: where everything lies.
        record: what the fleet knew when it was last read or changed here.
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
        # Not resolve(): that would look through links, and the broker's files name the path as it was given.
        layout = Layout(Path(os.path.abspath(town)))  # noqa: PTH100
        return cls(layout, load_record(layout.record), clock)

    def now(self) -> datetime:
        """The fleet's clock, aware."""
        return self._clock()

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the folder's lock, with the record read afresh; other commands wait."""
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
        """Make ``record`` what the fleet knows."""
        write_atomic(self.layout.record, encode_record(record), PUBLIC)
        self.record = record

    def publish(self, final: Layout | None = None) -> None:
        """Write the ACL, the directory and the broker's configuration from the record.

        Args:
            final: where the folder will lie, if it is being built elsewhere.

        Raises:
            FleetDamagedError: the authority's key is missing or unusable.
            FleetError: the directory no longer fits what a node accepts.
        """
        record = self.record
        members = [
            Member(node.id, record.scheme_slugs(node.schemes), node.revoked_at is not None) for node in record.nodes
        ]
        acl = render_acl(members, [scheme.slug for scheme in record.schemes], record.crl_number)
        # First: it is what silences a revoked node, whatever becomes of the rest.
        write_atomic(self.layout.broker / "acl", acl.encode(), PRIVATE)
        sealed = seal_directory(record.directory(), self._directory_key())
        if len(sealed) > DIRECTORY_BYTES_MAX:
            raise FleetError(f"The directory would be larger than the {DIRECTORY_BYTES_MAX} bytes a node accepts.")
        self.layout.write_directory(sealed)
        settings = (final or self.layout).broker_settings(record.broker)
        write_atomic(self.layout.broker / "door.nft", render_door(record.broker.port).encode(), PUBLIC)
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

    def crl_in_place(self) -> bytes:
        """The list as the broker would read it now.

        Raises:
            CrlError: missing or unreadable.
        """
        try:
            return (self.layout.broker / "crl.pem").read_bytes()
        except OSError as e:
            raise CrlError(f"{e.filename}: {e.strerror}.") from e

    def crl_expires_at(self) -> datetime | None:
        """When the broker will begin to refuse everybody; ``None`` if the list cannot be read."""
        try:
            return crl_expiry(self.crl_in_place())
        except CrlError:
            return None

    def _directory_key(self) -> SigningKey:
        path = self.layout.authority / "authority.key"
        try:
            return SigningKey(bytes.fromhex(path.read_text().strip()))
        except (OSError, ValueError) as e:
            raise FleetDamagedError(f"The directory cannot be signed: {path} cannot be used ({e}).") from e
