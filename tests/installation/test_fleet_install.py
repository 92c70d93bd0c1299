"""The machine of the fleet folder: changes go to central by themselves, and lists are renewed every day."""

from __future__ import annotations

import pwd
import re
import subprocess
from pathlib import Path

import pytest

from installation import fleet_cli, places
from installation.drop_in import path_of
from installation.errors import InstallError, PackError
from installation.fleet_install import LISTS, SSH, TOWN_DROP_IN, apply_script, fetch_script, install_fleet
from provisioning.cli import main
from provisioning.fleet import Fleet
from tests.installation.conftest import BareMachine

TOWN = Path("/srv/town")
CENTRAL = "root@192.0.2.10"


@pytest.fixture
def fleet(request: pytest.FixtureRequest, machine: BareMachine) -> Fleet:
    """In its place on this machine, with a broker elsewhere if no other place is given."""
    machine.path("/srv").mkdir()
    return Fleet.init(
        machine.path(str(TOWN)),
        schemes={"hart": "HART"},
        host=getattr(request, "param", "192.0.2.10"),
        broker_folder="/etc/watchlink/broker",
        broker_user="mosquitto",
    )


def installed(machine: BareMachine, to: str = "") -> list[str]:
    """What it says."""
    said: list[str] = []
    install_fleet(machine, TOWN, to, said.append)
    return said


def lines(machine: BareMachine) -> list[str]:
    """Of the unit's drop-in."""
    return machine.path(TOWN_DROP_IN).read_text().splitlines()


def test_changes_go_to_central_by_ssh_and_lists_are_renewed_every_day(machine: BareMachine, fleet: Fleet) -> None:
    said = installed(machine, CENTRAL)

    assert f"Everything is in place: each change of {TOWN} goes to 192.0.2.10, and" in said[-1]
    script = fleet.layout.apply.read_text()
    assert 0o700 == fleet.layout.apply.stat().st_mode & 0o777
    assert f"{SSH} {CENTRAL} 'watchlink central install --from -' " in script
    assert [f"Environment=TOWN={TOWN}", f"ReadWritePaths={TOWN}"] == [
        one for one in lines(machine)[2:] if "User" not in one
    ]
    assert "IPAddressAllow=192.0.2.10/32" in machine.path(path_of(LISTS)).read_text()
    machine.refused = {f"systemctl is-active {LISTS}.timer"}
    assert f"started {LISTS}.timer" in installed(machine)


