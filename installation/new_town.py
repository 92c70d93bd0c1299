"""A town that was founded again on this machine: what the enrolment service knew of the one before is set aside.

Its register would make senders of the new town out of the old one's units, with the keys that a thief may have, and
call the new units copies of them. Its own key was the old town's delegate.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Final

from installation import places
from installation.authority import authority_in
from installation.errors import InstallError
from installation.files import make_folder
from installation.machine import Machine
from installation.pack import CLAIMS
from installation.steps import must
from runtime.atomic import sync_folder
from runtime.backup_rules import stamp
from wire.errors import WireError
from wire.fleet_files import RELEASE
from wire.signing import PublicKey

ASIDE: Final = f"{places.ENROLMENT}/before-new-town-"
"""Begins the name of the folder; its time follows."""
BROUGHT: Final = (CLAIMS, RELEASE)
"""By the fleet, into the folder above the service's own."""
OF_ONE_TOWN: Final = tuple(
    f"{places.ENROLMENT_OWN}/{name}" for name in ("state", "changed", "delegate.key", "delegate.pub")
)
_OWNERS: Final = 0o700


def is_of_another(machine: Machine, authority: PublicKey) -> bool:
    """Whether something of the enrolment service is here, and of another town than this authority's."""
    if not any(
        machine.path(path).exists() for path in (*OF_ONE_TOWN, *(f"{places.ENROLMENT}/{name}" for name in BROUGHT))
    ):
        return False
    # Central's may be the new one already, if an installation was cut short.
    return any(_is_another(machine, folder, authority) for folder in (places.ENROLMENT_OWN, places.CENTRAL))


def set_aside(machine: Machine, now: datetime, brought: Container[str]) -> str:
    """Stop the service, and put all of that into one folder, whose path is returned.

    Args:
        machine: this one.
        now: aware.
        brought: names of files that the new town brings itself, which take the old ones' place.

    Raises:
        InstallError: it cannot be done.
    """
    if machine.run("systemctl", "is-active", places.ENROL).is_good:
        must(machine, "systemctl", "stop", places.ENROL)
    aside = f"{ASIDE}{stamp(now)}"
    try:
        make_folder(machine.path(aside))
        machine.path(aside).chmod(_OWNERS)
        left = (f"{places.ENROLMENT}/{name}" for name in BROUGHT if name not in brought)
        for path in map(machine.path, (*OF_ONE_TOWN, *left)):
            if path.exists():
                path.rename(machine.path(aside) / path.name)
                sync_folder(path.parent)
        sync_folder(machine.path(aside))
    except OSError as e:
        raise InstallError(f"{e.filename} cannot be set aside: {e.strerror}.") from e
    return aside


def _is_another(machine: Machine, folder: str, authority: PublicKey) -> bool:
    try:
        return authority_in(machine, folder) != authority
    except (OSError, ValueError, WireError):
        return False
