"""The commands that concern the root and the issuers: a new root, a stolen issuer."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provisioning.console import broker_options, reload_of, say, town_options
from provisioning.fleet import BROKER, CENTRAL, OFFICE, Fleet
from provisioning.issuer_changes import ORGANISATIONS, cut_off, new_issuer, new_root
from provisioning.issuers import has_issuer

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_issuer_commands(commands: Commands) -> None:
    """Add them to the parser."""
    root = commands.add_parser(
        "new-root", parents=[town_options()], help="give a fleet with a single CA an offline root and two issuers"
    )
    root.add_argument("--replace", action="store_true", help="make another root for a fleet that has one")
    root.set_defaults(run=_new_root)

    stolen = commands.add_parser(
        "cut-off", parents=[town_options(), broker_options()], help="refuse every certificate of a stolen issuer"
    )
    stolen.add_argument("issuer", metavar="ISSUER", help="the issuer's name, from 'list', such as nodes-1")
    stolen.set_defaults(run=_cut_off)

    issuer = commands.add_parser("new-issuer", parents=[town_options()], help="replace an issuer that was cut off")
    issuer.add_argument("organisation", choices=ORGANISATIONS, help="whose certificates it signs")
    issuer.set_defaults(run=_new_issuer)


def _new_root(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    is_new = new_root(fleet.folder, is_replacement=options.replace)
    layout, newest = fleet.layout, fleet.record.issuers[-1].root
    if not is_new:
        say(f"{newest} signs already. For another root give --replace; the certificates of this one then run out.")
        return
    say(
        f"{newest} is the fleet's root, with an issuer for nodes and one for services. Certificates of before stay good"
    )
    say("until they expire. In this order:")
    say(f"  1. If there is an office: 'watchlink fleet renew {OFFICE}', and bring its files to its publisher.")
    say(f"  2. Bring {layout.central} to central and {layout.broker} to the broker, and restart both:")
    say("     'watchlink central install' does all of it. Elsewhere RESTART the broker by hand: a reload does not make")
    say("     it read whole subjects.")
    say("  3. Run 'watchlink fleet renew-crl', which proves that it does.")
    say("  4. Renew every node within 90 days: 'watchlink fleet renew ID', and carry ca.pem with the rest.")
    say(f"Keep a copy of {layout.authority} offline, then delete {newest}.key there.")


def _cut_off(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    renewed = cut_off(fleet.folder, options.issuer, reload_of(options, fleet), deadline_s=options.deadline)
    say(
        f"{options.issuer} is cut off, and the running broker was seen to refuse its certificates. Open sessions ended."
    )
    _say_what_to_carry(fleet, renewed)
    root, authority = fleet.record.issuers[-1].root, fleet.layout.authority
    for organisation in ORGANISATIONS:
        if not has_issuer(fleet.record, organisation):
            say(f"Nobody signs {organisation} certificates now. Put {root}.key into {authority},")
            say(f"then run 'watchlink fleet new-issuer {organisation}'.")


def _new_issuer(options: argparse.Namespace) -> None:
    fleet = Fleet.open(options.dir)
    renewed = new_issuer(fleet.folder, options.organisation)
    _say_what_to_carry(fleet, renewed)
    say("Run 'watchlink fleet renew-crl' to tell the broker.")


def _say_what_to_carry(fleet: Fleet, renewed: Sequence[str]) -> None:
    layout = fleet.layout
    services = [one for one in renewed if one in {CENTRAL, BROKER, OFFICE}]
    nodes = len(renewed) - len(services)
    if CENTRAL in renewed:
        say(f"Carry {layout.central} (client, alerts and ca.pem) to central and restart it at once: until then")
        say("nobody gets a receipt.")
    if OFFICE in renewed:
        say(f"Carry {layout.publisher} to the office and restart its publisher.")
    if nodes:
        say(f"New certificates for {nodes} nodes are in {layout.nodes}. Until they arrive these have no network, and")
        say("their alerts go by radio: busiest premises first, each by 'watchlink fleet pack NODE'.")
    root = fleet.record.issuers[-1].root
    if (layout.authority / f"{root}.key").exists():
        say(f"Delete {root}.key in {layout.authority} again; a copy stays offline.")
