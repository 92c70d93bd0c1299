"""A fleet with an enrolment service, its open claims, and new nodes as far as the service sees them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from provisioning.claims import reserve
from provisioning.delegate import delegate_to
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet, NewNode
from tests.support.fleet_broker import DEADLINE_S, free_port, wait_until
from wire.claim_code import claim_code, claim_hash
from wire.claims import OpenClaim, OpenClaims, decode_claims, encode_claims
from wire.enrolment import ENROL_PATH, EnrolmentRequest, seal_request
from wire.seed import EnrolmentAddress, Seed
from wire.signing import SigningKey

HOST = "127.0.0.1"
FIRST = 0x10
FAR = 4_000_000_000
"""When claims end."""


def code_of(number: int) -> str:
    """The code on that label."""
    return claim_code((number << 32).to_bytes(14, "big"))


def open_claim(number: int = FIRST, *, ends_at: int = FAR, profile: str = "fake") -> OpenClaim:
    """Of the ``number``-th node: a shop in HART."""
    return OpenClaim(
        node=f"{number:08x}",
        premises=f"Shop {number}",
        place="High St",
        schemes=(1,),
        profile=profile,
        claim_hash=claim_hash(code_of(number)),
        ends_at=ends_at,
        office_premises=number,
    )


@dataclass
class EnrollingTown:
    """A fleet whose enrolment service has its folder, and whose authority has made that one's key its delegate."""

    fleet: Fleet
    folder: Path
    delegate: SigningKey = field(default_factory=lambda: SigningKey(b"d" * 32))

    @classmethod
    def found(cls, town: Path, *, port: int = 8883, enrolment_port: int = 0) -> EnrollingTown:
        """A new one."""
        fleet = Fleet.init(town, schemes={"hart": "HART", "pubwatch": "Pub Watch"}, port=port)
        return cls.of(fleet, enrolment_port)

    @classmethod
    def of(cls, fleet: Fleet, enrolment_port: int = 0) -> EnrollingTown:
        """A fleet gets one."""
        folder = open_enrolment(fleet.folder, [HOST], enrolment_port)
        town = cls(fleet, folder)
        (folder / "delegate.key").write_text(b"d".hex() * 32 + "\n")
        delegate_to(fleet.folder, town.delegate.public.raw)
        town.claim(open_claim())
        return town

    @property
    def config(self) -> Path:
        """Of the service."""
        return self.folder / "enrol.toml"

    @property
    def changed(self) -> Path:
        """Where the service puts the directory."""
        return self.folder / "changed" / "directory.json"

    def reserve(self, count: int) -> None:
        """Numbers for so many more shops, whose codes are those of :func:`code_of`."""
        made = reserve(self.fleet, [NewNode(f"Shop {n}", "High St", ["hart"], profile="fake") for n in range(count)])
        codes = {one.claim.node: claim_hash(code_of(int(one.claim.node, 16))) for one in made}
        with self.fleet.folder.changing():
            record = self.fleet.record
            claims = tuple(
                msgspec.structs.replace(one, claim_hash=codes.get(one.node, one.claim_hash)) for one in record.claims
            )
            self.fleet.folder.commit(msgspec.structs.replace(record, claims=claims))
            self.fleet.folder.publish()

    def claim(self, *claims: OpenClaim) -> None:
        """These are open from now on, and no others: as the service is told, whatever the fleet knows."""
        beside = self.fleet.layout.town / "claims.new"
        beside.write_bytes(encode_claims(OpenClaims(claims=claims)))
        beside.replace(self.fleet.layout.town / "claims.json")

    def central_toml(self) -> Path:
        """Central's configuration, with a free port for its page, and the directory that the service changes."""
        file = self.fleet.layout.central / "central.toml"
        port = self.fleet.record.central.web_port
        own = 'directory_file = "../directory.json"\n'
        text = file.read_text().replace(f"port = {port}", f"port = {free_port()}")
        file.write_text(text.replace(own, f'{own}delegated_directory_file = "../enrolment/changed/directory.json"\n'))
        return file

    def claims(self) -> tuple[OpenClaim, ...]:
        """Those that are open."""
        return decode_claims((self.fleet.layout.town / "claims.json").read_bytes()).claims

    def seed(self, port: int, number: int = FIRST) -> Seed:
        """For the ``number``-th node."""
        root = x509.load_pem_x509_certificates(self.fleet.layout.trusted.read_bytes())[0]
        return Seed(
            node=f"{number:08x}",
            claim=code_of(number),
            enrolment=EnrolmentAddress(host=HOST, port=port),
            ca_sha256=(root.fingerprint(hashes.SHA256()).hex(),),
            authority=self.fleet.folder.authority_public().raw.hex(),
        )


