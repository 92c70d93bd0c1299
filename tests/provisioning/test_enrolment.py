"""The enrolment service's folder: what it needs, and no secret beyond."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from enrolment.config import load_configuration
from provisioning.claims import reserve
from provisioning.cli import main
from provisioning.enrolment import Served, left_behind, open_enrolment
from provisioning.errors import BrokerUnprovenError, FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.issuer_changes import cut_off
from provisioning.listing import list_fleet
from provisioning.records import FIRST_CA, IssuerRecord
from provisioning.seeds import enrolment_address
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


def names(fleet: Fleet) -> list[str]:
    """In the service's certificate."""
    own = x509.load_pem_x509_certificates((fleet.layout.enrolment / "server.pem").read_bytes())[0]
    return [str(one.value) for one in own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value]


def asked(fleet: Fleet, *options: str) -> int:
    """The command's status, without a terminal."""
    return main(["enrolment", "--dir", str(fleet.layout.town), *options])


def test_renewal_keeps_names_and_port(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == asked(fleet), "a new one needs a name"
    assert "Give --host" in capsys.readouterr().err
    open_enrolment(fleet.folder, HOSTS, 9443)
    before = (fleet.layout.enrolment / "server.pem").read_bytes()

    assert 0 == asked(fleet)
    assert f"for {HOSTS[0]} and {HOSTS[1]}, port 9443." in capsys.readouterr().out
    assert HOSTS == names(fleet)
    assert before != (fleet.layout.enrolment / "server.pem").read_bytes()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--host", "enrol.twon.example"], "00000010"),
        (["--host", HOSTS[0]], "00000010"),
        (["--port", "9443"], "00000010"),
        (["--host", "new.example", "--host", HOSTS[0], "--host", HOSTS[1]], ""),
    ],
    ids=["a typing error", "one name less", "another port", "one name more"],
)
def test_change_of_names_or_port_names_the_units_that_look_for_the_old_and_asks(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], options: list[str], left: str
) -> None:
    open_enrolment(fleet.folder, HOSTS)
    reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])
    before = (fleet.layout.enrolment / "server.pem").read_bytes()

    assert 2 == asked(fleet, *options)
    told = capsys.readouterr().err
    assert f"find the service at {HOSTS[0]} and {HOSTS[1]}, port 8443." in told
    assert "Nothing was changed. To change it, give --yes." in told
    assert bool(left) == (f"is changed: {left or '0'}." in told)
    assert before == (fleet.layout.enrolment / "server.pem").read_bytes()

    assert 0 == asked(fleet, *options, "--yes")
    assert before != (fleet.layout.enrolment / "server.pem").read_bytes()


def test_other_port_is_in_the_configuration_and_in_new_seeds(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    own = open_enrolment(fleet.folder, HOSTS)
    assert 0 == asked(fleet, "--port", "9443", "--yes")

    assert (9443, fleet.record.broker.port) == (
        load_configuration(own / "enrol.toml").file.web.port,
        load_configuration(own / "enrol.toml").file.broker.port,
    )
    assert 9443 == enrolment_address(fleet.folder).port
    (own / "enrol.toml").write_text('[web]\nhost = "::"\n')
    assert 2 == asked(fleet, "--port", "9444", "--yes")
    assert "write port = 9444 there yourself" in capsys.readouterr().err
    assert HOSTS == names(fleet)


def test_unit_that_was_revoked_or_renewed_by_hand_is_not_left_behind(fleet: Fleet) -> None:
    fleet.add("Pub", "", ["hart"])  # its certificates are carried to it

    assert () == left_behind(fleet.record, Served(("a",), 1), Served(("b",), 1))


def test_certificate_is_for_every_address(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == asked(fleet, "--host", HOSTS[0], "--host", HOSTS[1], "--own-machine")

    assert HOSTS == names(fleet)
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
