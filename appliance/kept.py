"""The notes on the card, and what is told to the node."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from appliance.core.notes import Notes
from appliance.image import lies_on
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from runtime.regular_file import read_regular
from wire.errors import DecodeError, ReleaseError
from wire.release import Release, open_release
from wire.signing import PublicKey
from wire.unit_files import UNIT_FILE_BYTES_MAX, SystemReport, Vitals, read_unit_file

logger = logging.getLogger(__name__)

NOTES_FILE: Final = "update.json"
NOTES_BYTES_MAX: Final = 131_072
ONLY_READ: Final = "This card can only be read: put in a new card."
_read_notes: Final = msgspec.json.Decoder(Notes).decode


def load_notes(folder: Path, authority: PublicKey) -> tuple[Notes, Release | None]:
    """As they were last written, and the release in them; none if they cannot be read: then nothing is on trial."""
    try:
        notes = _read_notes(read_regular(folder / NOTES_FILE, NOTES_BYTES_MAX))
    except FileNotFoundError:
        return Notes(), None
    except (OSError, ValueError, msgspec.MsgspecError) as e:
        logger.warning("the notes on updates cannot be read: %s", e)
        return Notes(), None
    try:
        return notes, open_release(notes.sealed, authority) if notes.sealed else None
    except ReleaseError as e:
        logger.warning("the release in the notes cannot be read: %s", e)
        return notes, None


def save_notes(folder: Path, notes: Notes) -> None:
    """On the card when this returns.

    Raises:
        OSError: the card refuses.
    """
    write_atomic(folder / NOTES_FILE, msgspec.json.encode(notes), PRIVATE)


def card_fault(folder: Path, data_partition: Path) -> str:
    """A sentence for people, if what is written to ``folder`` does not outlast a power cut; empty = it does."""
    try:
        is_writable = not os.statvfs(folder).f_flag & os.ST_RDONLY
    except OSError:
        return ONLY_READ
    # What the card does not take lies in memory: systemd/watchlink-card.
    return "" if is_writable and lies_on(data_partition, folder) else ONLY_READ


def read_vitals(path: Path) -> Vitals | None:
    """The node's newest word; ``None`` = there is none that can be read."""
    try:
        return read_unit_file(read_regular(path, UNIT_FILE_BYTES_MAX), Vitals)
    except (OSError, DecodeError):
        return None


def tell(path: Path, report: SystemReport) -> None:
    """Write what the node reads.

    Raises:
        OSError: memory is full.
    """
    write_atomic(path, msgspec.json.encode(report), PUBLIC)
