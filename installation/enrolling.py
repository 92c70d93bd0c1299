"""The enrolment service beside central: what of it is missing or ends, and whom the next directory leaves out.

Units that were claimed and not yet collected are known by the delegate's word alone (ADR 0026, 0030).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from msgspec import Struct

from installation import places
from installation.authority import authority_in
from installation.expiring import CERTIFICATE_WARNING, ROOT_WARNING
from installation.findings import Finding, bad, expiry, why
from installation.machine import Machine
from wire.directory import Directory, Sender, open_directory
from wire.errors import WireError
from wire.fleet_files import ENROLMENT_FILES
from wire.ids import NodeId, node_text

ABOUT: Final = "enrolment"
LOOK_S: Final = 0.25
LOOKS: Final = 20
"""The service takes a second or two; central waits for it five."""
PUBLIC_KEY: Final = f"{places.ENROLMENT_OWN}/delegate.pub"
NODES_KEY: Final = f"{places.ENROLMENT_OWN}/nodes.key"
_NAME_IT: Final = (
    "On the fleet's machine run 'watchlink fleet collect', then 'watchlink fleet delegate' with"
    f" {PUBLIC_KEY}, and install the new pack here."
)


class LeftOut(Struct, frozen=True):
    """Units that central knows and the authority's next directory does not.

    Attributes:
        lost: whom nobody may sign for again.
        awaited: whom the enrolment service here is to sign for again, if it runs.
    """

    lost: tuple[NodeId, ...] = ()
    awaited: tuple[NodeId, ...] = ()


def left_out(held: Mapping[NodeId, Sender], coming: Directory, delegate: bytes, now: datetime) -> LeftOut:
    """Whom ``held`` knows and ``coming`` does not.

    Args:
        held: central's senders, with the delegate's.
        coming: the authority's next one.
        delegate: the public key of the enrolment service here; empty = none.
        now: aware.
    """
    found = tuple(node for node, sender in held.items() if not sender.is_revoked and node not in coming.senders)
    delegation = coming.delegation
    may_sign = delegation is not None and delegate and delegation.key == delegate and now < delegation.expires_at
    return LeftOut(awaited=found) if may_sign else LeftOut(lost=found)


def not_signed(machine: Machine, coming: Directory, awaited: Sequence[NodeId], looks: int) -> tuple[NodeId, ...]:
    """Those for whom the service has not signed, after so many looks."""
    for look in range(looks):
        if look:
            machine.wait(LOOK_S)
        signed = changed_here(machine, coming)
        awaited = [node for node in awaited if signed is None or node not in signed.senders]
        if not awaited:
            break
    return tuple(awaited)


def changed_here(machine: Machine, base: Directory) -> Directory | None:
    """The directory with the service's changes to ``base``; ``None`` = there is none that can be believed."""
    try:
        authority = authority_in(machine, places.CENTRAL)
        found = open_directory(machine.read(places.CHANGED), authority)
    except (OSError, ValueError, WireError):
        return None
    return found if found.base == base.base else None


def not_signed_words(nodes: Iterable[NodeId]) -> str:
    """A sentence."""
    names = ", ".join(sorted(map(node_text, nodes)))
    return (
        f"NOBODY HEARS {names} UNTIL THE ENROLMENT SERVICE HAS SIGNED FOR THEM AGAIN, and it has not: the new directory"
        " does not know these units, which it had added. 'systemctl status watchlink-enrol' says why; or run 'watchlink"
        " fleet collect' on the fleet's machine"
    )


def left_out_words(nodes: Iterable[NodeId]) -> str:
    """A sentence."""
    names = ", ".join(sorted(map(node_text, nodes)))
    return (
        f"NOBODY HEARS {names} ANY MORE: the new directory does not know these units, which the delegate had added, and"
        " the delegation is over. On the fleet's machine run 'watchlink fleet collect'; if the delegate's key was"
        " stolen, see 'Claiming a unit again' in docs/town-keys.md"
    )


def delegate_here(machine: Machine) -> bytes:
    """Its public key; empty if there is none, or none that can be read."""
    try:
        return bytes.fromhex(machine.read(PUBLIC_KEY).decode("ascii"))
    except (OSError, ValueError):
        return b""


