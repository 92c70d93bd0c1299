"""The units say nothing that systemd does not understand, and lock in what they start (F3)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from installation.fleet_install import BY_ROOT
from installation.places import BROKERS_PAIR
from office.nodes.app import CONNECTIONS_MAX as PORT_CONNECTIONS_MAX
from provisioning.broker import MEMORY_BYTES_MAX
from runtime.key_pair import KeyPair
from runtime.web_connections import CONNECTIONS_MAX, FILES_KEPT

REPOSITORY: Final = Path(__file__).parents[2]
UNITS: Final = REPOSITORY / "systemd"
SYSTEM: Final = Path("/usr/lib/systemd/system")
OFFICE: Final = ("watchlink-office.service", "watchlink-office-publish.service", "watchlink-office-papers.service")
NODES: Final = "watchlink-office-nodes.service"
NOTIFIER: Final = "watchlink-notifier.service"
NAMES: Final = (
    *("watchlink-node.service", "watchlink-central.service", "mosquitto.service", "watchlink-door.service"),
    *OFFICE,
    NODES,
    "watchlink-central-backup.service",
    *("watchlink-enrol.service", "watchlink-node-enrol.service"),
    "watchlink-node-renew.service",
    "watchlink-gallery.service",
    NOTIFIER,
    "watchlink-enrol-list.service",
    "watchlink-fleet-lists.service",
    "watchlink-office-backup.service",
    "watchlink-seed.service",
    "watchlink-appliance.service",
    "watchlink-tryboot.service",
    "watchlink-reach.service",
    "watchlink-trial-guard.service",
)
CARD: Final = "watchlink-card.service"
SOCKETS: Final = tuple(sorted(path.name for path in UNITS.glob("*.socket")))
TIMERS: Final = tuple(sorted(path.name for path in UNITS.glob("*.timer")))
PATHS: Final = tuple(sorted(path.name for path in UNITS.glob("*.path")))
SEED: Final = "/var/lib/watchlink-node/watchlink-seed.json"
EXPOSURE_MAX_TENTHS: Final = 15
MORE_EXPOSED: Final = {"watchlink-appliance.service": 16}
"""Root, because it writes to the card, restarts the machine and asks a service in the network for releases."""
CONNECTION_BYTES: Final = 40_000
"""Of the broker's for each connection with TLS, as measured with 400 of them on Debian 13's Mosquitto 2.0.21."""


def text_of(name: str) -> str:
    """What we say of the unit: whole, or of Debian's beside it."""
    path = UNITS / name
    return (path if path.exists() else UNITS / f"{name}.d/watchlink.conf").read_text()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with our units, the machine's own, and a stand-in for every program that ours name. To be read."""
    root = tmp_path_factory.mktemp("root")
    etc, usr = root / "etc/systemd/system", root / "usr/lib/systemd/system"
    etc.mkdir(parents=True)
    shutil.copytree(SYSTEM, usr, symlinks=True)
    for kind in ("service", "timer", "socket", "path"):
        for unit in UNITS.glob(f"*.{kind}"):
            shutil.copy(unit, etc)
    shutil.copytree(UNITS / "mosquitto.service.d", etc / "mosquitto.service.d")
    text = "\n".join(path.read_text() for path in [*etc.rglob("*.service"), *etc.rglob("*.conf"), usr / NAMES[2]])
    for program in re.findall(r"^Exec\w+=[-+!@:]*(/\S+)", text, re.MULTILINE):
        stand_in = root / program.lstrip("/")
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/usr/bin/true", stand_in)
    return root


@pytest.fixture
def own_root(root: Path, tmp_path: Path) -> Path:
    """A copy, to be changed."""
    return shutil.copytree(root, tmp_path / "root", symlinks=True)


