"""Which revocation lists the broker gets, where the enrolment service is on the same machine.

The fleet's list of nodes lacks what the service has revoked since, which the fleet does not know (ADR 0031), and the
one here lacks what the fleet has revoked. Neither may be lost. Only the service has the key that signs both together;
until it has, and if it cannot, the one here stays. Whoever has taken the service over holds nothing up: the broker has
the fleet's rules and other lists before the service is asked, and it has a few seconds.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from msgspec import Struct

from installation import places
from installation.errors import InstallError
from installation.files import make_folder, read
from installation.machine import Machine
from installation.revocation import list_of, other_lists, with_list
from runtime.atomic import PUBLIC, write_atomic
from runtime.revocation_list import RevocationList
from wire.fleet_files import DIRECTORY_OF_FLEET, ISSUERS_IN_FORCE, LISTS_HERE, LISTS_OF_FLEET

JOINING: Final = "/run/watchlink-joining"
"""Where the service finds what it is to sign; nothing in it is secret."""
_ANYBODYS: Final = 0o755
SIGNED_WITHIN_S: Final = 20
"""A program that starts on a busy machine takes two; the fleet waits three minutes for all of the installation."""
_CPU_S_MAX: Final = 10
_BYTES_MAX: Final = 512 * 1024 * 1024
_AS_THE_SERVICE: Final = (
    "timeout",
    "--signal=KILL",
    f"{SIGNED_WITHIN_S}",
    "prlimit",
    f"--cpu={_CPU_S_MAX}",
    f"--as={_BYTES_MAX}",
    "--core=0",
    "setpriv",
    "--reuid=watchlink-enrol",
    "--regid=watchlink-enrol",
    "--clear-groups",
    "--no-new-privs",
    "--inh-caps=-all",
)
"""It reads a database that whoever takes the service over can write: not as root, and outside the service's unit."""


class ToJoin(Struct, frozen=True):
    """What the service is to sign.

    Attributes:
        fleets: the fleet's lists, of all issuers in force.
        here: the broker's.
        issuers: those issuers, PEM.
        directory: the fleet's.
        own: the service's issuer.
        held: its list in ``here``.
        coming: its list in ``fleets``.
    """

    fleets: bytes
    here: bytes
    issuers: bytes
    directory: bytes
    own: x509.Certificate
    held: RevocationList
    coming: RevocationList


class ForBroker(Struct, frozen=True):
    """The file to be put.

    Attributes:
        data: it.
        is_of_both: the one that is here is the service's own work, and no stranger's.
        to_join: what ``data`` lacks until the service has signed; ``None`` = nothing.
    """

    data: bytes
    is_of_both: bool = False
    to_join: ToJoin | None = None


def lists_for_broker(machine: Machine, fleets: bytes, issuers: bytes, directory: bytes) -> ForBroker:
    """What the broker gets at once. Nothing is asked of the service.

    Args:
        machine: this one, where the service is.
        fleets: the fleet's lists, of all issuers in force.
        issuers: those issuers, PEM.
        directory: the fleet's.
    """
    shutil.rmtree(machine.path(JOINING), ignore_errors=True)  # Of a run that was cut short.
    here, own = read(machine.path(places.LISTS)), _own_issuer(machine, issuers)
    if here is None or own is None:
        return ForBroker(fleets)
    held, coming = list_of(here, own), list_of(fleets, own)
    if held is None or held.ends_at <= datetime.now(UTC) or coming is None:
        return ForBroker(fleets)  # Damaged or over: it keeps nobody out, or everybody.
    if coming.serials <= held.serials and coming.number <= held.number:
        return ForBroker(with_list(fleets, coming, held), is_of_both=True)
    return ForBroker(
        with_list(fleets, coming, held),
        is_of_both=True,
        to_join=ToJoin(fleets, here, issuers, directory, own, held, coming),
    )


def join_lists(machine: Machine, to_join: ToJoin) -> tuple[bytes, str]:
    """The file with what both lists have; or nothing, and why, a sentence without a full stop."""
    try:
        joined = _signed(machine, to_join)
        _check(joined, to_join)
    except (InstallError, OSError, ValueError) as e:
        why = str(e).rstrip(".")
        return b"", (
            f"THE REVOCATION LIST OF NODES STAYS AS IT WAS, without what the fleet has revoked since: {why}. The"
            " broker's rules forbid those nodes everything. 'systemctl status watchlink-enrol' says more; put that"
            " right and install again"
        )
    return joined, ""


def _own_issuer(machine: Machine, issuers: bytes) -> x509.Certificate | None:
    """The service's, if it is still in force: one that was cut off must get no list, which would let its nodes in."""
    pem = read(machine.path(f"{places.ENROLMENT_OWN}/nodes.pem"))
    try:
        own = x509.load_pem_x509_certificate(pem or b"")
        return own if own in x509.load_pem_x509_certificates(issuers) else None
    except ValueError:
        return None


def _signed(machine: Machine, to_join: ToJoin) -> bytes:
    folder = machine.path(JOINING)
    try:
        make_folder(folder)
        folder.chmod(_ANYBODYS)  # Whatever the mask of whoever installs.
        for name, data in (
            (LISTS_OF_FLEET, to_join.fleets),
            (LISTS_HERE, to_join.here),
            (ISSUERS_IN_FORCE, to_join.issuers),
            (DIRECTORY_OF_FLEET, to_join.directory),
        ):
            write_atomic(folder / name, data, PUBLIC)
        command = (places.PROGRAM, "enrol", "--config", places.ENROLMENT_TOML, "join-lists", str(folder))
        answer = machine.run(*_AS_THE_SERVICE, *command)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not answer.is_good:
        raise InstallError(
            answer.text.strip()
            or f"the enrolment service has not signed it within {SIGNED_WITHIN_S} seconds (status {answer.status})"
        )
    return answer.text.encode()


def _check(joined: bytes, to_join: ToJoin) -> None:
    """Whoever has taken the service over can sign, but un-revoke nobody.

    Raises:
        ValueError: the file is not the fleet's with one more complete list of this issuer.
    """
    own, held, coming = to_join.own, to_join.held, to_join.coming
    new = list_of(joined, own)
    if new is None or other_lists(joined, own) != other_lists(to_join.fleets, own):
        raise ValueError("the enrolment service made another file than it was asked for")
    if not held.serials | coming.serials <= new.serials or new.ends_at <= datetime.now(UTC):
        raise ValueError("the enrolment service left out somebody who was revoked")
