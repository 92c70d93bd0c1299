"""A unit's page gets a certificate for its own names, by the town's web CA, over the real port; and nothing else."""

from __future__ import annotations

import ipaddress
import ssl
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtensionOID

from office.nodes.app import MachinePort
from office.nodes.config import load_configuration
from office.nodes.handlers.page_certificates import AT_ONCE
from office.nodes.page_issuer import EndedError, PageIssuer, read_request
from provisioning.web_authority import create_page_issuer, create_web_authority
from runtime.config import ConfigError
from runtime.logs import FactLog
from runtime.service import Service
from tests.support.asking_town import SHOP, AskingTown, PortThread, port_thread
from tests.support.page_issuer import CENTRAL, DOMAIN, give_page_issuer
from wire.gallery_paths import PAGE_CERTIFICATE_PATH
from wire.ids import NodeId
from wire.page_certificate import LIFE, decode_certificate, page_name

NAME = "watchlink-00000010.local"
ADDRESS = "192.168.1.20"
KEY = ec.generate_private_key(ec.SECP256R1())
UNKNOWN_NAME = "of an unknown kind"


def general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def alternative(names: tuple[x509.GeneralName | str, ...]) -> x509.ExtensionType:
    """They, or one of a kind that the library does not know."""
    if UNKNOWN_NAME in names:
        return x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3004a3023000"))
    return x509.SubjectAlternativeName([general(one) if isinstance(one, str) else one for one in names])


def request(*names: x509.GeneralName | str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY) -> bytes:
    """A request for these names; without any, without a subject alternative name."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if names:
        builder = builder.add_extension(alternative(names), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    """With an issuer of pages, as the fleet has given it."""
    return give_page_issuer(AskingTown(tmp_path))


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as running:
        yield running


def test_certificate_is_for_the_units_own_names_and_a_tablet_with_the_root_accepts_it(
    port: PortThread, tmp_path: Path
) -> None:
    status, body = port.unit().request("POST", PAGE_CERTIFICATE_PATH, request(NAME, ADDRESS, "fd00::5"))
    assert 200 == status, body
    answer = decode_certificate(body)
    leaf = x509.load_pem_x509_certificate(answer.chain.encode())
    for name, text in (("root.pem", answer.root), ("leaf.pem", answer.chain)):
        (tmp_path / name).write_text(text)

    assert (port.town.folder / "nodes/web-ca.pem").read_text() == answer.root
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= LIFE + timedelta(days=1)
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "root.pem"]
    for names in (["-verify_hostname", NAME], ["-verify_ip", ADDRESS], ["-verify_ip", "fd00::5"]):
        said = subprocess.run(
            [*command, *names, "-untrusted", "leaf.pem", "leaf.pem"], cwd=tmp_path, check=False, capture_output=True
        )
        assert 0 == said.returncode, said.stderr
    assert "" == handshake(tmp_path / "leaf.pem", answer.root, NAME)
    assert "mismatch" in handshake(tmp_path / "leaf.pem", answer.root, "watchlink-00000011.local")
    (told,) = port.facts("page certificate")
    assert ("00000010", f"{leaf.serial_number:x}", [NAME, ADDRESS, "fd00::5"]) == (
        told["node"],
        told["serial"],
        told["names"],
    )


def handshake(chain: Path, root: str, name: str) -> str:
    """What a strict browser that trusts the root says; empty = nothing."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = chain.with_suffix(".key")
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server.load_cert_chain(chain, key)
    client = ssl.create_default_context(cadata=root)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as e:
                return e.verify_message
    return ""


@pytest.mark.parametrize(
    ("problem", "names"),
    [
        ("other name", [NAME, "watchlink-00000011.local"]),
        ("other name", ["central.watch.example.org"]),
        ("other name", ["*.local"]),
        ("public address", [NAME, "8.8.8.8"]),
        ("public address", ["127.0.0.1"]),
        ("other address", [NAME, CENTRAL]),
        ("too many names", [f"10.0.0.{last}" for last in range(1, 11)]),
        ("malformed", [x509.RFC822Name("a@b.org")]),
        ("malformed", [x509.UniformResourceIdentifier("https://central.watch.example.org")]),
        ("malformed", []),
    ],
)
def test_request_for_anything_else_is_refused(
    port: PortThread, problem: str, names: list[x509.GeneralName | str]
) -> None:
    assert problem == port.unit().problem("POST", PAGE_CERTIFICATE_PATH, request(*names))
    assert [] == port.facts("page certificate")


