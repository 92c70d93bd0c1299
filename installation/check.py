"""``watchlink central check``: looks at everything that ``install`` puts in place, and changes nothing."""

from __future__ import annotations

import contextlib
import grp
import pwd
import re
import shutil
import stat
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from installation import places
from installation.drop_in import judge_drop_in
from installation.enrolling import enrolment
from installation.errors import InstallError
from installation.expiring import backups, certificates, directory, revocation_list, root, snapshots
from installation.files import BESIDE, digest, load_record, read
from installation.findings import Finding, bad, good, in_order, look_at, why
from installation.fleet_install import TOWN_DROP_IN
from installation.install import parts_of
from installation.machine import Machine
from installation.machine_port import machine_port
from installation.places import Parts
from installation.ports import broker_answers, page_answers
from installation.releases import release_findings
from runtime.proof_file import read_proof
from wire.fleet_files import PROOF, UNPROVEN

FREE_BYTES_MIN: Final = 256 * 1024 * 1024
AGAIN: Final = "Run 'watchlink central install' again."

BACKUPS: Final = "/var/backups/watchlink-central"
OFFICE_BACKUPS: Final = "/var/backups/watchlink-office"
"""Where central.toml and office.toml name no other folder."""

BROKER_USER: Final = "mosquitto"
CENTRAL_USER: Final = "watchlink-central"
PAGES: Final = "watchlink-office"
PUBLISHER: Final = "watchlink-office-publish"
PORT: Final = "watchlink-office-nodes"

_OWN: Final = 0o600
_OWN_FOLDER: Final = 0o700
_SHARED_FOLDER: Final = 0o2770
OWNERS: Final = (
    (f"{places.BROKER}", BROKER_USER, 0o710),
    (f"{places.BROKER}/acl", BROKER_USER, _OWN),
    (f"{places.BROKER}/*.key", BROKER_USER, _OWN),
    (f"{places.BROKER}/*", BROKER_USER, 0o755),
    (places.CENTRAL_STATE, CENTRAL_USER, _OWN_FOLDER),
    (f"{places.CENTRAL}/*.key", CENTRAL_USER, _OWN),
    (f"{places.CENTRAL}/*", CENTRAL_USER, 0o755),
    (f"{places.CENTRAL}/state/*", CENTRAL_USER, 0o755),
)
"""Pattern, owner, and the most that its mode may allow."""
OFFICE_OWNERS: Final = (
    (places.OFFICE_TOML, "root", 0o640),
    (f"{places.OFFICE}/data", PAGES, _SHARED_FOLDER),
    (f"{places.OFFICE}/keys/*.key", PAGES, _OWN),
    (f"{places.OFFICE}/publisher", PUBLISHER, _OWN_FOLDER),
    (f"{places.OFFICE}/publisher/*.key", PUBLISHER, _OWN),
    (f"{places.OFFICE}/snapshots", PUBLISHER, 0o2750),
    (f"{places.OFFICE}/nodes/state", PORT, 0o2750),
)
ENROLMENT_USER: Final = "watchlink-enrol"
ENROLMENT_OWNERS: Final = (
    (f"{places.ENROLMENT_OWN}/*.key", ENROLMENT_USER, _OWN),
    (f"{places.ENROLMENT_OWN}/state", ENROLMENT_USER, _OWN_FOLDER),
    (f"{places.ENROLMENT_OWN}/changed", ENROLMENT_USER, 0o2750),
    (f"{places.ENROLMENT_OWN}/*", ENROLMENT_USER, 0o755),
)
NOTIFIER_USER: Final = "watchlink-notifier"
USERS: Final = (BROKER_USER, CENTRAL_USER)
OFFICE_USERS: Final = (PAGES, PUBLISHER, "watchlink-office-papers", PORT)


def check(machine: Machine, now: datetime | None = None) -> list[Finding]:
    """Everything, in the order in which a fault is best looked for."""
    parts = parts_of(machine, load_record(machine))
    at = now or datetime.now(UTC)
    looks: tuple[Callable[[], list[Finding]], ...] = (
        lambda: _packages(machine, parts),
        lambda: _programs(machine),
        lambda: in_order("users", "all are there", _users(parts)),
        lambda: in_order("installed files", "all are in place", _files(machine, parts)),
        lambda: in_order("owners and modes", "as they should be", _owners(machine, parts)),
        lambda: _units(machine, parts),
        lambda: _addresses(machine, parts),
        *((lambda: _door(machine), lambda: [broker_answers(machine)]) if parts.central else ()),
        lambda: _pages(machine, parts),
        lambda: certificates(machine, at, parts, _page_certificates(machine, parts)),
        lambda: machine_port(machine, parts, at),
        *((lambda: root(machine, at), lambda: [revocation_list(machine, at)]) if parts.central else ()),
        lambda: _proof(machine),
        lambda: directory(machine, parts),
        lambda: _enrolment(machine, at, parts),
        lambda: _snapshots(machine, at, parts),
        lambda: _backups(machine, at, parts),
        lambda: [_disk(machine)],
    )
    found: list[Finding] = []
    for look in looks:
        try:
            found += look()
        except InstallError as e:
            found.append(bad("files", str(e).rstrip("."), AGAIN))
        except OSError as e:
            found.append(bad("files", f"{e.filename}: {e.strerror}", AGAIN))
    return found


