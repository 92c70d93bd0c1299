"""``watchlink node install``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from installation.cli import FAILED, NOT_UNDERSTOOD, say
from installation.errors import InstallError, PackError
from installation.machine import Machine
from installation.node_install import install_node
from installation.node_pack import read_node_pack


def main(arguments: Sequence[str]) -> int:
    """``install …``.

    Returns 0; 1 = it could not be done; 2 = the request is invalid, or not root's.
    """
    options = _parser().parse_args(list(arguments))
    if os.geteuid() != 0:
        sys.stderr.write("watchlink node install: only root can do this: put 'sudo' before it.\n")
        return NOT_UNDERSTOOD
    try:
        install_node(Machine(), read_node_pack(options.source) if options.source else {}, say)
    except InstallError as e:
        sys.stderr.write(f"watchlink node install: {e}\n")
        return NOT_UNDERSTOOD if isinstance(e, PackError) else FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink node")
    commands = parser.add_subparsers(required=True, dest="command")
    installing = commands.add_parser(
        "install",
        help="put this unit in place, or bring it up to date",
        description="Put the unit, its user, its rights and its identity in place on this machine, or bring them up to"
        " date. Run it again as often as you like: it changes only what is not as it should be, and says what.",
        epilog="Exit status: 0 done; 1 it could not be finished, run it again; 2 this pack or request cannot be used.",
    )
    installing.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="seed made by 'watchlink fleet seed NODE', or file made by 'watchlink fleet pack NODE'; without it the"
        " identity stays as it is",
    )
    return parser
