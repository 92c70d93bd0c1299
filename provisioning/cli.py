"""``watchlink fleet``: make a town, add premises, list them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioning.errors import FleetError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.layout import DEFAULT_PROFILE

FAILED = 1
NOT_UNDERSTOOD = 2


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0, 1 when it could not be done or proven, 2 when what was asked for cannot be."""
    err = sys.stderr
    options = _parser().parse_args(list(arguments))
    try:
        status: int = options.run(options)
    except FleetInputError as e:
        print(f"watchlink fleet: {e}", file=err)
        return NOT_UNDERSTOOD
    except FleetError as e:
        print(f"watchlink fleet: {e}", file=err)
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink fleet", description="Makes, lists and revokes a town's nodes.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="make a new fleet: CA, directory, central's and the broker's files")
    init.add_argument("--dir", required=True, type=Path, metavar="TOWN", help="new or empty folder")
    init.add_argument("--scheme", required=True, action="append", metavar="SLUG=NAME", help='as in hart="HART"')
    init.add_argument("--broker-host", default="127.0.0.1", metavar="HOST", help="as nodes reach it")
    init.add_argument("--broker-port", default=8883, type=int, metavar="PORT")
    init.add_argument("--broker-bind", default="", metavar="ADDRESS", help="where it listens; default: the host")
    init.add_argument("--broker-folder", default="", metavar="DIR", help="its folder on its own machine, if elsewhere")
    init.add_argument("--broker-user", default="", metavar="USER", help="whom Mosquitto becomes; default: you")
    init.add_argument("--web-port", default=8080, type=int, metavar="PORT")
    init.set_defaults(run=_init)

    add = commands.add_parser("add", help="add a premises' node")
    add.add_argument("--dir", required=True, type=Path, metavar="TOWN")
    add.add_argument("--premises", required=True, metavar="NAME")
    add.add_argument("--place", default="", metavar="NAME")
    add.add_argument("--scheme", required=True, action="append", metavar="SLUG")
    add.add_argument("--profile", default=DEFAULT_PROFILE, metavar="NAME", help="hardware; see docs/hardware.md")
    add.set_defaults(run=_add)
    return parser


def _init(options: argparse.Namespace) -> int:
    schemes = dict(_scheme(text) for text in options.scheme)
    fleet = Fleet.init(
        options.dir,
        schemes=schemes,
        host=options.broker_host,
        port=options.broker_port,
        bind=options.broker_bind,
        web_port=options.web_port,
        broker_folder=options.broker_folder,
        broker_user=options.broker_user,
    )
    authority = fleet.layout.authority
    _say(f"{fleet.layout.town} is ready. Whoever has {authority} can make nodes: keep a copy offline, locked away.")
    return 0


def _scheme(text: str) -> tuple[str, str]:
    slug, separator, name = text.partition("=")
    if not separator:
        raise FleetInputError(f"--scheme {text!r}: write SLUG=NAME, as in hart=HART.")
    return slug, name


def _add(options: argparse.Namespace) -> int:
    fleet = Fleet.open(options.dir)
    node = fleet.add(options.premises, options.place, options.scheme, profile=options.profile)
    _say(f"{node.node} is {node.premises}. Carry {fleet.node_folder(node.node)} to it, then delete it here:")
    _say("its private keys are nowhere else.")
    return 0


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
