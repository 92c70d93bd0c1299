"""``watchlink fleet install``: the way from the fleet folder's machine to central, and what is renewed every day.

Only the keys in the folder sign for central, broker and office: their certificates, and the list of those that are
revoked. So the timer is here, where they are.
"""

from __future__ import annotations

import pwd
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any, Final

from installation.addresses import Reach
from installation.drop_in import drop_in_of
from installation.errors import InstallError, PackError
from installation.files import Wanted, alone, load_record, read, save_record, sweep
from installation.machine import Machine
from installation.places import CHANGED, PROGRAM, shipped
from installation.services import SYSTEM, Service, run_services
from installation.steps import Say, changes_of, note_changes, put_all, want_programs
from runtime.atomic import PUBLIC
from wire.fleet_files import APPLY, CARRY, FETCH

LISTS: Final = "watchlink-fleet-lists"
RECORD: Final = "/var/lib/watchlink/installed-fleet.json"
SERVICES: Final = (Service(f"{LISTS}.timer", f"{LISTS}.timer", part="fleet"),)
SHIPPED: Final = {f"{SYSTEM}/{name}": name for name in (f"{LISTS}.service", f"{LISTS}.timer")}
TOWN_DROP_IN: Final = f"{SYSTEM}/{LISTS}.service.d/town.conf"
SSH_PACKAGES: Final = ("openssh-client",)
SSH: Final = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=3"
"""A link that breaks must end it: others wait."""
_OWNERS: Final = 0o700
_PLAIN: Final = re.compile(r"/[A-Za-z0-9._/-]+")
"""What needs no quoting in a unit."""
_PERSON_AT_HOST: Final = re.compile(r"([a-z_][a-z0-9_-]*@)?([A-Za-z0-9][A-Za-z0-9.:-]{0,252})")
_MADE: Final = "# Made by 'watchlink fleet install'"
_TO: Final = re.compile(r"^# To: (\S+)$", re.MULTILINE)
BY_ROOT: Final = """\
# 'watchlink central install' is run here, and does what root does: it makes users, writes units, and has systemd start
# them. Whoever can do that can do everything, so what is locked here hinders mistakes, and no attacker.
# KILL: it ends the enrolment service's program, another user's, that takes too long.
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETUID CAP_SETGID CAP_SETPCAP
CapabilityBoundingSet=CAP_NET_ADMIN
PrivateUsers=no
ProtectSystem=yes
ProcSubset=all
RestrictSUIDSGID=no
SystemCallFilter=
SystemCallFilter=@system-service
RestrictAddressFamilies=AF_NETLINK
"""


def install_fleet(machine: Machine, town: Path, to: str, say: Say) -> None:
    """Install, or bring up to date. ``say`` takes a sentence for each thing done.

    Args:
        machine: this one.
        town: the fleet folder, absolute.
        to: central's machine as ssh names it, ``root@HOST``; empty = as it was, and if it was not yet: this machine.
        say: is told.

    Raises:
        PackError: there is no fleet, or the unit cannot name its folder, or nobody can be ``to``. Nothing was changed.
        InstallError: it cannot go on.
    """
    host = _checked(machine, town, to)
    with alone(machine):
        record = load_record(machine, RECORD)
        here = (read(machine.path(f"{town}/{APPLY}")) or b"").decode("utf-8", "replace")
        found = _TO.search(here)
        whom = to or (found[1] if found else "")
        host = host or _checked(machine, town, whom)
        # One that an engineer has written stays.
        script = apply_script(whom) if to or not here or _MADE in here else here
        want_programs(machine, PROGRAM, SSH_PACKAGES if host else ())
        reach = Reach(tuple(dict.fromkeys(one for one in (_broker_host(machine, town), host) if one)))
        wanted = [
            *(Wanted(path, shipped(name), PUBLIC, is_editable=True) for path, name in SHIPPED.items()),
            Wanted(TOWN_DROP_IN, _drop_in(machine, town, is_here=not host).encode(), PUBLIC),
            Wanted(f"{town}/{APPLY}", script.encode(), _OWNERS),
            Wanted(f"{town}/{FETCH}", fetch_script(whom).encode(), _OWNERS),
            Wanted(f"{town}/{CARRY}", carry_script(whom).encode(), _OWNERS),
            *drop_in_of(machine, LISTS, reach, "fleet", say),
        ]
        sweep(machine, wanted, RECORD)
        changes = changes_of(machine, record, wanted)
        changed = note_changes(machine, record, changes, RECORD)
        put_all(machine, record, changes, say)
        is_busy = run_services(machine, SERVICES, changed, say) or bool(changes)
        if is_busy or changed:
            record.unfinished = []
            save_record(machine, record, RECORD)
    whither = f"to {host}" if host else "to central on this machine"
    done = "Everything is in place" if is_busy or changed else "Nothing to do: everything is in place"
    daily = "every day new revocation lists, and certificates that are due"
    say(f"{done}: each change of {town} goes {whither}, and {daily}.")