@pytest.mark.parametrize(("owner", "users"), [("root", []), ("engineer", ["User=engineer"])])
def test_lists_are_renewed_by_the_folders_owner(
    machine: BareMachine, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, owner: str, users: list[str]
) -> None:
    named = pwd.struct_passwd((owner, "x", 0, 0, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: named)
    installed(machine, CENTRAL)

    assert users == [line for line in lines(machine) if line.startswith("User=")]


def test_second_run_does_nothing_and_knows_where_central_is(machine: BareMachine, fleet: Fleet) -> None:
    installed(machine, CENTRAL)
    script = fleet.layout.apply.read_text()
    machine.acts()

    (said,) = installed(machine)
    assert said.startswith(f"Nothing to do: everything is in place: each change of {TOWN} goes to 192.0.2.10")
    assert [] == machine.acts()
    assert script == fleet.layout.apply.read_text()


def test_script_of_an_earlier_version_is_brought_up_to_date_and_an_engineers_own_stays(
    machine: BareMachine, fleet: Fleet
) -> None:
    earlier = (
        f"#!/bin/sh\n# Made by 'watchlink fleet install': brings a change.\n# To: {CENTRAL}\nscp town.tar {CENTRAL}:\n"
    )
    fleet.layout.apply.write_text(earlier)
    installed(machine)
    assert apply_script(CENTRAL) == fleet.layout.apply.read_text()

    fleet.layout.apply.write_text("#!/bin/sh\nexec /usr/local/bin/our-way\n")
    installed(machine)
    assert "our-way" in fleet.layout.apply.read_text()

    fleet.layout.apply.write_text(earlier.replace(CENTRAL, "-oProxyCommand=x"))
    with pytest.raises(PackError, match="is no machine for ssh"):
        installed(machine)


def test_central_of_the_same_machine_is_told_by_root(machine: BareMachine, fleet: Fleet) -> None:
    installed(machine)

    assert "\nflock 9\n" in fleet.layout.apply.read_text()
    assert f'exec {places.PROGRAM} central install --from "$(dirname "$0")"' in fleet.layout.apply.read_text()
    assert "PrivateUsers=no" in lines(machine)
    assert not [line for line in lines(machine) if line.startswith("User=")], (
        "root that is named may become nobody else"
    )


@pytest.mark.parametrize(("to", "there"), [("", "cat"), (CENTRAL, f"ssh .* {CENTRAL} cat")])
def test_who_has_claimed_what_is_fetched_from_where_changes_go(
    machine: BareMachine, fleet: Fleet, to: str, there: str
) -> None:
    """Also by a later run, which does not say where that is."""
    installed(machine, to)
    fleet.layout.fetch.unlink()
    installed(machine)

    assert 0o700 == fleet.layout.fetch.stat().st_mode & 0o777
    assert re.search(f"\nexec {there} {places.CHANGED}\n$", fleet.layout.fetch.read_text())


def test_central_that_moves_is_told_where_it_is(machine: BareMachine, fleet: Fleet) -> None:
    installed(machine)
    installed(machine, CENTRAL)

    assert "192.0.2.10" in fleet.layout.apply.read_text()
    assert "PrivateUsers=no" not in lines(machine)


@pytest.mark.parametrize("to", ["-oProxyCommand=x", "root@", "a b", "root@host;reboot", "root@-x", "$(x)"])
def test_nothing_but_a_machine_gets_into_the_script(machine: BareMachine, fleet: Fleet, to: str) -> None:
    with pytest.raises(PackError, match="is no machine for ssh"):
        installed(machine, to)
    assert not fleet.layout.apply.exists()


def test_folder_that_a_unit_cannot_name_is_refused(machine: BareMachine) -> None:
    machine.path("/srv/our town").mkdir(parents=True)
    machine.path("/srv/our town/fleet.json").touch()

    with pytest.raises(PackError, match="a unit cannot name"):
        install_fleet(machine, Path("/srv/our town"), "", lambda _: None)
    with pytest.raises(PackError, match="holds no fleet"):
        install_fleet(machine, Path("/srv/nothing"), "", lambda _: None)


def test_ssh_that_is_missing_is_named_before_anything_is_changed(machine: BareMachine, fleet: Fleet) -> None:
    machine.refused = {"dpkg-query --show --showformat=${db:Status-Status} openssh-client"}

    with pytest.raises(InstallError, match="apt install openssh-client"):
        installed(machine, CENTRAL)
    assert not machine.path("/etc/systemd").exists()


@pytest.mark.parametrize("to", ["", CENTRAL])
def test_script_is_understood_by_the_shell(tmp_path: Path, to: str) -> None:
    (tmp_path / "apply").write_text(apply_script(to))
    (tmp_path / "fetch").write_text(fetch_script(to))

    subprocess.run(["sh", "-n", str(tmp_path / "apply")], check=True)
    subprocess.run(["sh", "-n", str(tmp_path / "fetch")], check=True)


def brought(tmp_path: Path, ssh: str) -> tuple[int, list[str]]:
    """How the script ends, and what its programs note, with stand-ins for them."""
    town, far, programs = (tmp_path / name for name in ("town", "far", "programs"))
    for folder in (town, far, programs):
        folder.mkdir()
    noted = tmp_path / "noted"
    is_alone = f"flock --nonblock {town}/apply true && echo NOT ALONE >>{noted}"
    stand_ins = {
        programs / "watchlink": f'{is_alone}; echo "$@" >>{noted}; for to; do :; done; printf keys >"$to"',
        programs / "ssh": f"{is_alone}; ls -A {town} >>{noted}; {ssh}",
        far / "watchlink": f'echo "there: $@" >>{noted}; cat >>{noted}; echo >>{noted}',
    }
    stand_ins[town / "apply"] = apply_script(CENTRAL).replace(places.PROGRAM, str(programs / "watchlink"))
    for path, script in stand_ins.items():
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
    status = subprocess.run(
        [town / "apply"], env={"PATH": f"{programs}:/usr/bin:/bin", "FAR": str(far)}, check=False
    ).returncode
    assert ["apply"] == [path.name for path in town.iterdir()], "a file with keys is left"
    assert ["watchlink"] == [path.name for path in far.iterdir()], "a file with keys is left"
    return status, noted.read_text().splitlines()


def test_pack_is_made_and_brought_by_one_at_a_time_and_lies_in_no_file_on_the_way(tmp_path: Path) -> None:
    ssh = 'for command; do :; done; cd "$FAR"; PATH="$FAR:$PATH" sh -c "$command"'
    status, (packed, *seen) = brought(tmp_path, ssh)

    assert 0 == status
    assert packed.startswith("fleet pack --dir . --to ./.apply.")
    assert ["apply", "there: central install --from -", "keys"] == seen


@pytest.mark.parametrize(("ends", "status"), [("exit 255", 255), ("exit 2", 2), ("kill $PPID", 1)])
def test_link_that_breaks_leaves_no_keys_and_is_told(tmp_path: Path, ends: str, status: int) -> None:
    ended, noted = brought(tmp_path, ends)

    assert status == ended
    assert ["apply"] == noted[1:]


@pytest.mark.parametrize("fleet", ["127.0.0.1"], indirect=True)  # Where nobody answers, each proof waits for seconds.
def test_every_command_that_changes_something_brings_it_to_central(
    fleet: Fleet, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Untold how, and before another changes it again. No broker answers: nothing is proven."""
    is_locked = f"flock --nonblock {fleet.layout.town} true && echo others change it"
    fleet.layout.apply.write_text(f"#!/bin/sh\n{is_locked}\necho brought >>{tmp_path}/brought\n")
    fleet.layout.apply.chmod(0o700)
    town = ["--dir", str(fleet.layout.town)]
    (tmp_path / "broker.pid").write_text("0")

    assert 0 == main(["add", *town, "--premises", "Shop", "--place", "High St", "--scheme", "hart"])
    keyed = fleet.add("Pub", "High St", ["hart"]).node
    assert 0 == main(["configure", *town, keyed, "--licence", "LG 1", "--yes"])
    assert 1 == main(["renew-crl", *town, "--deadline", "0"])
    assert 1 == main(["renew-crl", *town, "--deadline", "0", "--broker-pid-file", str(tmp_path / "broker.pid")])
    assert "brought\n" * 4 == (tmp_path / "brought").read_text(), "what was not proven is brought once more"
    told = capfd.readouterr()
    assert "NOT PROVEN" in told.err
    assert "others change it" not in told.out


def test_only_root_may_and_the_rest_is_told_in_words(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert 2 == fleet_cli.main(["install", "--dir", str(tmp_path)])
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert 2 == fleet_cli.main(["install", "--dir", str(tmp_path)])
    assert "holds no fleet" in capsys.readouterr().err
