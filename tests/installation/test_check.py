"""What ``check`` says of what is missing, wrong or about to expire. The whole machine: tests/systemd/test_boot.py."""

from __future__ import annotations

import pwd
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from installation import check as checking
from installation import cli, places
from installation.check import check, judge_owner
from installation.expiring import backups, directory, revocation_list, root, snapshots
from installation.findings import Finding, expiry, look_at
from installation.fleet_install import TOWN_DROP_IN
from installation.install import Order, install
from installation.machine import Answer
from installation.pack import read_pack
from installation.places import Parts
from installation.ports import broker_answers, page_answers
from installation.services import SYSTEM
from provisioning.certificates import AUTHORITY_LIFE, CertificateAuthority, issue_crl, issue_server_certificate
from provisioning.delegate import delegate_to
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet
from provisioning.issuer_changes import new_root
from provisioning.office import change_keys
from runtime.proof_file import leave_word
from tests.installation.conftest import DELEGATE, BareMachine, delegated
from tests.support.fleet_broker import free_port
from wire.fleet_files import PROOF, UNPROVEN
from wire.signing import SigningKey
from wire.snapshots import AuditHead, People, Town, seal_snapshot
from wire.subjects import NODES, SERVICES

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def installed(machine: BareMachine, town: Path) -> BareMachine:
    install(machine, read_pack(town), lambda _: None, Order())
    return machine


def found(findings: list[Finding], about: str) -> list[Finding]:
    """About one thing."""
    return [one for one in findings if one.about == about]


@pytest.mark.parametrize(
    ("left", "state", "text"),
    [
        (timedelta(days=31), "ok", "it is good until 2027-04-01"),
        (timedelta(days=30), "soon", "it expires in 30 days"),
        (timedelta(days=1, hours=3), "soon", "it expires in 1 day"),
        (timedelta(hours=3), "soon", "it expires in less than a day"),
        (timedelta(0), "bad", "it has expired, on 2027-03-01"),
    ],
)
def test_expiry_is_told_before_it_happens(left: timedelta, state: str, text: str) -> None:
    finding = expiry("x", "it", NOW + left, NOW, warning=timedelta(days=30), to_do="Renew.")

    assert (state, text, "" if state == "ok" else "Renew.") == (finding.state, finding.text, finding.to_do)


def test_line_says_state_what_and_what_to_do() -> None:
    assert Finding("bad", "disk", "3 MB free", "Make room.").line == "BAD  disk: 3 MB free. Make room."
    assert Finding("ok", "disk", "900 MB free").line == "ok   disk: 900 MB free."


@pytest.mark.parametrize(
    ("mode", "most", "text", "right"),
    [
        (0o644, 0o600, "others may read or change", "600"),
        (0o640, 0o600, "its group may read or change", "600"),
        (0o2777, 0o2770, "others may read or change", "2770"),
    ],
)
def test_mode_that_allows_too_much_is_told_with_the_right_one(
    tmp_path: Path, mode: int, most: int, text: str, right: str
) -> None:
    file = tmp_path / "signing.key"
    file.touch()
    file.chmod(mode)
    finding = judge_owner(file, pwd.getpwuid(file.stat().st_uid).pw_name, most)

    assert finding is not None
    assert (True, f"Run 'chmod {right} {file}'.") == (finding.text.startswith(text), finding.to_do)


def test_mode_that_allows_less_is_in_order(tmp_path: Path) -> None:
    (tmp_path / "key").touch(mode=0o400)

    assert judge_owner(tmp_path / "key", pwd.getpwuid((tmp_path / "key").stat().st_uid).pw_name, 0o600) is None


def test_another_owner_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    finding = judge_owner(tmp_path / "key", "watchlink-central", 0o600)

    assert finding is not None
    assert f"Run 'chown watchlink-central {tmp_path / 'key'}'." == finding.to_do


@pytest.mark.parametrize("is_here", [True, False])
def test_revocation_lists_may_belong_to_the_service_that_renews_them(
    installed: BareMachine, monkeypatch: pytest.MonkeyPatch, *, is_here: bool
) -> None:
    if is_here:
        toml = installed.path(places.ENROLMENT_TOML)
        toml.parent.mkdir(parents=True)
        toml.touch()
    owner = installed.path(places.LISTS).stat().st_uid
    monkeypatch.setattr(checking, "ENROLMENT_USER", pwd.getpwuid(owner).pw_name)

    told = [one.text for one in found(check(installed), "owners and modes")]

    assert is_here != any("crl.pem belongs to" in text for text in told)
    assert any("acl belongs to" in text for text in told)


