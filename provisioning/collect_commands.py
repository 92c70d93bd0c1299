"""``watchlink fleet collect``: take over the units that have claimed their premises."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.collecting import Collected, claimed, collect, foresee
from provisioning.console import broker_options, confirm, pass_directory_on, say, town_options
from provisioning.errors import FleetError
from provisioning.fetching import claimed_file
from provisioning.fleet import Fleet
from provisioning.records import ClaimRecord
from provisioning.uncollected import left_out_next

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add it to the parser."""
    command = commands.add_parser(
        "collect",
        parents=[town_options(), broker_options()],
        help="take units that have claimed their premises into the fleet's own list",
    )
    add_file_option(command)
    command.add_argument(
        "--yes", action="store_true", help="do not ask before revoking units whose claims are not known here"
    )
    command.set_defaults(run=_collect)


def add_file_option(parser: argparse.ArgumentParser) -> None:
    """Of each command that asks who has claimed what."""
    parser.add_argument(
        "--from",
        type=Path,
        dest="file",
        metavar="FILE",
        help="the enrolment service's changed/directory.json; default: fetched from central's machine, once 'watchlink"
        " fleet install' has made TOWN/fetch, else in TOWN/enrolment",
    )


def collect_first(fleet: Fleet, node: str, given: Path | None, *, is_due: bool = False) -> str:
    """Collect whoever has claimed a premises, if that unit is not the fleet's own yet.

    A unit without a claim here is struck if it is that one, and else left as it is.

    Args:
        fleet: the fleet.
        node: as somebody typed it.
        given: the enrolment service's file, or ``None``.
        is_due: in any case.

    Returns why the service could not be asked, a sentence; empty = it was, or there was no need to.

    Raises:
        FleetInputError: the file that is given cannot be used; nothing was changed.
    """
    folder, wanted = fleet.folder, node.strip().lower()
    is_known = any(one.node == wanted for one in fleet.record.nodes)
    if given is None and is_known and not is_due:
        return ""
    trouble = ""
    try:
        file = claimed_file(fleet, given)
    except FleetError as e:
        # What was fetched before may still show it.
        trouble, file = str(e), fleet.layout.changed
    try:
        found = collect(folder, file, {wanted})
    except FleetError as e:
        if given is not None:
            raise
        return trouble or str(e)
    _tell(found)
    return trouble


def may_be_left_out(waiting: Sequence[ClaimRecord], what: str = "wait here, and may have been claimed") -> str:
    """What to say of these numbers, which the next directory leaves out."""
    return (
        f"The delegation is over. From the next directory on nobody hears these numbers, which {what}:"
        f" {', '.join(f'{one.node} ({one.premises})' for one in waiting)}. Collect first: 'watchlink fleet collect'. If"
        " it is too late: 'watchlink fleet delegate' with the delegate's key, then collect."
    )


def ask_about_left_out(fleet: Fleet, *, is_agreed: bool) -> None:
    """Before a new directory that can wait, ask whether it may silence them; if that was agreed to, say it.

    Raises:
        FleetInputError: the answer is no, or there is no terminal.
    """
    waiting = left_out_next(fleet.record, fleet.now())
    if not waiting:
        return
    try:
        numbers = claimed(fleet.folder, claimed_file(fleet, None))
    except FleetError:
        facts = may_be_left_out(waiting)
    else:
        named = [one for one in waiting if one.node in numbers]
        facts = may_be_left_out(named, "have claimed their premises, and were not collected") if named else ""
    if facts and is_agreed:
        say(f"! {facts}")
    elif facts:
        confirm(facts, "Go on without?", unchanged="Nothing was changed.", way_out="To go on without, give --yes.")


def _collect(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    file = claimed_file(fleet, options.file)
    if not options.yes:
        _ask_about_revoking(foresee(fleet.folder, file))
    found = collect(fleet.folder, file)
    _tell(found)
    if found.taken or found.struck:
        pass_directory_on(options, fleet)
    else:
        say("No unit has claimed its premises since the last time.")


def _tell(found: Collected) -> None:
    for node in found.taken:
        say(f"{node.node} ({node.premises}) has claimed its premises, and is this fleet's from now on.")
    for node in found.struck:
        say(
            f"! {node.node} ({node.premises}) claimed its premises, but is struck or had its claim taken back: revoked."
        )
    for number in found.strangers:
        say(
            f"! {number} was added by the delegate, and this fleet never reserved that number. Treat the delegate's key"
        )
        say("  as stolen: see 'The delegate' in docs/town-keys.md.")


def _ask_about_revoking(found: Collected) -> None:
    named = ", ".join(f"{node.node} ({node.premises})" for node in found.without_claim)
    if not named:
        return
    confirm(
        f"These units have claimed numbers whose claims are not in this fleet's record: {named}. Either the claims were"
        " taken back, or the record is an older copy ('Restoring an older fleet folder' in docs/backups.md).",
        "Revoke these units for good?",
        unchanged="Nothing was changed.",
        way_out="If the claims were taken back, give --yes.",
    )
