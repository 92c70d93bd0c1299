"""The commands ``watchlink central backup``, ``restore`` and ``backup-key``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from central.backup.making import back_up
from central.backup.restoring import Restored, prove, restore
from central.config import Configuration, load_configuration
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
from runtime.backup_file import Manifest, read_identities
from runtime.backup_key import make_key


def main(arguments: Sequence[str]) -> int:
    """Run the one named first in ``arguments``. Returns 0, 1 if it was not done, 2 for a bad configuration."""
    return run_command(_parser(), arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="watchlink central")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    config, folder, opened = parents("central.toml")

    about = (
        "Copy central's state into one encrypted file while central runs, check that it opens, then delete the oldest."
    )
    making = commands.add_parser("backup", parents=[config, folder], description=about)
    making.set_defaults(run=_back_up)

    about = "Put central's state back from a backup. Central must be stopped."
    putting_back = commands.add_parser("restore", parents=[config, opened], description=about)
    add_set_aside_or_prove(putting_back, "central")
    putting_back.set_defaults(run=_restore)

    about = "Make the key that opens backups. Run it on a machine that is not central's, and keep the file apart."
    key = commands.add_parser("backup-key", description=about)
    add_key_option(key)
    key.set_defaults(run=_make_key)
    return parser


def _back_up(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    to: Path = given.to or Path(configuration.backup.folder)
    made = back_up(configuration, to.resolve(), now(), program_version())
    size_mb = made.file.stat().st_size / 1e6
    say(f"{made.file}: {size_mb:.1f} MB, opened and proven. Carry it to another place.")
    say_what_became_of_others(made.removed, made.ahead)


def _restore(given: argparse.Namespace) -> None:
    configuration = load_configuration(given.config)
    sealed, identities, now_at = given.sealed.resolve(), read_identities(given.identity), now()
    if given.prove:
        manifest = prove(configuration, sealed, identities, now_at)
        say(f"{_told(manifest)}: the key opens it, all of it is whole, and this version can begin with it.")
        return
    restored = restore(configuration, sealed, identities, now_at, may_set_aside=given.set_aside)
    for line in what_now(restored, configuration):
        say(line)


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
    if restored.register:
        lines.append(
            f"The enrolment service's register is in {restored.register}. If its machine was lost, too, put it back, as"
            " docs/backups.md says under 'The enrolment service'. Then delete it."
        )
    lines += [f"{file} is missing: {hint}." for file, hint in _missing(configuration)]
    lines.append(
        f"Numbers go on by this machine's clock, {now():%d %B %Y, %H:%M} UTC. If it is wrong, set it and restore again."
    )
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
    return f"{origin_told(manifest)}, schema {manifest.schema}"


def _make_key(given: argparse.Namespace) -> None:
    recipient = make_key(given.to)
    say(f"{given.to} opens backups: lock it away in two places, never on central's machine. In central.toml there:")
    say(f'[backup]\nrecipients = ["{recipient}"]')
