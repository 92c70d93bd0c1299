"""Releases at central's machine: the pack brings what the town has signed, and bundles come by themselves."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from installation import places
from installation.check import check
from installation.cli import main
from installation.errors import InstallError, PackError
from installation.findings import Finding
from installation.fleet_install import carry_script
from installation.install import Order, install
from installation.pack import read_pack
from installation.releases import BUNDLES, RELEASE_HERE, take_bundle
from provisioning.fleet import Fleet
from provisioning.packing import pack
from tests.installation.conftest import BareMachine, installed
from tests.support.published_release import authority_of, bundle_in, publish_in, release_of
from wire.signing import SigningKey

SYSTEM = b"system " * 1000
NEWER = b"newer " * 1000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def publish(fleet: Fleet, data: bytes = SYSTEM, *, serial: int = 1, **other: object) -> bytes:
    """Signed in the fleet's folder, as 'watchlink fleet release' does."""
    folder = fleet.layout.town
    return publish_in(folder, release_of(bundle_in(folder, data), serial=serial, **other), authority_of(fleet.folder))


def take(machine: BareMachine, data: bytes, *keep: str) -> list[str]:
    """What it says."""
    said: list[str] = []
    take_bundle(machine, io.BytesIO(data), (digest(data), len(data)), keep, said.append)
    return said


def bundles(machine: BareMachine) -> set[str]:
    return {one.name for one in machine.path(BUNDLES).iterdir()}


def found(machine: BareMachine, at: datetime) -> list[Finding]:
    return [one for one in check(machine, at) if one.about == "release"]


def test_pack_brings_the_release_and_no_bundle(
    machine: BareMachine, fleet: Fleet, enrolling: Path, tmp_path: Path
) -> None:
    sealed = publish(fleet)
    carried = tmp_path / "pack.tar"
    pack(fleet.folder, carried)
    assert carried.stat().st_size < 200_000

    said: list[str] = []
    install(machine, read_pack(carried), said.append, Order())

    assert sealed == machine.path(RELEASE_HERE).read_bytes()
    assert any("RELEASE 0.1.0.1 IS NOT IN FORCE: its bundle for watchlink-pi is not here." in one for one in said)
    take(machine, SYSTEM)
    assert not any("NOT IN FORCE" in one for one in installed(machine, enrolling))


def test_older_release_in_a_pack_is_left_out(machine: BareMachine, fleet: Fleet, enrolling: Path) -> None:
    """The pack may be on its way to cut off a stolen unit, from a fleet folder that was restored."""
    sealed = publish(fleet, serial=7)
    installed(machine, enrolling)
    fleet.add("Corner Shop", "High St", ["hart"])
    publish(fleet, serial=6)

    said = installed(machine, enrolling)

    assert any("the release was not taken" in one and "has number 6, the one here 7" in one for one in said)
    assert sealed == machine.path(RELEASE_HERE).read_bytes()
    assert fleet.layout.directory.read_bytes() == machine.path(places.DIRECTORY).read_bytes()
    fleet.layout.release.unlink()
    assert any("has number 0, the one here 7" in one for one in installed(machine, enrolling))
    assert sealed == machine.path(RELEASE_HERE).read_bytes()


def test_release_that_the_town_has_not_signed_holds_nothing_up(
    machine: BareMachine, fleet: Fleet, enrolling: Path
) -> None:
    """A pack may be on its way to cut off a stolen unit."""
    sealed = publish(fleet)
    installed(machine, enrolling)
    publish_in(enrolling, release_of(bundle_in(enrolling, NEWER), serial=9), SigningKey(b"t" * 32))
    directory = fleet.record.directory_serial
    fleet.add("Corner Shop", "High St", ["hart"])
    assert directory < fleet.record.directory_serial
    publish_in(enrolling, release_of(bundle_in(enrolling, NEWER), serial=9), SigningKey(b"t" * 32))

    said: list[str] = []
    with contextlib.suppress(PackError):
        said = installed(machine, enrolling)

    assert any("the release was not taken" in one for one in said)
    assert sealed == machine.path(RELEASE_HERE).read_bytes()
    assert fleet.layout.directory.read_bytes() == machine.path(places.DIRECTORY).read_bytes()


def test_paused_release_waits_for_no_bundle(with_key: BareMachine, fleet: Fleet, enrolling: Path) -> None:
    """What would bring it opens it again, for everybody."""
    publish(fleet, state="paused")

    assert not any("NOT IN FORCE" in one for one in installed(with_key, enrolling))
    assert ["ok"] == [one.state for one in found(with_key, datetime(2030, 1, 1, tzinfo=UTC))]


def test_bundle_is_put_where_anybody_may_read_it(machine: BareMachine, fleet: Fleet, enrolling: Path) -> None:
    publish(fleet)
    installed(machine, enrolling)

    assert ["took 1 MB"] == take(machine, SYSTEM)
    assert SYSTEM == machine.path(f"{BUNDLES}/{digest(SYSTEM)}.raucb").read_bytes()
    assert 0o644 == machine.path(f"{BUNDLES}/{digest(SYSTEM)}.raucb").stat().st_mode & 0o777


def test_bundle_that_lies_there_is_not_read_again(machine: BareMachine, enrolling: Path) -> None:
    installed(machine, enrolling)
    take(machine, SYSTEM)
    said: list[str] = []

    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            pytest.fail("it was sent again")

    take_bundle(machine, Unread(), (digest(SYSTEM), len(SYSTEM)), (), said.append)
    assert ["it is there already"] == said


