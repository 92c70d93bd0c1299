"""The web CA: what browsers accept from it, and for what it can speak at most."""

from __future__ import annotations

import ipaddress
import ssl
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioning.certificates import CertificateAuthority, issue_server_certificate
from provisioning.cli import main
from provisioning.errors import FleetDamagedError, FleetError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.listing import _web_warnings, list_fleet
from provisioning.pages import issue_for_page, make_page_issuer, make_web_authority
from provisioning.web_authority import (
    clean_domain,
    clean_names,
    create_page_issuer,
    create_web_authority,
    issue_page_certificate,
)

NOW = datetime.now(UTC)
DOMAIN = "watch.example.org"


class Clock(Protocol):
    """As in conftest."""

    pass_by: Callable[[timedelta], None]


@pytest.fixture(scope="module")
def ca() -> CertificateAuthority:
    return create_web_authority("test", DOMAIN, NOW)


@pytest.fixture
def now_fleet(tmp_path: Path) -> Fleet:
    """On today's clock, so that TLS accepts what it issues."""
    return Fleet.init(tmp_path / "town", schemes={"hart": "HART"})


def trouble(folder: Path, ca: CertificateAuthority, name: str, *, asked: str = "") -> str:
    """What a strict client that trusts ``ca`` says of a page with a certificate for ``name``; empty = nothing."""
    issued = issue_server_certificate(ca, [name], now=NOW, common_name="A page")
    chain = folder / f"{issued.serial:x}.pem"
    chain.write_bytes(issued.certificate_pem + issued.key_pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return handshake(server, ca.certificate_pem, asked or name)


def handshake(server: ssl.SSLContext, root_pem: bytes, name: str) -> str:
    client = ssl.create_default_context(cadata=root_pem.decode())
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
    "name", [DOMAIN, f"central.{DOMAIN}", "localhost", "192.168.1.20", "10.0.0.9", "172.31.0.1", "127.0.0.1", "fd00::5"]
)
def test_page_inside_the_constraint_is_accepted_by_openssl(tmp_path: Path, ca: CertificateAuthority, name: str) -> None:
    assert "" == trouble(tmp_path, ca, name)


@pytest.mark.parametrize(
    "name",
    [
        "example.org",
        "elsewhere.org",
        f"not{DOMAIN}",
        "bank.co.uk",
        "8.8.8.8",
        "172.32.0.1",
        "192.169.0.1",
        "2001:db8::1",
    ],
)
def test_page_outside_the_constraint_is_refused_even_if_the_cas_key_signed_it(
    tmp_path: Path, ca: CertificateAuthority, name: str
) -> None:
    """What a thief of the key could do at most."""
    assert "permitted subtree violation" == trouble(tmp_path, ca, name)


def test_openssls_own_verifier_says_the_same(tmp_path: Path, ca: CertificateAuthority) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(ca.certificate_pem)
    said = []
    for name in (f"central.{DOMAIN}", "elsewhere.org"):
        leaf = tmp_path / f"{name}.pem"
        leaf.write_bytes(issue_server_certificate(ca, [name], now=NOW, common_name="A page").certificate_pem)
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(root), str(leaf)]
        said.append(subprocess.run(command, check=False, capture_output=True, text=True))

    assert [0, 2] == [one.returncode for one in said]
    assert "permitted subtree violation" in said[1].stderr


def test_root_is_constrained_critically_and_makes_issuers_alone(ca: CertificateAuthority) -> None:
    extensions = ca.certificate.extensions
    constraints = extensions.get_extension_for_class(x509.NameConstraints)
    basic = extensions.get_extension_for_class(x509.BasicConstraints)

    assert (True, True, 1) == (constraints.critical, basic.critical, basic.value.path_length)
    permitted = constraints.value.permitted_subtrees or []
    assert [DOMAIN, "localhost", "local"] == [one.value for one in permitted if isinstance(one, x509.DNSName)]
    networks = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
    assert all(isinstance(one, ipaddress.IPv4Network | ipaddress.IPv6Network) and one.is_private for one in networks)
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [ExtendedKeyUsageOID.SERVER_AUTH] == list(usage)


