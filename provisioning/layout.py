"""The paths of a fleet folder, and the configurations of central and of a node (docs/configuration.md)."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct

from provisioning.broker import BrokerSettings
from provisioning.certificates import IssuedCertificate
from provisioning.records import BrokerRecord, NodeRecord
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from runtime.key_pair import KeyPair, replace_pair, settle_pair
from wire import node_file
from wire.fleet_files import APPLY, BESIDE_CENTRAL, CARRY, FETCH, PROOF, RELEASE, RELEASES
from wire.ids import CENTRAL, node_text
from wire.node_file import FAKE_PROFILE
from wire.signing import SigningKey

FOLDER: Final = 0o700
DEBIAN_STATE: Final = PurePosixPath("/var/lib/mosquitto")
DEFAULT_PROFILE: Final = "ssd1309-128x64"
PROFILES: Final = (
    DEFAULT_PROFILE,
    "ssd1309-128x64-spi",
    "ssd1306-128x64",
    "ssd1306-128x64-spi",
    "sh1106-128x64",
    "sh1106-128x64-spi",
    "waveshare-sh1106-hat",
    "waveshare-sh1106-hat-i2c",
    "adafruit-128x64-bonnet",
    "ssd1351-128x128",
    "ssd1322-256x64",
    FAKE_PROFILE,
)
"""Names of the nodes' hardware profiles, defined in node.hw.profiles. A test keeps the two lists equal."""
ALERTS: Final = "alerts"
"""Central's second connection: its name in files and commands."""
ENROLMENT: Final = "enrolment"
"""The enrolment service, likewise."""
FAKE_SOCKET: Final = "board.sock"


