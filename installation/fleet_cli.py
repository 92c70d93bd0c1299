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
        help="bring every later change to central, and renew revocation lists every day",
        description="Have every later change of this fleet brought to central's machine, and new revocation lists made"
        " and proven every day, on the machine of the fleet folder. Run it again as often as you like.",
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