def apply_script(to: str) -> str:
    """What brings the fleet's changes to central. Every command that changes something runs it.

    One at a time, or an older pack could arrive after a newer one. It does not take the folder's own lock, which the
    command that runs it holds. On the way the pack, which holds keys, has no name on either machine.
    """
    if not to:
        return f"""\
#!/bin/sh
# Made by 'watchlink fleet install': brings a change of this fleet to central on this machine.
set -eu
exec 9<"$0"
flock 9
exec {PROGRAM} central install --from "$(dirname "$0")"
"""
    return f"""\
#!/bin/sh
# Made by 'watchlink fleet install': brings a change of this fleet to central's machine.
# To: {to}
set -eu
umask 077
exec 9<"$0"
flock 9
cd "$(dirname "$0")"
pack=$(mktemp ./.apply.XXXXXX)
trap 'rm -f "$pack"' EXIT
trap 'exit 1' HUP INT TERM
{PROGRAM} fleet pack --dir . --to "$pack" >/dev/null
exec 8<"$pack"
rm "$pack"
{SSH} {shlex.quote(to)} 'watchlink central install --from -' <&8
"""


def fetch_script(to: str) -> str:
    """What shows which units have claimed their premises, as the enrolment service on central's machine says."""
    # Whoever revokes a stolen unit waits for it: not for minutes on a machine that is down.
    there = f"ssh -o BatchMode=yes -o ConnectTimeout=5 {shlex.quote(to)} cat" if to else "cat"
    return f"""\
#!/bin/sh
# Made by 'watchlink fleet install': shows which units have claimed their premises.
exec {there} {CHANGED}
"""


def carry_script(to: str) -> str:
    """What brings a bundle, on its standard input, to the enrolment service beside central.

    Beside the pack, which must not wait for hundreds of megabytes when it cuts off a stolen unit.
    """
    if not to:
        return f"""\
#!/bin/sh
# Made by 'watchlink fleet install': brings a bundle of a release to central on this machine.
exec {PROGRAM} central take-bundle "$@"
"""
    return f"""\
#!/bin/sh
# Made by 'watchlink fleet install': brings a bundle of a release to central's machine.
exec {SSH} {shlex.quote(to)} "watchlink central take-bundle $*"
"""


def _checked(machine: Machine, town: Path, to: str) -> str:
    """The host of ``to``."""
    if not machine.path(f"{town}/fleet.json").exists():
        raise PackError(f"{town} holds no fleet: make one with 'watchlink fleet init'. Nothing was changed.")
    if not _PLAIN.fullmatch(str(town)):
        raise PackError(f"{town} has characters that a unit cannot name: move it, to /srv/town. Nothing was changed.")
    if not to:
        return ""
    named = _PERSON_AT_HOST.fullmatch(to)
    if named is None:
        raise PackError(f"{to!r} is no machine for ssh, such as root@192.0.2.10. Nothing was changed.")
    return named[2]


def _drop_in(machine: Machine, town: Path, *, is_here: bool) -> str:
    try:
        owner = pwd.getpwuid(machine.path(str(town)).stat().st_uid).pw_name
    except KeyError as e:
        raise InstallError(f"{town} belongs to nobody who is known here: chown it. Nothing was changed.") from e
    # Named, root would have no right to become another user, as 'central install' must.
    user = "" if is_here or owner == "root" else f"User={owner}\n"
    text = f"# Made by 'watchlink fleet install'.\n[Service]\nEnvironment=TOWN={town}\n{user}ReadWritePaths={town}\n"
    return text + (BY_ROOT if is_here else "")


def _broker_host(machine: Machine, town: Path) -> str:
    try:
        toml: dict[str, Any] = tomllib.loads(machine.path(f"{town}/central/central.toml").read_text(encoding="utf-8"))
        return str(toml["mqtt"]["host"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
