"""A release from the fleet's command to a unit: bundle, pack, installation, service and the unit's own program."""

from __future__ import annotations

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from appliance.core.events import BundleFetched, FetchFailed, ReleaseSeen
from appliance.identity import Identity
from appliance.net.releases import Releases
from installation import places
from installation.install import Order, install
from installation.pack import read_pack
from provisioning.cli import main
from provisioning.delegate import delegate_to
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet
from tests.installation.conftest import DELEGATE, BareMachine
from tests.support.enrolling_town import HOST, EnrollingTown, ServiceProcess, running_service
from tests.support.fleet_broker import wait_until
from tests.support.release_bundles import NEW, OLD, Maker
from wire.release import Release

pytestmark = pytest.mark.integration

_REPOSITORY: Final = Path(__file__).parents[2]
_THERE: Final = """\
#!/bin/sh
cd {repository} && exec {python} -c '
import sys
from datetime import UTC, datetime
from pathlib import Path
from installation.install import Order, install
from installation.pack import read_pack
from installation.releases import take_bundle
from tests.installation.conftest import BareMachine
machine = BareMachine(Path("{machine}"))
{what}
' "$@"
"""
_TAKE: Final = "take_bundle(machine, sys.stdin.buffer, (sys.argv[1], int(sys.argv[2])), sys.argv[3:], print)"


@pytest.fixture
def machine(tmp_path: Path) -> BareMachine:
    """Central's, below a folder."""
    machine = BareMachine(tmp_path / "machine")
    for folder in ("/opt/watchlink/bin", places.CENTRAL_STATE, places.OFFICE, places.BROKER):
        machine.path(folder).mkdir(parents=True)
    machine.path(places.PROGRAM).touch()
    return machine


@pytest.fixture
def town(machine: BareMachine, tmp_path: Path) -> EnrollingTown:
    """With that machine, where the service is installed, and with what 'fleet install' makes to reach it."""
    fleet = Fleet.init(
        tmp_path / "town", schemes={"hart": "HART"}, broker_folder=places.BROKER, broker_user="mosquitto"
    )
    fleet.add("Corner Shop", "High St", ["hart"])
    fleet.add("The Anchor", "Quay", ["hart"])
    open_enrolment(fleet.folder, [HOST], 0)
    delegate_to(fleet.folder, DELEGATE.public.raw)
    layout = fleet.layout
    apply = f'install(machine, read_pack(Path("{layout.town}")), print, Order())'
    for script, what in ((layout.carry, _TAKE), (layout.apply, apply)):
        text = _THERE.format(repository=_REPOSITORY, python=sys.executable, machine=machine.root, what=what)
        script.write_text(text)
        script.chmod(0o700)
    install(machine, read_pack(layout.town), lambda _: None, Order())
    folder = machine.path(places.ENROLMENT_OWN)
    (folder / "delegate.key").write_text((b"d" * 32).hex())
    (folder / "changed").mkdir()
    return EnrollingTown(fleet, folder)


def act(town: EnrollingTown, *words: str | Path) -> None:
    what, *more = map(str, words)
    assert 0 == main(["release", what, "--dir", str(town.fleet.layout.town), "--yes", *more])


def unit_of(town: EnrollingTown, service: ServiceProcess, folder: Path, node: str) -> Releases:
    """The unit's program, as far as it asks and fetches."""
    authority = town.fleet.folder.authority_public()
    return Releases(Identity(node, HOST, service.port, town.fleet.layout.trusted, authority), folder / node)


def told(unit: Releases, version: str, *, is_rollback: bool = False) -> Release:
    """The release that the unit is told, once it is this one."""
    found: list[Release] = []

    def is_it() -> bool:
        seen = unit.ask()
        if isinstance(seen, ReleaseSeen):
            found.append(seen.release)
        return bool(found) and (found[-1].version, found[-1].is_rollback) == (version, is_rollback)

    wait_until(is_it, f"the unit is told {version}")
    return found[-1]


def test_release_is_tried_by_a_canary_paused_and_taken_back(
    town: EnrollingTown, machine: BareMachine, tmp_path: Path
) -> None:
    maker = Maker(tmp_path / "maker")
    old, new = maker.bundle(OLD), maker.bundle(NEW)
    support_ends = f"{datetime.now(UTC).year + 5}-12-31"
    with running_service(town) as service:
        canary, other = (unit_of(town, service, tmp_path, node) for node in ("00000010", "00000011"))
        act(town, "publish", old, "--support-ends", support_ends, "--percent", "100")
        first = told(canary, OLD)
        assert first.applies_to("00000011")
        assert isinstance(canary.fetch(first.bundles[0]), BundleFetched)
        assert old.read_bytes() == canary.path_of(first.bundles[0]).read_bytes()
        lying = machine.path(f"/var/lib/watchlink-enrol/releases/{first.bundles[0].sha256}.raucb")
        number = lying.stat().st_ino

        act(town, "publish", new, "--support-ends", support_ends, "--canary", "00000010")
        second = told(canary, NEW)
        assert [True, False] == [second.applies_to(node) for node in ("00000010", "00000011")]
        assert isinstance(canary.fetch(second.bundles[0]), BundleFetched)

        act(town, "pause")
        wait_until(lambda: told(canary, NEW).state == "paused", "the pause is told")
        act(town, "rollback")
        back = told(other, OLD, is_rollback=True)
        assert second.serial < back.serial
        assert number == lying.stat().st_ino, "it was sent again"
        assert isinstance(other.fetch(back.bundles[0]), BundleFetched)
        assert hashlib.sha256(old.read_bytes()).hexdigest() == back.bundles[0].sha256
        withdrawn = other.fetch(second.bundles[0])
        assert isinstance(withdrawn, FetchFailed)
        assert "status 404" in withdrawn.reason
