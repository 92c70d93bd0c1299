"""``simplereenroll``: who asks is told by the node's signature, and by nothing else."""

from __future__ import annotations

import asyncio
import http
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.routing import Route

from enrolment.handlers.renewing import Renewing
from enrolment.issuer import NodesIssuer
from enrolment.publishing import Publishing
from enrolment.register import IssuedCertificate, Register
from enrolment.rules.renewing import A_DAY_MAX
from provisioning.fleet import NewNode
from runtime.logs import FactLog
from runtime.slowing import FREE_FAILURES
from tests.support.enrolling_town import EnrollingTown
from wire.enrolment import Refusal
from wire.renewal_request import PATH, REQUEST_BYTES_MAX, RenewalRequest, seal_renewal
from wire.signing import SigningKey

NODE, OTHER = "00000010", "00000011"
DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Counter:
    """The service's counter for renewals, and two nodes of the town."""

    town: EnrollingTown
    app: Starlette
    register: Register
    now: list[datetime]

    def key(self, node: str = NODE) -> SigningKey:
        return SigningKey(bytes.fromhex((self.town.fleet.node_folder(node) / "signing.key").read_text().strip()))

    def ask(
        self,
        node: str = NODE,
        *,
        tls: ec.EllipticCurvePrivateKey | None = None,
        key: SigningKey | None = None,
        is_for_gallery: bool = False,
        subject: str = "",
    ) -> tuple[int, bytes]:
        csr = request_for(tls or ec.generate_private_key(ec.SECP256R1()), subject)
        asked = RenewalRequest(node=node, csr=csr, is_for_gallery=is_for_gallery)
        return self.send(seal_renewal(asked, key or self.key(node)))

    def send(self, body: bytes) -> tuple[int, bytes]:
        async def post() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=("192.0.2.9", 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="https://enrolment") as client:
                return await client.post(PATH, content=body)

        answer = asyncio.run(post())
        return answer.status_code, answer.content

    def refusal(self, node: str = NODE, **how: object) -> str:
        status, body = self.ask(node, **how)  # type: ignore[arg-type]
        assert status != http.HTTPStatus.OK
        return problem_in(body)


def problem_in(body: bytes) -> str:
    """A refusal's reason."""
    return msgspec.json.decode(body, type=Refusal).problem


def request_for(key: ec.EllipticCurvePrivateKey, subject: str = "") -> bytes:
    names = [x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)] if subject else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def subject_of(pem: bytes) -> str:
    return x509.load_pem_x509_certificates(pem)[0].subject.rfc4514_string()


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    town = EnrollingTown.found(tmp_path / "town")
    town.fleet.add_all([NewNode(name, "High St", ["hart"], profile="fake") for name in ("Shop", "Pub")])
    register, now = Register(tmp_path / "register.sqlite3"), [NOW]

    def now_s() -> float:
        return now[0].timestamp()

    publishing = Publishing(
        town.fleet.layout.town / "directory.json",
        town.changed,
        authority=town.fleet.folder.authority_public(),
        delegate=town.delegate,
        register=register,
        now_s=now_s,
    )
    renewing = Renewing(
        register=register,
        publishing=publishing,
        issuer=NodesIssuer(town.folder / "nodes.pem", town.folder / "nodes.key"),
        facts=FactLog(),
        now_s=now_s,
    )
    app = Starlette(routes=[Route(PATH, renewing.answer, methods=["POST"])])
    yield Counter(town, app, register, now)
    register.close()


def made(counter: Counter, ends_at: datetime, node: str = NODE) -> None:
    """A certificate that the service made and that ended then."""
    issuer = NodesIssuer(counter.town.folder / "nodes.pem", counter.town.folder / "nodes.key")
    csr = x509.load_der_x509_csr(request_for(ec.generate_private_key(ec.SECP256R1())))
    certificate = issuer.sign(csr, node, ends_at - 90 * DAY)
    counter.register.remember(
        IssuedCertificate(
            f"{certificate.serial_number:x}",
            node,
            node,
            issuer.chain_pem(certificate),
            int(certificate.not_valid_after_utc.timestamp()),
        )
    )


def test_node_that_an_engineer_made_is_renewed_for_its_new_key(counter: Counter) -> None:
    tls = ec.generate_private_key(ec.SECP256R1())
    status, pem = counter.ask(tls=tls)
    own, issuer = x509.load_pem_x509_certificates(pem)

    assert (200, f"CN={NODE},O=node") == (status, own.subject.rfc4514_string())
    assert own.public_key() == tls.public_key()
    assert NOW + 90 * DAY == own.not_valid_after_utc
    own.verify_directly_issued_by(issuer)
    assert [f"{own.serial_number:x}"] == [one.serial for one in counter.register.certificates_of(NODE)]