def _packages(machine: Machine, parts: Parts) -> list[Finding]:
    wanted = places.packages(parts)
    missing = machine.missing_packages(wanted)
    if missing:
        return [bad("packages", f"{', '.join(missing)} not installed", f"Run 'apt install {' '.join(missing)}'.")]
    return [good("packages", f"{', '.join(wanted)} installed")]


def _programs(machine: Machine) -> list[Finding]:
    program = machine.path(places.PROGRAM)
    if not program.exists():
        return [bad("programs", f"{places.PROGRAM} is missing", "Install the programs into /opt/watchlink.")]
    found = program.stat()
    if found.st_uid != 0 or found.st_mode & 0o022:
        return [
            bad(
                "programs",
                f"others than root may change {places.PROGRAM}",
                "Run 'chown -R root:root /opt/watchlink && chmod -R go-w /opt/watchlink', and find out who changed it.",
            )
        ]
    return [good("programs", f"{places.PROGRAM} is root's")]


def _users(parts: Parts) -> Iterator[Finding]:
    others = (*((ENROLMENT_USER,) if places.enrols(parts) else ()), *((NOTIFIER_USER,) if parts.notifier else ()))
    for name in (*(USERS if parts.central else ()), *(OFFICE_USERS if parts.office else ()), *others):
        try:
            pwd.getpwnam(name)
        except KeyError:
            yield bad("users", f"there is no user {name}", AGAIN)
    if parts.central and parts.office and CENTRAL_USER not in _members("watchlink-snapshots"):
        yield bad("users", f"{CENTRAL_USER} is not in the group watchlink-snapshots", AGAIN)


def _members(group: str) -> list[str]:
    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return []


def _files(machine: Machine, parts: Parts) -> Iterator[Finding]:
    put = load_record(machine).files
    for path, name in places.shipped_files(parts).items():
        try:
            found = machine.read(path)
        except FileNotFoundError:
            yield bad("installed files", f"{path} is missing", AGAIN)
            continue
        if machine.path(path + BESIDE).exists():
            yield bad(
                "installed files",
                f"{path}{BESIDE} is newer than {path}, which was changed here",
                "Take over what you need, then delete it.",
            )
        if found == places.shipped(name):
            continue
        if put.get(path) == digest(found):
            yield bad("installed files", f"{path} is another version's", AGAIN)
        else:
            yield Finding("ok", "installed files", f"{path} was changed here, and stays so")


def _owners(machine: Machine, parts: Parts) -> Iterator[Finding]:
    seen: set[Path] = set()
    of_enrolment = ENROLMENT_OWNERS if places.enrols(parts) else ()
    wanted = (*(OWNERS if parts.central else ()), *(OFFICE_OWNERS if parts.office else ()), *of_enrolment)
    for pattern, owner, mode in wanted:
        # The first pattern counts.
        for path in sorted(set(machine.root.glob(pattern.lstrip("/"))) - seen):
            seen.add(path)
            problem = judge_owner(path, owner, mode)
            if problem and parts.enrolment and path == machine.path(places.LISTS):
                # Written by the enrolment service's user when it renews its list, and by root with a pack.
                problem = judge_owner(path, ENROLMENT_USER, mode)
            if problem:
                yield problem


def judge_owner(path: Path, owner: str, most: int) -> Finding | None:
    """Whether a file is its owner's, and its mode allows no more than ``most``."""
    found = path.stat()
    try:
        name = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        name = str(found.st_uid)
    if name != owner:
        # Without a colon: the group of some folders is how another program reads there.
        return bad("owners and modes", f"{path} belongs to {name}, not {owner}", f"Run 'chown {owner} {path}'.")
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~most & 0o777:
        right = mode & (most | ~0o777)
        who = "others may read or change" if mode & ~most & 0o007 else "its group may read or change"
        return bad("owners and modes", f"{who} {path} (mode {mode:o})", f"Run 'chmod {right:o} {path}'.")
    return None


def _units(machine: Machine, parts: Parts) -> list[Finding]:
    found = []
    for service in places.services(parts):
        name = service.name
        if not machine.run("systemctl", "is-enabled", name).is_good:
            found.append(bad(name, "does not start with the machine", f"Run 'systemctl enable {name}'."))
        answer = machine.run("systemctl", "is-active", name)
        if not answer.is_good:
            state = answer.text.strip().partition("\n")[0] or "unknown"
            found.append(bad(name, f"does not run ({state})", look_at(name)))
        if not found or found[-1].about != name:
            found.append(good(name, "runs, and starts with the machine"))
    return found