def test_page_certificate_lives_no_longer_than_browsers_accept_and_not_past_its_ca(ca: CertificateAuthority) -> None:
    issued = x509.load_pem_x509_certificate(issue_page_certificate(ca, [DOMAIN], NOW).certificate_pem)
    late = ca.certificate.not_valid_after_utc - timedelta(days=40)
    last = issue_page_certificate(ca, [DOMAIN], late)

    assert issued.not_valid_after_utc - issued.not_valid_before_utc <= timedelta(days=397)
    assert last.expires_at <= ca.certificate.not_valid_after_utc
    with pytest.raises(FleetDamagedError, match="--replace"):
        issue_page_certificate(ca, [DOMAIN], late + timedelta(days=20))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("co.uk", "belongs to many"),
        ("police.uk", "belongs to many"),
        ("org", "belongs to many"),
        ("local", "belongs to many"),
        ("town.local", "any machine may give itself"),
        ("Watch.Town.LOCAL.", "any machine may give itself"),
        ("192.168.0.1", "not a domain"),
        ("*.town.org", "not a domain"),
        ("town org", "not a domain"),
        ("täglich.org", "not a domain"),
        ("a..org", "not a domain"),
        ("-a.org", "not a domain"),
        ("", "not a domain"),
        ("a." * 100 + "org", "not a domain"),
    ],
)
def test_domain_that_is_nobodys_own_is_refused(text: str, words: str) -> None:
    with pytest.raises(FleetInputError, match=words):
        clean_domain(text)


def test_domain_is_taken_in_small_letters() -> None:
    assert "watch.example.org" == clean_domain(" Watch.Example.ORG. ")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("8.8.8.8", "not a private address"),
        ("2001:db8::1", "not a private address"),
        ("::ffff:8.8.8.8", "not a private address"),
        ("elsewhere.org", f"not in {DOMAIN}"),
        (f"not{DOMAIN}", f"not in {DOMAIN}"),
        (f"*.{DOMAIN}", "not the name or address of one machine"),
        (f"https://{DOMAIN}/", "not the name or address of one machine"),
        (f"{DOMAIN}:8443", "not the name or address of one machine"),
        ("", "not the name or address of one machine"),
    ],
)
def test_name_that_browsers_would_refuse_is_refused_here_first(name: str, words: str) -> None:
    with pytest.raises(FleetInputError, match=words):
        clean_names([DOMAIN, name], DOMAIN)


def test_names_are_taken_once_each_as_browsers_write_them() -> None:
    names = ["Central.Watch.Example.org", "192.168.1.20", "[fd00::0:5]", "central.watch.example.org."]

    assert ("central.watch.example.org", "192.168.1.20", "fd00::5") == clean_names(names, DOMAIN)


def test_fleet_serves_a_page_that_a_browser_with_the_root_accepts(now_fleet: Fleet, tmp_path: Path) -> None:
    web = make_web_authority(now_fleet.folder, DOMAIN)
    issue_for_page(now_fleet.folder, [f"central.{DOMAIN}", "192.168.1.20"], tmp_path / "out")

    root = (tmp_path / "out" / "web-ca.pem").read_bytes()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "out" / "page.pem", tmp_path / "out" / "page.key")
    assert ["", ""] == [handshake(server, root, name) for name in (f"central.{DOMAIN}", "192.168.1.20")]
    assert "" != handshake(server, root, DOMAIN), "the name of another machine"
    certificate = x509.load_pem_x509_certificate(root)
    assert web.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()
    assert 0o600 == stat.S_IMODE((tmp_path / "out" / "page.key").stat().st_mode)


def test_web_ca_is_not_the_fleets_and_no_node_trusts_it(now_fleet: Fleet) -> None:
    make_web_authority(now_fleet.folder, DOMAIN)
    pems = [(now_fleet.layout.authority / name).read_bytes() for name in ("root-1.pem", "web-ca.pem")]
    keys = [
        x509.load_pem_x509_certificate(pem)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for pem in pems
    ]

    assert keys[0] != keys[1]
    assert 0o600 == stat.S_IMODE((now_fleet.layout.authority / "web-ca.key").stat().st_mode)
    assert (now_fleet.layout.broker / "ca.pem").read_bytes() == pems[0]


