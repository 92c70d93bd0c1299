"""The commands ``watchlink office backup``, ``backup-keys``, ``backup-key``, ``restore`` and ``restore-keys``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from office.backup.keys import back_up_keys, files_of, restore_keys
from office.backup.making import back_up
from office.backup.restoring import Restored, prove, restore
from office.config import Configuration, load_configuration
from runtime.backup_commands import (
    add_key_option,
    add_set_aside_or_prove,
    now,
    origin_told,
    parents,
    program_version,
    run_command,
    say,
    say_what_became_of_others,
)
from runtime.backup_file import read_identities
from runtime.backup_key import make_key


def main(arguments: Sequence[str]) -> int:
    """Run the one named first in ``arguments``. Returns 0, 1 if it was not done, 2 for a bad configuration."""
    return run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink office")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    config, folder, opened = parents("office.toml")

    about = (
        "Copy database, encrypted photographs and office.toml into one encrypted file while the office runs, check that"
        " it opens, then delete the oldest. No key is in it."
    )
    making = commands.add_parser("backup", parents=[config, folder], description=about)
    making.set_defaults(run=_back_up)

    about = "Copy the office's keys into one file, encrypted to another key than the backups. Run it as root."
    keys = commands.add_parser("backup-keys", parents=[config, folder], description=about)
    keys.set_defaults(run=_back_up_keys)

    about = "Put the office's state back from a backup. Its programs must be stopped. Run it as root."
    putting_back = commands.add_parser("restore", parents=[config, opened], description=about)
    known = putting_back.add_mutually_exclusive_group()
    known.add_argument(
        "--lists",
        type=Path,
        metavar="FOLDER",
        help="folder of the newest lists that central keeps; erasures after them are not known",
    )
    lost = "no such list is left anywhere: who was erased or let go since the backup comes back"
    known.add_argument("--lists-lost", action="store_true", help=lost)
    add_set_aside_or_prove(putting_back, "the office")
    putting_back.set_defaults(run=_restore)

    about = "Put the office's keys back from their own backup. Its programs must be stopped. Run it as root."
    keys_back = commands.add_parser("restore-keys", parents=[config, opened], description=about)
    keys_back.add_argument("--set-aside", action="store_true", help="if there are other keys here, move them aside")
    keys_back.set_defaults(run=_restore_keys)

    about = "Make a key that opens backups. Run it on a machine that is not the office's, once for each of the two."
    key = commands.add_parser("backup-key", description=about)
    add_key_option(key)
    key.set_defaults(run=_make_key)
    return parser


def _back_up(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    made = back_up(configuration, (given.to or configuration.backup_folder).resolve(), now(), program_version())
    size_mb = made.file.stat().st_size / 1e6
    pictures = len(made.checked.photographs)
    say(f"{made.file}: {size_mb:.1f} MB, {pictures} photographs, opened and proven. Carry it to another place.")
    if made.lost:
        say(f"{made.lost} of the photographs have no file: removed just now, or lost before.")
    for problem in made.checked.problems:
        say(f"The audit in it is NOT in order: {problem} See 'watchlink office audit verify'.")
    say_what_became_of_others(made.removed, made.ahead)


def _back_up_keys(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    file = back_up_keys(configuration, (given.to or configuration.backup_folder).resolve(), now(), program_version())
    say(f"{file}: opened and proven. Carry it away now, never beside the other backups, and delete it here.")


def _restore(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    sealed, identities = given.sealed.resolve(), read_identities(given.identity)
    if given.prove:
        manifest, checked = prove(configuration, sealed, identities)
        say(f"{origin_told(manifest)}: the key opens it, all of it is whole, and this version can begin with it.")
        say(f"It stands at {checked.schema}.")
        return
    restored = restore(
        configuration,
        sealed,
        identities,
        now(),
        may_set_aside=given.set_aside,
        lists=given.lists,
        are_lists_lost=given.lists_lost,
    )
    for line in what_now(restored, configuration):
        say(line)


def what_now(restored: Restored, configuration: Configuration) -> list[str]:
    """What a person is told after a restore, line by line."""
    lines = [f"The office's state is back. {origin_told(restored.manifest)}."]
    if restored.set_aside:
        lines.append(f"What was here before is in {restored.set_aside}. Delete it when all is well.")
    if restored.other_configuration:
        lines.append(f"{configuration.file} stays. The backup had another: compare {restored.other_configuration}.")
    lines += restored.said
    missing = [str(file) for file in files_of(configuration).values() if not file.exists()]
    if missing or restored.opens_photographs is False:
        what = f"{', '.join(missing)} missing" if missing else f"{configuration.photographs_key_file} is another key"
        lines.append(f"NO photograph can be seen, or nobody can sign in: {what}. Run 'watchlink office restore-keys'.")
    lines.append(
        "Now start the office (systemctl start watchlink-office watchlink-office-publish). Everybody signs in again."
    )
    return lines


def _restore_keys(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    identities = read_identities(given.identity)
    moved = restore_keys(configuration, given.sealed.resolve(), identities, now(), may_set_aside=given.set_aside)
    say("The office's keys are back.")
    if moved:
        say(f"Other keys were moved to {', '.join(map(str, moved))}. Delete them when all is well.")


def _make_key(given: argparse.Namespace) -> None:
    recipient = make_key(given.to)
    say(f"{given.to} opens backups: lock it away in two places, never on the office's machine. In office.toml there,")
    say("under [backup], write it as one of the two, and make another key for the other:")
    say(f'recipients = ["{recipient}"]')
    say(f'keys_recipients = ["{recipient}"]')
