"""Whether ``check`` tells that the office cannot answer nodes, or soon will not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from installation import places
from installation.check import check
from installation.findings import Finding
from installation.install import Order, install
from installation.machine_port import machine_port
from installation.pack import read_pack
from installation.places import Parts
from provisioning.certificates import CertificateAuthority, issue_server_certificate
from tests.installation.conftest import BareMachine
from wire.subjects import SERVICES

NOW = datetime.now(UTC)
CREDENTIAL = "/run/credentials/watchlink-office-nodes.service/server.pem"


@pytest.fixture
def office(machine: BareMachine) -> BareMachine:
    """A machine with the office's folders."""
    machine.path(f"{places.OFFICE}/nodes/state").mkdir(parents=True)
    machine.path(f"{places.OFFICE}/publisher").mkdir(parents=True)
    return machine


def told(machine: BareMachine, later: timedelta = timedelta()) -> tuple[str, str, str]:
    """State, subject and text; but for the issuer of pages, of which no test here asks it."""
    (found,) = [
        one for one in machine_port(machine, Parts(office=True), NOW + later) if "units' pages" not in one.about
    ]
    assert bool(found.to_do) == (found.state != "ok")
    return found.state, found.about, found.text


def write(machine: BareMachine, text: str) -> None:
    machine.path(places.OFFICE_NODES_TOML).write_text(text)


def issue(path: Path) -> None:
    """A certificate of ninety days."""
    services = CertificateAuthority.create_root("Watchlink root of test", NOW).create_issuer(
        SERVICES, "services-1", NOW
    )
    path.write_bytes(issue_server_certificate(services, ["office.example.org"]).certificate_pem)


def test_office_that_never_answered_nodes_is_in_order(office: BareMachine) -> None:
    assert ("ok", "machine port", "off: no shop has a gallery") == told(office)


def test_configuration_that_was_there_is_missed(office: BareMachine) -> None:
    office.path(f"{places.OFFICE}/nodes/state/nodes.sqlite3").touch()

    state, about, text = told(office)
    assert ("bad", "machine port") == (state, about)
    assert text == f"{places.OFFICE_NODES_TOML} is missing: no unit is answered, and galleries go off in shops"


@pytest.mark.parametrize("text", ["web = 1\n", "nonsense", '[web]\ncertificate_file = ""\n', "\N{SNOWMAN} = "])
def test_configuration_that_cannot_be_used_is_told(office: BareMachine, text: str) -> None:
    write(office, text)

    assert ("bad", "machine port") == told(office)[:2]


def test_configuration_that_the_pages_may_not_read_is_told(office: BareMachine) -> None:
    write(office, "")
    office.path(places.OFFICE_NODES_TOML).chmod(0o600)

    state, _, text = told(office)
    assert ("bad", True) == (state, "may not read it" in text)


@pytest.mark.parametrize(
    ("named", "file"),
    [("", "nodes/server.pem"), (CREDENTIAL, "publisher/server.pem"), ("own.pem", "nodes/own.pem")],
    ids=["by default", "a credential", "of its own"],
)
def test_certificate_that_is_missing_or_ends_is_told(office: BareMachine, named: str, file: str) -> None:
    write(office, f'[web]\ncertificate_file = "{named}"\n' if named else "")
    about = "machine port's certificate"
    assert ("bad", about, f"{Path(file).name} is missing: no unit can ask") == told(office)
    path = office.path(f"{places.OFFICE}/{file}")
    path.write_text("no certificate")
    assert ("bad", about) == told(office)[:2]

    issue(path)
    assert ["ok", "soon", "bad"] == [told(office, timedelta(days=days))[0] for days in (1, 70, 91)]


def test_check_tells_it_of_a_machine_with_the_office(machine: BareMachine, town: Path) -> None:
    def found() -> list[Finding]:
        return [one for one in check(machine) if one.about == "machine port"]

    install(machine, read_pack(town), lambda _: None, Order())
    assert [] == found()
    install(machine, read_pack(town), lambda _: None, Order(office="office.example.org"))
    assert ["ok"] == [one.state for one in found()]


def test_issuer_of_units_pages_that_ends_or_is_missing_is_told(office: BareMachine) -> None:
    folder = office.path(f"{places.OFFICE}/nodes")
    issue(folder / "server.pem")
    write(office, '[pages]\ncertificate_file = "pages.pem"\n')

    def found(later: timedelta = timedelta()) -> str:
        return next(
            one.state for one in machine_port(office, Parts(office=True), NOW + later) if "units' pages" in one.about
        )

    assert "bad" == found()
    issue(folder / "pages.pem")
    assert "ok" == found()
    assert "ok" != found(timedelta(days=80))
    for named in ("", '[pages]\ncertificate_file = ""\n', "pages = 1\n"):
        write(office, named)
        (missed,) = [one for one in machine_port(office, Parts(office=True), NOW) if "units' pages" in one.about]
        assert ("bad", f"{places.OFFICE_NODES_TOML} names none under [pages]: no tablet can open its unit's page") == (
            missed.state,
            missed.text,
        )
        assert "fleet page-issuer" in missed.to_do
