"""What co-ordinators are told of the office's backups, on their first page."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from office.backup import keys
from office.config import Configuration
from runtime.backup_record import read_record
from runtime.backup_rules import trouble

KEYS_ADVICE: Final = (
    "Without them no photograph opens after a restore. Have the engineer run 'watchlink office backup-keys', once and"
    " after each change."
)


def faults(configuration: Configuration | None, now: datetime) -> tuple[str, ...]:
    """Sentences; empty = all is well, or nobody has set backups up, of which the engineer's check tells."""
    if configuration is None or not configuration.backup.recipients:
        return ()
    said = [trouble(read_record(configuration.backup_record_file), now, "The office’s")]
    of_keys = keys.trouble(configuration)
    said.append(f"{of_keys}: {KEYS_ADVICE}" if of_keys else "")
    return tuple(filter(None, said))
