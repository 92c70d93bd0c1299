"""Releases and bundles over real TLS, from a service that cuts, refuses and lies (F4)."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import shutil
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest
from msgspec.structs import replace

from appliance.core import events
from appliance.identity import Identity, load_identity
from appliance.net import releases
from appliance.net.releases import LEAVE_FREE_BYTES, PIECE_BYTES, Releases
from provisioning.certificates import CertificateAuthority, issue_server_certificate
from wire.release import BUNDLE_PATH, RELEASE_PATH, Bundle, Release, seal_release
from wire.signing import SigningKey

DATA: Final = bytes(range(256)) * 3_000
BUNDLE: Final = Bundle(compatible="watchlink-pc", sha256=hashlib.sha256(DATA).hexdigest(), size_bytes=len(DATA))
NOW: Final = datetime.now(UTC).replace(microsecond=0)
AUTHORITY: Final = SigningKey(b"a" * 32)
RELEASE: Final = Release(
    serial=5,
    made_at=NOW,
    version="0.2",
    state="open",
    bundles=(BUNDLE,),
    support_ends_at=NOW + timedelta(days=900),
    percent=100,
)


class Service:
    """What answers, and what it is asked."""

    def __init__(self) -> None:
        self.release: bytes | None = None
        self.data = DATA
        self.cut_after: int | None = None
        self.status: tuple[int, str] | None = None
        self.ignores_range = False
        self.drip_bytes: int | None = None
        """At a time; ``None`` = all at once."""
        self.asked: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def town() -> CertificateAuthority:
    return CertificateAuthority.create("test", NOW - timedelta(days=1))


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def port(tmp_path: Path, town: CertificateAuthority, service: Service) -> Iterator[int]:
    issued = issue_server_certificate(town, ["127.0.0.1"])
    (tmp_path / "server.pem").write_bytes(issued.certificate_pem)
    (tmp_path / "server.key").write_bytes(issued.key_pem)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            service.asked.append((self.path, asked))
            body = service.release if self.path == RELEASE_PATH else service.data
            if service.status is not None or body is None:
                status, retry = service.status or (404, "")
                self.send_response(status)
                self.send_header("Retry-After", retry)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            begin = int((re.findall(r"bytes=(\d+)-", asked) or [0])[0])
            if service.ignores_range:
                begin = 0
            if begin and begin >= len(body):
                self.send_response(416)
                self.end_headers()
                return
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - begin))
            self.end_headers()
            body = body[begin:][: service.cut_after]
            size = service.drip_bytes or len(body)
            with contextlib.suppress(OSError):
                for at in range(0, len(body), size):
                    self.wfile.write(body[at:][:size])

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def unit(tmp_path: Path, town: CertificateAuthority, port: int) -> Releases:
    (tmp_path / "ca.pem").write_bytes(town.certificate_pem)
    identity = Identity("00000007", "127.0.0.1", port, tmp_path / "ca.pem", AUTHORITY.public)
    return Releases(identity, tmp_path / "bundles")


def fetched(unit: Releases, bundle: Bundle = BUNDLE) -> bytes:
    assert events.BundleFetched(bundle.sha256) == unit.fetch(bundle)
    return unit.path_of(bundle).read_bytes()


def test_release_that_the_authority_signed_is_seen(unit: Releases, service: Service) -> None:
    service.release = seal_release(RELEASE, AUTHORITY)

    assert events.ReleaseSeen(RELEASE, service.release) == unit.ask()


def test_release_of_whoever_runs_the_service_is_not(unit: Releases, service: Service) -> None:
    service.release = seal_release(RELEASE, SigningKey(b"b" * 32))

    assert events.NothingNew() == unit.ask()


@pytest.mark.parametrize(
    ("status", "again_s"), [((404, ""), 0), ((503, "77"), 77), ((429, "9"), 9), ((500, ""), 0), ((503, "soon"), 0)]
)
def test_service_says_when_to_ask_again(
    unit: Releases, service: Service, status: tuple[int, str], again_s: int
) -> None:
    service.status = status

    assert events.NothingNew(again_s) == unit.ask()
    failed = unit.fetch(BUNDLE)
    assert isinstance(failed, events.FetchFailed)
    assert ("cut", again_s) == (failed.why, failed.again_s)


def test_service_of_another_town_is_not_believed(tmp_path: Path, unit: Releases, service: Service) -> None:
    service.release = seal_release(RELEASE, AUTHORITY)
    (tmp_path / "ca.pem").write_bytes(CertificateAuthority.create("other", NOW).certificate_pem)

    assert events.NothingNew() == unit.ask()
    assert [] == service.asked
    failed = unit.fetch(BUNDLE)
    assert isinstance(failed, events.FetchFailed)
    assert "from another CA" in failed.reason


def test_bundle_is_fetched_whole_and_once(unit: Releases, service: Service) -> None:
    assert DATA == fetched(unit) == fetched(unit)
    assert [(BUNDLE_PATH + BUNDLE.sha256, "")] == service.asked


def test_fetch_that_is_cut_again_and_again_goes_on_where_it_ended(unit: Releases, service: Service) -> None:
    service.cut_after = 200_000
    cuts = 0
    while isinstance(answer := unit.fetch(BUNDLE), events.FetchFailed):
        assert "cut" == answer.why
        cuts += 1

    assert DATA == fetched(unit)
    assert cuts == 3
    assert ["", "bytes=200000-", "bytes=400000-", "bytes=600000-"] == [asked for _, asked in service.asked]


def test_card_is_written_once_for_each_piece(unit: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS hands over 16 kB at a time; each write that is waited for wears the card, and holds up an alert's."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)

    assert DATA == fetched(unit)
    assert len(synced) <= len(DATA) // PIECE_BYTES + 1


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever the unit looks at the time, a second has passed: it looks before it takes what has come."""
    seconds = itertools.count()
    monkeypatch.setattr(releases, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))


