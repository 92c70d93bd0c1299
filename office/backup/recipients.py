"""To whom the office encrypts: its backups to one key, the copies of its keys to another."""

from __future__ import annotations

from typing import Literal

from pyrage import x25519

from office.config import Configuration
from runtime.backup_file import BackupError
from runtime.backup_making import recipients_of


def recipients_in(
    configuration: Configuration, key: Literal["recipients", "keys_recipients"]
) -> list[x25519.Recipient]:
    """The public keys of ``[backup]`` under that key.

    Raises:
        BackupError: there are none, one cannot be used, or one stands under both.
    """
    table = configuration.backup
    found = recipients_of(
        getattr(table, key), configuration.file, f"[backup] names no {key}", "watchlink office backup-key"
    )
    if set(table.recipients) & set(table.keys_recipients):
        raise BackupError(
            f"{configuration.file}: [backup] names the same key among recipients and keys_recipients. Whoever opens the"
            " backup of the database must not open that of the keys: make another pair for them"
        )
    return found