_MOVED: Final = "the fleet has given it a machine of its own, and its key of the nodes' issuer is still here"
_MOVE_OUT: Final = (
    f"Carry 'state' and 'delegate.*' of {places.ENROLMENT_OWN} there, or run 'watchlink fleet collect'. Then here:"
    f" 'systemctl disable --now {places.ENROL} {places.ENROL_LIST}.timer' and 'rm -r {places.ENROLMENT_OWN}'"
)


def moved_words() -> str:
    """What is wrong where the service has left its keys behind, and what to do: a sentence."""
    return f"THE ENROLMENT SERVICE STILL RUNS HERE: {_MOVED}. {_MOVE_OUT}"


def enrolment(
    machine: Machine,
    now: datetime,
    central_toml: dict[str, Any],
    not_heard: Iterable[str],
    *,
    is_elsewhere: bool = False,
) -> list[Finding]:
    """What of the service is missing, wrong or about to end, beside units, users and its own certificate.

    Args:
        machine: this one.
        now: aware.
        central_toml: central's configuration.
        not_heard: nodes that an installation left out.
        is_elsewhere: the fleet has given the service a machine of its own.
    """
    if is_elsewhere and machine.path(NODES_KEY).exists():
        return [bad(ABOUT, _MOVED, f"{_MOVE_OUT}.")]
    names = (*ENROLMENT_FILES, "delegate.key", "delegate.pub")
    missing = [name for name in names if not machine.path(f"{places.ENROLMENT_OWN}/{name}").exists()]
    if missing:
        to_do = "Run 'watchlink central install' again, with the fleet's newest pack."
        return [bad(ABOUT, f"{', '.join(missing)} missing in {places.ENROLMENT_OWN}", to_do)]
    found = [_issuer(machine, now), *_delegation(machine, now, not_heard)]
    if central_toml.get("identity", {}).get("delegated_directory_file") != places.CHANGED:
        to_do = f'Write delegated_directory_file = "{places.CHANGED}" under [identity], and restart watchlink-central.'
        found.append(bad(ABOUT, f"{places.CENTRAL_TOML} does not name it: nobody hears a unit claimed here", to_do))
    return found


def _issuer(machine: Machine, now: datetime) -> Finding:
    about = "nodes' issuer"
    to_do = "Run 'watchlink fleet enrolment --beside-central' on the fleet's machine, and install the new pack here."
    try:
        own = x509.load_pem_x509_certificate(machine.read(f"{places.ENROLMENT_OWN}/nodes.pem"))
        in_force = x509.load_pem_x509_certificates(machine.read(f"{places.BROKER}/issuers.pem"))
    except (OSError, ValueError) as e:
        return bad(about, f"it cannot be read ({why(e)})", to_do)
    if own not in in_force:
        return bad(about, "it was cut off or replaced: what it signs now, the broker refuses", to_do)
    to_do = f"Run 'watchlink fleet new-root --replace', {to_do[4:]}"
    return expiry(about, "its certificate", own.not_valid_after_utc, now, warning=ROOT_WARNING, to_do=to_do)


def _delegation(machine: Machine, now: datetime, not_heard: Iterable[str]) -> list[Finding]:
    about = "delegation"
    try:
        authority = authority_in(machine, places.CENTRAL)
        directory = open_directory(machine.read(places.DIRECTORY), authority)
    except (OSError, ValueError, WireError):
        return []  # told of the directory
    changed = changed_here(machine, directory)
    known = {node_text(node) for one in (directory, changed) if one is not None for node in one.senders}
    lost = [node for node in not_heard if node not in known]
    to_do = "Run 'watchlink fleet collect' on the fleet's machine; else 'Claiming a unit again' in docs/town-keys.md."
    found = [bad(about, f"nobody hears {', '.join(lost)} any more", to_do)] if lost else []
    delegation = directory.delegation
    if delegation is None or not delegation.key:
        return [*found, bad(about, "the fleet has named no delegate: no unit can claim its premises", _NAME_IT)]
    if delegation.key != delegate_here(machine):
        return [*found, bad(about, "the fleet has named another key than the one here", _NAME_IT)]
    told = expiry(about, "it", delegation.expires_at, now, warning=CERTIFICATE_WARNING, to_do=_NAME_IT)
    return [*found, told]