def verify(root: Path, name: str) -> str:
    """What ``systemd-analyze verify`` has to say."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", f"--root={root}", name],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


def exposure(root: Path, name: str) -> tuple[int, str]:
    most = MORE_EXPOSED.get(name, EXPOSURE_MAX_TENTHS)
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", "--no-pager", f"--root={root}"]
    done = subprocess.run([*command, name], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", [*NAMES, CARD, *TIMERS, *SOCKETS, *PATHS])
def test_unit_is_understood_without_a_word(root: Path, name: str) -> None:
    said = verify(root, name)

    assert said == ""


@pytest.mark.parametrize("name", NAMES)
def test_unit_is_hardly_exposed(root: Path, name: str) -> None:
    status, table = exposure(root, name)

    assert status == 0, table


@pytest.mark.parametrize("name", ["watchlink-fleet-lists.service", "watchlink-enrol-list.service"])
def test_lists_that_are_not_renewed_or_not_proven_start_the_machines_alarm(name: str) -> None:
    assert "OnFailure=watchlink-alarm@%n.service" in text_of(name).partition("[Service]")[0].splitlines()


def test_fleets_unit_on_centrals_machine_is_as_exposed_as_documented(own_root: Path) -> None:
    """It runs 'central install' there, as root."""
    drop_in = own_root / "etc/systemd/system/watchlink-fleet-lists.service.d/town.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(f"[Service]\n{BY_ROOT}")
    _, table = exposure(own_root, "watchlink-fleet-lists.service")

    assert "" == verify(own_root, "watchlink-fleet-lists.service")
    (said,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", table)
    assert f"says {said} of it" in " ".join((REPOSITORY / "docs/broker-machine.md").read_text().split())


def test_broker_that_starts_after_a_power_cut_finds_whole_certificates(tmp_path: Path) -> None:
    """Key and certificate are two files, and with halves of two pairs Mosquitto ends. Mostly there is nothing to do."""
    before, after = (text_of("mosquitto.service").splitlines().index(f"ExecStart{end}") for end in ("Pre=", "="))
    (command,) = text_of("mosquitto.service").splitlines()[before + 2 : after]
    arriving = KeyPair(Path(f"{BROKERS_PAIR}.pem"), Path(f"{BROKERS_PAIR}.key")).arriving
    assert f" {arriving} " in command
    said = []
    for folder in (tmp_path / "none", tmp_path / "one"):
        folder.mkdir()
        if folder.name == "one":
            (folder / arriving.name).touch()
        script = re.findall(r'^ExecStartPre=-\+/bin/sh -c "(.+)"$', command)[0]
        script = script.replace(str(arriving), str(folder / arriving.name)).replace("exec ", "exec echo ")
        said.append(subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout)

    assert ["", "/opt/watchlink/bin/watchlink central install --settle\n"] == said


def test_verification_notices_a_misspelt_key(own_root: Path) -> None:
    """Otherwise the first test could not fail."""
    unit = own_root / "etc/systemd/system/watchlink-node.service"
    unit.write_text(unit.read_text().replace("NoNewPrivileges=", "NoNewPriviledges="))

    assert "NoNewPriviledges" in verify(own_root, unit.name)


def test_verification_notices_a_program_that_is_not_there(own_root: Path) -> None:
    (own_root / "opt/watchlink/bin/watchlink").unlink()

    assert "/opt/watchlink/bin/watchlink" in verify(own_root, "watchlink-node.service")


def test_exposure_notices_a_unit_without_its_locks(own_root: Path) -> None:
    unit = own_root / "etc/systemd/system/watchlink-node.service"
    unit.write_text(re.sub(r"(?m)^(Protect|Private|Restrict|SystemCall|Capability)\w*=.*\n", "", unit.read_text()))

    status, _ = exposure(own_root, unit.name)

    assert status != 0


@pytest.mark.parametrize("name", ["watchlink-node.service", "watchlink-central.service"])
def test_unit_is_notified_watched_and_restarted_for_ever(name: str) -> None:
    lines = (UNITS / name).read_text().splitlines()

    for line in ("Type=notify", "NotifyAccess=main", "Restart=always", "StartLimitIntervalSec=0", "WatchdogSec=20s"):
        assert line in lines


def test_node_is_back_at_once_however_often_it_was_started_anew() -> None:
    """Settings from the fleet start it anew on purpose; systemd forgets no restart while the machine runs."""
    lines = (UNITS / "watchlink-node.service").read_text().splitlines()

    assert ["RestartSec=500ms"] == [line for line in lines if line.startswith("Restart") and line != "Restart=always"]


@pytest.mark.parametrize("name", [name for name in NAMES if "Restart=always" in text_of(name) and name != NAMES[0]])
def test_service_is_back_in_seconds_after_any_number_of_crashes(name: str) -> None:
    """And does not eat the machine: one that cannot start takes a second or two of the processor to find out."""
    pauses = [pause_s(name, number) for number in (1, 2, 10, 10_000)]

    assert [0.5, True] == [pauses[0], pauses[1] < 1]
    assert [3.0, 3.0] == pauses[2:]


def pause_s(name: str, number: int) -> float:
    """Before the ``number``-th restart, as systemd 257 counts (``service_restart_usec_next``)."""
    (first,), (steps,), (longest,) = (lines_of(name, f"Restart{key}") for key in ("Sec", "Steps", "MaxDelaySec"))
    first_s, longest_s = int(first.removesuffix("ms")) / 1_000, float(longest.removesuffix("s"))
    if number <= 1:
        return first_s
    if number > int(steps):
        return longest_s
    return float(first_s * (longest_s / first_s) ** ((number - 1) / int(steps)))


@pytest.mark.finding(16)
def test_central_may_open_more_files_than_its_page_takes_connections() -> None:
    """The rest is for alerts, the broker and the disk."""
    limits = [
        int(line.rpartition("=")[2])
        for line in (UNITS / "watchlink-central.service").read_text().splitlines()
        if line.startswith("LimitNOFILE=")
    ]

    assert [True] == [limit > CONNECTIONS_MAX + FILES_KEPT for limit in limits]


def test_node_waits_neither_for_the_network_nor_for_the_time() -> None:
    """A button that works only once the clock is right is no panic button."""
    orders = [
        line
        for line in (UNITS / "watchlink-node.service").read_text().splitlines()
        if re.match(r"(After|Wants|Requires)=", line)
    ]

    assert orders
    assert not [line for line in orders if "network" in line or "time-" in line]


def test_node_can_see_which_pi_it_is_on() -> None:
    """No pin opens before gpiozero has read the board's revision in /proc (F6): without it no button works."""
    lines = (UNITS / "watchlink-node.service").read_text().splitlines()

    assert "ProcSubset=pid" not in lines


