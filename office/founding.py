"""``watchlink office init``: database, keys, schemes and the first link. Also ``migrate`` and ``recover``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from office.accounts.rules import why_not_call
from office.config import CONFIG_VARIABLE, Configuration, load_configuration
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from runtime.config import ConfigError
from runtime.loading import loading
from wire.errors import DirectoryError
from wire.fingerprints import key_fingerprint
from wire.signing import KEY_BYTES, SigningKey

if TYPE_CHECKING:
    from office.accounts.models import Scheme

STATUS_REFUSED: Final = 1
STATUS_CONFIG: Final = 2


class RefusedError(Exception):
    """It cannot be done; the message says what to do instead."""


def main(arguments: Sequence[str] | None = None) -> int:
    """``init``, ``migrate`` or ``recover``, named first. Returns 0; 1 = refused; 2 = bad configuration."""
    parser = argparse.ArgumentParser(prog="watchlink office", description="Set the office up.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("init", "make database, keys and a sign-in link for the first co-ordinator"),
        ("migrate", "bring the database up to date after an update"),
        ("recover", "make a recovery link, when no co-ordinator can"),
    ):
        command = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="office.toml")
        if name == "init":
            command.add_argument("--name", default="First co-ordinator", help="of the first co-ordinator")
        if name == "recover":
            command.add_argument("username", metavar="NAME", help="whose account: the name they sign in with")
    given = parser.parse_args(arguments)
    try:
        configuration = load_configuration(given.config)
        match given.command:
            case "init":
                said = found(configuration, given.name)
            case "migrate":
                _make_photographs_key(configuration)
                _open_django(configuration)
                migrate()
                said = "The database is up to date.\n"
            case _:
                said = _recover(configuration, given.username)
    except (ConfigError, DirectoryError, RefusedError, OSError) as e:
        sys.stderr.write(f"watchlink office {given.command}: {e}\n")
        return STATUS_CONFIG if isinstance(e, ConfigError) else STATUS_REFUSED
    sys.stdout.write(said)
    return 0


def found(configuration: Configuration, name: str) -> str:
    """Make what is missing, and the first co-ordinator's link; returns what the person at the machine reads.

    Raises:
        RefusedError: nobody can have this name, there is a co-ordinator already, the directory lists no scheme, or the
            photographs' key is lost.
        ConfigError: the directory's file cannot be read, or a key file is damaged.
        DirectoryError: the directory is not the authority's.
    """
    why_not = why_not_call(name)
    if why_not is not None:
        raise RefusedError(f"--name {name}: {why_not}")
    _make_keys(configuration)
    _open_django(configuration)
    migrate()
    schemes = read_schemes(configuration)
    from django.db import transaction  # noqa: PLC0415 - only once Django is set up
    from django.utils import timezone  # noqa: PLC0415

    from office.accounts import acts  # noqa: PLC0415
    from office.accounts.models import Invitation, RoleGrant  # noqa: PLC0415

    with transaction.atomic():
        if not schemes:
            raise RefusedError(
                f"{configuration.directory_file} lists no scheme. Ask the fleet's engineer for a directory with schemes"
            )
        if RoleGrant.objects.filter(role="co-ordinator", account__is_active=True).exists():
            raise RefusedError(
                "there is a co-ordinator already, who invites everybody else. If nobody can sign in any more:"
                f" watchlink office recover --config {configuration.file} NAME"
            )
        Invitation.objects.filter(invited_by=None, used_at=None).update(cancelled_at=timezone.now())
        _, link = acts.invite(None, name=" ".join(name.split()), email="", role="co-ordinator", schemes=schemes)
    public = configuration.snapshot_public_file
    fingerprint = key_fingerprint(bytes.fromhex(public.read_text(encoding="ascii")))
    return (
        f"The office is ready for its first co-ordinator. Open this link within 15 minutes; it works once and is not"
        f" shown again:\n\n  {link}\n\n"
        f"Start the pages:      watchlink office serve --config {configuration.file}\n"
        f"Start the publisher:  watchlink office publish --config {configuration.file}\n"
        f"On the authority's machine, trust this office (fingerprint {fingerprint}):\n"
        f"                      watchlink fleet trust-office --dir TOWN {public}\n"
    )


def migrate() -> None:
    """Bring the database up to date, with the table of counted guesses."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    _hand_over_file()


