"""Bundles over real TLS: by Range, to few at a time, and never at a claim's expense."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.core.events import BundleFetched, FetchFailed, ReleaseSeen
from appliance.identity import Identity
from appliance.net.releases import Releases
from tests.support.enrolling_town import HOST, EnrollingTown, NewUnit, ServiceProcess, running_service
from tests.support.enrolment_thread import ServiceThread, service_thread
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.published_release import authority_of, bundle_in, large_bundle_in, publish_in, release_of
from wire.enrolment import ENROL_PATH
from wire.release import BUNDLE_PATH, RELEASE_PATH, Bundle, open_release
from wire.renewal_request import PATH as RENEWAL_PATH
from wire.renewal_request import RenewalRequest, seal_renewal

pytestmark = pytest.mark.integration

SYSTEM = bytes(range(256)) * 4096
MB = 1_000_000
HASTE_S = 0.5
"""After which an impatient unit asks again; it is told to wait for a minute or more."""


@pytest.fixture
def town(tmp_path: Path) -> EnrollingTown:
    return EnrollingTown.found(tmp_path / "town")


def publish(town: EnrollingTown, *bundles: Bundle, serial: int = 1) -> bytes:
    folder = town.fleet.layout.town
    return publish_in(folder, release_of(*bundles, serial=serial), authority_of(town.fleet.folder))


def connect(town: EnrollingTown, port: int) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(town.fleet.layout.trusted))
    return http.client.HTTPSConnection(HOST, port, timeout=DEADLINE_S, context=context)


def get(town: EnrollingTown, port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers, body."""
    connection = connect(town, port)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def post(town: EnrollingTown, port: int, path: str, body: bytes) -> int:
    """Its status."""
    connection = connect(town, port)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


@contextlib.contextmanager
def begun(town: EnrollingTown, port: int, bundle: Bundle) -> Iterator[http.client.HTTPResponse]:
    """An answer of which nothing more is read."""
    connection = connect(town, port)
    connection.request("GET", f"{BUNDLE_PATH}{bundle.sha256}")
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def wait_for(service: ServiceThread | ServiceProcess, serial: int = 1) -> None:
    """Until that release is in force."""

    def is_there() -> bool:
        told = service.facts("release") if isinstance(service, ServiceThread) else tuple(service.facts)
        return any(one.get("serial") == serial and one.get("is_in_force") for one in told)

    wait_until(is_there, f"release {serial} in force")


def test_unit_is_told_the_release_and_fetches_its_bundle_in_pieces(town: EnrollingTown) -> None:
    with service_thread(town) as service:
        assert 404 == get(town, service.port, RELEASE_PATH)[0]
        bundle = bundle_in(town.fleet.layout.town, SYSTEM)
        sealed = publish(town, bundle)
        wait_for(service)

        status, headers, body = get(town, service.port, RELEASE_PATH)
        assert (200, sealed) == (status, body)
        assert bundle == open_release(body, town.fleet.folder.authority_public()).bundles[0]
        assert 304 == get(town, service.port, RELEASE_PATH, if_none_match=headers["etag"])[0]

        path = f"{BUNDLE_PATH}{bundle.sha256}"
        status, headers, first = get(town, service.port, path, range="bytes=0-99999")
        assert (206, f"bytes 0-99999/{len(SYSTEM)}") == (status, headers["content-range"])
        etag = headers["etag"]
        status, _, rest = get(town, service.port, path, range="bytes=100000-", if_range=etag)
        assert (206, SYSTEM) == (status, first + rest)
        assert (200, SYSTEM) == get(town, service.port, path)[::2]
        assert 416 == get(town, service.port, path, range=f"bytes={len(SYSTEM)}-")[0]
        assert 416 == get(town, service.port, path, range="bytes=0-1,3-4")[0]


