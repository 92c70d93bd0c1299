"""``watchlink fleet install``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from installation.cli import run_as_root, say
from installation.fleet_install import install_fleet
from installation.machine import Machine


def main(arguments: Sequence[str]) -> int:
    """``install …``.

    Returns 0; 1 = it could not be done; 2 = the request is invalid, or not root's.
    """
    options = _parser().parse_args(list(arguments))

    def work() -> int:
        install_fleet(Machine(), options.dir.resolve(), options.to, say)
        return 0

    return run_as_root("watchlink fleet install", work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink fleet")
    commands = parser.add_subparsers(required=True, dest="command")
    installing = commands.add_parser(
        "install",
        help="from now on, bring each change to central, and every day new revocation lists and certificates that are"
        " due",
        description="From now on, bring each change of this fleet to central's machine, and every day new revocation"
        " lists, which are proven, and certificates that are due. Run it on the machine of the fleet folder, as often"
        " as you like.",
        epilog="Exit status: 0 done; 1 it could not be finished, run it again; 2 this request cannot be used.",
    )
    installing.add_argument("--dir", required=True, type=Path, metavar="TOWN", help="the fleet folder")
    installing.add_argument(
        "--to",
        default="",
        metavar="USER@HOST",
        help="central's machine; ssh must log in there without a password prompt. Without --to: this machine",
    )
    return parser