def test_unit_of_another_version_and_one_that_was_changed_here_are_told_apart(
    installed: BareMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, door = (installed.path(f"{SYSTEM}/watchlink-{name}.service") for name in ("central", "door"))
    changed.write_text(changed.read_text() + "# ours\n")
    shipped = places.shipped
    monkeypatch.setattr(places, "shipped", lambda name: shipped(name) + (b"# new\n" if "door" in name else b""))
    door.with_name("watchlink-door.service.new").touch()
    own = f"{SYSTEM}/watchlink"

    assert [
        ("bad", f"{own}-door.service.new is newer than {own}-door.service, which was changed here"),
        ("bad", f"{own}-door.service is another version's"),
        ("ok", f"{own}-central.service was changed here, and stays so"),
    ] == [(one.state, one.text) for one in found(check(installed), "installed files")]


def test_what_does_not_run_or_is_missing_is_named(installed: BareMachine) -> None:
    installed.path("/etc/sysusers.d/watchlink-central.conf").unlink()
    installed.refused = {
        "systemctl is-active mosquitto",
        "systemctl is-enabled watchlink-door",
        "dpkg-query --show --showformat=${db:Status-Status} nftables",
        "nft list",
    }
    lines = [one.line for one in check(installed)]

    for line in (
        "BAD  packages: nftables not installed. Run 'apt install nftables'.",
        f"BAD  installed files: /etc/sysusers.d/watchlink-central.conf is missing. {checking.AGAIN}",
        "BAD  watchlink-door: does not start with the machine. Run 'systemctl enable watchlink-door'.",
        f"BAD  mosquitto: does not run (inactive). {look_at('mosquitto')}",
    ):
        assert line in lines
    (firewall,) = (line for line in lines if "firewall" in line)
    assert firewall.startswith("BAD  firewall: the door's rules are not loaded")


def test_empty_machine_is_told_whole_and_breaks_no_check(tmp_path: Path) -> None:
    (tmp_path / "var/lib").mkdir(parents=True)
    findings = check(BareMachine(tmp_path))

    assert {"programs", "installed files", "revocation list", "directory", "broker's certificate"} <= {
        one.about for one in findings if one.state == "bad"
    }
    assert ["ok"] == [one.state for one in found(findings, "disk")]


@pytest.mark.parametrize(
    ("days", "state", "then"),
    [
        (-2, "bad", "is not valid before"),
        (0, "ok", ""),
        (21, "soon", "then the broker refuses everybody"),
        (31, "bad", ": the broker refuses everybody"),
    ],
)
def test_revocation_list_is_told_before_everybody_is_refused(
    installed: BareMachine, fleet: Fleet, days: int, state: str, then: str
) -> None:
    finding = revocation_list(installed, fleet.now() + timedelta(days=days))

    assert (state, True) == (finding.state, then in finding.text)


@pytest.mark.parametrize(
    ("damage", "then"),
    [
        ("cut", "lets everybody in"),
        ("missing", "lets everybody in"),
        ("another town's", "no list of the CA Watchlink nodes-1: the broker refuses all of it"),
        ("one issuer's", "no list of the CA Watchlink nodes-1: the broker refuses all of it"),
    ],
)
def test_damaged_revocation_list_is_told(
    installed: BareMachine, fleet: Fleet, tmp_path: Path, damage: str, then: str
) -> None:
    file = installed.path(f"{places.BROKER}/crl.pem")
    match damage:
        case "cut":
            file.write_bytes(file.read_bytes()[:100])
        case "missing":
            file.unlink()
        case "one issuer's":
            file.write_bytes(issue_crl(fleet.issuer(SERVICES), set(), 1, now=fleet.now()))
        case _:
            other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})
            file.write_bytes(issue_crl(other.issuer(NODES), set(), 1, now=other.now()))
    finding = revocation_list(installed, datetime.now(UTC))

    assert ("bad", True) == (finding.state, then in finding.text)


def test_town_with_one_ca_is_in_order(installed: BareMachine, fleet: Fleet) -> None:
    """From before there were issuers."""
    ca, broker = CertificateAuthority.create("Watchlink CA of town", fleet.now()), installed.path(places.BROKER)
    (broker / "issuers.pem").unlink()
    (broker / "ca.pem").write_bytes(ca.certificate_pem)
    (broker / "crl.pem").write_bytes(issue_crl(ca, set(), 1, now=fleet.now()))

    assert "ok" == revocation_list(installed, fleet.now()).state


def test_issuer_that_ends_before_what_it_signed_is_told_with_what_to_do(installed: BareMachine, fleet: Fleet) -> None:
    late = fleet.now() + AUTHORITY_LIFE - timedelta(days=20)
    issued = issue_server_certificate(fleet.issuer(SERVICES), ["127.0.0.1"], now=late)
    installed.path(f"{places.BROKER}/server.pem").write_bytes(issued.certificate_pem)
    (finding,) = found(check(installed, late), "broker's certificate")

    assert ("soon", "server.pem expires in 19 days") == (finding.state, finding.text)
    assert "fleet new-root --replace" in finding.to_do