class Layout(Struct, frozen=True):
    """The paths of one fleet folder."""

    town: Path

    @property
    def record(self) -> Path:
        """``fleet.json``."""
        return self.town / "fleet.json"

    @property
    def directory(self) -> Path:
        """The signed directory, which central reads."""
        return self.town / "directory.json"

    @property
    def apply(self) -> Path:
        """Brings what has changed to central's machine, once 'watchlink fleet install' has made it."""
        return self.town / APPLY

    @property
    def fetch(self) -> Path:
        """Fetches the enrolment service's directory from central's machine, likewise."""
        return self.town / FETCH

    @property
    def changed(self) -> Path:
        """The directory with the delegate's changes: the enrolment service's own, or as it was fetched last."""
        return self.enrolment / "changed" / "directory.json"

    @property
    def claims(self) -> Path:
        """The open claims, which the enrolment service reads (:mod:`wire.claims`)."""
        return self.town / "claims.json"

    @property
    def release(self) -> Path:
        """The signed release, which the enrolment service reads; none until something was published."""
        return self.town / RELEASE

    @property
    def releases(self) -> Path:
        """The bundles that may be asked for."""
        return self.town / RELEASES

    @property
    def carry(self) -> Path:
        """Brings a bundle to the enrolment service's machine, once 'watchlink fleet install' has made it."""
        return self.town / CARRY

    @property
    def authority(self) -> Path:
        """The secrets: the root's key, the issuers' and the directory's."""
        return self.town / "authority"

    @property
    def trusted(self) -> Path:
        """Every root that the fleet has ever had, to verify its own broker."""
        return self.authority / "trusted.pem"

    @property
    def broker(self) -> Path:
        """Mosquitto's files."""
        return self.town / "broker"

    @property
    def proof(self) -> Path:
        """What central's page is told of the proofs; it travels with the broker's files."""
        return self.broker / PROOF

    @property
    def central(self) -> Path:
        """Central's files."""
        return self.town / "central"

    @property
    def enrolment(self) -> Path:
        """The enrolment service's files."""
        return self.town / "enrolment"

    @property
    def beside_central(self) -> Path:
        """There while the enrolment service is to run on central's machine: its files travel with central's then."""
        return self.enrolment / BESIDE_CENTRAL

    @property
    def settings(self) -> Path:
        """The nodes' signed settings, which central passes on; none until the first node is configured."""
        return self.central / "settings.json"

    @property
    def office(self) -> Path:
        """The office's files."""
        return self.town / "office"

    @property
    def publisher(self) -> Path:
        """Files of the office's program that signs and hands out snapshots."""
        return self.office / "publisher"

    @property
    def snapshots(self) -> Path:
        """Where the office puts its snapshots, if it runs out of this folder."""
        return self.office / "snapshots"

    @property
    def nodes(self) -> Path:
        """A folder for each node."""
        return self.town / "nodes"

    def node(self, node: str) -> Path:
        """The folder to carry to that node."""
        return self.nodes / node

    @property
    def pid_file(self) -> Path:
        """Process id file of a broker that runs out of this folder."""
        return self.broker / "mosquitto.pid"

    def create(self) -> None:
        """Make the folders, each readable only by its owner. The town folder must exist."""
        for folder in (self.authority, self.broker, self.broker / "state", self.central, self.nodes):
            folder.mkdir(mode=FOLDER)

    def broker_settings(self, broker: BrokerRecord) -> BrokerSettings:
        """Mosquitto's settings, with its files here or, if the record says so, on its own machine."""
        is_subject_read = broker.reads != "common name"
        if broker.folder:
            folder = PurePosixPath(broker.folder)
            return BrokerSettings(
                folder, DEBIAN_STATE, broker.bind, broker.port, broker.user, is_subject_read=is_subject_read
            )
        folder = PurePosixPath(self.broker)
        pid_file = PurePosixPath(self.pid_file)
        return BrokerSettings(
            folder, folder / "state", broker.bind, broker.port, broker.user, pid_file, is_subject_read
        )

    def write_identity(
        self, folder: Path, certificate: IssuedCertificate, signing_seed: bytes, ca_pem: bytes, authority_public: bytes
    ) -> None:
        """Write a sender's keys and certificates. The two private keys exist nowhere else."""
        write_atomic(folder / "ca.pem", ca_pem, PUBLIC)
        write_atomic(folder / "authority.pub", authority_public, PUBLIC)
        write_atomic(folder / "signing.key", signing_seed.hex().encode() + b"\n", PRIVATE)
        self.write_certificate(folder, "client", certificate)

    def write_certificate(self, folder: Path, name: str, certificate: IssuedCertificate) -> None:
        """Write ``NAME.key`` and ``NAME.pem``, both or neither: what is interrupted, :meth:`settle` finishes."""
        replace_pair(pair_in(folder, name), certificate.certificate_pem, certificate.key_pem)

    @property
    def service_pairs(self) -> dict[str, KeyPair]:
        """Certificate and key of each service, there or not, by the name that ``watchlink fleet renew`` has for it."""
        return {
            "central": pair_in(self.central, "client"),
            ALERTS: pair_in(self.central, ALERTS),
            "broker": pair_in(self.broker, "server"),
            "office": pair_in(self.publisher, "server"),
            ENROLMENT: pair_in(self.enrolment, "server"),
        }

    def settle(self) -> None:
        """Finish what was interrupted while a service's certificate was put in place."""
        for pair in self.service_pairs.values():
            settle_pair(pair)

    def write_directory(self, sealed: bytes) -> None:
        """Write the directory, here and into every node's folder, so that a node installed today knows its neighbours.

        The nodes' copies are links to one file: a town of thousands costs no more to change than one of four.
        """
        write_atomic(self.directory, sealed, PUBLIC)
        for folder in self.nodes.iterdir():
            if not folder.is_dir():  # packed to be carried; this must not hold up a revocation
                continue
            beside = folder / f".directory.json.{os.getpid()}"
            beside.unlink(missing_ok=True)
            try:
                beside.hardlink_to(self.directory)
            except OSError:  # a file system without links
                beside.write_bytes(sealed)
            beside.replace(folder / "directory.json")


def pair_in(folder: Path, name: str) -> KeyPair:
    """``NAME.pem`` and ``NAME.key`` in a folder."""
    return KeyPair(folder / f"{name}.pem", folder / f"{name}.key")


def authority_text(authority: SigningKey) -> bytes:
    """``authority.pub``."""
    return authority.public.raw.hex().encode() + b"\n"


def central_toml(broker: BrokerRecord, web_port: int) -> str:
    """Central's configuration."""
    return f"""\
# Central. Paths are relative to this folder; docs/configuration.md explains every key.
database = "sqlite:///state/central.db"

[identity]
signing_key_file = "signing.key"
authority_file = "authority.pub"
directory_file = "../directory.json"

[mqtt]
{node_file.mqtt_toml(broker.host, broker.port)}
[web]
host = "127.0.0.1"
port = {web_port}

# Without an office nobody can sign in. Once there is one: uncomment these lines and give the address of its pages.
# [office]
# url = "http://localhost:8090/"
# snapshots = "../office/snapshots"
"""


def node_toml(node: NodeRecord, broker: BrokerRecord, fake_socket: str) -> str:
    """A node's configuration."""
    return node_file.node_toml(
        node=node.node,
        premises=node.premises,
        place=node.place,
        schemes=node.schemes,
        profile=node.profile,
        broker=(broker.host, broker.port),
        fake_socket=fake_socket,
    )


CENTRAL_TEXT: Final = node_text(CENTRAL)
