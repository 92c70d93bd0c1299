"""``watchlink node reach``: on an image, whom this unit's programs may reach, by what their configurations name.

An image's ``/etc`` is made anew at each start, and drop-ins of 'watchlink node install' would be gone. Here systemd is
told while the programs run, and what was found is kept on the card: ``watchlink-card.service`` tells systemd that again
before they start, so that no button waits for a resolver (ADR 0033).
"""

from __future__ import annotations

import tomllib
from typing import Any, Final

from installation import node_places
from installation.addresses import Resolve, allowed, known_addresses, of_renewal
from installation.errors import InstallError
from installation.machine import Machine
from runtime.atomic import PRIVATE, write_atomic
from wire.seed import SeedError, decode_seed

KEPT: Final = "/var/lib/watchlink-appliance/reach"
"""A file for each unit, with a word for systemd in each line."""
UNITS: Final = (*node_places.CONFIGURED, ("watchlink-appliance", node_places.NODE_TOML, of_renewal))
WAIT_S: Final = 3.0
TRIES: Final = 100


def let_reach(machine: Machine, resolve: Resolve = known_addresses) -> int:
    """Until everything that is named is known; returns the exit status: 1 = something is not."""
    for _ in range(TRIES):
        before = _configured(machine)
        unknown = _tell(machine, before, resolve)
        if not unknown and _configured(machine) == before:
            return 0
        machine.wait(WAIT_S)
    return 1


def _tell(machine: Machine, tomls: dict[str, dict[str, Any]], resolve: Resolve) -> set[str]:
    """The hosts that nobody knows now. What was found for them before stays: it may be the network that is down."""
    unknown: set[str] = set()
    for unit, path, reach_of in UNITS:
        needed = allowed(machine, reach_of(tomls[path]), resolve)
        unknown |= {*needed.unknown}
        kept = machine.path(f"{KEPT}/{unit}.service")
        has = kept.read_text(encoding="ascii").splitlines() if kept.exists() else []
        words = [f"IPAddressAllow={network}" for network in needed.networks]
        if needed.unknown:
            words = list(dict.fromkeys([*has, *words]))
        new = [word for word in words if word not in has]
        if new:
            answer = machine.run("systemctl", "set-property", "--runtime", f"{unit}.service", *new)
            if not answer.is_good:
                raise InstallError(f"systemd does not let {unit} reach what it is to: {answer.text.strip()}")
        if words != has:
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomic(kept, "".join(f"{word}\n" for word in words).encode("ascii"), PRIVATE)
    return unknown


def _configured(machine: Machine) -> dict[str, dict[str, Any]]:
    """``node.toml`` and ``gallery.toml``; of a unit that has none yet, what its seed says of them."""
    found = {path: _read(machine, path) for path in (node_places.NODE_TOML, node_places.GALLERY_TOML)}
    if found[node_places.NODE_TOML]:
        return found
    try:
        seed = decode_seed(machine.read(node_places.SEED))
    except (OSError, SeedError):
        return found
    address = {"host": seed.enrolment.host}
    # Most towns have all of it on one machine.
    found[node_places.NODE_TOML] = {"mqtt": address, "enrolment": address}
    found[node_places.GALLERY_TOML] = {} if seed.office is None else {"office": {"host": seed.office.host}}
    return found


def _read(machine: Machine, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(machine.read(path).decode("utf-8"))
    except (OSError, ValueError):
        return {}  # The program itself says what is wrong with it.
