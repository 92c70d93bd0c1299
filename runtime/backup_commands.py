"""What the commands for backups of two programs have in common: options, words and exit statuses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final

from runtime.backup_file import BackupError, Manifest
from runtime.config import ConfigError

FAILED: Final = 1
NOT_UNDERSTOOD: Final = 2


def run_command(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Run the command named first in ``arguments``: its parser's default ``run``, which is given what was parsed.

    Returns:
        0, 1 if it was not done, 2 for a bad configuration.
    """
    given = parser.parse_args(list(arguments))
    try:
        given.run(given)
    except ConfigError as e:
        sys.stderr.write(f"{parser.prog} {arguments[0]}: {e}\n")
        return NOT_UNDERSTOOD
    except (BackupError, OSError) as e:
        sys.stderr.write(f"{parser.prog} {arguments[0]}: {e}.\n")
        return FAILED
    return 0


def parents(configuration: str) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser, argparse.ArgumentParser]:
    """Parents of parsers: the option for the file ``configuration``, where a backup goes, which one is opened."""
    config, folder, opened = (argparse.ArgumentParser(add_help=False) for _ in range(3))
    config.add_argument("--config", type=Path, required=True, metavar="FILE", help=configuration)
    text = f"where to put it; default: the folder that [backup] in {configuration} names"
    folder.add_argument("--to", type=Path, metavar="FOLDER", help=text)
    opened.add_argument("--from", type=Path, required=True, metavar="FILE", dest="sealed", help="the backup")
    text = "the secret key that opens it"
    opened.add_argument("--identity", type=Path, required=True, metavar="KEYFILE", help=text)
    return config, folder, opened


def add_set_aside_or_prove(parser: argparse.ArgumentParser, whose: str) -> None:
    """What a restore does with a state that is here, ``whose`` it is for people; or nothing but the proof."""
    either = parser.add_mutually_exclusive_group()
    text = f"first move {whose}'s present data to a folder beside it"
    either.add_argument("--set-aside", action="store_true", help=text)
    text = "change nothing; check that this key opens the backup and that it is complete"
    either.add_argument("--prove", action="store_true", help=text)


def add_key_option(parser: argparse.ArgumentParser) -> None:
    """Where a new secret key goes."""
    parser.add_argument("--to", type=Path, required=True, metavar="KEYFILE", help="a new file for the secret key")


def say(text: str) -> None:
    """For the person at the terminal."""
    sys.stdout.write(f"{text}\n")


def say_what_became_of_others(removed: Sequence[str], ahead: Sequence[str]) -> None:
    """Of the files beside a new backup: names of those that were deleted, and of those from a time after it."""
    if removed:
        say(f"Deleted as too old: {', '.join(removed)}.")
    if ahead:
        say(
            f"Of a later time than now, and never deleted: {', '.join(ahead)}. Was this machine's clock wrong? Delete"
            " them by hand."
        )


def now() -> datetime:
    """To the second, as files are named."""
    return datetime.now(UTC).replace(microsecond=0)


def program_version() -> str:
    """Of Watchlink here."""
    try:
        return version_of("watchlink")
    except PackageNotFoundError:  # copied there, not installed
        return "unknown"


def origin_told(manifest: Manifest) -> str:
    """When and by what a backup was made: a sentence without its full stop."""
    return f"The backup is of {manifest.made_at:%d %B %Y, %H:%M} UTC, by version {manifest.version}"
