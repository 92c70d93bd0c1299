"""Makes the running broker obey, and proves that it does.

Mosquitto's traps, measured on 2.0.21: if it reloads while its revocation list is missing or damaged, it lets everyone
in; with an expired list it refuses everyone of that issuer; and a connected client stays connected whatever the list
says. So the lists are checked before the reload, and the ACL takes every right from a revoked node, which silences a
live session at once. Then certificates made for the purpose show what the broker does, two of each issuer:

* a revoked **canary** must be refused, as revoked: the new list is in force;
* a valid **control** must be let in and may write only a topic that the new ACL alone names: the broker refuses for
  the right reason, and obeys the ACL that silences the live session. The second half matters: if Mosquitto reloads an
  ACL that it cannot read, it allows everything.

A valid certificate of an issuer that was cut off must be refused. And a control may not write what the ACL allows to
its common name alone: that would be a broker which does not read the whole subject, because it was not restarted.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from provisioning.broker import BELIEVED, PROOF_USER, proof_topic
from provisioning.certificates import CertificateAuthority, IssuedCertificate, issue_client_certificate
from provisioning.errors import BrokerUnprovenError, FleetDamagedError, FleetError
from provisioning.folder import FleetFolder
from provisioning.issuers import has_issuer, roots_for_broker
from provisioning.records import remember
from provisioning.renewal import renew_broker
from provisioning.unproven import proving
from runtime.broker_probe import BrokerProbe, Observation, Verdict
from runtime.proof_file import Unproven, read_proof
from wire.subjects import SERVICES, subject_text

Reload = Callable[[], None]
"""Makes the broker reload its files; raises :class:`BrokerUnprovenError` if it cannot."""

RELOAD_WITHIN_S: Final = 180.0
"""A command may carry files to another machine and start programs there."""
PROOF_LIFE: Final = timedelta(hours=1)
"""Canaries stay in the list only until they expire."""
PROOF_DEADLINE_S: Final = 20.0
PROOF_PAUSE_S: Final = 0.2
RELOAD_AGAIN_S: Final = 5.0
"""Mosquitto forgets a signal that comes while it rereads its files for the one before."""
TRESPASS: Final = "trespass"
PROVEN: Final = (Verdict.REVOKED, Verdict.ACCEPTED, Verdict.FORBIDDEN)
"""Verdicts on the canary, on the control, and on the control where it has no right."""
LET_IN: Final = frozenset({Verdict.ACCEPTED, Verdict.FORBIDDEN})


class Proof(Struct, frozen=True):
    """What shows how the broker treats an issuer's certificates: one revoked and one valid."""

    issuer: str
    canary: IssuedCertificate
    control: IssuedCertificate


def reload_by_pid_file(pid_file: Path) -> Reload:
    """Sends SIGHUP to the process named in ``pid_file``, if it is Mosquitto."""

    def reload() -> None:
        try:
            pid = int(pid_file.read_text())
            # A stale file may name any process by now, and SIGHUP ends most programs.
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            if name != "mosquitto":
                raise BrokerUnprovenError(f"{pid_file} is stale: process {pid} is {name!r}, not Mosquitto.")
            os.kill(pid, signal.SIGHUP)
        except (OSError, ValueError) as e:
            raise BrokerUnprovenError(f"No running broker could be reloaded: {pid_file}: {e}.") from e

    return reload


def reload_by_command(command: str) -> Reload:
    """Runs a command such as ``systemctl reload mosquitto``, without a shell."""

    def reload() -> None:
        try:
            subprocess.run(  # noqa: S603 - the engineer's own command line
                shlex.split(command), check=True, timeout=RELOAD_WITHIN_S, stdin=subprocess.DEVNULL
            )
        except subprocess.CalledProcessError as e:
            raise BrokerUnprovenError(f"The broker could not be reloaded: {command} ended with {e.returncode}.") from e
        except (OSError, ValueError, subprocess.SubprocessError) as e:
            raise BrokerUnprovenError(f"The broker could not be reloaded: {e}.") from e

    return reload


