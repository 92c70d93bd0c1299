"""A town with one CA moves to a root with issuers: old and new nodes go on beside one another, at a real Mosquitto."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.broker_log import TELLS_OF_RELOADS
from node.config import load_config
from provisioning.certificates import IssuedCertificate, issue_client_certificate
from provisioning.cli import main
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet
from provisioning.issuer_changes import cut_off, new_issuer, new_root
from provisioning.listing import list_fleet
from runtime.broker_probe import Verdict
from tests.support.first_ca import COMMIT, one_ca_fleet
from tests.support.fleet_broker import (
    DEADLINE_S,
    Listener,
    free_port,
    listening,
    probe_of,
    running_broker,
    seen_to_reload,
)
from tests.support.hostile_subjects import NAME, ORGANISATION, signed
from tests.support.old_version import OldVersion
from wire.subjects import NODES, SERVICES

pytestmark = pytest.mark.integration

CENTRAL, SHOP, BAKERY, CHEMIST = "00000001", "00000010", "00000011", "00000012"
FRAMES = "watchlink/1/scheme/hart/frame"
AS_CENTRAL = f"watchlink/1/node/{SHOP}/down/receipt"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> OldVersion:
    return OldVersion(tmp_path_factory.mktemp("version") / "old", COMMIT)


@pytest.fixture
def fleet(tmp_path: Path, old: OldVersion) -> Fleet:
    return one_ca_fleet(old, tmp_path / "town", free_port())


def seen(fleet: Fleet, identity: Path, topic: str, name: str = "client") -> Verdict:
    files = [(identity / f"{name}.{kind}").read_bytes() for kind in ("pem", "key")]
    return observed(fleet, IssuedCertificate(files[0], files[1], 0, datetime.now(UTC)), topic)


def observed(fleet: Fleet, certificate: IssuedCertificate, topic: str) -> Verdict:
    return probe_of(fleet).observe(certificate, topic).verdict


def hang_up(fleet: Fleet) -> Callable[[], None]:
    return lambda: os.kill(int(fleet.layout.pid_file.read_text()), signal.SIGHUP)


def configuration(fleet: Fleet) -> tuple[Path, int]:
    return fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port


def alert_each_other(one: Listener, one_name: str, other: Listener, other_name: str) -> None:
    """Each hears what the other says on its own topic."""
    for listener in (one, other):
        listener.subscribe(f"{FRAMES}/+")
    one.publish(f"{FRAMES}/{one_name}", f"attack at {one_name}".encode())
    other.wait_for(f"attack at {one_name}".encode())
    other.publish(f"{FRAMES}/{other_name}", f"attack at {other_name}".encode())
    one.wait_for(f"attack at {other_name}".encode())


def test_fleet_with_one_ca_goes_on_as_before_until_it_is_moved(fleet: Fleet) -> None:
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))
        added = fleet.add("Chemist", "Mill Lane", ["hart"])
        fleet.enforce(hang_up(fleet))
        verdicts = [seen(fleet, fleet.node_folder(node), f"{FRAMES}/{node}") for node in (SHOP, added.node)]

    assert [Verdict.ACCEPTED] * 2 == verdicts
    assert any("One CA signs for everybody" in warning for warning in list_fleet(fleet).warnings)


def test_old_and_new_nodes_alert_each_other(fleet: Fleet, tmp_path: Path) -> None:
    """The old one knows the old CA alone, as do central and everybody else until their files arrive."""
    of_before = tmp_path / CENTRAL
    shutil.copytree(fleet.layout.central, of_before)
    new_root(fleet.folder)
    fleet.add("Chemist", "Mill Lane", ["hart"])
    fleet.renew(BAKERY)
    fleet.renew("broker")
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))
        port = fleet.record.broker.port
        with (
            listening(port, fleet.node_folder(SHOP)) as shop,
            listening(port, fleet.node_folder(CHEMIST)) as chemist,
            listening(port, fleet.node_folder(BAKERY)) as bakery,
        ):
            alert_each_other(shop, SHOP, chemist, CHEMIST)
            alert_each_other(bakery, BAKERY, shop, SHOP)
        centrals = [seen(fleet, folder, AS_CENTRAL) for folder in (of_before, fleet.layout.central)]
        node = observed(fleet, signed(fleet.issuer(NODES), [(ORGANISATION, "node"), (NAME, CENTRAL)]), AS_CENTRAL)

    assert [Verdict.ACCEPTED] * 2 == centrals
    assert Verdict.FORBIDDEN is node


OLD_PROGRAM = """
import sys
from pathlib import Path
from node.config import load_config
problem = load_config(Path(sys.argv[1]), "").link_problem
assert not problem, problem
"""


def test_node_whose_program_is_of_before_takes_its_new_certificate(fleet: Fleet, old: OldVersion) -> None:
    """It may be renewed before it is updated, or the other way round."""
    new_root(fleet.folder)
    fleet.renew(SHOP)

    old.run(OLD_PROGRAM, str(fleet.node_folder(SHOP) / "node.toml"))

    assert "" == load_config(fleet.node_folder(SHOP) / "node.toml", "").link_problem


def test_broker_that_was_not_restarted_yet_keeps_everybody_and_is_told_of(fleet: Fleet) -> None:
    file, port = configuration(fleet)
    talkative = file.with_name("talkative.conf")
    talkative.write_text(f"{file.read_text()}\n{TELLS_OF_RELOADS}")
    with running_broker(talkative, port):
        new_root(fleet.folder)
        fleet.add("Chemist", "Mill Lane", ["hart"])
        with pytest.raises(BrokerUnprovenError, match="BELIEVES A CERTIFICATE'S COMMON NAME"):
            fleet.enforce(seen_to_reload(file.with_name("mosquitto.log"), hang_up(fleet)), deadline_s=1)
        verdicts = [seen(fleet, fleet.node_folder(node), f"{FRAMES}/{node}") for node in (SHOP, CHEMIST)]
        central = seen(fleet, fleet.layout.central, AS_CENTRAL)
        warnings = list_fleet(fleet).warnings
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))

    assert [Verdict.ACCEPTED] * 3 == [*verdicts, central]
    assert any("was not seen to read whole subjects" in warning for warning in warnings)
    names = [line for line in (fleet.layout.broker / "acl").read_text().splitlines() if line.startswith("user ")]
    assert ["user proof"] == [name for name in names if "CN=" not in name]


def test_revoked_old_node_is_refused_after_the_move(fleet: Fleet) -> None:
    new_root(fleet.folder)
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))
        before = seen(fleet, fleet.node_folder(SHOP), f"{FRAMES}/{SHOP}")
        fleet.revoke(SHOP, hang_up(fleet))
        after = [seen(fleet, fleet.node_folder(node), f"{FRAMES}/{node}") for node in (SHOP, BAKERY)]

    assert [Verdict.ACCEPTED, Verdict.REVOKED, Verdict.ACCEPTED] == [before, *after]


def test_old_ca_is_trusted_no_more_once_no_certificate_of_it_is_left(fleet: Fleet, tmp_path: Path) -> None:
    """And the broker has a certificate of the new root by then."""
    new_root(fleet.folder)
    thief = fleet.folder.authority("ca")
    fleet.renew(BAKERY)
    later = datetime.now(UTC) + timedelta(days=89)
    Fleet.open(fleet.layout.town, clock=lambda: later).renew(BAKERY)
    shutil.copytree(fleet.node_folder(BAKERY), tmp_path / BAKERY)
    end = datetime.now(UTC) + timedelta(days=91)
    # Only what the fleet's files say depends on its clock; certificates stay good by the broker's.
    moved = Fleet.open(fleet.layout.town, clock=lambda: end)
    moved.renew("central")
    moved.renew("alerts")
    # Nothing that is issued in three months is good today, so this is not proven.
    with running_broker(*configuration(moved)), pytest.raises(BrokerUnprovenError):
        moved.enforce(hang_up(moved), deadline_s=0)

    assert ["nodes-1", "services-1"] == list(moved.folder.issuers_in_force())
    assert "services-1" == moved.record.broker_certificates[-1].issuer
    assert thief.certificate_pem not in (moved.layout.broker / "ca.pem").read_bytes()
    assert f"user CN={SHOP}\n" not in (moved.layout.broker / "acl").read_text()


@pytest.mark.parametrize("is_root_here", [True, False])
def test_stolen_issuer_is_cut_off_with_the_sessions_that_its_thief_has_open(
    fleet: Fleet, *, is_root_here: bool
) -> None:
    new_root(fleet.folder)
    root = fleet.layout.authority / "root-1.key"
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))
        fleet.renew(BAKERY)
        stolen = fleet.folder.authority("nodes-1")
        thief = fleet.layout.town / "thief"
        thief.mkdir()
        fleet.layout.write_certificate(thief, "client", issue_client_certificate(stolen, BAKERY))
        shutil.copy(fleet.layout.trusted, thief / "ca.pem")
        kept = root.read_bytes()
        if not is_root_here:
            root.unlink()
        with listening(fleet.record.broker.port, thief) as open_session:
            open_session.subscribe(f"{FRAMES}/+")
            renewed = cut_off(fleet.folder, "nodes-1", hang_up(fleet))
            with listening(fleet.record.broker.port, fleet.node_folder(SHOP)) as shop:
                shop.publish(f"{FRAMES}/{SHOP}", b"not for the thief")
            # The broker has hung up; that the thief knows it is a matter of its own thread.
            is_ended = is_root_here and open_session.disconnected.wait(DEADLINE_S)
            heard = list(open_session.received)
        refused = seen(fleet, thief, f"{FRAMES}/{BAKERY}")
        if not is_root_here:
            root.write_bytes(kept)
            renewed = new_issuer(fleet.folder, NODES)
            fleet.enforce(hang_up(fleet))
        again = [seen(fleet, fleet.node_folder(node), f"{FRAMES}/{node}") for node in (BAKERY, SHOP)]

    assert Verdict.REFUSED is refused
    assert [] == heard
    assert is_ended or not is_root_here, "the ACL silences it where there is no new issuer"
    assert (BAKERY,) == renewed, "the other has a certificate of the old CA"
    assert "nodes-2" == fleet.issuer(NODES).name
    assert [Verdict.ACCEPTED] * 2 == again


@pytest.mark.parametrize("is_root_here", [True, False])
def test_stolen_services_issuer_is_replaced_for_central_broker_and_office(
    fleet: Fleet, tmp_path: Path, *, is_root_here: bool
) -> None:
    """Without the root's key central is out until it is there, and nodes go on alone."""
    new_root(fleet.folder)
    root = fleet.layout.authority / "root-1.key"
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))
        cut_off(fleet.folder, "ca", hang_up(fleet))
        shutil.copytree(fleet.layout.central, tmp_path / "before")
        kept = root.read_bytes()
        if not is_root_here:
            root.unlink()
        renewed = cut_off(fleet.folder, "services-1", hang_up(fleet))
        of_node = seen(fleet, fleet.node_folder(SHOP), f"{FRAMES}/{SHOP}")
        if not is_root_here:
            root.write_bytes(kept)
            renewed = new_issuer(fleet.folder, SERVICES)
            fleet.enforce(hang_up(fleet))
        verdicts = [seen(fleet, folder, AS_CENTRAL) for folder in (tmp_path / "before", fleet.layout.central)]

    stolen = fleet.folder.authority("services-1").certificate_pem
    assert ("central", "broker", "office") == renewed
    assert Verdict.ACCEPTED is of_node
    assert [Verdict.REFUSED, Verdict.ACCEPTED] == verdicts
    assert stolen not in (fleet.layout.publisher / "ca.pem").read_bytes()
    assert stolen not in (fleet.layout.broker / "server.pem").read_bytes()


