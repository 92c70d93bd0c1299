"""The commands ``watchlink central backup``, ``restore`` and ``backup-key``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from central.backup.making import back_up
from central.backup.restoring import Restored, prove, restore
from central.config import Configuration, load_configuration
from runtime.backup_file import BackupError, Manifest, read_identities
from runtime.backup_key import make_key
from runtime.config import ConfigError

FAILED: Final = 1
NOT_UNDERSTOOD: Final = 2


def main(arguments: Sequence[str]) -> int:
    """Run the one named first in ``arguments``. Returns 0, 1 if it was not done, 2 for a bad configuration."""
    given = _parser().parse_args(list(arguments))
    try:
        given.run(given)
    except ConfigError as e:
        sys.stderr.write(f"watchlink central {arguments[0]}: {e}\n")
        return NOT_UNDERSTOOD
    except (BackupError, OSError) as e:
        sys.stderr.write(f"watchlink central {arguments[0]}: {e}.\n")
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink central")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, required=True, metavar="FILE", help="central.toml")

    about = "Copy central's state into one encrypted file while central runs, prove that it opens, and delete old ones."
    making = commands.add_parser("backup", parents=[config], description=about)
    making.add_argument(
        "--to", type=Path, metavar="FOLDER", help="where to; default: the folder that [backup] in central.toml names"
    )
    making.set_defaults(run=_back_up)

    about = "Put central's state back from a backup. Central must be stopped."
    putting_back = commands.add_parser("restore", parents=[config], description=about)
    putting_back.add_argument("--from", type=Path, required=True, metavar="FILE", dest="sealed", help="the backup")
    putting_back.add_argument(
        "--identity", type=Path, required=True, metavar="KEYFILE", help="the secret key that opens it"
    )
    either = putting_back.add_mutually_exclusive_group()
    either.add_argument(
        "--set-aside", action="store_true", help="if central has a state here, move that to a folder beside it first"
    )
    either.add_argument(
        "--prove", action="store_true", help="restore nothing: only prove that the key opens the backup and all is well"
    )
    putting_back.set_defaults(run=_restore)

    about = "Make the key that opens backups. Run it on a machine that is not central's, and keep the file apart."
    key = commands.add_parser("backup-key", description=about)
    key.add_argument("--to", type=Path, required=True, metavar="KEYFILE", help="a new file for the secret key")
    key.set_defaults(run=_make_key)
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _back_up(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    to: Path = given.to or Path(configuration.backup.folder)
    made = back_up(configuration, to.resolve(), datetime.now(UTC).replace(microsecond=0), _version())
    size_mb = made.file.stat().st_size / 1e6
    _say(f"{made.file}: {size_mb:.1f} MB, opened and proven. Carry it to another place.")
    if made.removed:
        _say(f"Deleted as too old: {', '.join(made.removed)}.")
    if made.ahead:
        _say(f"Of a later time than now, and not counted: {', '.join(made.ahead)}. Was this machine's clock wrong?")


def _version() -> str:
    try:
        return version("watchlink")
    except PackageNotFoundError:  # copied there, not installed
        return "unknown"


def _restore(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    sealed, identities, now_at = given.sealed.resolve(), read_identities(given.identity), datetime.now(UTC)
    if given.prove:
        manifest = prove(configuration, sealed, identities, now_at)
        _say(f"{_told(manifest)}: the key opens it, all of it is whole, and this version can begin with it.")
        return
    restored = restore(configuration, sealed, identities, now_at, may_set_aside=given.set_aside)
    for line in what_now(restored, configuration):
        _say(line)


def what_now(restored: Restored, configuration: Configuration) -> list[str]:
    """What a person is told after a restore, line by line."""
    lines = [f"Central's state is back. {_told(restored.manifest)}."]
    if restored.set_aside:
        lines.append(f"What was here before is in {restored.set_aside}. Delete it when all is well.")
    if restored.lost_until:
        until = f"{restored.lost_until:%d %B %Y, %H:%M} UTC"
        lines.append(f"Nodes remember 48 hours: alerts between the backup and {until} are lost.")
    if restored.other_configuration:
        lines.append(f"{configuration.file} stays. The backup had another: compare {restored.other_configuration}.")
    lines += [f"{file} is missing: {hint}." for file, hint in _missing(configuration)]
    lines.append(
        f"Now start central (systemctl start watchlink-central). Everybody signs in again ({restored.signed_out} were"
        " signed in); duty begins anew. Newer alerts come from the nodes by themselves."
    )
    return lines


def _missing(configuration: Configuration) -> list[tuple[Path, str]]:
    wanted = [(configuration.directory_file, "carry it here from the fleet folder")]
    if configuration.web_tls:
        hint = "make both anew with 'watchlink fleet web-certificate'"
        wanted += [(configuration.web_tls.certificate_file, hint), (configuration.web_tls.key_file, hint)]
    return [(file, hint) for file, hint in wanted if not file.exists()]


def _told(manifest: Manifest) -> str:
    return (
        f"The backup is of {manifest.made_at:%d %B %Y, %H:%M} UTC, by version {manifest.version},"
        f" schema {manifest.schema}"
    )


def _make_key(given: argparse.Namespace) -> None:
    recipient = make_key(given.to)
    _say(f"{given.to} opens backups: lock it away in two places, never on central's machine. In central.toml there:")
    _say(f'[backup]\nrecipients = ["{recipient}"]')
