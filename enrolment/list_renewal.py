"""``watchlink enrol renew-list``: a new revocation list of the nodes' issuer, every day, where its key is.

The broker's other lists stay as they are: their keys are elsewhere. What is revoked: all that the list had, and every
certificate that was made here for a node that the directory has struck since. The order is what keeps a mistake from
opening the door: judged, written beside, renamed, judged again, reloaded, proven with a canary.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from enrolment.config import Configuration, authority_of
from enrolment.issuer import NodesIssuer
from enrolment.register import Register
from enrolment.rules.lists import ListError, check_lists, own_list, read_lists, with_list
from runtime.atomic import PUBLIC, write_atomic
from runtime.broker_probe import BrokerProbe, Verdict
from runtime.config import ConfigError
from runtime.folder_lock import folder_lock
from runtime.proof_file import leave_word, read_proof
from runtime.proof_serials import has_ended
from runtime.regular_file import read_regular
from wire.directory import open_directory
from wire.errors import WireError
from wire.fleet_files import DIRECTORY_OF_FLEET, ISSUERS_IN_FORCE, LISTS_HERE, LISTS_OF_FLEET, PROOF
from wire.ids import node_text

PROOF_NAME: Final = "proof-of-lists"
"""To whom the broker gives no right."""
PROOF_LIFE: Final = timedelta(hours=1)
PROOF_DEADLINE_S: Final = 20.0
PROOF_PAUSE_S: Final = 0.2
BROKER_FILE_BYTES_MAX: Final = 64 * 1024 * 1024
REGISTER: Final = "register.sqlite3"
FOR_CENTRAL: Final = 0o640
"""Mode of what central reads, in a folder of its group."""
CONTROL_GROUPS: Final = Path("/sys/fs/cgroup")
_OLDER: Final = ("", "unified", "systemd")
"""Where systemd's own are below that: in a container of an older machine not at its top."""
_LET_IN: Final = frozenset({Verdict.ACCEPTED, Verdict.FORBIDDEN})


class ListRenewalError(Exception):
    """The list is not renewed, or not proven: a sentence for the engineer, which says what is in force."""


class ListUnprovenError(ListRenewalError):
    """The new list is in place, but the running broker was not seen to obey it."""


class Proof(Struct, frozen=True):
    """A certificate made to look at the broker with, and its key."""

    certificate_pem: bytes
    key_pem: bytes
    serial: int


