"""What restores have set aside ends as backups do: who was erased since lives on in it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from office.backup.contents import state_of
from office.config import Configuration
from runtime.backup_file import BackupError
from runtime.backup_workspace import forget_aside

logger = logging.getLogger(__name__)


def forget_set_aside(configuration: Configuration, now_at: datetime) -> list[str]:
    """Remove what is older than ``keep_days``; returns what went. What cannot go is logged, and tried tomorrow."""
    keep = timedelta(days=configuration.backup.keep_days)
    gone = [str(path) for path in forget_aside(configuration.photographs_folder.parent, now_at, keep)]
    try:
        gone += state_of(configuration).forget_aside(now_at, keep)
    except BackupError as e:
        logger.warning("what a restore has set aside cannot be removed: %s", e)
    if gone:
        logger.warning("what restores had set aside was removed, as old as backups may be: %s", ", ".join(gone))
    return gone
