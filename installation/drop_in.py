"""The drop-in that names whom a unit may reach: whether it is due, and whether it still fits."""

from __future__ import annotations

from installation.addresses import Reach, allowed, judge
from installation.files import Wanted, read
from installation.findings import Finding
from installation.machine import Machine
from installation.services import SYSTEM
from installation.steps import Say
from runtime.atomic import PUBLIC


def path_of(unit: str) -> str:
    """Where it is."""
    return f"{SYSTEM}/{unit}.service.d/addresses.conf"


def drop_in_of(machine: Machine, unit: str, reach: Reach, program: str, say: Say) -> list[Wanted]:
    """The drop-in of a unit, as ``watchlink PROGRAM install`` makes it; none if this machine is enough for it.

    While nobody knows a host's address, a drop-in that is there stays: it may be the network that is down.
    """
    needed = allowed(machine, reach)
    for host in needed.unknown:
        say(
            f"nobody here knows {host} now, which {unit} has to reach: run 'watchlink {program} install' again when the"
            " network is up"
        )
    there = read(machine.path(path_of(unit)))
    if there is None and not needed.networks:
        return []
    if there is not None and needed.unknown:
        return [Wanted(path_of(unit), there, PUBLIC, is_editable=True)]
    lines = "".join(f"IPAddressAllow={one}\n" for one in needed.networks)
    text = (
        f"# Whom this unit's configuration names, as 'watchlink {program} install' found it: run that again when it\n"
        f"# has changed. For others, 'systemctl edit {unit}'.\n[Service]\n{lines}"
    )
    return [Wanted(path_of(unit), text.encode(), PUBLIC, is_editable=True)]


def judge_drop_in(machine: Machine, unit: str, reach: Reach, again: str) -> list[Finding]:
    """Whether what systemd lets through fits the configuration now."""
    effective = machine.run("systemctl", "show", "--property=IPAddressAllow", "--value", unit)
    written = read(machine.path(path_of(unit))) or b""
    needed = allowed(machine, reach)
    return judge(unit, needed, effective.text if effective.is_good else "", written.decode("utf-8", "replace"), again)