def test_request_that_is_none_or_of_another_key_is_refused(port: PortThread) -> None:
    unit = port.unit()
    whole = request(NAME)
    forged = whole[:-1] + bytes([whole[-1] ^ 1])
    other = request(NAME, key=rsa.generate_private_key(65_537, 2_048))
    for body in (b"", b"none", whole[:-9], forged, other):
        assert "malformed" == unit.problem("POST", PAGE_CERTIFICATE_PATH, body)


def test_request_that_the_library_does_not_know_is_refused(port: PortThread) -> None:
    """What it raises of these is no ValueError."""
    later = request(NAME).replace(b"\x02\x01\x00", b"\x02\x01\x05", 1)
    for body in (request(UNKNOWN_NAME), later):
        assert "malformed" == port.unit().problem("POST", PAGE_CERTIFICATE_PATH, body)


def test_unit_that_was_struck_gets_none(town: AskingTown, port: PortThread) -> None:
    """Its page would be believed for three months more."""
    town.strike(SHOP)
    port.wait_for_directory(town.serial)

    assert "struck" == port.unit().problem("POST", PAGE_CERTIFICATE_PATH, request(NAME))
    assert [] == port.facts("page certificate")


def test_unit_that_asks_and_asks_is_told_to_come_later(port: PortThread) -> None:
    unit = port.unit()
    statuses = [unit.request("POST", PAGE_CERTIFICATE_PATH, request(NAME))[0] for _ in range(AT_ONCE + 1)]

    assert [*[200] * AT_ONCE, 429] == statuses


def test_port_without_an_issuer_says_so(tmp_path: Path) -> None:
    with port_thread(AskingTown(tmp_path)) as port:
        assert "no issuer" == port.unit().problem("POST", PAGE_CERTIFICATE_PATH, request(NAME))


def other_key(town: AskingTown) -> None:
    root = create_web_authority("other", "watch.example.org", town.now)
    town.write("nodes/pages.key", create_page_issuer(root, town.now, domain=DOMAIN).key_pem)


def other_root(town: AskingTown) -> None:
    town.write("nodes/web-ca.pem", create_web_authority("test", "watch.example.org", town.now).certificate_pem)


def no_file(town: AskingTown) -> None:
    (town.folder / "nodes/pages.pem").unlink()


def half(town: AskingTown) -> None:
    town.config.write_text(town.config.read_text().replace('key_file = "pages.key"\n', ""))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(other_key, "not the key of"), (other_root, "has not signed it"), (no_file, "cannot be read"), (half, "all or")],
)
def test_issuer_that_does_not_belong_together_is_told(
    town: AskingTown, spoil: Callable[[AskingTown], None], words: str
) -> None:
    spoil(town)
    with pytest.raises(ConfigError, match=words):
        MachinePort(load_configuration(town.config), FactLog(), Service())


def test_certificate_ends_with_its_issuer_which_signs_nothing_at_its_end(town: AskingTown) -> None:
    nodes = town.folder / "nodes"
    issuer = PageIssuer(nodes / "pages.pem", nodes / "pages.key", nodes / "web-ca.pem")
    late = issuer.ends_at - timedelta(days=20)
    answer, _ = issuer.sign(SHOP, read_request(request(NAME)), late)

    leaf = x509.load_pem_x509_certificate(answer.chain.encode())
    assert issuer.ends_at == leaf.not_valid_after_utc
    with pytest.raises(EndedError):
        issuer.sign(SHOP, read_request(request(NAME)), issuer.ends_at - timedelta(hours=1))


def test_name_is_the_nodes_own() -> None:
    assert NAME == page_name(SHOP)
    assert page_name(NodeId(0x11)) != NAME
