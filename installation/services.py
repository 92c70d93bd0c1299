"""The units of a machine: which change makes which of them start, restart or read its files again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from installation.machine import Machine
from installation.steps import Say, must

SYSTEM: Final = "/etc/systemd/system"
RULES: Final = "/etc/udev/rules.d"
UDEV: Final = "/run/udev/control"
"""Where udev takes orders."""


class Service(Struct, frozen=True):
    """A unit of the machine.

    Attributes:
        name: without ``.service``.
        shipped: its file below ``systemd/`` of the programs, as below ``/etc/systemd/system``.
        restarts_on: paths, or folders with a slash at their end: a change there needs a restart.
        reloads_on: a change there needs a reload only.
        sees: paths below those that it looks at by itself.
        part: with which part it runs.
        waits: for a start to end. Otherwise it may take days, and what comes after it in the list starts then.
    """

    name: str
    shipped: str
    restarts_on: tuple[str, ...] = ()
    reloads_on: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    part: Literal[
        "central", "office", "backup", "office-backup", "office-nodes", "enrolment", "notifier", "node", "fleet"
    ] = "central"
    waits: bool = True

    def act(self, changed: frozenset[str]) -> str:
        """``restart``, ``reload`` or nothing, after these paths have changed."""
        seen = changed - {*self.sees}
        for act, places in (
            ("restart", (f"{SYSTEM}/{self.shipped}", f"{SYSTEM}/{self.name}.service.d/", *self.restarts_on)),
            ("reload", self.reloads_on),
        ):
            if any(path.startswith(one) if one[-1] == "/" else path == one for path in seen for one in places):
                return act
        return ""


def run_services(machine: Machine, services: Iterable[Service], changed: frozenset[str], say: Say) -> bool:
    """Have them run, with what has changed. Returns whether there was anything to do.

    Raises:
        InstallError: one of them does not.
    """
    read_units(machine, changed)
    return start_services(machine, services, changed, say)


def read_units(machine: Machine, changed: frozenset[str]) -> None:
    """Have systemd and udev read their files again, if some of them have changed.

    Raises:
        InstallError: they cannot.
    """
    if any(path.startswith(f"{SYSTEM}/") for path in changed):
        must(machine, "systemctl", "daemon-reload")
    # A container has no such program: its devices are somebody else's.
    if any(path.startswith(f"{RULES}/") for path in changed) and machine.path(UDEV).exists():
        must(machine, "udevadm", "control", "--reload")
        must(machine, "udevadm", "trigger")


def start_services(machine: Machine, services: Iterable[Service], changed: frozenset[str], say: Say) -> bool:
    """:func:`run_services`, with units that were read."""
    is_busy, may_wait = False, True
    for service in services:
        if not machine.run("systemctl", "is-enabled", service.name).is_good:
            must(machine, "systemctl", "enable", service.name)
            say(f"enabled {service.name}: it starts with the machine")
            is_busy = True
        act, active = service.act(changed), machine.run("systemctl", "is-active", service.name)
        is_pending = not may_wait or (not service.waits and active.text.strip() == "activating")
        may_wait = may_wait and service.waits
        if not active.is_good and not is_pending:
            act = "start"
        if act:
            flags = () if may_wait else ("--no-block",)
            must(machine, "systemctl", *flags, act, service.name, hint=f" See: journalctl -u {service.name} -n 20")
            say(
                {
                    "start": f"started {service.name}",
                    "restart": f"restarted {service.name}",
                    "reload": f"{service.name} has read its files again",
                }[act]
            )
            is_busy = True
    return is_busy
