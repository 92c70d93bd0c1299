"""What ``install`` puts in place, keeps, replaces and refuses. On a real Debian: tests/systemd/test_boot.py."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from installation import places
from installation.drop_in import path_of
from installation.errors import InstallError, PackError
from installation.files import load_record
from installation.install import Order, install
from installation.pack import read_pack
from installation.services import SYSTEM
from provisioning.claims import reserve
from provisioning.delegate import delegate_to, end_delegation
from provisioning.fleet import Fleet, NewNode
from runtime.key_pair import KeyPair
from runtime.proof_file import Unproven, leave_word, read_proof
from tests.installation.conftest import DELEGATE, BareMachine, delegated, of_the_lan
from wire.fleet_files import PROOF


def installed(machine: BareMachine, town: Path, **order: object) -> list[str]:
    """What it says."""
    said: list[str] = []
    install(machine, read_pack(town), said.append, Order(**order))  # type: ignore[arg-type]
    return said


def test_first_run_says_what_it_makes_and_restarts_what_reads_it(machine: BareMachine, town: Path) -> None:
    said = installed(machine, town)

    assert "made /etc/systemd/system/watchlink-central.service" in said
    assert f"made {places.BROKER}/crl.pem" in said
    assert not [line for line in said if "office" in line]
    assert [
        "systemctl daemon-reload",
        *(f"systemctl restart {name}" for name in ("watchlink-door", "mosquitto", "watchlink-central")),
    ] == machine.acts()


def test_second_run_does_nothing(machine: BareMachine, town: Path) -> None:
    installed(machine, town, office="office.example.org")
    machine.path(f"{places.OFFICE}/publisher").mkdir()
    machine.path(f"{places.OFFICE}/publisher/snapshot.pub").touch()  # as 'office init' leaves it
    machine.acts()
    before = _state(machine)

    said = installed(machine, town)

    assert ["Nothing to do: everything is in place."] == said
    assert [] == machine.acts()
    assert before == _state(machine)


def _state(machine: BareMachine) -> dict[Path, tuple[int, int]]:
    return {path: (status.st_mtime_ns, status.st_ino) for path in machine.root.rglob("*") for status in (path.stat(),)}


def test_renewed_certificates_restart_central_once_and_the_broker_not_at_all(
    machine: BareMachine, fleet: Fleet, town: Path
) -> None:
    installed(machine, town)
    machine.acts()
    for who in ("central", "alerts", "broker"):
        fleet.renew(who)

    assert [
        f"updated {places.BROKER}/server.key",
        f"updated {places.BROKER}/server.pem",
        *(f"updated {places.CENTRAL}/{name}" for name in ("alerts.key", "alerts.pem", "client.key", "client.pem")),
    ] == installed(machine, town)[:6]
    assert ["systemctl reload mosquitto", "systemctl restart watchlink-central"] == machine.acts()


def test_pair_that_no_installation_has_left_is_not_put_in_place(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    """Its folder is a program's, which an enemy may have taken over."""
    installed(machine, town)
    own, stranger = (KeyPair(machine.path(f"{one}.pem"), machine.path(f"{one}.key")) for one in places.PAIRS[1:3])
    before = own.certificate_file.read_bytes()
    own.arriving.write_bytes(stranger.key_file.read_bytes() + stranger.certificate_file.read_bytes())

    installed(machine, town)
    assert before == own.certificate_file.read_bytes()


