"""Which release is in force at the enrolment service: the newest whose bundles are all here."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from enrolment.releases import Releases
from runtime.logs import FactLog
from tests.support.published_release import bundle_in, publish_in, release_of
from wire.release import Bundle
from wire.signing import SigningKey

AUTHORITY = SigningKey(b"a" * 32)


class Service:
    """The service's part that watches the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = io.StringIO()
        self.releases = Releases(folder, AUTHORITY.public, FactLog(self.told))

    def publish(self, *bundles: Bundle, serial: int = 1, **other: object) -> None:
        publish_in(self.folder, release_of(*bundles, serial=serial, **other), AUTHORITY)
        self.releases.look()

    @property
    def serial(self) -> int:
        """Of what is in force."""
        assert self.releases.in_force is not None
        return self.releases.in_force.release.serial

    @property
    def fact(self) -> dict[str, Any]:
        """The last."""
        fact: dict[str, Any] = json.loads(self.told.getvalue().splitlines()[-1])
        return fact


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_before_the_first_release_there_is_none(service: Service) -> None:
    service.releases.look()

    assert service.releases.in_force is None
    assert not service.releases.is_awaited
    assert "" == service.told.getvalue()


def test_release_is_in_force_once_its_bundle_is_here(service: Service) -> None:
    bundle = bundle_in(service.folder, b"system")
    file = service.folder / "releases" / f"{bundle.sha256}.raucb"
    file.rename(service.folder / "kept")
    service.publish(bundle)
    assert service.releases.in_force is None
    assert service.releases.is_awaited
    assert (False, ["watchlink-pi"]) == (service.fact["is_in_force"], service.fact["lacks"])

    (service.folder / "kept").rename(file)
    service.releases.look()

    assert 1 == service.serial
    assert (True, []) == (service.fact["is_in_force"], service.fact["lacks"])


def test_release_whose_bundle_is_another_leaves_the_one_before_in_force(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.publish(bundle_in(service.folder, b"system"))
    newer = bundle_in(service.folder, b"newer!")
    (service.folder / "releases" / f"{newer.sha256}.raucb").write_bytes(b"forged")

    service.publish(newer, serial=2)

    assert 1 == service.serial
    assert "lacks its bundle for watchlink-pi" in caplog.text


def test_pause_does_not_wait_for_a_bundle(service: Service) -> None:
    bundle = bundle_in(service.folder, b"system")
    service.publish(bundle)
    for file in (service.folder / "releases").iterdir():
        file.unlink()

    service.publish(bundle, serial=2, state="paused")

    assert 2 == service.serial
    assert service.releases.in_force is not None
    assert {} == service.releases.in_force.files


def test_release_with_a_lower_serial_is_refused(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    bundle = bundle_in(service.folder, b"system")
    service.publish(bundle, serial=7)

    service.publish(bundle, serial=6)
    assert 7 == service.serial
    service.publish(bundle, serial=7, percent=1)
    assert service.releases.in_force is not None
    assert 100 == service.releases.in_force.release.percent
    assert "older than the one before" in caplog.text


def test_release_of_another_authority_is_refused(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    bundle = bundle_in(service.folder, b"system")
    service.publish(bundle)
    publish_in(service.folder, release_of(bundle, serial=2), SigningKey(b"t" * 32))
    service.releases.look()

    assert 1 == service.serial
    assert "release signature" in caplog.text


def test_bundle_that_is_replaced_is_judged_again(service: Service) -> None:
    bundle = bundle_in(service.folder, b"system")
    service.publish(bundle)
    file = service.folder / "releases" / f"{bundle.sha256}.raucb"
    held = service.releases.in_force
    assert held is not None
    file.write_bytes(b"forged")
    os.utime(file, ns=(1, 1))

    assert not held.files[bundle.sha256].is_unchanged
    service.releases.look()
    assert service.releases.in_force is not None
    assert {} == service.releases.in_force.files


def test_whole_bundle_is_read_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = bundle_in(service.folder, b"system")
    service.publish(bundle)

    def refuse(*_: object) -> str:
        pytest.fail("it was read again")

    monkeypatch.setattr("enrolment.releases.digest_of", refuse)
    for _ in range(3):
        service.releases.look()
    service.publish(bundle, serial=2)

    assert 2 == service.serial
