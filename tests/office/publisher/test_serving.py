"""Snapshots over mutual TLS: a real server, the real fetcher, and strangers."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from office.publisher import serving
from office.publisher.serving import Counter, context_for_central
from office.publisher.shelf import Shelf
from provisioning.certificates import (
    CertificateAuthority,
    IssuedCertificate,
    issue_client_certificate,
    issue_server_certificate,
)
from runtime import snapshot_fetcher, web_connections
from runtime.config import ConfigError
from runtime.snapshot_fetcher import Credentials, SnapshotFetcher
from runtime.snapshot_folder import SnapshotFolder
from runtime.tls import server_context
from runtime.web_server import WebServer, listen, url_of
from wire.signing import SigningKey
from wire.snapshots import AuditHead, People, SnapshotName, Town, file_name, seal_snapshot

KEY = SigningKey(b"o" * 32)
TOWN = Town(SigningKey(b"a" * 32).public)


def people(number: int) -> People:
    head = AuditHead(sequence=0, digest="0" * 64)
    at = datetime(2026, 11, 27, 12, tzinfo=UTC)
    return People(number=number, made_at=at, audit=head, ticket_key=b"t" * 32, people=())


def written(folder: Path, name: str, issued: IssuedCertificate, ca: CertificateAuthority) -> Credentials:
    paths = Credentials(folder / f"{name}.ca", folder / f"{name}.pem", folder / f"{name}.key")
    paths.ca_file.write_bytes(ca.certificate_pem)
    paths.certificate_file.write_bytes(issued.certificate_pem)
    paths.key_file.write_bytes(issued.key_pem)
    return paths


class Office:
    """A publisher's server on loopback, and the certificates of its town."""

    def __init__(self, tmp_path: Path) -> None:
        now = datetime.now(UTC)
        self.ca = CertificateAuthority.create("Town", now)
        self.tmp_path = tmp_path
        own = written(tmp_path, "office", issue_server_certificate(self.ca, ["127.0.0.1"]), self.ca)
        self.client = written(tmp_path, "central", issue_client_certificate(self.ca, "00000001"), self.ca)
        folder = tmp_path / "published"
        folder.mkdir()
        self.shelf = Shelf(folder, TOWN, KEY.public)
        self.counter = Counter(self.shelf)
        self.asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        tls = context_for_central(own.certificate_file, own.key_file, own.ca_file)
        listener = listen("127.0.0.1", 0, has_tls=True)
        self.url = url_of(listener, has_tls=True)
        self.web = WebServer(self, listener, tls=tls, end_streams=self.counter.close)
        self.counter.attach(self.web.start_thread())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The real one, after noting what was asked."""
        if scope["type"] == "http":
            self.asked.put(scope["path"] + "?" + scope["query_string"].decode())
        inner: Callable[[Scope, Receive, Send], Awaitable[None]] = self.counter.app
        await inner(scope, receive, send)

    def publish(self, number: int) -> None:
        self.shelf.put(people(number), seal_snapshot(people(number), TOWN, KEY))
        self.counter.note("people", number)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        context = ssl.create_default_context(cafile=str(self.client.ca_file))
        context.load_cert_chain(self.client.certificate_file, self.client.key_file)
        return httpx.get(self.url + path, verify=context, headers=headers or {}, timeout=60)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(web_connections, "OWED_WITHIN_S", 600.0)  # of a test's thread that stands still
    it = Office(tmp_path)
    yield it
    it.web.stop()
    assert it.web.join_thread(60)


@pytest.fixture
def fetch(office: Office, tmp_path: Path) -> Iterator[Callable[..., tuple[SnapshotFetcher, queue.SimpleQueue[str]]]]:
    """``fetch(credentials)``: a fetcher that has started, and what it says."""
    started: list[SnapshotFetcher] = []

    def start(credentials: Credentials | None = None) -> tuple[SnapshotFetcher, queue.SimpleQueue[str]]:
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        fetcher = SnapshotFetcher(
            office.url, "people", tmp_path / "fetched", credentials or office.client, on_fault=said.put
        )
        fetcher.start()
        started.append(fetcher)
        return fetcher, said

    yield start
    for fetcher in started:
        fetcher.stop()
        fetcher._thread.join(60)
        assert not fetcher._thread.is_alive()


def test_newer_snapshot_is_answered_whole_and_at_once(office: Office) -> None:
    office.publish(7)
    answer = office.get("snapshots/people?after=6")

    assert (200, '"people-7"', "no-store") == (
        answer.status_code,
        answer.headers["etag"],
        answer.headers["cache-control"],
    )
    assert seal_snapshot(people(7), TOWN, KEY) == answer.content


def test_lower_number_is_told_at_once(office: Office) -> None:
    """The asker must learn why nothing comes."""
    office.publish(7)

    assert '"people-7"' == office.get("snapshots/people?after=9").headers["etag"]
    assert 304 == office.get("snapshots/people?after=9", {"if-none-match": '"people-7"'}).status_code


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("snapshots/staff", 404),
        ("snapshots/people?after=x", 400),
        ("snapshots/people?after=-1", 400),
        ("snapshots/people?after=99999999999999999", 400),
        ("", 404),
    ],
)
def test_nonsense_is_refused(office: Office, path: str, status: int) -> None:
    assert status == office.get(path).status_code


def test_nothing_new_is_answered_in_the_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "WAIT_S", 0.01)
    office.publish(7)

    assert 204 == office.get("snapshots/people?after=7").status_code
    assert 204 == office.get("snapshots/premises").status_code


def test_too_many_who_wait_are_sent_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "WAITING_MAX", 0)

    assert 503 == office.get("snapshots/people").status_code


def test_only_central_of_the_own_town_is_let_in(office: Office, tmp_path: Path) -> None:
    """A stolen node has a certificate of the town as well, and must not read who the people are."""
    office.publish(7)
    stranger = CertificateAuthority.create("Town", datetime.now(UTC))
    others = written(tmp_path, "stranger", issue_client_certificate(stranger, "00000001"), stranger)
    node = written(tmp_path, "node", issue_client_certificate(office.ca, "00000010"), office.ca)
    for certificate in (None, others, node):
        context = ssl.create_default_context(cafile=str(office.client.ca_file))
        if certificate is not None:
            context.load_cert_chain(certificate.certificate_file, certificate.key_file)
        with pytest.raises(httpx.TransportError):
            httpx.get(office.url + "snapshots/people", verify=context, timeout=60)

    assert office.asked.empty()


def test_fetcher_brings_each_new_snapshot_to_who_watches_the_folder(
    office: Office, fetch: Callable[..., tuple[SnapshotFetcher, queue.SimpleQueue[str]]], tmp_path: Path
) -> None:
    numbers: queue.SimpleQueue[int] = queue.SimpleQueue()
    reader = SnapshotFolder(
        tmp_path / "fetched",
        tmp_path / "kept",
        People,
        TOWN,
        keys=lambda: (KEY.public,),
        on_new=lambda snapshot: numbers.put(snapshot.number),
        on_fault=lambda _: None,
    )
    reader.start()
    fetch()
    assert "/snapshots/people?after=0" == office.asked.get(timeout=60)
    for number in (3, 4):
        office.publish(number)
        assert number == numbers.get(timeout=60)
        assert f"/snapshots/people?after={number}" == office.asked.get(timeout=60)
    reader.stop()
    reader._thread.join(60)


def test_fetcher_says_who_refuses_it_and_goes_on_when_it_may(
    office: Office, fetch: Callable[..., tuple[SnapshotFetcher, queue.SimpleQueue[str]]], tmp_path: Path
) -> None:
    stranger = CertificateAuthority.create("Town", datetime.now(UTC))
    own = written(tmp_path, "own", issue_client_certificate(stranger, "00000001"), office.ca)
    _, said = fetch(own)
    told = said.get(timeout=60)

    assert "it refuses our certificate" in told

    office.publish(3)
    own.certificate_file.write_bytes(office.client.certificate_file.read_bytes())
    own.key_file.write_bytes(office.client.key_file.read_bytes())
    while told:  # between the two files the pair did not match
        told = said.get(timeout=60)

    assert (tmp_path / "fetched" / file_name("people", 3)).exists()


@pytest.mark.parametrize(("is_optional", "words"), [(True, ""), (False, "answers with status 404")])
def test_fetcher_of_what_an_older_office_lacks_has_no_fault_if_it_is_optional(
    office: Office, tmp_path: Path, *, is_optional: bool, words: str
) -> None:
    """C9: a central that asks for the rota works with an office that has none."""
    name = cast("SnapshotName", "of-a-newer-version")
    fetcher = SnapshotFetcher(
        office.url, name, tmp_path / "fetched", office.client, on_fault=lambda _: None, is_optional=is_optional
    )

    said = fetcher._fetch_and_say()

    assert words in said
    assert bool(words) == bool(said)


def test_fetcher_keeps_a_lower_number_for_the_watcher_to_refuse(
    office: Office,
    fetch: Callable[..., tuple[SnapshotFetcher, queue.SimpleQueue[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot_fetcher, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(snapshot_fetcher, "DELAY_MAX_S", 0.01)
    (tmp_path / "fetched").mkdir()
    for number in (6, 7, 8, 9):
        (tmp_path / "fetched" / file_name("people", number)).write_bytes(b"{}")
    office.publish(5)
    fetch()
    for _ in range(3):
        office.asked.get(timeout=60)

    # It is given the fifth again and again, and may be writing it, under another name, right now.
    kept = {int(path.stem.partition("-")[2]) for path in (tmp_path / "fetched").glob("people-*")}
    assert {5, 7, 8, 9} == kept


def test_fetcher_rests_however_quickly_the_office_has_more(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts are written to the same disk."""
    monkeypatch.setattr(serving, "WAIT_S", 0.01)
    monkeypatch.setattr(snapshot_fetcher, "BYTES_PER_S", 100)
    rests: list[float] = []

    class Stopping(threading.Event):
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return len(rests) > 1 or self.looks > 20

        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout or 0)
            return self.is_set()

    office.publish(3)
    fetcher = SnapshotFetcher(office.url, "people", tmp_path / "fetched", office.client, on_fault=lambda _: None)
    fetcher._is_stopping = Stopping()
    fetcher._run()

    size = len(seal_snapshot(people(3), TOWN, KEY))
    assert [size / 100, snapshot_fetcher.EVERY_S] == rests, "after a list, and after an answer without one"