class BrokerFolder(Struct, frozen=True):
    """The broker's files on this machine."""

    path: Path

    def lists(self) -> bytes:
        """Of all issuers.

        Raises:
            OSError: it cannot be read.
        """
        return read_regular(self.path / "crl.pem", BROKER_FILE_BYTES_MAX)

    def issuers(self) -> list[x509.Certificate]:
        """Those in force.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        return x509.load_pem_x509_certificates(read_regular(self.path / "issuers.pem", BROKER_FILE_BYTES_MAX))


def renew_list_of(configuration: Configuration, folder: Path, reload_command: str) -> datetime:
    """:func:`renew_list` as the service's files have it.

    Raises:
        ListRenewalError: see there.
        ConfigError, RegisterError, OSError: a file cannot be used; nothing was changed.
    """
    file, at = configuration.file, configuration.at
    issuer = NodesIssuer(at(file.issuer.certificate_file), at(file.issuer.key_file))
    word = at(file.directory.changed_file).with_name(PROOF)
    try:
        ends_at = renew_list(
            BrokerFolder(folder),
            issuer,
            _revoked(configuration, at(file.directory.file)),
            reload=reload_by(reload_command),
            probe=BrokerProbe(file.broker.host, file.broker.port, at(file.issuer.roots_file)),
            deadline_s=PROOF_DEADLINE_S,
        )
    except ListUnprovenError:
        before = read_proof(word)
        leave_word(word, (before and before.since) or datetime.now(UTC), FOR_CENTRAL)
        raise
    leave_word(word, None, FOR_CENTRAL)
    return ends_at


def join_lists(configuration: Configuration, folder: Path, now: datetime | None = None) -> bytes:
    """The fleet's lists, with one of nodes that has what both the fleet's and the broker's have, and who was struck.

    Args:
        configuration: the service's.
        folder: with the files that :mod:`wire.fleet_files` names.
        now: aware; ``None`` = the machine's clock.

    Raises:
        ListRenewalError: they cannot be joined.
        ConfigError, RegisterError, OSError: a file cannot be used.
    """
    file, at, now = configuration.file, configuration.at, now or datetime.now(UTC)
    issuer = NodesIssuer(at(file.issuer.certificate_file), at(file.issuer.key_file))
    name = issuer.certificate.subject
    # Before the first unit was claimed there is none.
    register = at(file.state_dir) / REGISTER
    revoked = _revoked(configuration, folder / DIRECTORY_OF_FLEET) if register.exists() else frozenset()
    try:
        issuers = x509.load_pem_x509_certificates((folder / ISSUERS_IN_FORCE).read_bytes())
        lists = read_lists((folder / LISTS_OF_FLEET).read_bytes(), issuers)
        here = own_list((folder / LISTS_HERE).read_bytes(), issuer.certificate)
        if name not in lists:
            raise ListError(f"the fleet has no list of {name.rfc4514_string()}, so this issuer was cut off")
        both = [lists[name], *([here] if here is not None else [])]
        wanted = revoked.union(*(one.serials for one in both))
        joined = with_list(lists, name, issuer.revoke(wanted, max(one.number for one in both) + 1, now))
        check_lists(joined, issuers, wanted, name, now)
    except ValueError as e:
        raise ListRenewalError(f"The revocation lists of nodes cannot be joined: {e}.") from e
    return joined


def _revoked(configuration: Configuration, directory_file: Path) -> frozenset[int]:
    """Serials of all certificates that were made here for nodes that this directory strikes."""
    file, at = configuration.file, configuration.at
    authority = authority_of(configuration)
    try:
        directory = open_directory(directory_file.read_bytes(), authority)
    except WireError as e:
        raise ConfigError(f"{directory_file}: not a directory of this town's authority ({e})") from e
    struck = {node_text(node) for node, sender in directory.senders.items() if sender.is_revoked}
    register = Register(at(file.state_dir) / REGISTER, authority)
    try:
        return register.serials_of(struck)
    finally:
        register.close()


def renew_list(
    broker: BrokerFolder,
    issuer: NodesIssuer,
    revoked: frozenset[int],
    *,
    reload: Callable[[], None],
    probe: BrokerProbe,
    now: datetime | None = None,
    deadline_s: float = PROOF_DEADLINE_S,
) -> datetime:
    """Renew the list, and prove that the running broker obeys it. Returns when the first of all lists ends.

    Args:
        broker: its folder.
        issuer: the nodes'.
        revoked: serials of certificates of struck nodes.
        reload: has the broker read its files again; raises OSError or subprocess.SubprocessError.
        probe: a look at the broker.
        now: aware; ``None`` = the machine's clock.
        deadline_s: how long the broker may take.

    Raises:
        ListRenewalError: nothing was changed, or it is not proven; it says which.
    """
    now = now or datetime.now(UTC)
    canary, control = (_for_proof(issuer, now) for _ in range(2))
    wanted = revoked | {canary.serial}
    try:
        # An installation may bring the fleet's lists at this moment.
        with folder_lock(broker.path):
            ends_at = _put(broker, issuer, wanted, now)
    except (ListError, ValueError, OSError) as e:
        raise ListRenewalError(
            f"The revocation list of nodes is NOT renewed: {e}. The broker was not told to read anything. Install the"
            " fleet's newest pack before the list ends: from then on no unit can connect."
        ) from e
    try:
        reload()
        _prove(probe, canary, control, deadline_s)
    except (OSError, subprocess.SubprocessError, ListRenewalError) as e:
        raise ListUnprovenError(
            f"NOT PROVEN: {e}. The new list is in {broker.path}; a broker that starts with it obeys it. Until this"
            " command succeeds, treat the broker as open."
        ) from e
    return ends_at


def _put(broker: BrokerFolder, issuer: NodesIssuer, wanted: frozenset[int], now: datetime) -> datetime:
    """Put the new list in place, as far as that is safe. Returns when the first of all lists ends.

    Args:
        broker: its folder.
        issuer: the nodes'.
        wanted: serials that must be in it.
        now: aware.

    Raises:
        ListError, ValueError, OSError: the broker must not read its files again.
    """
    name, issuers, before = issuer.certificate.subject, broker.issuers(), broker.lists()
    held = read_lists(before, issuers)
    if name not in held:
        # A list of an issuer that was cut off would let its certificates in again, the thief's too.
        raise ListError(f"the broker has no list of {name.rfc4514_string()}, so this issuer was cut off")
    # Also the fleet's canaries, which an installation has brought: nobody else takes them away here.
    wanted |= {serial for serial in held[name].serials if not has_ended(serial, now)}
    lists = with_list(held, name, issuer.revoke(wanted, held[name].number + 1, now))
    check_lists(lists, issuers, wanted, name, now)
    if broker.lists() != before:
        raise ListError("somebody else has changed the file just now")
    write_atomic(broker.path / "crl.pem", lists, PUBLIC)
    check_lists(broker.lists(), issuers, wanted, name, now)
    return min(one.ends_at for one in read_lists(lists, issuers).values())


def reload_by(command: str) -> Callable[[], None]:
    """Runs a command, without a shell; empty = tells the broker's unit on this machine to read its files again."""

    def reload() -> None:
        if command:
            subprocess.run(shlex.split(command), check=True, timeout=60, stdin=subprocess.DEVNULL)  # noqa: S603 - the engineer's
            return
        # Asking systemd takes root; a signal takes a capability.
        groups = (CONTROL_GROUPS / one / "system.slice/mosquitto.service/cgroup.procs" for one in _OLDER)
        pids = [pid for group in groups if group.exists() for pid in group.read_text().split()]
        if not pids:
            raise OSError("mosquitto.service does not run")
        for pid in dict.fromkeys(pids):
            os.kill(int(pid), signal.SIGHUP)

    return reload


def _prove(probe: BrokerProbe, canary: Proof, control: Proof, deadline_s: float) -> None:
    give_up_at = time.monotonic() + deadline_s
    while True:
        of_canary, of_control = probe.observe(canary, PROOF_NAME), probe.observe(control, PROOF_NAME)
        if of_canary.verdict is Verdict.REVOKED and of_control.verdict in _LET_IN:
            return
        if time.monotonic() >= give_up_at:
            break
        time.sleep(PROOF_PAUSE_S)
    if of_canary.verdict in _LET_IN:
        raise ListRenewalError("the broker LETS REVOKED CERTIFICATES IN")
    detail = of_control.detail or of_canary.detail
    if of_control.verdict is Verdict.UNREACHABLE:
        raise ListRenewalError(f"the broker did not answer ({detail})")
    raise ListRenewalError(f"the broker refuses valid certificates too ({detail}): nobody can connect")


def _for_proof(issuer: NodesIssuer, now: datetime) -> Proof:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    made = issuer.sign(request, PROOF_NAME, now, PROOF_LIFE, is_for_proof=True)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Proof(issuer.chain_pem(made).encode(), key_pem, made.serial_number)