def test_certificate_of_the_enrolment_service_is_told_before_nobody_can_renew(
    installed: BareMachine, fleet: Fleet
) -> None:
    shutil.copytree(open_enrolment(fleet.folder, ["192.0.2.1"]), installed.path(places.ENROLMENT_OWN))

    (finding,) = found(check(installed, fleet.now() + timedelta(days=61)), "enrolment's certificate")

    assert ("soon", "server.pem expires in 28 days") == (finding.state, finding.text)
    assert "fleet enrolment --beside-central" in finding.to_do
    assert "journalctl -u watchlink-fleet-lists" == finding.to_do.split("'")[1], "the first thing to look at"


def test_missing_connection_for_alerts_is_told(installed: BareMachine) -> None:
    installed.path(f"{places.CENTRAL}/alerts.pem").unlink()

    (finding,) = found(check(installed), "alerts' certificate")
    assert ("bad", "alerts have no connection of their own at central") == (finding.state, finding.text)


def test_directory_that_is_not_the_authoritys_is_told(installed: BareMachine) -> None:
    installed.path(places.DIRECTORY).write_text("{}")

    (finding,) = directory(installed, Parts())
    assert ("bad", "Install the newest pack again.") == (finding.state, finding.to_do)


def test_office_with_another_directory_than_central_is_told(installed: BareMachine, fleet: Fleet) -> None:
    shutil.copy(installed.path(places.DIRECTORY), installed.path(places.OFFICE_DIRECTORY))
    assert ["ok"] == [one.state for one in directory(installed, Parts(office=True))]
    fleet.add("Corner Shop", "High St", ["hart"])
    shutil.copy(fleet.layout.directory, installed.path(places.DIRECTORY))

    assert ["bad"] == [one.state for one in directory(installed, Parts(office=True))]


def test_office_without_the_delegates_changes_is_in_order(installed: BareMachine, fleet: Fleet) -> None:
    delegate_to(fleet.folder, DELEGATE.public.raw)
    for path in (places.DIRECTORY, places.OFFICE_DIRECTORY):
        shutil.copy(fleet.layout.directory, installed.path(path))
    installed.path(places.DIRECTORY).write_bytes(delegated(fleet))

    assert ["ok"] == [one.state for one in directory(installed, Parts(office=True))]


def test_end_of_the_newest_root_is_told_a_year_before(installed: BareMachine, fleet: Fleet) -> None:
    ends_at = fleet.now() + AUTHORITY_LIFE
    (quiet,) = root(installed, ends_at - timedelta(days=366))
    (finding,) = root(installed, ends_at - timedelta(days=365))
    new_root(fleet.folder, is_replacement=True)
    install(installed, read_pack(fleet.layout.town), lambda _: None, Order())

    assert ("ok", "soon") == (quiet.state, finding.state)
    assert "new-root --replace" in finding.to_do
    (after,) = root(installed, ends_at - timedelta(seconds=1))
    assert after.state == "soon"
    installed.path(f"{places.BROKER}/ca.pem").write_text("")
    assert ["bad"] == [one.state for one in root(installed, NOW)]


def test_backups_are_asked_for_and_their_age_is_told(installed: BareMachine) -> None:
    assert ["none are made"] == [one.text for one in found(check(installed), "backups")]
    with installed.path(places.CENTRAL_TOML).open("a") as toml:
        toml.write('[backup]\nrecipients = ["age1x"]\n')
    assert ["bad"] == [one.state for one in found(check(installed), "backups")]
    folder = installed.path(checking.BACKUPS)
    folder.mkdir(parents=True)
    (folder / "1.age").touch()

    now = datetime.now(UTC)
    ages = (timedelta(hours=30), timedelta(hours=40))
    assert ["ok", "bad"] == [backups(installed, now + age, checking.BACKUPS).state for age in ages]


def test_backups_of_the_office_are_asked_for_and_their_age_is_told(installed: BareMachine) -> None:
    """Those of its keys are made by hand, and say nothing of last night's."""
    about = "office's backups"
    toml = installed.path(places.OFFICE_TOML)
    toml.write_text("")
    assert ["none are made"] == [one.text for one in found(check(installed), about)]
    toml.write_text('[backup]\nrecipients = ["age1x"]\n')
    folder = installed.path(checking.OFFICE_BACKUPS)
    folder.mkdir(parents=True)
    (folder / "office-keys-0a0a0a0a-20261128T000000Z.age").touch()
    assert [f"there is none in {checking.OFFICE_BACKUPS}"] == [one.text for one in found(check(installed), about)]
    (folder / "office-0a0a0a0a-20261128T000000Z.age").touch()
    assert ["ok"] == [one.state for one in found(check(installed), about)]