def enforce(folder: FleetFolder, reload: Reload, *, deadline_s: float = PROOF_DEADLINE_S) -> None:
    """Write new revocation lists, ACL and directory, reload the broker, and prove that it obeys them.

    The caller holds ``folder``'s lock. Old files are never put back: after any error a restarted broker reads the
    newest files that could be written, which refuse more than the previous ones, never less.

    Raises:
        CrlError: the lists on disk are not fit for a broker, so it was not reloaded.
        BrokerUnprovenError: the files are in place, but the running broker was not seen to obey them in time.
    """
    brought: list[Unproven | None] = []

    def bring() -> None:
        reload()
        brought[:] = [read_proof(folder.layout.proof)]

    try:
        with proving(folder):
            _enforce(folder, bring, deadline_s)
    finally:
        # Central's page is to say what was seen, and to say it no more once the broker obeys.
        if brought and brought != [read_proof(folder.layout.proof)]:
            with contextlib.suppress(FleetError, OSError):
                reload()


def _enforce(folder: FleetFolder, reload: Reload, deadline_s: float) -> None:
    now = folder.now()
    proofs = [
        Proof(name, _for_proof(issuer, folder), _for_proof(issuer, folder))
        for name, issuer in ((name, folder.authority(name)) for name in folder.issuers_in_force())
    ]
    kept = tuple(old for old in folder.record.canaries if old.expires_at > now)
    record = msgspec.structs.replace(
        folder.record,
        crl_number=folder.record.crl_number + 1,
        canaries=(*kept, *(remember(proof.canary) for proof in proofs)),
    )
    folder.commit(record)
    folder.publish()
    trouble: Exception | None = None
    try:
        folder.publish_crl()
        _renew_outdated(folder)
    except (FleetError, OSError) as e:
        trouble = e
    # An unfit list would let everyone in after a reload; with the previous list the ACL still silences.
    folder.check_crl_in_place()
    reload()
    if trouble is not None:
        raise BrokerUnprovenError(f"The new revocation list could not be written: {trouble}") from trouble
    _prove(probe_of(folder), folder, proofs, reload, deadline_s)
    if record.broker.reads == "unknown":
        # Seen to read the subject: the names that a common name alone gave are no longer needed.
        broker = msgspec.structs.replace(record.broker, reads="subject")
        folder.commit(msgspec.structs.replace(folder.record, broker=broker))
        _enforce(folder, reload, deadline_s)


def probe_of(folder: FleetFolder) -> BrokerProbe:
    """A look at the fleet's broker."""
    broker = folder.record.broker
    return BrokerProbe(broker.host, broker.port, folder.layout.trusted)


def end_sessions(folder: FleetFolder, organisation: str, names: Sequence[str]) -> None:
    """End whatever session is open under these names, by connecting once under each.

    After an issuer was cut off its certificates connect no more, but a session that was open stays open; and the name
    is also that of the true owner, so the ACL cannot silence it.

    Raises:
        BrokerUnprovenError: the broker did not let us in under one of the names.
    """
    issuer, probe = folder.issuer(organisation), probe_of(folder)
    for name in names:
        own = issue_client_certificate(issuer, name, now=folder.now(), life=PROOF_LIFE)
        seen = probe.observe(own, proof_topic(folder.record.crl_number))
        if seen.verdict not in LET_IN:
            user = subject_text(name, organisation)
            raise BrokerUnprovenError(f"An open session of {user} was not ended: {seen.verdict} ({seen.detail}).")


def _for_proof(issuer: CertificateAuthority, folder: FleetFolder) -> IssuedCertificate:
    return issue_client_certificate(issuer, PROOF_USER, now=folder.now(), life=PROOF_LIFE, is_for_proof=True)


def _renew_outdated(folder: FleetFolder) -> None:
    """Give the broker a certificate of the new root, once no sender in use depends on the old one."""
    if not has_issuer(folder.record, SERVICES):
        return  # It goes on with what it has until there is one: nodes can verify that.
    issuers = {one.name: one for one in folder.record.issuers}
    issuer = issuers[folder.record.broker_certificates[-1].issuer]
    if issuer.cut_off_at is not None or issuer.root not in roots_for_broker(folder.record, folder.now()):
        renew_broker(folder)


