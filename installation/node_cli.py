"""``watchlink node install`` and ``watchlink node reach``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from installation.cli import run_as_root, say
from installation.machine import Machine
from installation.node_install import install_node
from installation.node_pack import read_node_pack
from installation.reach import let_reach


def main(arguments: Sequence[str]) -> int:
    """``install …`` or ``reach``.

    Returns 0; 1 = it could not be done; 2 = the request is invalid, or not root's.
    """
    options = _parser().parse_args(list(arguments))

    def work() -> int:
        if options.command == "reach":
            return let_reach(Machine())
        install_node(Machine(), read_node_pack(options.source) if options.source else {}, say)
        return 0

    return run_as_root(f"watchlink node {options.command}", work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink node")
    commands = parser.add_subparsers(required=True, dest="command")
    commands.add_parser(
        "reach",
        help="on an image: let this unit's programs reach whom their configurations name",
        description="Let this unit's programs reach whom their configurations name, while they run, and keep it for the"
        " next start. For images, whose units start it; elsewhere 'watchlink node install' does it.",
        epilog="Exit status: 0 done; 1 a name is not known, or systemd refuses.",
    )
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