def _hand_over_file() -> None:
    """Made by root, a SQLite file belongs to its folder's owner, so that the programs can write it."""
    from django.db import connection  # noqa: PLC0415

    connection.close()
    if connection.vendor != "sqlite" or os.geteuid() != 0:
        return
    main_file = Path(connection.settings_dict["NAME"])
    owner = main_file.parent.stat()
    for file in main_file.parent.glob(f"{main_file.name}*"):
        os.chown(file, owner.st_uid, owner.st_gid)
        file.chmod(0o660)


def read_schemes(configuration: Configuration) -> list[Scheme]:
    """Keep the schemes that the signed directory lists. One that is gone stays: people may still have roles in it.

    Raises:
        ConfigError: the file cannot be read.
        DirectoryError: it is not the authority's.
    """
    from office.accounts.models import Scheme  # noqa: PLC0415
    from wire.directory import open_directory  # noqa: PLC0415

    try:
        data = configuration.directory_file.read_bytes()
    except OSError as e:
        raise ConfigError(f"key directory_file: {configuration.directory_file} cannot be read: {e.strerror}") from e
    listed = open_directory(data, configuration.authority).schemes.values()
    rows = [Scheme(number=one.number, slug=one.slug, name=one.name) for one in listed]
    Scheme.objects.bulk_create(rows, update_conflicts=True, unique_fields=["number"], update_fields=["slug", "name"])
    return rows


def _open_django(configuration: Configuration) -> None:
    os.environ[CONFIG_VARIABLE] = str(configuration.file)
    os.environ["DJANGO_SETTINGS_MODULE"] = "office.settings"
    with loading():
        import django  # noqa: PLC0415

        django.setup()


def _make_keys(configuration: Configuration) -> None:
    """Make the keys that are missing. A key that is there stays: another one would void everything it signed."""
    _make_photographs_key(configuration)
    make_secret(configuration.pages_key_file)
    for file, public_file in (
        (configuration.ticket_key_file, configuration.ticket_public_file),
        (configuration.snapshot_key_file, configuration.snapshot_public_file),
    ):
        seed = make_secret(file)
        if seed is not None:
            write_atomic(public_file, SigningKey(seed).public.raw.hex().encode() + b"\n", PUBLIC)


def _make_photographs_key(configuration: Configuration) -> None:
    """Make it for an office that has never had one.

    Raises:
        RefusedError: it is gone, and there are photographs that no other key opens.
    """
    file, folder = configuration.photographs_key_file, configuration.photographs_folder
    if not file.exists() and folder.is_dir() and any(folder.iterdir()):
        raise RefusedError(
            f"{file} is missing. Put it back from its copy: without it nobody can see the photographs again. If it is"
            f" lost for good, empty {folder} and run this again"
        )
    make_secret(file)


def make_secret(file: Path) -> bytes | None:
    """32 random bytes in a new key file; ``None`` = there is one already."""
    if file.exists():
        return None
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    secret = os.urandom(KEY_BYTES)
    write_atomic(file, secret.hex().encode() + b"\n", PRIVATE)
    return secret


def _recover(configuration: Configuration, username: str) -> str:
    _open_django(configuration)
    from django.db import transaction  # noqa: PLC0415

    from office.accounts import acts  # noqa: PLC0415
    from office.accounts.models import Account  # noqa: PLC0415

    with transaction.atomic():
        account = Account.objects.filter(username=username.lower(), is_active=True).first()
        if account is None:
            raise RefusedError(f"nobody has the username {username!r}")
        link, withdrawn = acts.make_recovery_link(None, account, sets_password=True)
    taken_back = f"Taken back: {withdrawn.text} that they had made.\n" if withdrawn.text else ""
    return (
        f"Passkeys, app and codes of {account.name} no longer work, and their sessions have ended. Give them this link;"
        f" it works once, within 24 hours, and is not shown again:\n\n  {link}\n{taken_back}"
    )