def _prove(probe: BrokerProbe, folder: FleetFolder, proofs: Sequence[Proof], reload: Reload, deadline_s: float) -> None:
    now = time.monotonic()
    give_up_at, reload_at = now + deadline_s, now + RELOAD_AGAIN_S
    topic = proof_topic(folder.record.crl_number)
    cut_off = _of_cut_off(folder)
    while True:
        trouble = _trouble(probe, folder, proofs, topic) or _let_in(probe, cut_off, topic)
        if not trouble:
            return
        if time.monotonic() >= give_up_at:
            raise BrokerUnprovenError(f"the broker at {probe.host}:{probe.port} {trouble}")
        if time.monotonic() >= reload_at:
            reload()
            reload_at = time.monotonic() + RELOAD_AGAIN_S
        time.sleep(PROOF_PAUSE_S)


def _trouble(probe: BrokerProbe, folder: FleetFolder, proofs: Sequence[Proof], topic: str) -> str:
    """What the broker does wrong, if anything."""
    must_read_subject = folder.record.broker.reads != "common name"
    for proof in proofs:
        of_canary, of_control = probe.observe(proof.canary, topic), probe.observe(proof.control, topic)
        of_trespass = probe.observe(proof.control, f"{topic}/{TRESPASS}")
        of_name = probe.observe(proof.control, f"{topic}/{BELIEVED}") if must_read_subject else of_trespass
        if (of_name.verdict, of_trespass.verdict) == (Verdict.ACCEPTED, Verdict.FORBIDDEN):
            return (
                "BELIEVES A CERTIFICATE'S COMMON NAME, whoever signed it, so a node's certificate could be central:"
                " restart it, so that it reads its new configuration."
            )
        if (of_canary.verdict, of_control.verdict, of_trespass.verdict) != PROVEN:
            return f"{_why(of_canary, of_control, of_trespass)} (Certificates of {proof.issuer}.)"
    return ""


def _of_cut_off(folder: FleetFolder) -> list[tuple[str, IssuedCertificate]]:
    found = []
    for issuer in folder.record.issuers:
        if issuer.cut_off_at is not None:
            try:
                found.append((issuer.name, _for_proof(folder.authority(issuer.name), folder)))
            except FleetDamagedError:  # its key was destroyed, as is right: nothing is left to try with
                continue
    return found


def _let_in(probe: BrokerProbe, cut_off: Sequence[tuple[str, IssuedCertificate]], topic: str) -> str:
    for name, certificate in cut_off:
        if probe.observe(certificate, topic).verdict in LET_IN:
            return f"LETS CERTIFICATES OF {name} IN, which was cut off. Did its new files arrive?"
    return ""


def _why(canary: Observation, control: Observation, trespass: Observation) -> str:
    if Verdict.UNREACHABLE in {canary.verdict, control.verdict, trespass.verdict}:
        return f"did not answer ({control.detail or canary.detail or trespass.detail})."
    if canary.verdict in LET_IN:
        return f"LETS REVOKED CERTIFICATES IN: a revoked test certificate was {canary.verdict}."
    if control.verdict in LET_IN and trespass.verdict is Verdict.ACCEPTED:
        return "OBEYS NO ACL: anyone connected may read and send everything. Can it read its files?"
    if control.verdict is Verdict.FORBIDDEN:
        return "still obeys an older ACL, so a session that is open now has not been silenced."
    if control.verdict not in LET_IN:
        return f"refuses valid certificates too ({control.detail}): nobody can connect."
    return f"refused the canary, but not as revoked ({canary.detail})."


def standing(error: Exception, what_is_in_force: str) -> BrokerUnprovenError:
    """``error`` for the engineer: what is not proven, what is in force, what to do."""
    return BrokerUnprovenError(
        f"NOT PROVEN: {error}\n{what_is_in_force}\n"
        "Run the command again when the broker works. Until it succeeds, treat the broker as open."
    )