@pytest.mark.parametrize("name", [name for name in NAMES if name != "watchlink-door.service"])
def test_unit_that_others_can_fill_never_takes_the_memory_of_the_rest(name: str) -> None:
    """All but the door, which sets the firewall's rules and ends."""
    limits = lines_of(name, "MemoryMax")

    assert [True] == [64 <= int(limit.removesuffix("M")) <= 1_280 for limit in limits]


def test_broker_has_room_for_what_may_wait_and_for_thousands_of_connections() -> None:
    (limit,) = lines_of("mosquitto.service", "MemoryMax")
    connections = int(limit.removesuffix("M")) * 2**20 - MEMORY_BYTES_MAX

    assert connections > 10_000 * CONNECTION_BYTES


def test_nodes_reach_what_they_ask_from_anywhere() -> None:
    """A shop has its provider's address. Who has no certificate of a node, or no claim, is turned away all the same."""
    for text in map(text_of, ("watchlink-office-nodes.service", "mosquitto.service", "watchlink-enrol.service")):
        assert ["any"] == re.findall(r"(?m)^IPAddressAllow=(.*)$", text)


@pytest.mark.parametrize("name", [name for name in TIMERS if "OnCalendar" in (UNITS / name).read_text()])
def test_timer_makes_up_for_a_night_without_power(name: str) -> None:
    assert "Persistent=true" in (UNITS / name).read_text().splitlines()


@pytest.mark.parametrize("name", ["watchlink-central-backup.service", "watchlink-office-backup.service"])
def test_backup_makes_way_for_alerts(name: str) -> None:
    assert ["idle"] == lines_of(name, "CPUWeight") == lines_of(name, "IOSchedulingClass")
    assert int(*lines_of(name, "OOMScoreAdjust")) > 0


def test_gallery_gives_the_processor_up_as_soon_as_the_node_wants_it() -> None:
    """``make bench-gallery`` measures what a press waits for it."""
    assert ["idle"] == lines_of("watchlink-gallery.service", "CPUWeight")


def test_centrals_backup_has_no_network_and_the_offices_no_keys_of_the_pages() -> None:
    """The nightly program must not be able to put the key of faces beside them."""
    assert ["yes"] == lines_of("watchlink-central-backup.service", "PrivateNetwork")
    assert ["/var/lib/watchlink-office/keys"] == lines_of("watchlink-office-backup.service", "InaccessiblePaths")
    assert ["watchlink-office-publish"] == lines_of("watchlink-office-backup.service", "User")


def lines_of(name: str, key: str) -> list[str]:
    """The words of each line with this key."""
    return [
        word
        for line in text_of(name).splitlines()
        if line.startswith(f"{key}=")
        for word in line.partition("=")[2].split()
    ]


