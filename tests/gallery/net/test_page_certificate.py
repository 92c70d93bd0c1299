"""The page's certificate is asked for when it is due, of the office's real machine port, and not replaced by worse."""

from __future__ import annotations

import ipaddress
import json
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gallery.net import page_certificate
from gallery.net.own_addresses import own_addresses, parse_ipv4, parse_ipv6
from gallery.net.page_certificate import Held, PageCertificates, is_due
from runtime.key_pair import check_pair
from tests.support.asking_town import OTHER_SHOP, SHOP, AskingTown, PortThread, port_thread
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.gallery_online import office_of
from tests.support.page_issuer import give_page_issuer
from tests.support.scripted_office import Asked, Said, scripted_office
from wire.ids import NodeId
from wire.page_certificate import Address, is_private, page_name

HELD = Held(frozenset({"watchlink-00000010.local", "10.0.0.5"}), 1_000, 2_000)
NAMES = ("watchlink-00000010.local", "10.0.0.5")


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return give_page_issuer(AskingTown(folder))


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as running:
        yield running


class Page:
    """A unit that keeps its page's certificate."""

    def __init__(self, town: AskingTown, port: int, folder: Path, node: NodeId = SHOP) -> None:
        self.folder = folder
        self.addresses: list[Address] = [ipaddress.IPv4Address("10.0.0.5")]
        self.new = threading.Semaphore(0)
        self.pauses: list[tuple[int, int]] = []
        self.looks = 0
        self.thread = PageCertificates(
            office_of(town, port, node),
            node,
            folder,
            now_s=lambda: int(town.now.timestamp()),
            on_new=self.new.release,
            addresses=self._addresses,
            pause=self._pause,
        )

    def _addresses(self) -> list[Address]:
        self.looks += 1
        return self.addresses

    def has_looked(self) -> bool:
        """More than once."""
        return self.looks > 1

    def leaf(self) -> x509.Certificate:
        """The one in its place, which is for the key beside it."""
        return check_pair((self.folder / "page.pem").read_bytes(), (self.folder / "page.key").read_bytes())[0]

    def _pause(self, failures: int, asked_for_s: int) -> float:
        self.pauses.append((failures, asked_for_s))
        return 0.02


def names_of(leaf: x509.Certificate) -> set[str]:
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))}


def test_certificate_comes_at_the_start_and_again_when_an_address_is_new(
    town: AskingTown, port: PortThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_certificate, "LOOK_S", 0.02)
    page = Page(town, port.port, tmp_path / "page")
    page.thread.start()
    assert page.new.acquire(timeout=DEADLINE_S)
    first = page.leaf()

    assert {page_name(SHOP), "10.0.0.5"} == names_of(first)
    assert (town.folder / "nodes/web-ca.pem").read_bytes() == (page.folder / "web-ca.pem").read_bytes()
    assert 0o600 == stat.S_IMODE((page.folder / "page.key").stat().st_mode)
    page.addresses = [ipaddress.IPv4Address("10.0.0.77"), ipaddress.IPv6Address("fd00::7")]
    assert page.new.acquire(timeout=DEADLINE_S)
    second = page.leaf()
    assert page.thread.stop(DEADLINE_S)

    assert {page_name(SHOP), "10.0.0.77", "fd00::7"} == names_of(second)
    assert first.public_key() == second.public_key()
    assert 2 == len(port.facts("page certificate"))


def test_certificate_that_is_good_is_not_asked_for_again(
    town: AskingTown, port: PortThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_certificate, "LOOK_S", 0.02)
    for _ in range(2):
        page = Page(town, port.port, tmp_path / "page")
        page.thread.start()
        wait_until(page.has_looked, "it has looked twice")
        assert page.thread.stop(DEADLINE_S)

    assert 1 == len(port.facts("page certificate"))