@pytest.mark.parametrize(("age", "state"), [(timedelta(hours=2), "ok"), (timedelta(hours=5), "bad")])
def test_age_of_the_offices_list_is_told(machine: BareMachine, fleet: Fleet, age: timedelta, state: str) -> None:
    key = SigningKey(b"o" * 32)
    change_keys(fleet.folder, trust=key.public.raw)
    install(machine, read_pack(fleet.layout.town), lambda _: None, Order())
    kept = machine.path(f"{places.CENTRAL}/snapshots")
    kept.mkdir()
    assert ["central has none, so nobody can sign in"] == [one.text for one in snapshots(machine, NOW)]
    head = AuditHead(sequence=0, digest="0" * 64)
    people = People(number=9, made_at=NOW - age, audit=head, ticket_key=key.public.raw, people=())
    (kept / f"people-9-{key.public.raw.hex()}.json").write_bytes(
        seal_snapshot(people, Town(fleet.folder.authority_public()), key)
    )
    (kept / ".people-10.part").touch()

    (finding,) = snapshots(machine, NOW)
    assert state == finding.state, finding.text


def test_office_that_nobody_trusts_yet_is_told(installed: BareMachine) -> None:
    (finding,) = snapshots(installed, NOW)

    assert "Run 'watchlink fleet trust-office'" in finding.to_do


def test_page_that_does_not_answer_is_told() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert page_answers("page", {"web": {"port": port, "host": "0.0.0.0"}}, 1, "unit").state == "ok"

    finding = page_answers("page", {}, port, "unit")
    assert ("bad", f"no page answers at 127.0.0.1:{port}") == (finding.state, finding.text)


def test_broker_that_does_not_answer_is_told(installed: BareMachine) -> None:
    conf = installed.path(f"{places.BROKER}/mosquitto.conf")
    port = free_port()
    conf.write_text(conf.read_text().replace("listener 8883", f"listener {port}"))

    finding = broker_answers(installed)
    assert ("bad", f"no broker answers at 127.0.0.1:{port}") == (finding.state, finding.text)


def test_full_disk_is_told(installed: BareMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "FREE_BYTES_MIN", 2**60)

    assert ["bad"] == [one.state for one in found(check(installed), "disk")]


@pytest.mark.parametrize("arguments", [["install", "--from", "x"], ["check"]])
def test_only_root_may(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert cli.main(arguments) == 2
    assert "put 'sudo' before it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--from", "nothing"], "nothing cannot be read: No such file or directory."),
        (["--from", "nothing", "--without-central"], "leaves nothing to install: give --office NAME as well."),
    ],
)
def test_request_that_cannot_be_used_is_refused_in_words(
    arguments: list[str], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert cli.main(["install", *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_fleet_folder_on_this_machine_says_what_is_not_proven(installed: BareMachine) -> None:
    drop_in, town = installed.path(TOWN_DROP_IN), installed.path("/srv/town")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nEnvironment=TOWN=/srv/town\n")
    town.mkdir(parents=True)
    assert [] == found(check(installed), "proof")
    (town / UNPROVEN).write_text("{}")

    (finding,) = found(check(installed), "proof")
    assert "bad" == finding.state
    assert "renew-crl --dir /srv/town" in finding.to_do


def test_word_of_a_proof_that_failed_is_told_wherever_the_fleet_folder_is(installed: BareMachine) -> None:
    fleets = installed.path(f"{places.BROKER}/{PROOF}")
    services = installed.path(places.CHANGED).with_name(PROOF)
    services.parent.mkdir(parents=True)
    leave_word(fleets, datetime.now(UTC))
    (finding,) = found(check(installed), "proof")
    assert "renew-crl --dir TOWN' on the fleet's machine" in finding.to_do
    leave_word(fleets, None)
    assert [] == found(check(installed), "proof")
    leave_word(services, datetime.now(UTC))

    (finding,) = found(check(installed), "proof")
    assert ("bad", True) == (finding.state, "systemctl start watchlink-enrol-list" in finding.to_do)


def test_fault_is_told_in_words_and_on_one_line(installed: BareMachine) -> None:
    installed.path(f"{places.CENTRAL}/client.pem").unlink()
    installed.path(f"{places.CENTRAL}/client.pem").mkdir()
    installed.path(f"{places.BROKER}/crl.pem").unlink()
    installed.path(places.DIRECTORY).unlink()
    installed.told["systemctl is-active mosquitto"] = Answer(
        3, "inactive\nUnit mosquitto.service could not be found.\n"
    )
    lines = [finding.line for finding in check(installed)]

    assert [] == [line for line in lines if "Errno" in line or "\n" in line]
    assert any("does not run (inactive)" in line for line in lines)
