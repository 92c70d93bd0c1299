"""What belongs in a backup of the office, and whose backups are believed."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from office.backup.sqlite import SqliteState
from office.backup.state import State
from office.config import Configuration
from runtime.backup_file import BackupError, Origin
from runtime.config import ConfigError
from runtime.key_file import read_key
from wire.directory import open_directory
from wire.errors import DirectoryError, WireError
from wire.signing import PublicKey

PROGRAM: Final = "office"
CONFIGURATION: Final = "office.toml"
PHOTOGRAPHS: Final = "photographs"
SPARE_BYTES: Final = 64 << 20
ROOM_ADVICE: Final = "make room there, or move the office to a larger disk"


def state_of(configuration: Configuration) -> State:
    """The office's database."""
    where = configuration.database
    if where.startswith("postgresql://"):
        from office.backup.postgresql import PostgresqlState  # noqa: PLC0415 - its driver may not be installed

        return PostgresqlState(where, configuration.photographs_folder)
    return SqliteState(Path(where))


def sealed_photographs(configuration: Configuration) -> Iterator[Path]:
    """The encrypted files. What else lies in their folder belongs in no backup."""
    folder = configuration.photographs_folder
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_sealed_name(file.name):
            yield file


def is_sealed_name(name: str) -> bool:
    """Whether it is that of a photograph's encrypted file, as ``office.people.sealing`` names them."""
    photograph, _, kind = name.partition(".")
    return len(photograph) == 32 and set(photograph) <= set("0123456789abcdef") and kind.isalpha()  # noqa: PLR2004


def copy_photographs(configuration: Configuration, to: Path) -> None:
    """After the database: what was added since has no row there, what was removed since is in nobody's way."""
    to.mkdir(mode=0o700)
    for file in sealed_photographs(configuration):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(file, to / file.name)


def trusted_origin(configuration: Configuration, program: str) -> Origin:
    """Whose backups a restore believes: signed by a key that the signed directory names as the office's, or by its own.

    Raises:
        BackupError: none is known.
    """
    keys: list[PublicKey] = []
    with contextlib.suppress(ConfigError):
        keys.append(PublicKey(read_key(configuration.snapshot_public_file, "")))
    with contextlib.suppress(OSError, DirectoryError, WireError):
        keys += open_directory(configuration.directory_file.read_bytes(), configuration.authority).office_keys
    if not keys:
        raise BackupError(
            f"whose backups to believe is not known: {configuration.directory_file} names no key of the office. Carry"
            " the newest directory here from the fleet folder"
        )
    return Origin(program, configuration.authority.raw.hex(), keys[0], tuple(keys[1:]))
