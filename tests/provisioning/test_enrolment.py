"""The enrolment service's folder: what it needs, and no secret beyond."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from enrolment.config import load_configuration
from provisioning.cli import main
from provisioning.enrolment import open_enrolment
from provisioning.errors import BrokerUnprovenError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.issuer_changes import cut_off
from provisioning.listing import list_fleet
from provisioning.records import FIRST_CA, IssuerRecord
from runtime.issuing import permitted_organisation
from tests.provisioning.conftest import Clock
from wire.subjects import NODES

HOSTS = ["enrol.town.example", "192.0.2.1"]


def test_folder_has_the_nodes_issuer_and_no_other_secret_of_the_town(fleet: Fleet) -> None:
    own = open_enrolment(fleet.folder, HOSTS)
    keys = {path.name for path in own.rglob("*.key")}

    assert {"nodes.key", "server.key"} == keys
    assert {0o600} == {path.stat().st_mode & 0o777 for path in own.rglob("*.key")}
    issuer = x509.load_pem_x509_certificate((own / "nodes.pem").read_bytes())
    key = serialization.load_pem_private_key((own / "nodes.key").read_bytes(), None)
    assert (NODES, key.public_key()) == (permitted_organisation(issuer), issuer.public_key())


def test_service_reads_the_configuration_and_engineers_change_it(fleet: Fleet) -> None:
    own = open_enrolment(fleet.folder, HOSTS, 9443)
    configuration = load_configuration(own / "enrol.toml")
    assert (9443, "0.0.0.0", fleet.record.broker.port) == (
        configuration.file.web.port,
        configuration.file.web.host,
        configuration.file.broker.port,
    )
    assert fleet.layout.directory == configuration.at(configuration.file.directory.file).resolve()
    (own / "enrol.toml").write_text("changed")
    before = (own / "server.pem").read_bytes()
    open_enrolment(fleet.folder, HOSTS)

    assert "changed" == (own / "enrol.toml").read_text()
    assert before != (own / "server.pem").read_bytes()


def test_certificate_is_for_every_address(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["enrolment", "--dir", str(fleet.layout.town), "--host", HOSTS[0], "--host", HOSTS[1]]
    assert 0 == main([*asked, "--own-machine"])
    own = x509.load_pem_x509_certificates((fleet.layout.enrolment / "server.pem").read_bytes())[0]
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert HOSTS == [str(name.value) for name in names]
    assert "watchlink enrol key" in capsys.readouterr().out


def test_fleet_with_one_ca_for_everybody_has_no_service(fleet: Fleet) -> None:
    first = IssuerRecord(name=FIRST_CA, organisation="", root=FIRST_CA)
    with fleet.folder.changing():
        fleet.folder.commit(msgspec.structs.replace(fleet.record, issuers=(first,)))

    with pytest.raises(FleetInputError, match="must not be online"):
        open_enrolment(fleet.folder, HOSTS)


def test_list_says_that_the_services_issuer_was_cut_off(fleet: Fleet) -> None:
    """What it makes from then on connects nobody, and nothing else on this machine tells."""

    def told() -> list[str]:
        return [one for one in list_fleet(fleet).warnings if "an issuer that was cut off" in one]

    open_enrolment(fleet.folder, HOSTS)
    assert [] == told()
    with pytest.raises(BrokerUnprovenError):  # there is none
        cut_off(fleet.folder, "nodes-1", lambda: None, deadline_s=0)
    assert 1 == len(told())
    open_enrolment(fleet.folder, HOSTS)
    assert [] == told()


@pytest.mark.parametrize(("days", "said"), [(59, ""), (61, "expires in 29 days"), (91, "has expired")])
def test_list_warns_before_the_service_has_no_certificate(fleet: Fleet, clock: Clock, days: int, said: str) -> None:
    """Without one no node renews its own, and that shows weeks later."""
    open_enrolment(fleet.folder, HOSTS)
    clock.pass_by(timedelta(days=days))

    told = [one for one in list_fleet(fleet).warnings if one.startswith("The enrolment service's certificate")]

    assert [bool(said)] * len(told) == [said in one for one in told]
    assert bool(said) == bool(told)
