"""``watchlink fleet delegate``: make, renew or end the delegation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from provisioning.console import broker_options, confirm, pass_directory_on, say, town_options
from provisioning.delegate import delegate_to, end_delegation, read_delegate_key
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from wire.fingerprints import key_fingerprint

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add them to the parser."""
    delegate = commands.add_parser(
        "delegate",
        parents=[town_options(), broker_options()],
        help="let the enrolment service add and strike nodes for 90 days, renew that, or end it",
    )
    delegate.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="the service's public key, its delegate.pub"
    )
    delegate.add_argument("--end", action="store_true", help="end the delegation at once, as after a theft")
    delegate.add_argument("--yes", action="store_true", help="do not ask: the fingerprint was compared before")
    delegate.set_defaults(run=_delegate)


def _delegate(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    if options.end == (options.file is not None):
        raise FleetInputError("Give the file with the delegate's public key, or --end to end the delegation.")
    if options.end:
        end_delegation(fleet.folder)
        say("The delegation is ended. What the delegate added is gone, and what it struck is back: see the runbook.")
    else:
        key = read_delegate_key(options.file, fleet.folder)
        if not options.yes:
            _ask_about_key(fleet, key)
        delegation = delegate_to(fleet.folder, key)
        say(
            f"The key {key_fingerprint(key)} may add and strike premises' nodes until {delegation.expires_at:%Y-%m-%d}."
        )
    pass_directory_on(options, fleet)


def _ask_about_key(fleet: Fleet, key: bytes) -> None:
    before = fleet.record.delegation
    if before is not None and before.key == key.hex():
        return
    instead = "" if before is None or before.key is None else " It takes the place of the delegate so far."
    confirm(
        f"The key in this file has the fingerprint {key_fingerprint(key)}.{instead}",
        "Does the machine that made it show the same?",
        unchanged="Nothing was changed.",
        way_out="Compare it with the machine that made it, then give --yes.",
    )
