"""The commands ``watchlink office audit verify|protect|restored --config FILE``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from office.config import CONFIG_VARIABLE, Configuration, load_configuration
from runtime.config import ConfigError
from runtime.loading import loading

STATUS_FAILED: Final = 1
STATUS_CONFIG: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0; 1 if the audit is not in order, or the command failed; 2 for a configuration that cannot be used.
    """
    given = _parser().parse_args(arguments)
    os.environ[CONFIG_VARIABLE] = str(given.config.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
    try:
        configuration = load_configuration(given.config)
        with loading():
            import django  # noqa: PLC0415 - wants the environment

            django.setup()
    except ConfigError as e:
        return _refuse(e, STATUS_CONFIG)
    from django.db import DatabaseError  # noqa: PLC0415

    from office.audit import commands  # noqa: PLC0415

    try:
        match given.command:
            case "verify":
                return commands.verify(configuration)
            case "protect":
                return commands.protect(configuration)
            case _:
                return _restored(configuration, given)
    except (ConfigError, OSError) as e:
        return _refuse(e, STATUS_FAILED)
    except DatabaseError as e:
        return _refuse(f"the database cannot be used: {e}. Has 'watchlink office init' been run?", STATUS_FAILED)


def _restored(configuration: Configuration, given: argparse.Namespace) -> int:
    from office.audit import commands  # noqa: PLC0415

    return commands.restored(configuration, row=given.row, number=given.number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink office audit", description="The record of who did what.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser(
        "verify", help="find rows that were changed, removed, moved or cut, also by what was published"
    )
    protect = commands.add_parser("protect", help="make the database refuse changes of the audit again")
    restored = commands.add_parser(
        "restored",
        help="after a restore by other means: record the gap and resume publishing",
        description="After a restore by other means: record the gap and resume publishing.",
    )
    restored.add_argument("--row", type=int, default=0, metavar="N", help="highest row of the audit that central knows")
    restored.add_argument(
        "--number", type=int, default=0, metavar="N", help="highest number of a snapshot that central knows"
    )
    for command in (verify, protect, restored):
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="office.toml")
    return parser


def _refuse(why: object, status: int) -> int:
    sys.stderr.write(f"watchlink office audit: {why}\n")
    return status