def test_gallery_gets_a_name_without_rights(counter: Counter) -> None:
    assert f"CN=gallery-{NODE},O=node" == subject_of(counter.ask(is_for_gallery=True)[1])


def test_subject_of_the_request_is_not_looked_at(counter: Counter) -> None:
    assert f"CN={NODE},O=node" == subject_of(counter.ask(subject="00000001")[1])


def test_struck_node_gets_nothing_from_the_moment_that_the_directory_says_so(counter: Counter) -> None:
    assert counter.ask()[0] == 200
    strike(counter)

    assert counter.refusal() == "struck"
    assert counter.ask(OTHER)[0] == 200


def strike(counter: Counter) -> None:
    folder = counter.town.fleet.folder
    with folder.changing():
        nodes = tuple(
            msgspec.structs.replace(node, revoked_at=NOW) if node.node == NODE else node for node in folder.record.nodes
        )
        serial = folder.record.directory_serial + 1_000_000
        folder.commit(msgspec.structs.replace(folder.record, nodes=nodes, directory_serial=serial))
        folder.publish()


def test_pub_that_was_closed_for_two_hundred_days_comes_back(counter: Counter) -> None:
    made(counter, NOW - 200 * DAY)

    assert counter.ask()[0] == 200


def test_pub_that_was_closed_for_longer_than_a_year_needs_a_claim(counter: Counter) -> None:
    made(counter, NOW - 366 * DAY)

    assert counter.refusal() == "too old"
    assert counter.ask(OTHER)[0] == 200


def test_node_is_believed_for_its_own_key_alone(counter: Counter) -> None:
    assert counter.refusal(key=counter.key(OTHER)) == "malformed"
    assert () == counter.register.certificates()


def test_node_that_nobody_knows_gets_nothing(counter: Counter) -> None:
    assert counter.refusal("000000ff", key=counter.key()) == "unknown node"
    assert counter.refusal("00000001", key=counter.key()) == "unknown node", "central is no node"


def test_same_key_gets_the_same_certificate_because_its_answer_was_lost(counter: Counter) -> None:
    tls = ec.generate_private_key(ec.SECP256R1())
    first, again = counter.ask(tls=tls), counter.ask(tls=tls)

    assert first == again
    assert 1 == len(counter.register.certificates())
    assert first != counter.ask(tls=tls, is_for_gallery=True)


def test_node_that_asks_without_end_fills_no_register(counter: Counter) -> None:
    assert [200] * A_DAY_MAX == [counter.ask()[0] for _ in range(A_DAY_MAX)]
    assert counter.refusal() == "slow down"
    counter.now[0] += 1.1 * DAY
    assert counter.ask()[0] == 200


def test_nothing_is_renewed_by_a_clock_that_is_behind(counter: Counter) -> None:
    """What ended long ago by its own date keeps a node from coming back."""
    counter.now[0] -= 500 * DAY

    assert counter.refusal() == "closed"
    assert () == counter.register.certificates()


def test_key_of_another_kind_is_refused(counter: Counter) -> None:
    assert counter.refusal(tls=ec.generate_private_key(ec.SECP384R1())) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="no-request"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b'{"x":' + b"[" * 8_000, id="nested"),
        pytest.param(b"x" * (REQUEST_BYTES_MAX + 1), id="too-large"),
        pytest.param(b'{"document":"e30=","signature":"' + b"A" * 86 + b'=="}', id="empty-document"),
    ],
)
def test_junk_is_refused_in_words(counter: Counter, body: bytes) -> None:
    status, answer = counter.send(body)

    assert (400, "malformed") == (status, problem_in(answer))


def test_strangers_are_slowed(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the last of them would have waited long enough.
    monkeypatch.setattr("enrolment.handlers.renewing.time", SimpleNamespace(monotonic=lambda: 0.0))
    answers = [counter.send(b"{}")[0] for _ in range(FREE_FAILURES + 1)]

    assert [400] * FREE_FAILURES + [429] == answers
    assert counter.refusal("00000042", key=counter.key()) == "slow down"


def test_stranger_behind_the_same_router_keeps_no_node_from_renewing(counter: Counter) -> None:
    """One who sends junk once in five minutes would lock a market hall out in 45 days."""
    for _ in range(FREE_FAILURES + 1):
        counter.send(b"{}")

    assert counter.ask()[0] == 200
