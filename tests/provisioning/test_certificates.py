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
    check_lists,
    crl_expiry,
    issue_client_certificate,
    issue_crl,
    issue_server_certificate,
)
from provisioning.errors import CrlError, FleetDamagedError
from wire.subjects import NODES, SERVICES

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

    check_crl(crl, ca.certificate, {5, 7}, NOW)

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
            check_crl(crl, ca.certificate, {5, 7}, NOW)


@pytest.fixture(scope="module")
def issuers() -> list[CertificateAuthority]:
    root = CertificateAuthority.create_root("Watchlink root of test", NOW)
    return [root.create_issuer(kind, f"{kind}-1", NOW) for kind in (NODES, SERVICES)]


def test_file_with_a_list_of_each_issuer_is_accepted_in_any_order(issuers: list[CertificateAuthority]) -> None:
    lists = [issue_crl(one, {number}, 1, now=NOW) for number, one in enumerate(issuers, start=5)]
    wanted = [(one.certificate, {number}) for number, one in enumerate(issuers, start=5)]

    for data in (b"".join(lists), b"\n".join(reversed(lists))):
        check_lists(data, wanted, NOW)

    assert crl_expiry(b"".join(lists)) == (NOW + timedelta(days=30)).replace(microsecond=0)


def test_file_of_lists_that_is_unfit_is_refused(issuers: list[CertificateAuthority]) -> None:
    """One damaged list opens the door for everybody; a missing one shuts it for its issuer's."""
    nodes, services = (issue_crl(one, {5}, 1, now=NOW) for one in issuers)
    stranger = issue_crl(CertificateAuthority.create("other", NOW), {5}, 1, now=NOW)
    old = issue_crl(issuers[1], {5}, 1, now=NOW - timedelta(days=40))
    unfit = {
        "There are 1 revocation lists for 2": nodes,
        "There are 3 revocation lists for 2": nodes + services + stranger,
        "of CN=Watchlink services-1,O=services is missing": nodes + stranger,
        "there is more in its file": nodes + services[:-30],
        "cannot be read back": nodes + services[:60] + b"AAAA" + services[64:],
        "not in force": nodes + old,
        "lacks 1 revoked": nodes + issue_crl(issuers[1], set(), 1, now=NOW),
    }

    for words, data in unfit.items():
        with pytest.raises(CrlError, match=words):
            check_lists(data, [(one.certificate, {5}) for one in issuers], NOW)


def test_lists_that_expire_first_say_when(issuers: list[CertificateAuthority]) -> None:
    late, soon = (issue_crl(one, set(), 1, now=NOW - timedelta(days=n)) for n, one in enumerate(issuers))

    assert crl_expiry(late + soon) == (NOW + timedelta(days=29)).replace(microsecond=0)


def test_issuer_signs_for_its_organisation_and_says_who_it_is(issuers: list[CertificateAuthority]) -> None:
    issued = [issue_client_certificate(one, "00000010", now=NOW) for one in issuers]
    chains = [x509.load_pem_x509_certificates(one.certificate_pem) for one in issued]

    assert ["CN=00000010,O=node", "CN=00000010,O=services"] == [own.subject.rfc4514_string() for own, _ in chains]
    assert [one.certificate for one in issuers] == [issuer for _, issuer in chains]
    assert ["node-1", "services-1"] == [one.issuer for one in issued]


def test_issuer_read_back_signs_for_the_same_organisation(issuers: list[CertificateAuthority]) -> None:
    read = [CertificateAuthority.load(one.certificate_pem, one.key_pem, one.name) for one in issuers]

    assert [(NODES, "node-1"), (SERVICES, "services-1")] == [(one.organisation, one.name) for one in read]


@pytest.mark.parametrize(("kind", "is_server"), [(NODES, False), (SERVICES, True)])
def test_issuer_satisfies_the_strict_checks_of_python_3_13(tmp_path: Path, kind: str, *, is_server: bool) -> None:
    root = CertificateAuthority.create_root("Watchlink root of test", NOW)
    services = root.create_issuer(SERVICES, "services-1", NOW)
    client = issue_client_certificate(root.create_issuer(kind, "one", NOW), "00000010", now=NOW)
    server = issue_server_certificate(services if is_server else root, ["127.0.0.1"], now=NOW)

    assert shake_hands(tmp_path, root, server, client) == "00000010"


def test_issuer_may_make_no_other_and_ends_with_its_root(issuers: list[CertificateAuthority]) -> None:
    root = CertificateAuthority.create_root("Watchlink root of test", NOW)
    later = root.create_issuer(NODES, "nodes-1", NOW + timedelta(days=3_000)).certificate
    constraints = later.extensions.get_extension_for_class(x509.BasicConstraints).value

    assert 0 == constraints.path_length
    assert root.certificate.not_valid_after_utc == later.not_valid_after_utc


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

    check_crl(crl, ca.certificate, {5}, first)
    check_crl(crl, ca.certificate, {5}, end - timedelta(seconds=1))
    for outside in (first - timedelta(seconds=1), end):
        with pytest.raises(CrlError, match="not in force"):
            check_crl(crl, ca.certificate, {5}, outside)


def test_certificates_that_the_ca_gives_make_nobody_a_ca(ca: CertificateAuthority) -> None:
    """A stolen node could make itself neighbours otherwise."""
    issued = issue_client_certificate(ca, "00000010", now=NOW), issue_server_certificate(ca, ["127.0.0.1"], now=NOW)
    read = [x509.load_pem_x509_certificate(one.certificate_pem) for one in issued]

    assert [False, False] == [one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for one in read]
