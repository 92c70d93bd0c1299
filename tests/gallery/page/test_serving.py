"""A tablet that trusts the town's web CA opens the page by the unit's name, and another does not."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from select import select

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gallery.page.fitting import root_of
from gallery.page.serving import CONNECTIONS_MAX, OF_AN_ADDRESS_MAX, PageServer
from gallery.page.site import PageSettings, Site
from provisioning.web_authority import create_page_issuer, create_web_authority, issue_page_certificate
from runtime import web_connections
from runtime.config import ConfigError
from runtime.key_pair import KeyPair
from runtime.web_server import listen, url_of
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_page import ALICE, PageUnderTest
from tests.support.gallery_running import PIN
from wire.ids import NodeId
from wire.page_certificate import page_name

NAME = page_name(NodeId(0x10))


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    """As the office gives it, with the web CA beside it."""
    now = datetime.now(UTC)
    root = create_web_authority("test", "watch.example.org", now)
    issuer = create_page_issuer(root, now, domain="watch.example.org")
    issued = issue_page_certificate(issuer, [NAME], now)
    (tmp_path / "web-ca.pem").write_bytes(root.certificate_pem)
    (tmp_path / "page.pem").write_bytes(issued.certificate_pem + issuer.certificate_pem)
    (tmp_path / "page.key").write_bytes(issued.key_pem)
    return KeyPair(tmp_path / "page.pem", tmp_path / "page.key")


def test_tablet_that_trusts_the_town_signs_in_and_another_finds_no_page(
    shop: PageUnderTest, pair: KeyPair, tmp_path: Path
) -> None:
    site = Site(shop.gallery.running, PageSettings(frozenset({NAME})))
    server = PageServer(site, [listen("127.0.0.1", 0)])
    server.start()
    tls = listen("127.0.0.1", 0, has_tls=True)
    port: int = tls.getsockname()[1]
    url = f"https://{NAME}:{port}"
    trusting = ssl.create_default_context(cafile=str(tmp_path / "web-ca.pem"))
    headers = {"host": f"{NAME}:{port}", "origin": url, "x-watchlink": "1"}
    try:
        server.serve_pair(pair, lambda: [tls])
        with httpx.Client(verify=trusting, headers=headers, timeout=DEADLINE_S) as tablet:

            def ask(method: str, path: str, **data: object) -> httpx.Response:
                named = {"sni_hostname": NAME}
                return tablet.request(method, f"https://127.0.0.1:{port}{path}", json=data or None, extensions=named)

            signed_in = ask("POST", "/sign-in", person=ALICE, secret=PIN.text)
            # Another certificate, as after a renewal: for each new connection.
            server.serve_pair(pair, list)
            hsts = ask("GET", "/fit").headers
        with pytest.raises(httpx.ConnectError, match="verify failed"):
            httpx.get(f"https://127.0.0.1:{port}/", timeout=DEADLINE_S)
    finally:
        server.stop()
        assert server.join(DEADLINE_S)

    assert "open" == signed_in.json()["outcome"]
    assert signed_in.headers["set-cookie"].startswith("__Host-watchlink_gallery_")
    # A screen on the unit itself is not told: it would remember it for every program on this machine.
    assert "strict-transport-security" not in hsts


def test_one_address_cannot_take_every_connection(shop: PageUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner in the shop's network opens what it can; the tablet's page goes on."""
    monkeypatch.setattr(web_connections, "OWED_WITHIN_S", 600.0)
    server = PageServer(Site(shop.gallery.running, PageSettings()), [plain := listen("127.0.0.1", 0)])
    port = plain.getsockname()[1]
    server.start()

    def opened(host: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), DEADLINE_S, source_address=(host, 0))

    try:
        # While it starts the kernel queues few for it, and some that came first would be taken last.
        assert 200 == httpx.get(url_of(plain), timeout=DEADLINE_S).status_code
        tablet = opened("127.0.0.2")
        scanner = [opened("127.0.0.3") for _ in range(CONNECTIONS_MAX)]
        assert 200 == httpx.get(url_of(plain), timeout=DEADLINE_S).status_code
        # The oldest of its own had to go, and nobody else's.
        for one in scanner[: CONNECTIONS_MAX - OF_AN_ADDRESS_MAX]:
            assert select([one], [], [], DEADLINE_S)[0], "it is kept"
            assert b"" == one.recv(1)
        for one in (tablet, scanner[-1]):
            one.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert one.recv(12) == b"HTTP/1.1 200"
    finally:
        server.stop()
        assert server.join(DEADLINE_S)
        for one in (tablet, *scanner):
            one.close()


def test_pair_that_cannot_be_used_leaves_the_page_as_it_is(shop: PageUnderTest, pair: KeyPair) -> None:
    pair.key_file.write_bytes(b"zz")
    server = PageServer(Site(shop.gallery.running, PageSettings()), [plain := listen("127.0.0.1", 0)])
    server.start()
    try:
        with pytest.raises(ConfigError):
            server.serve_pair(pair, list)
        assert 200 == httpx.get(url_of(plain), timeout=DEADLINE_S).status_code
    finally:
        server.stop()
        assert server.join(DEADLINE_S)


def test_web_ca_that_cannot_be_read_is_as_none(pair: KeyPair, tmp_path: Path) -> None:
    found = root_of(tmp_path / "web-ca.pem")
    assert found is not None
    assert found.public_bytes(Encoding.PEM) == (tmp_path / "web-ca.pem").read_bytes()

    (tmp_path / "web-ca.pem").write_bytes(b"zz")
    assert root_of(tmp_path / "web-ca.pem") is None
    assert root_of(tmp_path / "none.pem") is None
