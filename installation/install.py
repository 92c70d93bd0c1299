"""``watchlink central install``: puts a machine's parts in place, says what it does, and does nothing twice."""

from __future__ import annotations

import ipaddress
import re
import socket
import tomllib
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from installation import places
from installation.errors import InstallError, PackError
from installation.files import Change, Record, Wanted, alone, change_of, digest, load_record, put, save_record
from installation.machine import Machine
from installation.pack import Pack
from installation.places import Parts
from installation.revocation import crl_number_of
from runtime.atomic import PUBLIC, write_atomic
from wire.directory import open_directory
from wire.errors import WireError
from wire.signing import PublicKey

Say = Callable[[str], None]
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_WAY_OUT: Final = "Nothing was changed. If you found the town again, or restored its folder, add --new-town."
_TOLD: Final = {
    "made": "made {path}",
    "updated": "updated {path}",
    "replaced": "replaced {path}, which somebody had changed here: it is the fleet's",
    "kept": "kept {path}, which was changed here: the new one is {path}.new; take over what you need, then delete it",
}


class Order(Struct, frozen=True):
    """What the engineer asks for besides.

    Attributes:
        office: name by which people will open the office's pages, if it is to run here; empty = only if it is here.
        without_central: broker and central run on another machine. Remembered.
        is_new_town: the pack may be another town's, or older than what is here.
    """

    office: str = ""
    without_central: bool = False
    is_new_town: bool = False


def parts_of(machine: Machine, record: Record) -> Parts:
    """What is installed on a machine."""
    has_central = not record.without_central
    return Parts(
        central=has_central,
        office=machine.path(places.OFFICE_TOML).exists(),
        backup=has_central and "backup" in _central_toml(machine),
    )


