"""Makes the running broker obey, and proves that it does.

Mosquitto's traps, measured on 2.0.21: if it reloads while its revocation list is missing or damaged, it lets everyone
in; with an expired list it refuses everyone; and a connected client stays connected whatever the list says. So the
list is checked before the reload, and the ACL takes every right from a revoked node, which silences a live session at
once. Then two certificates made for the purpose show what the broker does:

* a revoked **canary** must be refused, as revoked: the new list is in force;
* a valid **control** must be let in and may write only a topic that the new ACL alone names: the broker refuses for
  the right reason, and obeys the ACL that silences the live session. The second half matters: if Mosquitto reloads an
  ACL that it cannot read, it allows everything.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from provisioning.broker import PROOF_USER, proof_topic
from provisioning.broker_probe import BrokerProbe, Observation, Verdict
from provisioning.certificates import IssuedCertificate, check_crl, issue_client_certificate
from provisioning.errors import BrokerUnprovenError, CrlError
from provisioning.folder import FleetFolder
from provisioning.records import remember

Reload = Callable[[], None]
"""Makes the broker reload its files; raises :class:`BrokerUnprovenError` if it cannot."""

PROOF_LIFE: Final = timedelta(hours=1)
"""Canaries stay in the list only until they expire."""
PROOF_DEADLINE_S: Final = 20.0
PROOF_PAUSE_S: Final = 0.2
TRESPASS: Final = "trespass"
PROVEN: Final = (Verdict.REVOKED, Verdict.ACCEPTED, Verdict.FORBIDDEN)
"""Verdicts on the canary, on the control, and on the control where it has no right."""


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
                shlex.split(command), check=True, timeout=60, stdin=subprocess.DEVNULL
            )
        except (OSError, ValueError, subprocess.SubprocessError) as e:
            raise BrokerUnprovenError(f"The broker could not be reloaded: {e}.") from e

    return reload


def enforce(folder: FleetFolder, reload: Reload, *, deadline_s: float = PROOF_DEADLINE_S) -> None:
    """Write a new revocation list, ACL and directory, reload the broker, and prove that it obeys them.

    The caller holds ``folder``'s lock. Old files are never put back: after any error a restarted broker reads the
    newest files that could be written, which refuse more than the previous ones, never less.

    Raises:
        CrlError: the list on disk is not fit for a broker, so it was not reloaded.
        BrokerUnprovenError: the files are in place, but the running broker was not seen to obey them in time.
    """
    ca = folder.authority()
    now = folder.now()
    canary = issue_client_certificate(ca, PROOF_USER, now=now, life=PROOF_LIFE)
    control = issue_client_certificate(ca, PROOF_USER, now=now, life=PROOF_LIFE)
    kept = tuple(old for old in folder.record.canaries if old.expires_at > now)
    record = msgspec.structs.replace(
        folder.record,
        crl_number=folder.record.crl_number + 1,
        canaries=(*kept, remember(canary)),
    )
    folder.commit(record)
    folder.publish()
    trouble: Exception | None = None
    try:
        folder.publish_crl(ca)
    except (CrlError, OSError) as e:
        trouble = e
    # An unfit list would let everyone in after a reload; with the previous list the ACL still silences.
    check_crl(folder.crl_in_place(), ca, frozenset(), now)
    reload()
    if trouble is not None:
        raise BrokerUnprovenError(f"The new revocation list could not be written: {trouble}") from trouble
    broker = record.broker
    probe = BrokerProbe(broker.host, broker.port, folder.layout.authority / "ca.pem")
    _prove(probe, canary, control, proof_topic(record.crl_number), deadline_s)


def _prove(
    probe: BrokerProbe, canary: IssuedCertificate, control: IssuedCertificate, topic: str, deadline_s: float
) -> None:
    give_up_at = time.monotonic() + deadline_s
    while True:
        of_canary, of_control = probe.observe(canary, topic), probe.observe(control, topic)
        of_trespass = probe.observe(control, f"{topic}/{TRESPASS}")
        if (of_canary.verdict, of_control.verdict, of_trespass.verdict) == PROVEN:
            return
        if time.monotonic() >= give_up_at:
            raise BrokerUnprovenError(_why(probe, of_canary, of_control, of_trespass))
        time.sleep(PROOF_PAUSE_S)


def _why(probe: BrokerProbe, canary: Observation, control: Observation, trespass: Observation) -> str:
    where = f"the broker at {probe.host}:{probe.port}"
    let_in = {Verdict.ACCEPTED, Verdict.FORBIDDEN}
    if Verdict.UNREACHABLE in {canary.verdict, control.verdict, trespass.verdict}:
        return f"{where} did not answer ({control.detail or canary.detail or trespass.detail})."
    if canary.verdict in let_in:
        return f"{where} LETS REVOKED CERTIFICATES IN: a revoked test certificate was {canary.verdict}."
    if control.verdict in let_in and trespass.verdict is Verdict.ACCEPTED:
        return f"{where} OBEYS NO ACL: anyone connected may read and send everything. Can it read its files?"
    if control.verdict is Verdict.FORBIDDEN:
        return f"{where} still obeys an older ACL, so a session that is open now has not been silenced."
    if control.verdict not in let_in:
        return f"{where} refuses valid certificates too ({control.detail}): nobody can connect."
    return f"{where} refused the canary, but not as revoked ({canary.detail})."


def standing(error: Exception, what_is_in_force: str) -> BrokerUnprovenError:
    """``error`` for the engineer: what is not proven, what is in force, what to do."""
    return BrokerUnprovenError(
        f"NOT PROVEN: {error}\n{what_is_in_force}\n"
        "Run the command again when the broker works. Until it succeeds, treat the broker as open."
    )
