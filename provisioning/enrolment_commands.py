"""``watchlink fleet enrolment``: make the folder of the enrolment service, or renew its certificates."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from provisioning.console import say, town_options
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet
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
        required=True,
        action="append",
        metavar="HOST",
        help="the service's name or address as nodes see it; repeat for more",
    )
    enrolment.add_argument("--port", default=ENROLMENT_PORT, type=int, metavar="PORT", help="default: %(default)s")
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
    own = open_enrolment(folder, options.host, options.port, is_beside_central=options.beside_central)
    say(f"{own} is ready, with new certificates. It holds the key of the nodes' issuer.")
    if folder.layout.beside_central.exists():
        say("The next pack brings it to central's machine, where 'watchlink central install' puts the service in place")
        say("and shows its own key. If it is to run on another machine, run this again with --own-machine.")
    else:
        say("Carry it to the service's machine only. There make the service's own key, once:")
        say("  watchlink enrol key --to FOLDER")