def test_nothing_but_the_bundles_of_the_release_can_be_reached(town: EnrollingTown) -> None:
    folder = town.fleet.layout.town
    unnamed = bundle_in(folder, b"an older system")
    with service_thread(town) as service:
        publish(town, bundle_in(folder, SYSTEM))
        wait_for(service)

        for path in (
            unnamed.sha256,
            "../../release.json",
            "..%2f..%2fenrolment%2fnodes.key",
            "%2e%2e/%2e%2e/enrolment/nodes.key",
            f"{folder}/enrolment/nodes.key",
            f"{unnamed.sha256}.raucb",
            "",
            "makers.pem",
        ):
            status, _, body = get(town, service.port, f"{BUNDLE_PATH}{path}")
            assert 404 == status, path
            assert b"KEY" not in body


def test_release_waits_for_its_bundle(town: EnrollingTown) -> None:
    folder = town.fleet.layout.town
    bundle = bundle_in(folder, SYSTEM)
    (folder / "releases" / f"{bundle.sha256}.raucb").unlink()
    publish(town, bundle)
    with service_thread(town) as service:
        wait_until(lambda: bool(service.facts("release")), "the release is seen")
        status, headers, _ = get(town, service.port, RELEASE_PATH)
        assert 503 == status
        assert 60 <= int(headers["retry-after"]) <= 300
        bundle_in(folder, SYSTEM)
        wait_for(service)
        assert 200 == get(town, service.port, RELEASE_PATH)[0]


def test_one_address_has_two_turns_and_gets_them_back(town: EnrollingTown, monkeypatch: pytest.MonkeyPatch) -> None:
    # The two are not cut off before the third has asked.
    monkeypatch.setattr("runtime.web_connections.OWED_WITHIN_S", DEADLINE_S)
    bundle, _ = large_bundle_in(town.fleet.layout.town, 20 * MB)
    publish(town, bundle)
    path = f"{BUNDLE_PATH}{bundle.sha256}"
    with service_thread(town) as service:
        wait_for(service)
        with begun(town, service.port, bundle), begun(town, service.port, bundle):
            status, headers, body = get(town, service.port, path)
            assert (503, "slow down") == (status, json.loads(body)["problem"])
            assert 60 <= int(headers["retry-after"]) <= 300
        wait_until(lambda: 206 == get(town, service.port, path, range="bytes=0-9")[0], "a turn is free")