def _addresses(machine: Machine, parts: Parts) -> list[Finding]:
    found = []
    for unit, path, reach_of in places.configured(parts):
        with contextlib.suppress(InstallError):  # told of the page
            found += judge_drop_in(machine, unit, reach_of(_toml(machine, path)), AGAIN)
    return found


def _door(machine: Machine) -> list[Finding]:
    if machine.run("nft", "list", "table", "inet", "watchlink_door").is_good:
        return [good("firewall", "the door's rules are loaded")]
    return [
        bad(
            "firewall",
            "the door's rules are not loaded: a flood reaches the broker",
            "Run 'systemctl restart watchlink-door'.",
        )
    ]


def _programs_with_pages(parts: Parts) -> list[tuple[str, str, int, str]]:
    """Name, configuration, port where it names none, and unit."""
    found = [("central's page", places.CENTRAL_TOML, 8080, "watchlink-central")] if parts.central else []
    return found + ([("office's pages", places.OFFICE_TOML, 8090, PAGES)] if parts.office else [])


def _pages(machine: Machine, parts: Parts) -> list[Finding]:
    return [
        page_answers(what, _toml(machine, path), port, unit) for what, path, port, unit in _programs_with_pages(parts)
    ]


def _page_certificates(machine: Machine, parts: Parts) -> list[tuple[str, Path]]:
    found = []
    for what, path, _, _ in _programs_with_pages(parts):
        with contextlib.suppress(InstallError):  # told of the page
            file = _toml(machine, path).get("web", {}).get("certificate_file")
            if isinstance(file, str) and file:
                found.append((what, machine.path(path).parent / file))
    return found


def _proof(machine: Machine) -> list[Finding]:
    """By the fleet folder, where it is on this machine too; and as whoever proves it has left word."""
    by_service = machine.path(places.CHANGED).with_name(PROOF)
    if read_proof(by_service) is not None:
        to_do = f"Run 'systemctl start {places.ENROL_LIST}': 'journalctl -u {places.ENROL_LIST}' says why it failed."
        return [bad("proof", "the broker was not seen to obey the newest list of nodes: treat it as open", to_do)]
    named = re.search(r"^Environment=TOWN=(/\S+)$", (read(machine.path(TOWN_DROP_IN)) or b"").decode(), re.MULTILINE)
    is_here = named is not None and machine.path(f"{named[1]}/{UNPROVEN}").exists()
    if not is_here and read_proof(machine.path(f"{places.BROKER}/{PROOF}")) is None:
        return []
    where = f"--dir {named[1]}'" if named is not None else "--dir TOWN' on the fleet's machine"
    to_do = f"Run 'watchlink fleet renew-crl {where}, and see 'NOT PROVEN' in docs/faults.md."
    return [bad("proof", "the broker was not seen to obey the fleet's newest files: treat it as open", to_do)]


def _snapshots(machine: Machine, now: datetime, parts: Parts) -> list[Finding]:
    with contextlib.suppress(InstallError):  # told of the page
        if parts.central and "office" in _toml(machine, places.CENTRAL_TOML):
            return snapshots(machine, now)
    return []


def _enrolment(machine: Machine, now: datetime, parts: Parts) -> list[Finding]:
    if not places.enrols(parts):
        return []
    try:
        toml = _toml(machine, places.CENTRAL_TOML)
    except InstallError:
        return []  # told of the page
    record = load_record(machine)
    found = enrolment(machine, now, toml, record.left_out, is_elsewhere=record.enrols_elsewhere)
    return [*found, *release_findings(machine, now)]


def _backups(machine: Machine, now: datetime, parts: Parts) -> list[Finding]:
    found = []
    if parts.backup:
        found.append(backups(machine, now, _backup_folder(machine, places.CENTRAL_TOML, BACKUPS)))
    elif parts.central:
        found.append(bad("backups", "none are made", "See docs/backups.md."))
    if parts.office_backup:
        folder = _backup_folder(machine, places.OFFICE_TOML, OFFICE_BACKUPS)
        found.append(backups(machine, now, folder, places.OFFICE_BACKUP))
    elif parts.office:
        found.append(bad("office's backups", "none are made", "See 'Backups' in docs/office.md."))
    return found


def _backup_folder(machine: Machine, path: str, usual: str) -> str:
    folder: str = _toml(machine, path)["backup"].get("folder", usual)
    return folder


def _toml(machine: Machine, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(machine.read(path).decode())
    except (OSError, ValueError) as e:
        raise InstallError(f"{path} cannot be read: {why(e)}") from e


def _disk(machine: Machine) -> Finding:
    free = shutil.disk_usage(machine.path("/var/lib")).free
    if free < FREE_BYTES_MIN:
        return bad("disk", f"{free // 2**20} MB free in /var/lib", "Make room: 'A full disk' in the runbook.")
    return good("disk", f"{free // 2**20} MB free in /var/lib")
