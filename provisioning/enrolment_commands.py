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
        help="make the folder of the service where new nodes claim their identity, or renew its certificates",
    )
    enrolment.add_argument(
        "--host", required=True, action="append", metavar="HOST", help="its name or address as nodes see it; repeat"
    )
    enrolment.add_argument("--port", default=ENROLMENT_PORT, type=int, metavar="PORT", help="default: %(default)s")
    enrolment.set_defaults(run=_open)


def _open(options: argparse.Namespace) -> None:
    own = open_enrolment(Fleet.open(options.dir).folder, options.host, options.port)
    say(f"{own} is ready, with new certificates. It holds the key of the nodes' issuer: carry it to the service's")
    say("machine only. There make the service's own key, once:")
    say("  watchlink enrol key --to FOLDER")