@pytest.mark.parametrize("name", [*OFFICE, NODES, NOTIFIER])
def test_office_and_notifier_are_notified_watched_restarted_and_makes_way_for_alerts(name: str) -> None:
    lines = (UNITS / name).read_text().splitlines()

    for line in ("Type=notify", "NotifyAccess=main", "Restart=always", "StartLimitIntervalSec=0"):
        assert line in lines
    for key in ("WatchdogSec", "MemoryMax"):
        assert lines_of(name, key)
    assert int(*lines_of(name, "OOMScoreAdjust")) > 0
    (weight,) = lines_of(name, "CPUWeight")
    assert weight == "idle" or int(weight) < 100


def test_only_the_publisher_reaches_the_snapshot_key_and_only_the_pages_theirs() -> None:
    state = "/var/lib/watchlink-office"
    pages, publisher, _ = OFFICE

    assert ["watchlink-office", "watchlink-office-publish"] == [*lines_of(pages, "User"), *lines_of(publisher, "User")]
    assert [f"-{state}/publisher"] == lines_of(pages, "InaccessiblePaths")
    hidden = [f"-{state}/keys/{name}.key" for name in ("pages", "ticket", "photographs")]
    assert hidden == lines_of(publisher, "InaccessiblePaths")
    assert [f"{state}/data"] == lines_of(pages, "ReadWritePaths")
    tmpfiles = (UNITS / "tmpfiles.d/watchlink-office.conf").read_text().splitlines()
    assert f"d {state}/publisher 0700 watchlink-office-publish watchlink-office-publish" in tmpfiles


def test_machine_port_has_no_way_to_people_and_writes_one_folder() -> None:
    """Nodes reach it. Who breaks it has what shops are shown, and neither the register nor the power to publish."""
    state = "/var/lib/watchlink-office"

    assert ["watchlink-office-nodes"] == lines_of(NODES, "User")
    assert [f"{state}/nodes/state"] == lines_of(NODES, "ReadWritePaths")
    hidden = {f"-{state}/{name}" for name in ("data", "keys", "publisher", "office.toml")}
    assert hidden <= {*lines_of(NODES, "InaccessiblePaths")}
    given = {one.partition(":")[0] for one in lines_of(NODES, "LoadCredential")}
    assert {"gallery.key", "photographs.key", "server.pem", "server.key"} == given
    assert [f"{state}/nodes/nodes.toml"] == lines_of(NODES, "ConditionPathExists")
    (files,) = map(int, lines_of(NODES, "LimitNOFILE"))
    assert files >= PORT_CONNECTIONS_MAX + FILES_KEPT