def test_office_without_an_issuer_is_asked_later(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    bare = AskingTown(tmp_path / "bare")
    with port_thread(bare) as port:
        page = Page(bare, port.port, tmp_path / "page")
        page.thread.start()
        wait_until(lambda: bool(page.pauses), "it waits")
        assert page.thread.stop(DEADLINE_S)

    assert 3_600 == page.pauses[0][1]
    assert not (tmp_path / "page/page.pem").exists()


def test_answer_for_another_key_does_not_take_the_place_of_a_good_one(
    town: AskingTown, port: PortThread, tmp_path: Path
) -> None:
    """A page that no tablet accepts would be worse than one whose certificate is old."""
    mine, other = Page(town, port.port, tmp_path / "mine"), Page(town, port.port, tmp_path / "other", OTHER_SHOP)
    for page in (mine, other):
        page.thread.start()
        assert page.new.acquire(timeout=DEADLINE_S)
        assert page.thread.stop(DEADLINE_S)
    chain, root = ((other.folder / name).read_text() for name in ("page.pem", "web-ca.pem"))
    before = (mine.folder / "page.pem").read_bytes()

    with scripted_office(town, lambda _asked: Said(json_of(chain, root))) as office:
        again = Page(town, office.port, tmp_path / "mine")
        again.addresses = [ipaddress.IPv4Address("10.0.0.6")]
        again.thread.start()
        wait_until(lambda: bool(again.pauses) or again.new.acquire(blocking=False), "it is judged")
        assert again.thread.stop(DEADLINE_S)

    assert before == (mine.folder / "page.pem").read_bytes()


def test_answer_without_names_is_a_failure_and_asked_for_again(town: AskingTown, tmp_path: Path) -> None:
    """What the library raises of it is no ValueError."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an issuer")])

    def signed(key: ec.EllipticCurvePublicKey) -> str:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key)
        builder = builder.serial_number(1).not_valid_before(town.now).not_valid_after(town.now + timedelta(days=9))
        return builder.sign(own, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def answer(asked: Asked) -> Said:
        key = x509.load_der_x509_csr(asked.body).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        issuer = signed(own.public_key())
        return Said(json_of(signed(key) + issuer, issuer))

    with scripted_office(town, answer) as office:
        page = Page(town, office.port, tmp_path / "page")
        page.thread.start()
        wait_until(lambda: (2, 0) in page.pauses, "it is asked again")
        assert page.thread.stop(DEADLINE_S)

    assert not (page.folder / "page.pem").exists()


def test_fault_that_nobody_thought_of_does_not_end_the_thread(
    town: AskingTown, port: PortThread, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = Page(town, port.port, tmp_path / "page")
    page.addresses = ["no address"]  # type: ignore[list-item]  # a fault of ours
    page.thread.start()
    wait_until(lambda: bool(page.pauses), "it has failed")
    page.addresses = []

    assert page.new.acquire(timeout=DEADLINE_S)
    assert page.thread.stop(DEADLINE_S)
    assert "the page has no new certificate" in caplog.text


@pytest.mark.parametrize("name", ["page.key", "page.pem", "web-ca.pem"])
@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff\0", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ids=["empty", "bytes", "cut"],
)
def test_file_that_is_damaged_is_made_anew(
    town: AskingTown, port: PortThread, tmp_path: Path, name: str, damage: bytes
) -> None:
    for _ in range(2):
        page = Page(town, port.port, tmp_path / "page")
        page.thread.start()
        assert page.new.acquire(timeout=DEADLINE_S)
        assert page.thread.stop(DEADLINE_S)
        assert page_name(SHOP) in names_of(page.leaf())
        (page.folder / name).write_bytes(damage)


def json_of(chain: str, root: str) -> bytes:
    return json.dumps({"chain": chain, "root": root}).encode()


@pytest.mark.parametrize(
    ("held", "wanted", "now_s", "due"),
    [
        (None, NAMES, 1_100, True),
        (HELD, NAMES, 1_100, False),
        (HELD, NAMES[:1], 1_100, False),
        (HELD, (*NAMES, "10.0.0.6"), 1_100, True),
        (HELD, NAMES, 1_500, True),
        (HELD, NAMES, 9_000, True),
        (HELD, NAMES, None, False),
    ],
    ids=["none", "good", "address gone", "address new", "half", "over", "no proof of time"],
)
def test_certificate_is_due(held: Held | None, wanted: tuple[str, ...], now_s: int | None, *, due: bool) -> None:
    assert due == is_due(held, wanted, now_s)


def test_own_addresses_are_those_of_interfaces_and_private() -> None:
    trie = """Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 192.168.1.0
        /24 link UNICAST
     |-- 192.168.1.20
        /32 host LOCAL
     |-- 192.168.1.255
        /32 link BROADCAST
"""
    inet6 = "fd000000000000000000000000000005 02 40 00 80 eth0\nfe80000000000000021122fffe334455 02 40 20 80 eth0\n"

    assert [ipaddress.IPv4Address("192.168.1.20")] == parse_ipv4(trie)
    assert ["fd00::5", "fe80::211:22ff:fe33:4455"] == list(map(str, parse_ipv6(inet6)))
    assert ([], []) == (parse_ipv4(""), parse_ipv6(""))
    assert all(map(is_private, own_addresses()))