def test_damaged_bundle_is_told_and_taken_anew(with_key: BareMachine, fleet: Fleet, enrolling: Path) -> None:
    publish(fleet)
    installed(with_key, enrolling)
    take(with_key, SYSTEM)
    there = with_key.path(f"{BUNDLES}/{digest(SYSTEM)}.raucb")
    there.write_bytes(bytes(len(SYSTEM)))

    assert ["bad"] == [one.state for one in found(with_key, datetime(2030, 1, 1, tzinfo=UTC))]
    assert ["took 1 MB"] == take(with_key, SYSTEM)
    assert SYSTEM == there.read_bytes()


@pytest.mark.parametrize(
    ("data", "size_bytes", "said"),
    [
        (NEWER, len(NEWER), "it is not the bundle that the release names"),
        (SYSTEM[:-1], len(SYSTEM), "1 MB of 1 MB came"),
    ],
)
def test_bundle_that_is_another_or_cut_short_is_not_kept(
    machine: BareMachine, enrolling: Path, data: bytes, size_bytes: int, said: str
) -> None:
    installed(machine, enrolling)

    with pytest.raises(InstallError, match=said):
        take_bundle(machine, io.BytesIO(data), (digest(SYSTEM), size_bytes), (), lambda _: None)
    assert set() == bundles(machine)


def test_bundle_does_not_fill_the_disk(machine: BareMachine, enrolling: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(machine, enrolling)
    monkeypatch.setattr("runtime.bundle_folder.FREE_BYTES_KEPT", 2**60)

    with pytest.raises(InstallError, match="The bundle is not taken: it needs 1 MB"):
        take(machine, SYSTEM)


def test_bundles_that_no_release_needs_are_deleted(machine: BareMachine, fleet: Fleet, enrolling: Path) -> None:
    older = b"older " * 1000
    for one in (older, SYSTEM):
        installed(machine, enrolling)
        take(machine, one, digest(older))
    publish(fleet)
    installed(machine, enrolling)
    beside = machine.path(f"{BUNDLES}/.{digest(NEWER)}.raucb.0123abcd")
    beside.write_bytes(b"cut short")

    said = take(machine, NEWER)

    assert "deleted 1 bundle of older versions" in said
    assert {f"{digest(SYSTEM)}.raucb", f"{digest(NEWER)}.raucb"} == bundles(machine)


def test_machine_without_the_service_takes_no_bundle(machine: BareMachine, town: Path) -> None:
    installed(machine, town)

    with pytest.raises(PackError, match="No enrolment service is here"):
        take(machine, SYSTEM)


def test_check_tells_of_a_missing_bundle_and_of_the_end_of_support(
    with_key: BareMachine, fleet: Fleet, enrolling: Path
) -> None:
    assert [] == found(with_key, datetime.now(UTC))
    publish(fleet)
    installed(with_key, enrolling)
    ends_at = datetime(2031, 1, 1, tzinfo=UTC)

    (lacking,) = found(with_key, ends_at - timedelta(days=61))
    said = "0.1.0.1 names a bundle for watchlink-pi that is not here, or is damaged"
    assert ("bad", said) == (lacking.state, lacking.text)
    take(with_key, SYSTEM)
    states = [found(with_key, ends_at - timedelta(days=days))[0].state for days in (61, 60, 0)]
    assert ["ok", "soon", "bad"] == states
    with_key.path(RELEASE_HERE).write_bytes(b"{}")
    assert "is not believed" in found(with_key, ends_at)[0].text


def test_release_of_the_town_before_is_set_aside(
    with_key: BareMachine, fleet: Fleet, enrolling: Path, tmp_path: Path
) -> None:
    publish(fleet)
    installed(with_key, enrolling)
    other = Fleet.init(
        tmp_path / "other", schemes={"hart": "HART"}, broker_folder="/etc/watchlink/broker", broker_user="mosquitto"
    )

    install(with_key, read_pack(other.layout.town), lambda _: None, Order(is_new_town=True))

    assert not with_key.path(RELEASE_HERE).exists()


@pytest.mark.parametrize("to", ["", "root@192.0.2.10"])
def test_bundles_go_by_a_script_of_their_own(tmp_path: Path, to: str) -> None:
    """Played with an ssh and a watchlink that only say what they were given."""
    script = carry_script(to).replace(places.PROGRAM, str(tmp_path / "watchlink"))
    for name in ("ssh", "watchlink", "carry"):
        (tmp_path / name).write_text(script if name == "carry" else '#!/bin/sh\nprintf "%s|" "$@"; cat\n')
        (tmp_path / name).chmod(0o700)

    said = subprocess.run(
        [tmp_path / "carry", "a" * 64, "6", "b" * 64],
        input="BYTES",
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    ).stdout

    arguments = f"take-bundle {'a' * 64} 6 {'b' * 64}"
    if to:
        assert f"|{to}|watchlink central {arguments}|BYTES" in said
    else:
        assert f"central|{arguments.replace(' ', '|')}|BYTES" in said


@pytest.mark.parametrize("words", [("../../etc/passwd", "6"), ("A" * 64, "6"), ("a" * 64, "0"), ("a" * 64, "6", "b")])
def test_only_a_digest_and_a_size_name_a_bundle(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["take-bundle", *words])