def test_papers_are_made_without_network_files_or_rights() -> None:
    name = OFFICE[2]
    lines = (UNITS / name).read_text().splitlines()

    assert ["AF_UNIX"] == lines_of(name, "RestrictAddressFamilies")
    assert "PrivateNetwork=yes" in lines
    assert [] == lines_of(name, "ReadWritePaths")
    assert "-/var/lib/watchlink-office" in lines_of(name, "InaccessiblePaths")
    assert ["idle"] == lines_of(name, "CPUWeight")
    assert int(*lines_of(name, "StartupCPUWeight")) < int(*lines_of(OFFICE[0], "CPUWeight"))
    assert int(*lines_of(name, "OOMScoreAdjust")) > int(*lines_of(OFFICE[0], "OOMScoreAdjust"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders to others")
def test_folders_of_the_office_are_made_for_users_that_exist(tmp_path: Path) -> None:
    """By the machine's own programs: owners and modes of an empty root."""
    for kind in ("sysusers", "tmpfiles"):
        folder = tmp_path / f"etc/{kind}.d"
        folder.mkdir(parents=True)
        shutil.copy(UNITS / f"{kind}.d/watchlink-office.conf", folder)
    (tmp_path / "var/lib").mkdir(parents=True)
    for command in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        done = subprocess.run(
            [*command, f"--root={tmp_path}", "watchlink-office.conf"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (0, "") == (done.returncode, "\n".join(re.findall(r".*(?:Unknown|Failed|invalid).*", done.stderr)))
    groups = dict(line.split(":")[::3] for line in (tmp_path / "etc/group").read_text().splitlines())

    assert "watchlink-office-publish" in groups["watchlink-office"].split(",")
    assert {"watchlink-office", "watchlink-office-publish", "watchlink-office-nodes"} == set(
        groups["watchlink-snapshots"].split(",")
    )
    assert "watchlink-office-nodes" not in groups["watchlink-office"].split(",")
    assert "watchlink-office" == groups["watchlink-office-papers"]
    assert not [group for group, people in groups.items() if "watchlink-office-papers" in people.split(",")]
    assert {"data": 0o2770, "keys": 0o750, "nodes": 0o755, "publisher": 0o700, "snapshots": 0o2750} == {
        path.name: path.stat().st_mode & 0o7777 for path in (tmp_path / "var/lib/watchlink-office").iterdir()
    }


def test_new_unit_becomes_a_node_before_the_node_starts_however_long_that_takes() -> None:
    name = "watchlink-node-enrol.service"

    assert ["watchlink-node.service"] == lines_of(name, "Before")
    assert ["infinity"] == lines_of(name, "TimeoutStartSec")
    assert [f"|{SEED}", "|!/var/lib/watchlink-node/node.toml", "|watchlink.watchlink-seed.json"] == [
        *lines_of(name, "ConditionPathExists"),
        *lines_of(name, "ConditionCredential"),
    ]
    assert lines_of(name, "ExecStart")[-1] == SEED


def test_enrolment_makes_way_for_alerts_and_writes_two_folders_only() -> None:
    name = "watchlink-enrol.service"
    folder = "/var/lib/watchlink-enrol/enrolment"

    assert [f"{folder}/state", f"{folder}/changed"] == lines_of(name, "ReadWritePaths")
    assert int(*lines_of(name, "OOMScoreAdjust")) > 0
    assert int(*lines_of(name, "CPUWeight")) < 100


def test_card_is_mounted_before_all_that_lies_on_it_and_a_card_that_hangs_stops_nothing() -> None:
    """Only a wish of local-fs.target: a broken card must not lead to systemd's emergency shell, which nobody sees."""
    text = text_of(CARD)

    assert {"local-fs.target", "systemd-tmpfiles-setup.service"} <= set(lines_of(CARD, "Before"))
    assert "WantedBy=local-fs.target" in text.splitlines()
    assert ["2min"] == lines_of(CARD, "TimeoutStartSec")
    # Each start of a program asks for local-fs.target anew, and so for a step that has failed. One that started the
    # guard of trials by its failure went round for ever, and nothing else began: it asks for it once, and succeeds.
    assert [] == lines_of(CARD, "OnFailure")


def test_appliance_is_told_what_it_cannot_see_in_proc() -> None:
    """Which system the kernel was started for, and which boot this is: without them a trial could not be judged."""
    name = "watchlink-appliance.service"

    assert ["pid"] == lines_of(name, "ProcSubset")
    assert ["cmdline:/proc/cmdline"] == lines_of(name, "LoadCredential")
    assert "BOOT_ID=%b" in lines_of(name, "Environment")


def test_seed_is_taken_before_the_unit_claims_and_not_where_it_would_be_forgotten() -> None:
    name = "watchlink-seed.service"

    assert ["watchlink-node-enrol.service", "watchlink-node.service"] == lines_of(name, "Before")
    assert "watchlink-card.service" in lines_of(name, "After")
    assert ["/data"] == lines_of(name, "ConditionPathIsReadWrite")
    assert ["/data", "/var/lib/watchlink-node"] == lines_of(name, "ConditionPathIsMountPoint")
    # On a busy machine it takes more than a minute, and until it is taken the unit asks for a seed.
    assert ["3min", "on-failure"] == [*lines_of(name, "TimeoutStartSec"), *lines_of(name, "Restart")]


def test_gallery_is_nobody_of_the_nodes() -> None:
    """Its photographs come from elsewhere: whoever breaks it by one has neither the node's store nor its keys."""
    lines = text_of("watchlink-gallery.service").splitlines()
    groups = [line for line in lines if line.startswith("SupplementaryGroups=")]
    handed = {Path(line.partition(":")[2]).name for line in lines if line.startswith("LoadCredential=")}

    assert "InaccessiblePaths=-/var/lib/watchlink-node -/run/watchlink-node" in lines
    assert ["User=watchlink-gallery", []] == [next(line for line in lines if line.startswith("User=")), groups]
    assert {"gallery.toml", "ca.pem", "gallery.pem", "gallery.key", "sealing.key", "authority.pub"} == handed