def test_slow_reader_cannot_keep_a_turn(town: EnrollingTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads on all the time, so the web server alone would wait for hours."""
    monkeypatch.setattr("enrolment.handlers.releasing.TURN_S", 1.5)
    bundle, _ = large_bundle_in(town.fleet.layout.town, 60 * MB)
    publish(town, bundle)
    with service_thread(town) as service:
        wait_for(service)
        with begun(town, service.port, bundle) as first, begun(town, service.port, bundle):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while len(first.read(30_000)) == 30_000:
                    time.sleep(0.05)
            assert not first.isclosed() or first.length
            path = f"{BUNDLE_PATH}{bundle.sha256}"
            wait_until(lambda: 206 == get(town, service.port, path, range="bytes=0-9")[0], "a turn is free")


def test_unit_gets_its_bundle_in_several_turns(
    town: EnrollingTown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the unit's own program. A turn that ends is nothing that the service complains of."""
    monkeypatch.setattr("enrolment.handlers.releasing.TURN_S", 1.0)
    bundle, _ = large_bundle_in(town.fleet.layout.town, 6 * MB)
    publish(town, bundle)
    set_rate(town, 2_500)
    with service_thread(town) as service:
        wait_for(service)
        authority = town.fleet.folder.authority_public()
        unit = Releases(
            Identity("00000010", HOST, service.port, town.fleet.layout.trusted, authority), tmp_path / "unit"
        )
        seen = unit.ask()
        assert isinstance(seen, ReleaseSeen)
        assert (bundle,) == seen.release.bundles
        became, until_s = [unit.fetch(bundle)], time.monotonic() + DEADLINE_S
        while not isinstance(became[-1], BundleFetched):
            assert isinstance(became[-1], FetchFailed)
            assert "cut" == became[-1].why, became[-1]
            assert time.monotonic() < until_s
            became.append(unit.fetch(bundle))

    assert len(became) > 1
    assert bundle.sha256 == hashlib.sha256(unit.path_of(bundle).read_bytes()).hexdigest()
    assert [] == [one.getMessage() for one in caplog.records if one.name.startswith("uvicorn")]


def test_claims_and_renewals_are_answered_while_many_units_fetch(town: EnrollingTown) -> None:
    """Forty units that ask for 100 MB at once, some of them on lines that hardly read."""
    bundle, file = large_bundle_in(town.fleet.layout.town, 100 * MB)
    publish(town, bundle)
    path = f"{BUNDLE_PATH}{bundle.sha256}"
    set_rate(town, 10_000)
    town.reserve(6)
    stop, statuses = threading.Event(), []

    def fetch() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                statuses.append(get(town, service.port, path, range="bytes=0-3000000")[0])
            stop.wait(HASTE_S)

    with running_service(town) as service:
        wait_for(service)
        before = rss_kb(service.process.pid)
        fetching = [threading.Thread(target=fetch) for _ in range(40)]
        for one in fetching:
            one.start()
        wait_until(lambda: 206 in statuses and 503 in statuses, "some fetch, others wait")
        took = []
        for number in range(0x10, 0x16):
            unit = NewUnit(number)
            renewal = RenewalRequest(node=f"{number:08x}", csr=unit.request(ec.generate_private_key(ec.SECP256R1())))
            for path, body in ((ENROL_PATH, unit.sealed()), (RENEWAL_PATH, seal_renewal(renewal, unit.signing))):
                started = time.monotonic()
                assert 200 == post(town, service.port, path, body)
                took.append(time.monotonic() - started)
        stop.set()
        for one in fetching:
            one.join()
        grown = rss_kb(service.process.pid) - before
    assert max(took) < DEADLINE_S / 2
    assert grown < 40_000
    assert file.stat().st_size == bundle.size_bytes


def test_all_bundles_together_keep_to_their_rate(town: EnrollingTown) -> None:
    bundle = bundle_in(town.fleet.layout.town, SYSTEM)
    publish(town, bundle)
    set_rate(town, 1_000)
    with service_thread(town) as service:
        wait_for(service)
        started, got = time.monotonic(), []
        both = [
            threading.Thread(target=lambda: got.append(get(town, service.port, f"{BUNDLE_PATH}{bundle.sha256}")[2]))
            for _ in range(2)
        ]
        for one in both:
            one.start()
        for one in both:
            one.join()

    assert [hashlib.sha256(SYSTEM).digest()] * 2 == [hashlib.sha256(one).digest() for one in got]
    assert time.monotonic() - started > 1.8


def test_unit_that_stops_reading_is_cut_off(town: EnrollingTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.web_connections.OWED_WITHIN_S", 1.0)
    bundle, _ = large_bundle_in(town.fleet.layout.town, 60 * MB)
    publish(town, bundle)
    with service_thread(town) as service:
        wait_for(service)
        with begun(town, service.port, bundle), begun(town, service.port, bundle):
            path = f"{BUNDLE_PATH}{bundle.sha256}"
            wait_until(lambda: 206 == get(town, service.port, path, range="bytes=0-9")[0], "a turn is free")


def set_rate(town: EnrollingTown, kilobytes_per_s: int) -> None:
    """Of all bundles together."""
    toml = town.config.read_text()
    town.config.write_text(toml.replace("[web]\n", f"[web]\nbundle_kilobytes_per_s = {kilobytes_per_s}\n"))


def rss_kb(pid: int) -> int:
    """Memory of a process."""
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines() if one.startswith("VmRSS")
    )
    return int(line.split()[1])
