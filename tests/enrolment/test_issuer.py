"""The issuer signs for nodes, in the name that it is told, and for keys whose owner has proved to have them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from enrolment.issuer import NodesIssuer, RequestError, read_request
from provisioning.certificates import CertificateAuthority
from runtime.config import ConfigError
from runtime.issuing import subject_name
from wire.subjects import NODES, SERVICES

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ROOT = CertificateAuthority.create_root("Root", NOW)


def issuer_of(folder: Path, authority: CertificateAuthority) -> NodesIssuer:
    (folder / "nodes.pem").write_bytes(authority.certificate_pem)
    (folder / "nodes.key").write_bytes(authority.key_pem)
    return NodesIssuer(folder / "nodes.pem", folder / "nodes.key")


def request(subject: x509.Name, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """That somebody asks in this name, also for a server's address."""
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("broker.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    signed = builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def test_subject_and_wishes_of_a_request_are_not_believed(tmp_path: Path) -> None:
    issuer = issuer_of(tmp_path, ROOT.create_issuer(NODES, "nodes", NOW))
    asked = read_request(request(subject_name("00000001", SERVICES)))
    made = issuer.sign(asked, "00000010", NOW)

    assert "CN=00000010,O=node" == made.subject.rfc4514_string()
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    uses = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [ExtendedKeyUsageOID.CLIENT_AUTH] == list(uses)
    with pytest.raises(x509.ExtensionNotFound):
        made.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_certificate_is_backdated_by_a_day(tmp_path: Path) -> None:
    """A unit without a clock wakes in the past."""
    issuer = issuer_of(tmp_path, ROOT.create_issuer(NODES, "nodes", NOW))
    made = issuer.sign(read_request(request(x509.Name([]))), "00000010", NOW)

    assert 86_400 == (NOW - made.not_valid_before_utc).total_seconds()


@pytest.mark.parametrize("which", ["root", "services", "first CA"])
def test_ca_that_may_sign_for_others_is_refused(tmp_path: Path, which: str) -> None:
    authority = {
        "root": ROOT,
        "services": ROOT.create_issuer(SERVICES, "services", NOW),
        "first CA": CertificateAuthority.create("First", NOW),
    }[which]

    with pytest.raises(ConfigError, match="may sign for others"):
        issuer_of(tmp_path, authority)


def test_key_of_another_issuer_is_refused(tmp_path: Path) -> None:
    issuer_of(tmp_path, ROOT.create_issuer(NODES, "nodes", NOW))
    (tmp_path / "nodes.key").write_bytes(ROOT.create_issuer(NODES, "nodes-2", NOW).key_pem)

    with pytest.raises(ConfigError, match="not the key"):
        NodesIssuer(tmp_path / "nodes.pem", tmp_path / "nodes.key")


def test_request_that_its_key_has_not_signed_is_refused() -> None:
    """A proof of possession: else somebody could have another's key certified in their own name."""
    data = bytearray(request(x509.Name([])))
    data[-1] ^= 1

    with pytest.raises(RequestError):
        read_request(bytes(data))


@pytest.mark.parametrize("what", ["P-384", "junk"])
def test_other_keys_and_junk_are_refused(what: str) -> None:
    data = request(x509.Name([]), ec.generate_private_key(ec.SECP384R1())) if what == "P-384" else b"\x30\x03abc"

    with pytest.raises(RequestError):
        read_request(data)
