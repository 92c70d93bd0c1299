"""A unit stolen after it claimed its premises and before it was collected: one command, real service, real broker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from enrolment.config import load_configuration
from enrolment.list_renewal import renew_list_of
from provisioning.certificates import IssuedCertificate
from provisioning.cli import main
from provisioning.fleet import Fleet
from runtime.broker_probe import Verdict
from tests.support.enrolling_town import EnrollingTown, NewUnit, running_service
from tests.support.fleet_broker import free_port, listening, probe_of, running_broker, wait_until
from wire.directory import open_directory
from wire.ids import NodeId

pytestmark = pytest.mark.integration

STOLEN = "00000010"
FRAMES = f"watchlink/1/scheme/hart/frame/{STOLEN}"


def as_it_is(_: Path) -> None:
    """The service's file tells its key."""


def lost(changed: Path) -> None:
    """Nobody can say which key it has made."""
    changed.unlink()


@pytest.mark.parametrize("file", [as_it_is, lost])
def test_it_is_struck_silenced_and_its_certificate_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: Callable[[Path], None]
) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port())
    town, layout, unit = EnrollingTown.of(fleet), fleet.layout, NewUnit()
    with running_broker(layout.broker / "mosquitto.conf", fleet.record.broker.port), running_service(town) as service:
        town.reserve(1)
        assert 0 == main(["renew-crl", "--dir", str(layout.town)])
        status, answer = service.ask(unit.sealed())
        assert 200 == status
        thiefs = identity(tmp_path / "thief", unit, answer["certificate"], layout.trusted)
        assert seen(fleet, thiefs) is Verdict.ACCEPTED
        with listening(fleet.record.broker.port, tmp_path / "thief") as open_session:
            file(town.changed)
            capsys.readouterr()

            assert 0 == main(["revoke", "--dir", str(layout.town), STOLEN])

            assert f"{STOLEN} (Shop 0) is revoked, and the running broker was seen to obey" in capsys.readouterr().out
            assert not open_session.disconnected.is_set(), "it stays, and hears nothing more"
        assert seen(fleet, thiefs) is Verdict.FORBIDDEN
        authority = fleet.folder.authority_public()
        sealed = layout.directory.read_bytes()
        assert open_directory(sealed, authority).senders[NodeId(int(STOLEN, 16))].is_revoked
        if file is as_it_is:
            wait_until(lambda: town.changed.read_bytes() == sealed, "the service has nothing to add")
        reload_command = f"kill -HUP {layout.pid_file.read_text().strip()}"
        renew_list_of(load_configuration(town.config), layout.broker, reload_command)
        assert seen(fleet, thiefs) is Verdict.REVOKED


def identity(folder: Path, unit: NewUnit, certificate: str, trusted: Path) -> IssuedCertificate:
    """In a folder, as the unit has it."""
    folder.mkdir()
    key = unit.tls.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "client.pem").write_text(certificate)
    (folder / "client.key").write_bytes(key)
    (folder / "ca.pem").write_bytes(trusted.read_bytes())
    return IssuedCertificate(certificate.encode(), key, 0, datetime.now(UTC))


def seen(fleet: Fleet, certificate: IssuedCertificate) -> Verdict:
    """What the broker does with it."""
    return probe_of(fleet).observe(certificate, FRAMES).verdict