@dataclass
class NewUnit:
    """A unit's keys, and what it asks with them."""

    number: int = FIRST
    code: str = ""
    subject: x509.Name = field(default_factory=lambda: x509.Name([]))
    tls: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    gallery: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signing: SigningKey = field(default_factory=lambda: SigningKey(os.urandom(32)))
    sealing: bytes = field(default_factory=lambda: X25519PrivateKey.generate().public_key().public_bytes_raw())

    def document(self, **other: object) -> EnrolmentRequest:
        """What it asks, with these things otherwise."""
        request = EnrolmentRequest(
            claim=self.code or code_of(self.number),
            node=f"{self.number:08x}",
            tls_request=self.request(self.tls),
            gallery_request=self.request(self.gallery),
            signing_key=self.signing.public.raw,
            sealing_key=self.sealing,
        )
        return msgspec.convert(msgspec.structs.asdict(request) | other, EnrolmentRequest)

    def request(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """PKCS#10."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(self.subject)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def sealed(self, **other: object) -> bytes:
        """The same, signed."""
        return seal_request(self.document(**other), self.signing)


_MAIN: Final = "import sys; from watchlink.cli import main; sys.exit(main())"


class ServiceProcess:
    """``watchlink enrol`` as a process, ended by its own pid. ``before``: Python that runs in it first."""

    def __init__(self, town: EnrollingTown, before: str = "") -> None:
        self.town = town
        self.facts: list[dict[str, Any]] = []
        self.log = town.folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", before + _MAIN, "enrol", "--config", str(town.config)],
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        self.port = int(self.wait_for_fact("listening")["url"].rstrip("/").rpartition(":")[2])

    def wait_for_fact(self, name: str, **details: object) -> dict[str, Any]:
        """The first fact of that name with those details."""

        def found() -> list[dict[str, Any]]:
            return [f for f in tuple(self.facts) if f["fact"] == name and details.items() <= f.items()]

        wait_until(lambda: bool(found()) or not self._reading.is_alive(), f"fact {name} {details}")
        assert found(), self.log.read_text()[-2000:]
        return found()[0]

    def ask(self, body: bytes, path: str = ENROL_PATH) -> tuple[int, dict[str, Any]]:
        """Status and answer, over TLS that trusts the town's root alone."""
        context = ssl.create_default_context(cafile=str(self.town.fleet.layout.trusted))
        connection = http.client.HTTPSConnection(HOST, self.port, timeout=DEADLINE_S, context=context)
        try:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def end(self, *, at_once: bool = False) -> int:
        """As systemd does, or as the power does."""
        if at_once:
            self.process.kill()
        else:
            self.process.terminate()
        status = self.process.wait(DEADLINE_S)
        self._reading.join(DEADLINE_S)
        return status

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.facts.append(json.loads(line))
        self.process.wait()  # Else one that does not start is left behind by whoever expects that.


@contextlib.contextmanager
def running_service(town: EnrollingTown, before: str = "") -> Iterator[ServiceProcess]:
    """A service that is ended in any case."""
    service = ServiceProcess(town, before)
    try:
        yield service
    finally:
        service.end(at_once=True)