def test_web_ca_is_made_once_and_replaced_only_when_told(fleet: Fleet) -> None:
    first = make_web_authority(fleet.folder, DOMAIN)
    assert first == make_web_authority(fleet.folder, DOMAIN.upper())
    with pytest.raises(FleetInputError, match="--replace"):
        make_web_authority(fleet.folder, "other.example.org")

    second = make_web_authority(fleet.folder, "other.example.org", is_replacement=True)

    assert first.fingerprint != second.fingerprint
    assert "other.example.org" == Fleet.open(fleet.layout.town).record.web.domain  # type: ignore[union-attr]


def test_web_ca_of_an_interrupted_command_is_made_anew(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("provisioning.folder.FleetFolder.commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make_web_authority(fleet.folder, DOMAIN)

    with pytest.raises(FleetInputError, match="web-ca --domain"):
        issue_for_page(fleet.folder, [DOMAIN], fleet.layout.town / "page")
    make_web_authority(fleet.folder, DOMAIN)
    issue_for_page(fleet.folder, [DOMAIN], fleet.layout.town / "page")


def test_web_ca_that_is_gone_or_another_is_named(fleet: Fleet, tmp_path: Path) -> None:
    make_web_authority(fleet.folder, DOMAIN)
    kept = {name: (fleet.layout.authority / name).read_bytes() for name in ("web-ca.pem", "web-ca.key")}
    make_web_authority(fleet.folder, DOMAIN, is_replacement=True)
    for name, data in kept.items():
        (fleet.layout.authority / name).write_bytes(data)
    with pytest.raises(FleetDamagedError, match="not the web CA of this town's record"):
        issue_for_page(fleet.folder, [DOMAIN], tmp_path / "out")
    (fleet.layout.authority / "web-ca.key").unlink()
    with pytest.raises(FleetDamagedError, match="cannot be read"):
        issue_for_page(fleet.folder, [DOMAIN], tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_full_disk_issues_no_page_certificate_unrecorded(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    make_web_authority(fleet.folder, DOMAIN)
    monkeypatch.setattr("provisioning.pages.write_atomic", refuse)

    with pytest.raises(FleetError, match="No space left on device"):
        issue_for_page(fleet.folder, [DOMAIN], tmp_path / "out")

    assert () == list_fleet(Fleet.open(fleet.layout.town)).pages


def test_list_warns_of_a_pages_certificate_until_it_is_renewed(fleet: Fleet, clock: Clock, tmp_path: Path) -> None:
    make_web_authority(fleet.folder, DOMAIN)
    issue_for_page(fleet.folder, [DOMAIN, "192.168.1.20"], tmp_path / "out")
    clock.pass_by(timedelta(days=376))

    (warning,) = [told for told in list_fleet(fleet).warnings if "page" in told]
    assert warning == (
        "The page watch.example.org's certificate expires in 20 days:"
        " 'watchlink fleet web-certificate watch.example.org 192.168.1.20 --out DIR'."
    )
    issue_for_page(fleet.folder, ["192.168.1.20", DOMAIN], tmp_path / "out")

    assert [] == [told for told in list_fleet(fleet).warnings if "page" in told]
    clock.pass_by(timedelta(days=3650 - 376 - 300))
    assert any("The web CA ends in 300 days" in told for told in list_fleet(fleet).warnings)


def trouble_below(folder: Path, ca: CertificateAuthority, issuer: CertificateAuthority, name: str) -> str:
    """As :func:`trouble`, of a page whose certificate the pages' issuer has signed."""
    issued = issue_server_certificate(issuer, [name], now=NOW, common_name="A page")
    chain = folder / f"{issued.serial:x}.pem"
    chain.write_bytes(issued.certificate_pem + issued.key_pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain)
    return handshake(server, ca.certificate_pem, name)


def test_issuer_of_units_pages_speaks_for_local_names_and_private_addresses_alone(
    tmp_path: Path, ca: CertificateAuthority
) -> None:
    """What whoever breaks into the machine port could sign at most: not central's page, nor the office's."""
    issuer = create_page_issuer(ca, NOW, domain=DOMAIN)
    good = ("watchlink-00000010.local", "192.168.1.20", "10.0.0.9", "fd00::5")
    bad = (DOMAIN, f"central.{DOMAIN}", "localhost", "127.0.0.1", "8.8.8.8", "example.org", "notlocal")

    assert [""] * len(good) == [trouble_below(tmp_path, ca, issuer, name) for name in good]
    assert ["permitted subtree violation"] * len(bad) == [trouble_below(tmp_path, ca, issuer, name) for name in bad]
    assert issuer.certificate.not_valid_after_utc - NOW <= timedelta(days=825)
    with pytest.raises(FleetDamagedError, match="--replace"):
        create_page_issuer(ca, NOW + timedelta(days=3_630), domain=DOMAIN)


def test_issuer_of_units_pages_speaks_neither_for_centrals_addresses_nor_for_a_towns_local_name(tmp_path: Path) -> None:
    """By its own constraints: whoever has a stolen unit, or the issuer's key, signs what they like."""
    own = create_web_authority("test", "town.local", NOW)  # as one could be made before
    names = ["central.town.local", "192.168.1.20", "fd00::5"]
    issuer = create_page_issuer(own, NOW, domain="town.local", others=names)
    good, bad = ["watchlink-00000010.local", "192.168.1.21", "fd00::6"], [*names, "town.local"]

    assert [""] * len(good) == [trouble_below(tmp_path, own, issuer, name) for name in good]
    assert ["excluded subtree violation"] * len(bad) == [trouble_below(tmp_path, own, issuer, name) for name in bad]


def test_web_ca_from_before_units_had_pages_says_what_to_do() -> None:
    old = CertificateAuthority.signed_by_itself("Watchlink pages of test", NOW, {})

    with pytest.raises(FleetDamagedError, match="from before units had pages"):
        create_page_issuer(old, NOW, domain=DOMAIN)


def test_fleet_makes_the_issuer_of_units_pages_and_warns_before_it_ends(now_fleet: Fleet, tmp_path: Path) -> None:
    with pytest.raises(FleetInputError, match="no web CA yet"):
        make_page_issuer(now_fleet.folder, tmp_path / "out")
    make_web_authority(now_fleet.folder, DOMAIN)
    issued = make_page_issuer(now_fleet.folder, tmp_path / "out")

    assert ["pages.key", "pages.pem", "web-ca.pem"] == sorted(one.name for one in (tmp_path / "out").iterdir())
    assert 0o600 == stat.S_IMODE((tmp_path / "out/pages.key").stat().st_mode)
    warned = [_web_warnings(now_fleet.record.web, issued.expires_at - timedelta(days=days)) for days in (40, 20)]
    assert [0, 1] == [sum("issuer of units' pages" in one for one in said) for said in warned]


def test_page_at_a_new_address_wants_the_issuer_of_units_pages_anew(
    now_fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Openssl refuses what the new one signs for that address."""

    def run(*words: str) -> str:
        assert 0 == main([*words, "--dir", str(now_fleet.layout.town), "--out", str(tmp_path / words[0])])
        return capsys.readouterr().out

    make_web_authority(now_fleet.folder, DOMAIN)
    first = run("web-certificate", f"central.{DOMAIN}", "192.168.1.20")
    run("page-issuer")
    again = run("web-certificate", f"central.{DOMAIN}", "192.168.1.20")
    moved = run("web-certificate", f"central.{DOMAIN}", "192.168.1.30")
    before, now = verdicts(tmp_path, "192.168.1.30"), run("page-issuer") and verdicts(tmp_path, "192.168.1.30")

    assert [False, False, True] == ["page-issuer" in said for said in (first, again, moved)]
    assert "can still speak for 192.168.1.30:" in moved
    assert ["OK", "excluded subtree violation"] == [before, now]
    assert ["excluded subtree violation", "OK"] == [verdicts(tmp_path, one) for one in ("192.168.1.20", "10.0.0.9")]


def verdicts(folder: Path, name: str) -> str:
    """What openssl says of a page that the issuer in ``page-issuer`` has signed."""
    made = folder / "page-issuer"
    issuer = CertificateAuthority.load((made / "pages.pem").read_bytes(), (made / "pages.key").read_bytes(), "pages")
    (folder / "leaf.pem").write_bytes(
        issue_server_certificate(issuer, [name], now=NOW, common_name="A page").certificate_pem
    )
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", name]
    files = ["-CAfile", str(made / "web-ca.pem"), "-untrusted", str(made / "pages.pem"), str(folder / "leaf.pem")]
    done = subprocess.run([*command, *files], check=False, capture_output=True, text=True)
    said = done.stdout + done.stderr
    return next(one for one in ("excluded subtree violation", "OK", said) if one in said)
