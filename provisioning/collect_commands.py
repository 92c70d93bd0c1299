"""``watchlink fleet collect``: take over the units that have claimed their premises."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.collecting import Collected, collect, foresee
from provisioning.console import broker_options, confirm, pass_directory_on, say, town_options
from provisioning.fleet import Fleet

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add it to the parser."""
    command = commands.add_parser(
        "collect",
        parents=[town_options(), broker_options()],
        help="take units that have claimed their premises into the fleet's own list",
    )
    command.add_argument(
        "--from",
        type=Path,
        dest="file",
        metavar="FILE",
        help="the enrolment service's changed/directory.json; default: in TOWN/enrolment",
    )
    command.add_argument(
        "--yes", action="store_true", help="do not ask before revoking units whose claims are not known here"
    )
    command.set_defaults(run=_collect)


def _collect(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    file = options.file or fleet.layout.enrolment / "changed" / "directory.json"
    if not options.yes:
        _ask_about_revoking(foresee(fleet.folder, file))
    found = collect(fleet.folder, file)
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
    if found.taken or found.struck:
        pass_directory_on(options, fleet)
    else:
        say("No unit has claimed its premises since the last time.")


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