def test_change_of_the_fleet_is_read_again_and_restarts_nothing(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    installed(machine, town)
    machine.acts()
    fleet.add("Corner Shop", "High St", ["hart"])

    assert [
        *(f"updated {path}" for path in (f"{places.BROKER}/acl", places.DIRECTORY)),
        "mosquitto has read its files again",
        "Everything is in place.",
    ] == installed(machine, town)
    assert ["systemctl reload mosquitto"] == machine.acts()


def test_word_of_a_proof_that_failed_is_brought_and_so_is_that_it_is_proven(
    machine: BareMachine, fleet: Fleet, town: Path
) -> None:
    """And nothing is restarted for it."""
    said = [installed(machine, town)]
    machine.acts()
    for since in (fleet.now(), None):
        leave_word(fleet.layout.proof, since)
        said.append(installed(machine, town))

        here = read_proof(machine.path(f"{places.BROKER}/{PROOF}"))
        assert (None if since is None else Unproven(since)) == here
    assert [True, True] == [any(line.endswith(f"{places.BROKER}/{PROOF}") for line in lines) for lines in said[1:]]
    assert [] == machine.acts()


def test_renewed_certificate_restarts_who_reads_it_at_its_start(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    installed(machine, town)
    machine.acts()
    fleet.renew("central")
    installed(machine, town)

    assert ["systemctl restart watchlink-central"] == machine.acts()


def test_engineers_change_is_kept_in_silence(machine: BareMachine, town: Path) -> None:
    installed(machine, town)
    toml = machine.path(places.CENTRAL_TOML)
    toml.write_text(toml.read_text() + "# ours\n")

    assert ["Nothing to do: everything is in place."] == installed(machine, town)
    assert toml.read_text().endswith("# ours\n")


def test_newer_file_is_laid_beside_the_engineers_once(machine: BareMachine, town: Path) -> None:
    installed(machine, town)
    toml, wanted = machine.path(places.CENTRAL_TOML), town / "central/central.toml"
    toml.write_text(ours := toml.read_text() + "# ours\n")
    wanted.write_text(wanted.read_text() + "# theirs\n")
    machine.acts()

    kept = f"kept {places.CENTRAL_TOML}, which was changed here: the new one is {places.CENTRAL_TOML}.new;"
    said = installed(machine, town)

    assert [True] == [line.startswith(kept) for line in said if places.CENTRAL_TOML in line]
    assert (ours, wanted.read_text()) == (toml.read_text(), toml.with_name("central.toml.new").read_text())
    assert [] == machine.acts()
    assert ["Nothing to do: everything is in place."] == installed(machine, town)


def test_fleets_file_is_replaced_and_that_is_said(machine: BareMachine, town: Path) -> None:
    installed(machine, town)
    acl = machine.path(f"{places.BROKER}/acl")
    acl.write_text("topic readwrite #\n")
    said = installed(machine, town)

    assert f"replaced {places.BROKER}/acl, which somebody had changed here: it is the fleet's" in said
    assert (town / "broker/acl").read_text() == acl.read_text()


def test_older_pack_is_refused_so_that_nobody_revoked_comes_back(
    machine: BareMachine, fleet: Fleet, town: Path, tmp_path: Path
) -> None:
    before = read_pack(town)
    fleet.add("Corner Shop", "High St", ["hart"])
    installed(machine, town)

    with pytest.raises(PackError, match="its directory has number 1, the one here 2"):
        install(machine, before, lambda _: None, Order())
    install(machine, before, lambda _: None, Order(is_new_town=True))


@pytest.fixture
def changed_at_central(machine: BareMachine, fleet: Fleet, town: Path) -> bytes:
    """A machine whose directory the delegate has changed since it was installed."""
    fleet.add("Corner Shop", "High St", ["hart"])
    delegate_to(fleet.folder, DELEGATE.public.raw)
    installed(machine, town)
    changed = delegated(fleet, "00000010")
    machine.path(places.DIRECTORY).write_bytes(changed)
    return changed


def test_next_directory_of_the_authority_replaces_the_delegates_changes(
    machine: BareMachine, fleet: Fleet, town: Path, changed_at_central: bytes
) -> None:
    fleet.add("Bakery", "High St", ["hart"])
    installed(machine, town)

    assert fleet.layout.directory.read_bytes() == machine.path(places.DIRECTORY).read_bytes() != changed_at_central


def test_pack_of_the_same_directory_takes_no_strike_of_the_delegates_back(
    machine: BareMachine, fleet: Fleet, town: Path, changed_at_central: bytes
) -> None:
    machine.acts()

    assert ["Nothing to do: everything is in place."] == installed(machine, town)
    assert changed_at_central == machine.path(places.DIRECTORY).read_bytes()
    installed(machine, town, is_new_town=True)
    assert fleet.layout.directory.read_bytes() == machine.path(places.DIRECTORY).read_bytes()


def test_pack_from_before_a_delegation_was_ended_is_refused(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    delegate_to(fleet.folder, DELEGATE.public.raw)
    before = read_pack(town)
    end_delegation(fleet.folder)
    installed(machine, town)

    with pytest.raises(PackError, match="This is older than what is here"):
        install(machine, before, lambda _: None, Order())


def test_older_revocation_list_is_refused(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    before = read_pack(town)
    folder = fleet.folder
    folder.commit(replace(folder.record, crl_number=folder.record.crl_number + 1))
    folder.publish_crl()
    installed(machine, town)

    with pytest.raises(PackError, match="its revocation list has number"):
        install(machine, before, lambda _: None, Order())


def test_another_towns_pack_is_refused_and_changes_nothing(machine: BareMachine, town: Path, tmp_path: Path) -> None:
    installed(machine, town)
    acl = machine.path(f"{places.BROKER}/acl").read_bytes()
    other = Fleet.init(
        tmp_path / "other", schemes={"hart": "HART"}, broker_folder="/etc/watchlink/broker", broker_user="mosquitto"
    )
    machine.acts()

    with pytest.raises(PackError, match="This is another town's"):
        installed(machine, other.layout.town)
    assert ([], acl) == (machine.acts(), machine.path(f"{places.BROKER}/acl").read_bytes())


def test_missing_packages_are_named_before_anything_is_changed(machine: BareMachine, town: Path) -> None:
    machine.refused = {"dpkg-query --show --showformat=${db:Status-Status} nftables"}

    with pytest.raises(InstallError, match=r"apt install nftables\."):
        installed(machine, town)
    assert not machine.path("/etc/systemd").exists()


def test_run_cut_short_is_finished_by_the_next(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    """The files were put, but the broker has not been told: nothing on disk would say so."""
    installed(machine, town)
    fleet.add("Corner Shop", "High St", ["hart"])
    machine.refused = {"systemctl reload mosquitto"}
    with pytest.raises(InstallError, match="'systemctl reload mosquitto' failed"):
        installed(machine, town)
    machine.refused = set()
    machine.acts()

    assert ["mosquitto has read its files again", "Everything is in place."] == installed(machine, town)
    assert ["systemctl reload mosquitto"] == machine.acts()
    assert [] == load_record(machine).unfinished


def test_files_of_a_run_that_failed_are_not_taken_for_an_engineers(
    machine: BareMachine, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.refused = {"systemctl restart mosquitto"}
    with pytest.raises(InstallError):
        installed(machine, town)
    machine.refused = set()
    shipped = places.shipped
    monkeypatch.setattr(places, "shipped", lambda name: shipped(name) + b"# newer\n")

    assert "updated /etc/systemd/system/watchlink-central.service" in installed(machine, town)


def test_office_is_founded_once_and_joined_with_central(machine: BareMachine, town: Path) -> None:
    installed(machine, town)
    said = installed(machine, town, office="office.example.org")
    office = tomllib.loads(machine.path(places.OFFICE_TOML).read_text())
    central = tomllib.loads(machine.path(places.CENTRAL_TOML).read_text())

    assert "The link." in said
    assert "office.example.org" == office["web"]["names"][0]
    # Or nobody would get from central's door to the office's.
    assert urlsplit(central["office"]["url"]).hostname in office["web"]["names"]
    assert "/var/lib/watchlink-office/snapshots" == central["office"]["snapshots"]
    assert "systemctl restart watchlink-central" in machine.acts()


def test_office_answers_nodes_once_an_engineer_has_written_how(machine: BareMachine, town: Path) -> None:
    unit = "watchlink-office-nodes"
    machine.refused = {f"systemctl is-enabled {unit}", f"systemctl is-active {unit}"}
    installed(machine, town, office="office.example.org")
    assert machine.path(f"/etc/systemd/system/{unit}.service").exists()
    assert not [act for act in machine.acts() if unit in act]

    machine.path(places.OFFICE_NODES_TOML).parent.mkdir(exist_ok=True)
    machine.path(places.OFFICE_NODES_TOML).write_text("")
    installed(machine, town)

    assert [act for act in machine.acts() if unit in act]


def test_office_answers_nodes_by_itself_once_it_has_what_that_needs(machine: BareMachine, town: Path) -> None:
    unit = "watchlink-office-nodes"
    for path in (places.ENROLMENT_TOML, *places.NODES_NEED):
        machine.path(path).parent.mkdir(parents=True, exist_ok=True)
    machine.path(places.ENROLMENT_TOML).write_text("")
    installed(machine, town, office="office.example.org")
    *others, last = places.NODES_NEED
    for path in others:
        machine.path(path).touch()
    installed(machine, town)
    assert not machine.path(places.OFFICE_NODES_TOML).exists()

    machine.path(last).touch()
    machine.acts()
    said = installed(machine, town)
    toml = tomllib.loads(machine.path(places.OFFICE_NODES_TOML).read_text())
    assert f"made {places.OFFICE_NODES_TOML}" in said
    assert places.CHANGED == toml["town"]["delegated_file"]
    assert [act for act in machine.acts() if unit in act]

    machine.path(places.OFFICE_NODES_TOML).write_text("# mine\n")
    installed(machine, town)
    assert "# mine\n" == machine.path(places.OFFICE_NODES_TOML).read_text()


def test_office_is_joined_with_what_an_engineer_has_written(machine: BareMachine, town: Path) -> None:
    installed(machine, town)
    toml = machine.path(places.CENTRAL_TOML)
    toml.write_text(ours := toml.read_text() + '\n[backup]\nrecipients = ["age1x"]\n')
    machine.acts()
    said = installed(machine, town, office="office.example.org")

    assert f"added [office] to {places.CENTRAL_TOML}: central knows the office on this machine" in said
    assert (True, "office") == (toml.read_text().startswith(ours), [*tomllib.loads(toml.read_text())][-1])
    assert not toml.with_name("central.toml.new").exists()
    assert "systemctl restart watchlink-central" in machine.acts()


def test_enrolment_service_gets_each_new_claim(machine: BareMachine, fleet: Fleet, town: Path) -> None:
    installed(machine, town)
    folder = machine.path("/var/lib/watchlink-enrol")
    assert not folder.exists()
    (folder / "enrolment").mkdir(parents=True)
    for name in ("enrol.toml", "delegate.pub"):
        (folder / "enrolment" / name).write_text("")
    reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])

    installed(machine, town)

    for name in ("claims.json", "directory.json"):
        assert (town / name).read_bytes() == (folder / name).read_bytes()
    assert ["Nothing to do: everything is in place."] == installed(machine, town)


def test_backups_begin_once_central_is_told_to_make_them(machine: BareMachine, town: Path) -> None:
    timer = "watchlink-central-backup.timer"
    machine.refused = {f"systemctl is-enabled {timer}", f"systemctl is-active {timer}"}
    installed(machine, town)
    assert not [act for act in machine.acts() if timer in act]
    with machine.path(places.CENTRAL_TOML).open("a") as toml:
        toml.write('[backup]\nrecipients = ["age1x"]\n')
    installed(machine, town)

    assert [f"systemctl enable {timer}", f"systemctl start {timer}"] == machine.acts()


def test_machine_of_the_office_alone_gets_nothing_of_central_then_or_later(machine: BareMachine, town: Path) -> None:
    installed(machine, town, office="office.example.org", without_central=True)
    installed(machine, town)

    assert [] == [*machine.path(places.CENTRAL_STATE).iterdir(), *machine.path(places.BROKER).iterdir()]
    assert not machine.path(f"{SYSTEM}/watchlink-central.service").exists()
    assert machine.path(places.OFFICE_DIRECTORY).exists()


@pytest.fixture
def away(machine: BareMachine, tmp_path: Path) -> Path:
    """A town whose broker has an address, installed."""
    fleet = Fleet.init(
        tmp_path / "away",
        schemes={"hart": "HART"},
        host="192.0.2.10",
        broker_folder="/etc/watchlink/broker",
        broker_user="mosquitto",
    )
    installed(machine, fleet.layout.town)
    return fleet.layout.town


def allowed_lines(machine: BareMachine, unit: str = "watchlink-central") -> list[str]:
    return machine.path(path_of(unit)).read_text().partition("[Service]\n")[2].splitlines()


def test_broker_of_an_address_is_allowed_in_centrals_unit(machine: BareMachine, away: Path) -> None:
    assert ["IPAddressAllow=192.0.2.10/32"] == allowed_lines(machine)
    assert not machine.path(path_of("watchlink-office")).exists()


def test_page_for_other_machines_is_opened_to_the_networks_here_by_the_next_run(
    machine: BareMachine, away: Path
) -> None:
    """An engineer has written in central.toml, and runs it again; a pack is no longer at hand."""
    of_the_lan(machine)
    toml = machine.path(places.CENTRAL_TOML)
    toml.write_text(toml.read_text().replace('host = "127.0.0.1"\nport = 8080', 'host = "0.0.0.0"\nport = 8443'))
    machine.acts()
    install(machine, None, lambda _: None, Order())

    assert ["IPAddressAllow=192.0.2.10/32", "IPAddressAllow=192.168.10.0/24"] == allowed_lines(machine)
    assert ["systemctl daemon-reload", "systemctl restart watchlink-central"] == machine.acts()
    said: list[str] = []
    install(machine, None, said.append, Order())
    assert ["Nothing to do: everything is in place."] == said


def test_without_a_pack_a_bare_machine_is_refused(machine: BareMachine) -> None:
    with pytest.raises(PackError, match=r"central\.toml is missing: give --from"):
        install(machine, None, lambda _: None, Order())
    assert not machine.path("/etc/systemd").exists()