@pytest.mark.usefixtures("slowly")
def test_service_that_drips_holds_up_no_update_and_what_came_is_kept(unit: Releases, service: Service) -> None:
    """Each byte comes in good time, and all of them would take hours."""
    service.drip_bytes = 100
    failed = unit.fetch(BUNDLE)

    assert isinstance(failed, events.FetchFailed)
    assert "cut" == failed.why
    assert "does not answer in time" in failed.reason
    service.drip_bytes = None
    assert DATA == fetched(unit)
    assert int(service.asked[-1][1].removeprefix("bytes=").removesuffix("-")) >= 100


@pytest.mark.usefixtures("slowly")
def test_release_that_drips_is_asked_for_again_later(unit: Releases, service: Service) -> None:
    service.release, service.drip_bytes = seal_release(RELEASE, AUTHORITY), 1

    assert events.NothingNew() == unit.ask()


def test_service_that_knows_no_pieces_sends_it_again_from_the_beginning(unit: Releases, service: Service) -> None:
    service.cut_after = 300_000
    unit.fetch(BUNDLE)
    service.cut_after, service.ignores_range = None, True

    assert DATA == fetched(unit)


@pytest.mark.parametrize("data", [DATA[:-1] + b"x", DATA + b"more"], ids=["changed", "longer"])
def test_what_the_release_does_not_name_is_deleted(unit: Releases, service: Service, data: bytes) -> None:
    service.data = data

    failed = unit.fetch(BUNDLE)
    assert isinstance(failed, events.FetchFailed)
    assert "corrupt" == failed.why
    assert not unit.path_of(BUNDLE).exists()
    service.data = DATA
    assert DATA == fetched(unit)


def test_what_is_too_short_is_never_taken_for_whole(unit: Releases, service: Service) -> None:
    service.data = DATA[:1_000]

    answers = [unit.fetch(BUNDLE) for _ in range(3)]
    assert ["cut"] * 3 == [answer.why for answer in answers if isinstance(answer, events.FetchFailed)]


def test_nothing_is_fetched_where_alerts_would_lack_the_room(
    unit: Releases, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    short = LEAVE_FREE_BYTES + len(DATA) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=short))

    failed = unit.fetch(BUNDLE)
    assert isinstance(failed, events.FetchFailed)
    assert "no room" == failed.why
    assert [] == service.asked
    assert not unit.path_of(BUNDLE).parent.exists(), "a full card has no room for a folder either"


def test_alerts_come_before_a_bundle_that_is_half_here(
    unit: Releases, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the card fills up while it is fetched, or while the rest is waited for."""
    usage = shutil.disk_usage("/")
    free = iter([2**40, 2**40, LEAVE_FREE_BYTES - 1])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=next(free)))
    failed = unit.fetch(BUNDLE)
    assert isinstance(failed, events.FetchFailed)
    assert ("no room", "The card lacks 1 MB.") == (failed.why, failed.reason)
    assert [] == [*unit.path_of(BUNDLE).parent.iterdir()]

    service.cut_after = 300_000
    for free_bytes, is_kept in ((LEAVE_FREE_BYTES, True), (LEAVE_FREE_BYTES - 1, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**40))
        unit.fetch(BUNDLE)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free_bytes: usage._replace(free=free))
        unit.make_room()
        assert is_kept == unit.path_of(BUNDLE).with_suffix(".part").exists()


def test_what_no_release_names_any_more_makes_room(unit: Releases, service: Service) -> None:
    fetched(unit)
    service.data = b"other"
    other = Bundle(compatible="watchlink-pc", sha256=hashlib.sha256(b"other").hexdigest(), size_bytes=5)

    assert b"other" == fetched(unit, other)
    assert not unit.path_of(BUNDLE).exists()


def test_unit_knows_whom_to_ask_by_what_its_claim_has_left(tmp_path: Path) -> None:
    assert load_identity(tmp_path) is None
    toml = '[identity]\nnode = "00000007"\nother = 1\n[enrolment]\nhost = "town.example"\n[mqtt]\nhost = "x"\n'
    (tmp_path / "node.toml").write_text(toml)
    assert load_identity(tmp_path) is None
    (tmp_path / "authority.pub").write_text(AUTHORITY.public.raw.hex() + "\n")

    identity = load_identity(tmp_path)
    assert identity == Identity("00000007", "town.example", 8443, tmp_path / "ca.pem", AUTHORITY.public)
    (tmp_path / "node.toml").write_text("damaged")
    assert load_identity(tmp_path) is None


def test_unit_without_an_enrolment_service_asks_nobody(tmp_path: Path, unit: Releases) -> None:
    assert unit._identity
    identity = replace(unit._identity, host="")

    assert events.NothingNew() == Releases(None, tmp_path).ask()
    assert events.NothingNew() == Releases(identity, tmp_path).ask()