def _central_toml(machine: Machine) -> dict[str, object]:
    """As it is on the machine; empty if there is none, or none that can be read, of which central itself tells."""
    try:
        return tomllib.loads(machine.path(places.CENTRAL_TOML).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def install(machine: Machine, pack: Pack, say: Say, order: Order) -> None:
    """Install, or bring up to date. ``say`` takes a sentence for each thing done.

    Raises:
        PackError: the pack is older than what is here, or another town's. Nothing was changed.
        InstallError: it cannot go on.
    """
    with alone(machine):
        record = load_record(machine)
        record.without_central |= order.without_central
        is_first = bool(order.office) and not machine.path(places.OFFICE_TOML).exists()
        parts = parts_of(machine, record)
        parts = replace(parts, office=parts.office or is_first)
        _check_machine(machine, parts)
        if not order.is_new_town:
            _check_age(machine, pack, parts)
        ours = [
            Wanted(path, places.shipped(name), PUBLIC, is_editable=True)
            for path, name in places.shipped_files(parts).items()
        ]
        toml = [Wanted(places.OFFICE_TOML, places.office_toml(order.office).encode(), PUBLIC, is_editable=True)]
        system = _changes(machine, record, ours)
        wanted = [one for one in _fleets(pack, parts) if order.is_new_town or not _is_behind(machine, one.path, pack)]
        fleets = _changes(machine, record, [*wanted, *(toml if is_first else [])])
        new = {change.wanted.path for change in (*system, *fleets) if change.how != "kept"}
        changed = frozenset(record.unfinished) | new
        joins = parts.central and parts.office and not _is_joined(machine, pack)
        if joins:
            changed |= {places.CENTRAL_TOML}
        if changed:
            record.unfinished = sorted(changed)
            save_record(machine, record)
        # Users and folders first: a file belongs to whom its folder belongs to.
        _put_all(machine, record, system, say)
        _make_users_and_folders(machine, parts)
        _put_all(machine, record, fleets, say)
        if joins:
            _join_office(machine)
            say(f"added [office] to {places.CENTRAL_TOML}: central knows the office on this machine")
        # Again: root has made a file or two whose mode is for a group.
        _make_users_and_folders(machine, parts)
        is_busy = bool(changed or system or fleets)
        if is_busy:  # Whatever fails from here on, these files are ours.
            save_record(machine, record)
        if parts.office and not _is_founded(machine):
            _found_office(machine, parts, say)
            is_busy = True
        is_busy |= _run_services(machine, changed, parts, say)
        if is_busy:
            record.unfinished = []
            save_record(machine, record)
    say("Everything is in place." if is_busy else "Nothing to do: everything is in place.")


def _check_machine(machine: Machine, parts: Parts) -> None:
    missing = machine.missing_packages(places.packages(parts))
    if missing:
        raise InstallError(f"Debian packages are missing: apt install {' '.join(missing)}. Nothing was changed.")
    if not machine.path(places.PROGRAM).exists():
        raise InstallError(
            f"{places.PROGRAM} is missing, which the units start: install the programs into /opt/watchlink."
            " Nothing was changed."
        )


def _check_age(machine: Machine, pack: Pack, parts: Parts) -> None:
    """A pack that went astray must not bring back somebody who was revoked since."""
    folder, directory = places.town_files(parts)
    try:
        authority = PublicKey(bytes.fromhex(machine.path(f"{folder}/authority.pub").read_text("ascii")))
    except (OSError, ValueError, WireError):
        return  # Nothing whole is here.
    if authority != pack.authority:
        raise PackError(f"This is another town's: its authority's key differs from the one here. {_WAY_OUT}")
    try:
        here = open_directory(machine.path(directory).read_bytes(), authority)
    except (OSError, WireError):
        pass  # Missing or damaged: to be replaced.
    else:
        # The authority's part: what the delegate has changed here since is no reason to refuse the fleet's next one.
        _refuse_older("directory", pack.directory.authority_serial, here.authority_serial)
        _refuse_older("delegation", pack.directory.epoch, here.epoch)
    try:
        number = crl_number_of(machine.path(f"{places.BROKER}/crl.pem").read_bytes())
    except (OSError, ValueError):
        return
    _refuse_older("revocation list", pack.crl_number, number)


def _refuse_older(what: str, number: int, here: int) -> None:
    if number < here:
        raise PackError(
            f"This is older than what is here: its {what} has number {number}, the one here {here}. {_WAY_OUT}"
        )


def _is_behind(machine: Machine, path: str, pack: Pack) -> bool:
    """Whether the directory here is the pack's with newer changes of the delegate's, such as a stolen node's strike."""
    if path not in {places.DIRECTORY, places.OFFICE_DIRECTORY}:
        return False
    try:
        here = open_directory(machine.path(path).read_bytes(), pack.authority)
    except (OSError, WireError):
        return False
    return here.base == pack.directory.base and here.serial > pack.directory.serial


def _fleets(pack: Pack, parts: Parts) -> list[Wanted]:
    files = [
        Wanted(path, data, mode, is_editable=path == places.CENTRAL_TOML)
        for path, (data, mode) in pack.placed(parts).items()
    ]
    if not parts.central:
        return files
    toml = pack.files["central/central.toml"]
    addresses = broker_addresses(tomllib.loads(toml.decode())["mqtt"]["host"])
    if addresses:
        files.append(Wanted(places.ADDRESSES, places.addresses_conf(addresses).encode(), PUBLIC, is_editable=True))
    return files


def _is_joined(machine: Machine, pack: Pack) -> bool:
    if machine.path(places.CENTRAL_TOML).exists():
        here = _central_toml(machine)
        return not here or "office" in here  # To what cannot be read nothing is added.
    return "office" in tomllib.loads(pack.files["central/central.toml"].decode())


def _join_office(machine: Machine) -> None:
    """Behind all that is there, whoever wrote it."""
    path = machine.path(places.CENTRAL_TOML)
    try:
        write_atomic(path, path.read_bytes() + places.OFFICE_TABLE.encode(), PUBLIC)
    except OSError as e:
        raise InstallError(f"{places.CENTRAL_TOML} cannot be written: {e.strerror}.") from e


def broker_addresses(host: str) -> tuple[str, ...]:
    """The addresses that central's unit must allow besides loopback, for a broker of this name or address.

    Raises:
        InstallError: nobody knows the name.
    """
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as e:
        raise InstallError(f"central.toml names the broker {host}, which this machine does not know: {e}.") from e
    return tuple(sorted(str(one) for one in found if not ipaddress.ip_address(one).is_loopback))


def _changes(machine: Machine, record: Record, wanted: Iterable[Wanted]) -> list[Change]:
    found = []
    for one in wanted:
        change = change_of(machine, record, one)
        if change is None:
            # As it should be, whoever put it there.
            if machine.path(one.path).read_bytes() == one.data:
                record.files[one.path] = digest(one.data)
        else:
            found.append(change)
    return found


def _put_all(machine: Machine, record: Record, changes: list[Change], say: Say) -> None:
    for change in changes:
        put(machine, record, change)
        say(_TOLD[change.how].format(path=change.wanted.path))


def _make_users_and_folders(machine: Machine, parts: Parts) -> None:
    _must(machine, "systemd-sysusers", *places.settings(parts))
    _must(machine, "systemd-tmpfiles", "--create", *places.settings(parts))


def _is_founded(machine: Machine) -> bool:
    return machine.path(f"{places.OFFICE}/publisher/snapshot.pub").exists()


def _found_office(machine: Machine, parts: Parts, say: Say) -> None:
    said = _must(machine, places.PROGRAM, "office", "init", "--config", places.OFFICE_TOML)
    _make_users_and_folders(machine, parts)
    say(said.rstrip())


def _run_services(machine: Machine, changed: frozenset[str], parts: Parts, say: Say) -> bool:
    if any(path.startswith(f"{places.SYSTEM}/") for path in changed):
        _must(machine, "systemctl", "daemon-reload")
    is_busy = False
    for service in places.services(parts):
        if not machine.run("systemctl", "is-enabled", service.name).is_good:
            _must(machine, "systemctl", "enable", service.name)
            say(f"enabled {service.name}: it starts with the machine")
            is_busy = True
        act = service.act(changed)
        if not machine.run("systemctl", "is-active", service.name).is_good:
            act = "start"
        if act:
            _must(machine, "systemctl", act, service.name, hint=f" See: journalctl -u {service.name} -n 20")
            say(
                {
                    "start": f"started {service.name}",
                    "restart": f"restarted {service.name}",
                    "reload": f"{service.name} has read its files again",
                }[act]
            )
            is_busy = True
    return is_busy


def _must(machine: Machine, *command: str, hint: str = "") -> str:
    answer = machine.run(*command)
    if not answer.is_good:
        said = answer.text.strip().rstrip(".") or f"status {answer.status}"
        raise InstallError(f"'{' '.join(command)}' failed: {said}.{hint} Then run this again.")
    return answer.text