def test_old_ca_that_was_stolen_is_cut_off(fleet: Fleet) -> None:
    """Whoever is not renewed yet has no network, and broker and office know the new root alone."""
    new_root(fleet.folder)
    with running_broker(*configuration(fleet)):
        fleet.enforce(hang_up(fleet))
        fleet.renew(BAKERY)
        fleet.renew("office")
        renewed = cut_off(fleet.folder, "ca", hang_up(fleet))
        thief = issue_client_certificate(fleet.folder.authority("ca"), CENTRAL)
        verdicts = [observed(fleet, thief, AS_CENTRAL), seen(fleet, fleet.node_folder(BAKERY), f"{FRAMES}/{BAKERY}")]

    assert [Verdict.REFUSED, Verdict.ACCEPTED] == verdicts
    assert (SHOP, "broker", "office") == renewed
    for folder in (fleet.layout.publisher, fleet.layout.broker):
        assert fleet.folder.authority("ca").certificate_pem not in (folder / "ca.pem").read_bytes()
    assert "services-1" == fleet.record.broker_certificates[-1].issuer


def test_one_ca_is_not_cut_off_before_there_is_another(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["cut-off", "--dir", str(fleet.layout.town), "ca"])
    assert "watchlink fleet new-root" in capsys.readouterr().err
    assert fleet.issuer(SERVICES).name == "ca"


def test_new_root_says_what_to_do_and_once_is_enough(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    statuses = [main(["new-root", "--dir", str(fleet.layout.town)]) for _ in range(2)]
    said = capsys.readouterr().out

    assert [0, 0] == statuses
    assert "RESTART the broker" in said
    assert "root-1 signs already" in said
    assert ["ca", "nodes-1", "services-1"] == [one.name for one in Fleet.open(fleet.layout.town).record.issuers]