@pytest.mark.parametrize("url", ["http://office:1", "office", "https://office/x", "https://office:port", "https://"])
def test_fetcher_wants_a_secure_address(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not an address"):
        SnapshotFetcher(url, "people", tmp_path, Credentials(tmp_path, tmp_path, tmp_path), on_fault=lambda _: None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'HTTP/1.1 200 OK\r\netag: "people-3"\r\ncontent-length: 9\r\n\r\nshort', "broke off in mid-answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "does not say which number"),
        (b'HTTP/1.1 200 OK\r\netag: "premises-3"\r\ncontent-length: 2\r\n\r\n{}', "does not say which number"),
        (b'HTTP/1.1 200 OK\r\netag: "people-3"\r\ncontent-length: 99999999999\r\n\r\n', "too much"),
        (b'HTTP/1.1 200 OK\r\netag: "people-3"\r\n\r\n{}', "does not say how much"),
        (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", "answers with status 500"),
        (b"nonsense\r\n\r\n", "no answer that can be read"),
    ],
)
def test_fetcher_keeps_nothing_of_a_broken_answer(office: Office, tmp_path: Path, answer: bytes, words: str) -> None:
    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    own = Credentials(tmp_path / "office.ca", tmp_path / "office.pem", tmp_path / "office.key")
    context = server_context(own.certificate_file, own.key_file, clients_ca_file=own.ca_file)
    loop = asyncio.new_event_loop()

    lines: list[asyncio.StreamWriter] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def ended() -> None:
        await server.wait_closed()
        await asyncio.gather(*(one.wait_closed() for one in lines), return_exceptions=True)

    server = loop.run_until_complete(asyncio.start_server(speak, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = server.sockets[0].getsockname()[1]
    fetcher = SnapshotFetcher(
        f"https://127.0.0.1:{port}", "people", tmp_path / "fetched", office.client, on_fault=said.put
    )
    fetcher.start()
    told = said.get(timeout=60)
    fetcher.stop()
    fetcher._thread.join(60)
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.run_until_complete(ended())
    loop.close()

    assert words in told
    assert not (tmp_path / "fetched").exists()
