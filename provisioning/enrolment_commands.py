"""``watchlink fleet enrolment``: make the folder of the enrolment service, or renew its certificates."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from provisioning.console import confirm, say, town_options
from provisioning.enrolment import Served, left_behind, open_enrolment, served
from provisioning.errors import FleetDamagedError
from provisioning.fleet import Fleet
from provisioning.folder import FleetFolder
from provisioning.seeds import PORT_MAX
from wire.seed import ENROLMENT_PORT

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_commands(commands: Commands) -> None:
    """Add it to the parser."""
    enrolment = commands.add_parser(
        "enrolment",
        parents=[town_options()],
        help="make the enrolment service's folder, or renew its certificates",
    )
    enrolment.add_argument(
        "--host",
        action="append",
        metavar="HOST",
        help="the service's name or address as nodes see it; repeat for more; default: as before",
    )
    enrolment.add_argument(
        "--port", type=_port, metavar="PORT", help=f"the service's port; default: as before, or {ENROLMENT_PORT}"
    )
    enrolment.add_argument("--yes", action="store_true", help="do not ask when names or port change")
    where = enrolment.add_mutually_exclusive_group()
    where.add_argument(
        "--beside-central",
        action="store_true",
        default=None,
        help="it runs on central's machine, where 'central install' puts it in place; the default for a new one",
    )
    where.add_argument(
        "--own-machine",
        dest="beside_central",
        action="store_false",
        help="it runs on another machine: you carry its folder there, and no pack for central's machine has its keys",
    )
    enrolment.set_defaults(run=_open)


def _open(options: argparse.Namespace) -> None:
    folder = Fleet.open(options.dir).folder
    try:
        before = served(folder)
    except FleetDamagedError as e:
        if not options.host:
            raise FleetDamagedError(f"{e} Give --host.") from e
        before = None
    hosts = options.host or (list(before.hosts) if before is not None else [])
    if before is not None and not options.yes:
        _ask_about_change(folder, before, Served(tuple(hosts), options.port or before.port))
    own = open_enrolment(folder, hosts, options.port, is_beside_central=options.beside_central)
    say(f"{own} is ready, with new certificates, for {served(folder)}. It holds the key of the nodes' issuer.")
    if folder.layout.beside_central.exists():
        say("The next pack brings it to central's machine, where 'watchlink central install' puts the service in place")
        say("and shows its own key. If it is to run on another machine, run this again with --own-machine.")
    else:
        say("Carry it to the service's machine only. There make the service's own key, once:")
        say("  watchlink enrol key --to FOLDER")


def _ask_about_change(folder: FleetFolder, before: Served, after: Served) -> None:
    if after == before:
        return
    left = left_behind(folder.record, before, after)
    facts = f"So far units find the service at {before}. From now on: {after}."
    if left:
        facts += (
            f" These units, or their cards, look for it where it was, and would renew no certificate any more, until"
            f" [enrolment] in their node.toml is changed: {', '.join(left)}."
        )
    confirm(facts, "Change it?", unchanged="Nothing was changed.", way_out="To change it, give --yes.")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to {PORT_MAX}")
    return int(text)
