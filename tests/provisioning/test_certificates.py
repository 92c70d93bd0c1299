from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from provisioning.certificates import (
    CertificateAuthority,
    IssuedCertificate,
    check_crl,
    crl_expiry,
    issue_client_certificate,
    issue_crl,
    issue_server_certificate,
)
from provisioning.errors import CrlError, FleetDamagedError

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return CertificateAuthority.create("Watchlink CA of test", NOW)


def shake_hands(folder: Path, ca: CertificateAuthority, server: IssuedCertificate, client: IssuedCertificate) -> str:
    """TLS 1.3 in memory, both sides as strict as Python 3.13 is by default; returns the name the server saw."""

    def context(purpose: ssl.Purpose, own: IssuedCertificate) -> ssl.SSLContext:
        made = ssl.create_default_context(purpose, cadata=ca.certificate_pem.decode())
        made.verify_flags |= ssl.VERIFY_X509_STRICT
        made.verify_mode = ssl.CERT_REQUIRED
        chain = folder / f"{own.serial:x}.pem"
        chain.write_bytes(own.certificate_pem + own.key_pem)
        made.load_cert_chain(chain)
        return made

    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        context(ssl.Purpose.SERVER_AUTH, client).wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        context(ssl.Purpose.CLIENT_AUTH, server).wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    seen = ends[1].getpeercert()
    assert seen is not None
    # One type stands for all its fields, of which some are texts.
    pairs = [pair for part in seen["subject"] for pair in part if isinstance(pair, tuple)]
    return dict(pairs)["commonName"]


def test_certificates_satisfy_the_strict_checks_of_python_3_13(ca: CertificateAuthority, tmp_path: Path) -> None:
    server = issue_server_certificate(ca, ["127.0.0.1", "localhost"], now=NOW)

    assert shake_hands(tmp_path, ca, server, issue_client_certificate(ca, "00000010", now=NOW)) == "00000010"


def test_client_certificate_is_no_server(ca: CertificateAuthority, tmp_path: Path) -> None:
    """A stolen node must not be able to play the broker to its neighbours."""
    node = issue_client_certificate(ca, "127.0.0.1", now=NOW)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, ca, node, node)


def test_server_certificate_is_no_client(ca: CertificateAuthority, tmp_path: Path) -> None:
    server = issue_server_certificate(ca, ["127.0.0.1"], now=NOW)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, ca, server, server)


def test_certificate_is_good_on_a_machine_whose_clock_is_a_day_behind(ca: CertificateAuthority, tmp_path: Path) -> None:
    """A Raspberry Pi has no clock of its own (F5)."""
    ahead = NOW + timedelta(hours=23)
    server = issue_server_certificate(ca, ["127.0.0.1"], now=ahead)

    assert shake_hands(tmp_path, ca, server, issue_client_certificate(ca, "00000010", now=ahead)) == "00000010"


def test_expiry_is_what_the_certificate_says(ca: CertificateAuthority) -> None:
    issued = issue_client_certificate(ca, "00000010", now=NOW)

    assert x509.load_pem_x509_certificate(issued.certificate_pem).not_valid_after_utc == issued.expires_at


def test_authority_refuses_a_key_that_is_not_its_own(ca: CertificateAuthority) -> None:
    other = CertificateAuthority.create("other", NOW)

    with pytest.raises(FleetDamagedError, match="does not belong"):
        CertificateAuthority.load(ca.certificate_pem, other.key_pem)


def test_crl_that_is_fit_is_accepted(ca: CertificateAuthority) -> None:
    crl = issue_crl(ca, {5, 7}, 1, now=NOW)

    check_crl(crl, ca, {5, 7}, NOW)

    assert crl_expiry(crl) == (NOW + timedelta(days=30)).replace(microsecond=0)


def test_crl_that_is_unfit_is_refused(ca: CertificateAuthority) -> None:
    other = CertificateAuthority.create("Watchlink CA of test", NOW)
    good = issue_crl(ca, {5}, 1, now=NOW)
    unfit = {
        "lacks 1 revoked": good,
        "cannot be read": good[:-60],
        "not signed by": issue_crl(other, {5, 7}, 1, now=NOW),
        "not in force": issue_crl(ca, {5, 7}, 1, now=NOW - timedelta(days=40)),
    }

    for words, crl in unfit.items():
        with pytest.raises(CrlError, match=words):
            check_crl(crl, ca, {5, 7}, NOW)


def test_ca_may_make_no_other_ca(ca: CertificateAuthority) -> None:
    """Whoever steals a certificate of it could name himself anybody."""
    certificate = x509.load_pem_x509_certificate(ca.certificate_pem)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)

    assert (True, 0, True) == (constraints.value.ca, constraints.value.path_length, constraints.critical)


def test_extensions_are_critical_exactly_where_rfc_5280_has_them_so(ca: CertificateAuthority) -> None:
    """Sections 4.2.1 and 5.2: a strict reader refuses a certificate or a list otherwise."""
    server = issue_server_certificate(ca, ["127.0.0.1"], now=NOW)
    made = (
        x509.load_pem_x509_certificate(ca.certificate_pem),
        x509.load_pem_x509_certificate(server.certificate_pem),
        x509.load_pem_x509_crl(issue_crl(ca, {5}, 1, now=NOW)),
    )

    critical = {(extension.oid, extension.critical) for one in made for extension in one.extensions}

    assert {
        (ExtensionOID.BASIC_CONSTRAINTS, True),
        (ExtensionOID.KEY_USAGE, True),
        (ExtensionOID.EXTENDED_KEY_USAGE, False),
        (ExtensionOID.AUTHORITY_KEY_IDENTIFIER, False),
        (ExtensionOID.SUBJECT_KEY_IDENTIFIER, False),
        (ExtensionOID.SUBJECT_ALTERNATIVE_NAME, False),
        (ExtensionOID.CRL_NUMBER, False),
    } == critical


def test_crl_bears_its_number(ca: CertificateAuthority) -> None:
    number = x509.load_pem_x509_crl(issue_crl(ca, {5}, 7, now=NOW)).extensions.get_extension_for_class(x509.CRLNumber)

    assert 7 == number.value.crl_number


def test_key_of_the_ca_signs_certificates_and_lists_and_a_members_key_neither(ca: CertificateAuthority) -> None:
    member = issue_client_certificate(ca, "00000010", now=NOW)
    usages = [
        x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.KeyUsage).value
        for pem in (ca.certificate_pem, member.certificate_pem)
    ]

    assert [(True, True, False), (False, False, True)] == [
        (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) for usage in usages
    ]


def test_crl_is_in_force_from_a_day_ago_until_its_end_and_not_at_it(ca: CertificateAuthority) -> None:
    now = NOW.replace(microsecond=0)
    crl = issue_crl(ca, {5}, 1, now=now)
    first, end = now - timedelta(days=1), now + timedelta(days=30)

    check_crl(crl, ca, {5}, first)
    check_crl(crl, ca, {5}, end - timedelta(seconds=1))
    for outside in (first - timedelta(seconds=1), end):
        with pytest.raises(CrlError, match="not in force"):
            check_crl(crl, ca, {5}, outside)


def test_certificates_that_the_ca_gives_make_nobody_a_ca(ca: CertificateAuthority) -> None:
    """A stolen node could make itself neighbours otherwise."""
    issued = issue_client_certificate(ca, "00000010", now=NOW), issue_server_certificate(ca, ["127.0.0.1"], now=NOW)
    read = [x509.load_pem_x509_certificate(one.certificate_pem) for one in issued]

    assert [False, False] == [one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for one in read]
