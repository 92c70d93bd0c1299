"""What the commands share: how they speak, ask, and tell a running broker."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from provisioning.enforcement import PROOF_DEADLINE_S, Reload, reload_by_command, reload_by_pid_file
from provisioning.errors import FleetError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.uncollected import nobody_can_claim


def town_options() -> argparse.ArgumentParser:
    """The options of every command."""
    town = argparse.ArgumentParser(add_help=False)
    town.add_argument("--dir", required=True, type=Path, metavar="TOWN", help="the fleet folder")
    return town


def broker_options() -> argparse.ArgumentParser:
    """The options of commands after which a running broker reads its files again."""
    broker = argparse.ArgumentParser(add_help=False)
    told = broker.add_mutually_exclusive_group()
    told.add_argument(
        "--broker-pid-file",
        type=Path,
        metavar="FILE",
        help="where the broker keeps its process id; default: TOWN/broker/mosquitto.pid",
    )
    told.add_argument(
        "--reload-command",
        metavar="COMMAND",
        help='makes the broker read its files again, e.g. "systemctl reload mosquitto"; default: TOWN/apply, once'
        " 'watchlink fleet install' has made it",
    )
    broker.add_argument(
        "--deadline",
        default=PROOF_DEADLINE_S,
        type=float,
        metavar="SECONDS",
        help="how long to wait for the broker; default: %(default)g",
    )
    return broker


def reload_of(options: argparse.Namespace, fleet: Fleet) -> Reload:
    """How these options tell the broker to read its files again."""
    if options.reload_command:
        return reload_by_command(options.reload_command)
    if fleet.layout.apply.exists() and not options.broker_pid_file:
        return reload_by_command(shlex.quote(str(fleet.layout.apply)))
    return reload_by_pid_file(options.broker_pid_file or fleet.layout.pid_file)


def bring(fleet: Fleet, reload: Reload) -> None:
    """Bring the files to where they are read, while no other command changes them.

    Raises:
        FleetError: they did not get there.
    """
    with fleet.folder.changing():
        reload()


def knows_broker(options: argparse.Namespace, fleet: Fleet) -> bool:
    """Whether a broker runs out of the folder, or the options name one."""
    layout = fleet.layout
    return bool(options.broker_pid_file or options.reload_command or layout.apply.exists() or layout.pid_file.exists())


def pass_directory_on(options: argparse.Namespace, fleet: Fleet) -> None:
    """Bring a new directory to where central reads it, and say so.

    Raises:
        BrokerUnprovenError: the directory is made, but the broker was not seen to obey the new files.
    """
    serial = fleet.record.directory_serial
    if knows_broker(options, fleet):
        fleet.enforce(reload_of(options, fleet), deadline_s=options.deadline)
        say(f"The directory has serial {serial}. Central passes it on.")
    else:
        say(f"The directory has serial {serial}. Copy {fleet.layout.directory} to central, which passes it on.")


def pass_claims_on(options: argparse.Namespace, fleet: Fleet) -> None:
    """Bring new claims to the enrolment service and their rights to the broker, or say how.

    Raises:
        FleetError: they are made, but did not get there.
    """
    warn_without_service(options, fleet)
    try:
        if options.reload_command or fleet.layout.apply.exists():
            bring(fleet, reload_of(options, fleet))
        elif knows_broker(options, fleet):
            fleet.enforce(reload_of(options, fleet), deadline_s=options.deadline)
    except FleetError as e:
        raise FleetError(
            f"The claims are made, and their codes are good. But the broker or the enrolment service may not know them"
            f" yet: run 'watchlink fleet renew-crl' to tell them. {e}"
        ) from e


def warn_without_service(options: argparse.Namespace, fleet: Fleet) -> None:
    """Say what keeps new claims from the enrolment service, if anything."""
    if why_not := nobody_can_claim(fleet.record, fleet.now()):
        say(f"! {why_not}")
    layout = fleet.layout
    if layout.enrolment.exists() and not layout.beside_central.exists():
        say(f"The enrolment service has a machine of its own: carry {layout.claims} and {layout.directory} there.")
    elif not options.reload_command and not layout.apply.exists():
        say(f"An enrolment service on another machine needs the new {layout.claims}.")


def say_what_stays_unlisted(fleet: Fleet, node: str) -> None:
    """After a revocation: which certificates of the node no list names, and what to do.

    The canary was of an issuer's list that this fleet has signed. Beside central the enrolment service adds its own to
    that; on a machine of its own nobody does.
    """
    layout = fleet.layout
    if layout.enrolment.exists() and not layout.beside_central.exists():
        say(f"! The enrolment service has a machine of its own: certificates that it has made for {node} are on no")
        say("  revocation list. With one of them the unit can still connect, for 90 days at most, but the broker lets")
        say(f"  it hear and say nothing. Carry {layout.directory} there now, so that it gets no new one.")


def confirm(facts: str, question: str, *, unchanged: str, way_out: str) -> None:
    """Ask at the terminal.

    Args:
        facts: what the person must know, in sentences.
        question: what they decide.
        unchanged: what has not happened if they say no, as a sentence.
        way_out: what a script has to do, which has no terminal.

    Raises:
        FleetInputError: the answer is no, or there is no terminal.
    """
    if not sys.stdin.isatty():
        raise FleetInputError(f"{facts} {unchanged} {way_out}")
    if input(f"{facts} {question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise FleetInputError(unchanged)


def say(sentence: str) -> None:
    """To the person at the terminal."""
    sys.stdout.write(sentence + "\n")
