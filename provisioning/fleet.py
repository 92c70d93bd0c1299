"""A town's fleet: one folder with the CA, the directory, and the files of broker, central and each node."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from provisioning.certificates import CertificateAuthority, IssuedCertificate, issue_client_certificate
from provisioning.enforcement import PROOF_DEADLINE_S, Reload, enforce, standing
from provisioning.errors import FleetError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.founding import Plan, found
from provisioning.layout import ALERTS, DEFAULT_PROFILE, FAKE_SOCKET, FOLDER, PROFILES, Layout, node_toml
from provisioning.office import issue_office_certificate
from provisioning.proposals import note_number, refuse_second
from provisioning.records import ClaimRecord, FleetRecord, NodeKind, NodeRecord, clean_name, remember
from provisioning.renewal import renew_broker, renew_central, renew_nodes
from runtime.atomic import PUBLIC, write_atomic
from wire.ids import U32_MAX, NodeId, node_text
from wire.signing import KEY_BYTES, SigningKey
from wire.subjects import NODES

BROKER: Final = "broker"
CENTRAL: Final = "central"
OFFICE: Final = "office"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


class NewNode(Struct, frozen=True):
    """A node to be added; see :meth:`Fleet.add_all`.

    Attributes:
        premises, place: names for people, at most 64 characters each.
        schemes: slugs of its schemes, at least one.
        profile: its hardware, one of :data:`~provisioning.layout.PROFILES`; ``fake`` for a board of mocked pins.
        fake_socket: the fake board's Unix socket, relative to the node's folder.
        kind: ``gateway`` for central's own radio (:class:`wire.directory.SenderEntry`).
        office_premises: number of the premises at the office; 0 = none.
    """

    premises: str
    place: str
    schemes: Sequence[str]
    profile: str = DEFAULT_PROFILE
    fake_socket: str = FAKE_SOCKET
    kind: NodeKind = "premises"
    office_premises: int = 0


def check_new(record: FleetRecord, wanted: Sequence[NewNode], seconds: Container[int]) -> None:
    """Whether these may be added, as far as that is not a matter of names.

    Raises:
        FleetInputError: no such profile, or a premises of the office that is not one of ``seconds`` has a node already.
    """
    for new in wanted:
        if new.profile not in PROFILES:
            raise FleetInputError(f"No hardware profile {new.profile!r}. Choose one of: {', '.join(PROFILES)}.")
    premises = [new.office_premises for new in wanted if new.office_premises and new.office_premises not in seconds]
    for one in premises:
        refuse_second(record, one)
        if premises.count(one) > 1:
            raise FleetInputError(f"Premises {one} is named twice. For two nodes there, give --yes.")


def free_number(layout: Layout, number: int) -> NodeId:
    """The first number from ``number`` on that no node can have had.

    Raises:
        FleetInputError: there is none.
    """
    # A folder without a record is left over from an interrupted add: its keys are in no directory.
    while number <= U32_MAX and layout.node(node_text(NodeId(number))).exists():
        number += 1
    if number >= U32_MAX:
        raise FleetInputError("All node ids have been used.")
    return NodeId(number)


class Fleet:
    """One fleet folder. Changes are serialised by a lock on the folder, so two commands at once are safe.

    Build it with :meth:`init` or :meth:`open`.
    """

    def __init__(self, folder: FleetFolder) -> None:
        self._folder = folder

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
        clock: Callable[[], datetime] = _utc_now,
    ) -> Fleet:
        """Make a fleet without nodes. It appears whole or not at all.

        Args:
            town: the folder; it must not exist, or be empty.
            schemes: slug → name, numbered from 1 in that order.
            host: the broker's address or name as nodes see it.
            port: the broker's port.
            bind: the address the broker listens on; empty = ``host``, if that is an address.
            web_port: for central's page, on loopback.
            broker_folder: the broker's folder on its own machine; empty = in the fleet folder.
            broker_user: the user the broker runs as if root starts it; empty = the current user.
            clock: returns the time now, aware.

        Raises:
            FleetInputError: the folder is taken, or a name, scheme, address or port cannot be used.
            FleetError: the disk refused.
        """
        plan = Plan(schemes, host, port, bind, web_port, broker_folder, broker_user)
        found(Path(os.path.abspath(town)), plan, clock)  # noqa: PTH100 - as FleetFolder.open
        return cls.open(town, clock=clock)

    @classmethod
    def open(cls, town: Path, *, clock: Callable[[], datetime] = _utc_now) -> Fleet:
        """Open a fleet.

        Raises:
            FleetInputError: there is no fleet.
            FleetDamagedError: its record cannot be read.
        """
        return cls(FleetFolder.open(town, clock))

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> FleetFolder:
        """The folder, for changes that concern the office and the pages (:mod:`provisioning.office` and others)."""
        return self._folder

    @property
    def layout(self) -> Layout:
        """The paths of the fleet folder."""
        return self._folder.layout

    @property
    def record(self) -> FleetRecord:
        """The fleet's record as last read or changed here."""
        return self._folder.record

    @property
    def nodes(self) -> tuple[NodeRecord, ...]:
        """Every node ever added, by id."""
        return self.record.nodes

    def awaited_namesakes(self, premises: str) -> tuple[ClaimRecord, ...]:
        """Numbers that wait for their node, whose premises have that name, ignoring spaces and case."""
        name = _plain(premises)
        return tuple(claim for claim in self.record.claims if _plain(claim.premises) == name)

    def namesakes(self, premises: str) -> tuple[NodeRecord, ...]:
        """Nodes in use whose premises have that name, ignoring spaces and case."""
        name = _plain(premises)
        return tuple(node for node in self.nodes if node.revoked_at is None and _plain(node.premises) == name)

    def node_folder(self, node: str) -> Path:
        """The folder to carry to ``node``."""
        return self.layout.node(node)

    def issuer(self, organisation: str) -> CertificateAuthority:
        """The issuer of nodes' or services' certificates with its key (:mod:`wire.subjects`).

        Raises:
            FleetDamagedError: missing or unusable.
        """
        return self._folder.issuer(organisation)

    def now(self) -> datetime:
        """The fleet's clock, aware."""
        return self._folder.now()

    def crl_expires_at(self) -> datetime | None:
        """When the broker will begin to refuse everyone; ``None`` if its list cannot be read."""
        return self._folder.crl_expires_at()

    # -- changing -------------------------------------------------------------------------------------------------

    def add(
        self,
        premises: str,
        place: str,
        schemes: Sequence[str],
        *,
        profile: str = DEFAULT_PROFILE,
        fake_socket: str = FAKE_SOCKET,
        kind: NodeKind = "premises",
    ) -> NodeRecord:
        """Add one node; see :meth:`add_all`."""
        return self.add_all([NewNode(premises, place, schemes, profile, fake_socket, kind)])[0]

    def add_all(
        self, wanted: Sequence[NewNode], *, snapshot_number: int = 0, seconds: Container[int] = ()
    ) -> tuple[NodeRecord, ...]:
        """Add nodes, with one new directory for all. A running broker learns of them by :meth:`enforce`.

        Each node's private keys are only in its folder: carry it to the node, then delete it here.

        Args:
            wanted: the nodes.
            snapshot_number: of the office's snapshot that they are made from; 0 = none.
            seconds: premises of the office that may get another node although they have one in use.

        Raises:
            FleetInputError: a name, scheme or profile cannot be used, a premises has a node already, or a newer
                snapshot was used meanwhile; nothing was changed.
        """
        with self._folder.changing():
            record, ca, now = note_number(self.record, snapshot_number), self.issuer(NODES), self.now()
            check_new(record, wanted, seconds)
            added: list[NodeRecord] = []
            identities: list[tuple[IssuedCertificate, bytes]] = []
            number = record.next_node
            for new in wanted:
                number = free_number(self.layout, number)
                seed = secrets.token_bytes(KEY_BYTES)
                certificate = issue_client_certificate(ca, node_text(number), now=now)
                identities.append((certificate, seed))
                added.append(
                    NodeRecord(
                        node=node_text(number),
                        premises=clean_name(new.premises, "name of the premises"),
                        place=clean_name(new.place, "place", is_required=False),
                        schemes=record.scheme_numbers(tuple(new.schemes)),
                        profile=new.profile,
                        key=SigningKey(seed).public.raw.hex(),
                        added_at=now,
                        certificates=(remember(certificate),),
                        kind=new.kind,
                        signs=True,
                        office_premises=new.office_premises,
                    )
                )
                number = NodeId(number + 1)
            trust = self._folder.trust_pem(ca)
            for new, node, (certificate, seed) in zip(wanted, added, identities, strict=True):
                self._write_node(node, new.fake_socket, certificate, seed, trust)
            changed = msgspec.structs.replace(record, nodes=(*record.nodes, *added), next_node=number)
            self._folder.commit(changed.with_next_directory(now))
            self._folder.publish()
        return tuple(added)

    def revoke(self, node: str, reload: Reload, *, deadline_s: float = PROOF_DEADLINE_S) -> NodeRecord:
        """Strike ``node`` off and prove that the running broker refuses it, even if it is connected now.

        Striking comes first and is never undone: the directory is written before the broker reloads. Revoking again
        repeats everything else, which is how to finish an unproven revocation.

        Raises:
            FleetInputError: no such node; nothing was changed.
            BrokerUnprovenError: struck off, but the running broker was not seen to obey; says what is in force.
        """
        with self._folder.changing():
            struck = self.record.node(node)
            if struck.revoked_at is None:
                now = self.now()
                struck = msgspec.structs.replace(struck, revoked_at=now)
                self._folder.commit(self.record.with_node(struck).with_next_directory(now))
            self._folder.publish()
            try:
                enforce(self._folder, reload, deadline_s=deadline_s)
            except (FleetError, OSError) as e:
                raise standing(
                    e,
                    f"{struck.node} ({struck.premises}) is struck from the directory (serial"
                    f" {self.record.directory_serial}): central and every node that hears of it refuse its alerts.\n"
                    f"The ACL in {self.layout.broker} takes every right from it, and a broker that starts or reloads"
                    " now obeys that. The running one may still let it hear its schemes' alerts.",
                ) from e
        return struck

    def enforce(self, reload: Reload, *, deadline_s: float = PROOF_DEADLINE_S) -> None:
        """Renew the revocation list and prove that the running broker obeys all files. Run it after adding, and daily.

        Raises:
            BrokerUnprovenError: the files are in place, but the running broker was not seen to obey them.
        """
        with self._folder.changing():
            try:
                enforce(self._folder, reload, deadline_s=deadline_s)
            except (FleetError, OSError) as e:
                raise standing(e, f"The files in {self.layout.broker} are those of before or newer, and whole.") from e

    def renew(self, who: str) -> Path:
        """A new key and certificate for a node's id, ``central``, ``alerts``, ``broker`` or ``office``.

        The old one stays valid until it expires. ``alerts`` is central's second connection.

        Returns the folder with ``client.pem`` and ``client.key`` (broker and office: ``server.pem``, ``server.key``;
        alerts: ``alerts.pem``, ``alerts.key``) and the roots to trust, ``ca.pem``.

        Raises:
            FleetInputError: no such node, or it is revoked.
        """
        if who == OFFICE:
            return issue_office_certificate(self._folder)
        with self._folder.changing():
            if who == BROKER:
                renew_broker(self._folder)
                return self.layout.broker
            if who in {CENTRAL, ALERTS}:
                renew_central(self._folder, is_alerts=who == ALERTS)
                return self.layout.central
            return renew_nodes(self._folder, [self.record.node(who)])[0]

    def require_signatures(self, who: Sequence[str] = ()) -> int:
        """Have unsigned JSON in these names refused from the next directory on; returns for how many this is new.

        There is no way back, for a liar could use it. Programs that do not sign yet would have their JSON refused, so
        upgrade them first.

        Args:
            who: node ids and ``central``; none = all that are not revoked.

        Raises:
            FleetInputError: no such node; nothing was changed.
        """
        with self._folder.changing():
            record = self.record
            wanted = [record.node(text) for text in who if text != CENTRAL] if who else record.nodes
            nodes = {node.node for node in wanted if not node.signs and node.revoked_at is None}
            is_central_new = (not who or CENTRAL in who) and not record.central.signs
            if not nodes and not is_central_new:
                return 0
            central = msgspec.structs.replace(record.central, signs=record.central.signs or is_central_new)
            changed = tuple(
                msgspec.structs.replace(node, signs=True) if node.node in nodes else node for node in record.nodes
            )
            record = msgspec.structs.replace(record, central=central, nodes=changed)
            self._folder.commit(record.with_next_directory(self.now()))
            self._folder.publish()
        return len(nodes) + is_central_new

    def _write_node(
        self, node: NodeRecord, fake_socket: str, certificate: IssuedCertificate, seed: bytes, ca_pem: bytes
    ) -> None:
        folder = self.layout.node(node.node)
        folder.mkdir(mode=FOLDER)
        authority_public = (self.layout.authority / "authority.pub").read_bytes()
        self.layout.write_identity(folder, certificate, seed, ca_pem, authority_public)
        toml = node_toml(node, self.record.broker, fake_socket)
        write_atomic(folder / "node.toml", toml.encode(), PUBLIC)
