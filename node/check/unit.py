"""The unit as systemd knows it: who runs it, how it does, and the running node's own word about its parts."""

from __future__ import annotations

import ipaddress
import pwd
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from node.check.machine import Machine, said
from node.core.controls import Part
from node.health_line import faults_of
from node.step import Step, bad, not_done, ok
from node.store.database import DATABASE_NAME

UNIT: Final = "watchlink-node.service"
PROPERTIES: Final = (
    *("LoadState", "UnitFileState", "ActiveState", "SubState", "Result", "NRestarts", "StatusText", "MainPID"),
    *("ExecMainStatus", "User", "IPAddressAllow", "IPAddressDeny", "ExecStart", "FragmentPath"),
)
_RESTARTS_MANY: Final = 3
_LOCKS_FROM: Final = 0x4000_0000
"""SQLite locks bytes from here on (its file format, 'The pending byte')."""
_LOCKS_TO: Final = _LOCKS_FROM + 512


class Unit(Struct, frozen=True):
    """What systemd says.

    Attributes:
        properties: as ``systemctl show`` names them; empty = no systemd, or no such unit.
        is_ours: it starts with this configuration.
        holder: id of the process that has the store open; 0 = nobody.
    """

    properties: dict[str, str]
    is_ours: bool
    holder: int

    @property
    def is_running(self) -> bool:
        """A node has the store, whoever started it, or systemd is just starting one."""
        return self.holder != 0 or (self.is_ours and self.properties.get("ActiveState") in {"active", "activating"})

    @property
    def uid(self) -> int | None:
        """Who runs the node; ``None`` = not known."""
        with suppress(KeyError):
            return pwd.getpwnam(self.properties["User"]).pw_uid if self.is_ours else None
        return None

    @property
    def status(self) -> str:
        """The running node's own word; empty = none."""
        return self.properties.get("StatusText", "") if self.is_ours else ""

    @property
    def faults(self) -> frozenset[Part] | None:
        """Parts of which the running node reports a fault; ``None`` = it says nothing."""
        return faults_of(self.status) if self.is_running else None

    def blocks(self, address: str) -> bool:
        """Whether the unit keeps the node from reaching this address."""
        if not self.is_ours or not self.properties.get("IPAddressDeny"):
            return False
        allowed = self.properties.get("IPAddressAllow", "").split()
        where = ipaddress.ip_address(address)
        return not any(where in ipaddress.ip_network(network, strict=False) for network in allowed)


def look_at_unit(machine: Machine, config_file: Path, state_dir: Path | None) -> Unit:
    """Ask systemd, and the kernel who has the store open."""
    properties = {}
    for line in (said("systemctl", "show", UNIT, "--property=" + ",".join(PROPERTIES)) or "").splitlines():
        key, _, value = line.partition("=")
        properties[key] = value
    is_known = properties.get("LoadState") == "loaded"
    started_with = properties.get("ExecStart", "").replace(";", " ").split()
    is_ours = is_known and str(config_file.absolute()) in started_with
    holder = _holder(machine, state_dir / DATABASE_NAME) if state_dir else 0
    return Unit(properties if is_known else {}, is_ours, holder)


def unit_step(unit: Unit, config_file: Path) -> Step:
    """Is it installed, running, and running long enough?"""
    if not unit.properties:
        if unit.holder:
            return ok("unit", f"a node runs (process {unit.holder}), not as {UNIT}")
        advice = "watchlink node install, or start the node by hand"
        return bad("unit", f"{UNIT} is not installed here, and no node runs", advice)
    if not unit.is_ours:
        return bad("unit", f"{UNIT} does not start with {config_file}", "give --config the file that the unit names")
    return _ours(unit)


def _ours(unit: Unit) -> Step:
    told = unit.properties
    restarts = int(told.get("NRestarts") or 0)
    state = f"{told.get('ActiveState')} ({told.get('SubState')})"
    if told.get("ActiveState") != "active":
        status = told.get("ExecMainStatus", "")
        ended = f", result {told.get('Result')}, exit status {status}" if told.get("Result") != "success" else ""
        advice = "systemctl start watchlink-node; if it ends again: journalctl -u watchlink-node -n 30"
        return bad("unit", f"{UNIT} is {state}{ended}", advice, restarts=restarts)
    text = f"{UNIT} is {state}: {unit.status or 'no word from the node'}; restarted {restarts} times by systemd"
    if restarts >= _RESTARTS_MANY:
        return bad("unit", text, "it keeps ending: journalctl -u watchlink-node -n 50 says why", restarts=restarts)
    if told.get("UnitFileState") not in {"enabled", "enabled-runtime", "static"}:
        return bad("unit", f"{text}; it does not start by itself", "systemctl enable watchlink-node")
    return ok("unit", text, restarts=restarts)


def faults_step(unit: Unit) -> Step | None:
    """What the running node says is broken; ``None`` = it says nothing of its parts, or none runs."""
    if not unit.faults:
        return None
    parts = ", ".join(sorted(unit.faults))
    return bad(
        "parts", f"the running node reports faults: {parts}", "journalctl -u watchlink-node -n 50 says what it saw"
    )


def by_its_word(name: str, unit: Unit, *parts: Part) -> Step | None:
    """A step about parts that the running node holds, by its own word; ``None`` = no node runs."""
    if not unit.is_running:
        return None
    if unit.faults is None:
        return not_done(name, "a running node holds it", "to try it: systemctl stop watchlink-node, and check again")
    wrong = ", ".join(part for part in parts if part in unit.faults)
    if wrong:
        return bad(name, f"the running node reports a fault: {wrong}", "journalctl -u watchlink-node -n 50 says what")
    return ok(name, "the running node reports no fault")


def _holder(machine: Machine, database: Path) -> int:
    """The process that has SQLite's locks on the file. Read from the kernel's list: a lock of our own could disturb."""
    try:
        inode = database.stat().st_ino
    except OSError:
        return 0
    for line in (machine.text("/proc/locks") or "").splitlines():
        fields = line.split()
        # "1: POSIX  ADVISORY  WRITE 1234 08:01:131090 1073741826 1073742335"; one that waits has an arrow before POSIX.
        if fields[1:2] != ["POSIX"] or len(fields) < 8 or fields[5].rsplit(":", 1)[-1] != str(inode):  # noqa: PLR2004
            continue
        if fields[6].isdecimal() and _LOCKS_FROM <= int(fields[6]) < _LOCKS_TO:
            return max(1, int(fields[4]))
    return 0
