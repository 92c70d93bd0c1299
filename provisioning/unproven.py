"""What the broker was not yet seen to obey, on record: whoever was told, a timer's journal perhaps, is nobody."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from provisioning.errors import FleetError
from provisioning.folder import FleetFolder
from runtime.atomic import PUBLIC, write_atomic
from runtime.proof_file import leave_word
from wire.fleet_files import UNPROVEN

GOES_ON: Final = "the proof goes on, or was interrupted"


class Unproven(msgspec.Struct, frozen=True):
    """``unproven.json``, there until the broker was seen to obey.

    Attributes:
        since: aware; of the first proof that failed.
        said: what the newest one saw.
    """

    since: datetime
    said: str


@contextlib.contextmanager
def proving(folder: FleetFolder) -> Iterator[None]:
    """Whatever ends this but success, a crash too, is on record afterwards."""
    file = folder.layout.town / UNPROVEN
    before = unproven(file)
    since = before.since if before is not None else folder.now()
    _write(file, Unproven(since, GOES_ON))
    if before is not None:
        leave_word(folder.layout.proof, since)
    try:
        yield
    except (FleetError, OSError) as e:
        _write(file, Unproven(since, str(e)))
        leave_word(folder.layout.proof, since)
        raise
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    leave_word(folder.layout.proof, None)


def unproven(file: Path) -> Unproven | None:
    """What is open; ``None`` = nothing."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Unproven)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return Unproven(datetime.fromtimestamp(file.stat().st_mtime, UTC), GOES_ON)


def unproven_warnings(folder: FleetFolder) -> list[str]:
    """For whoever lists the fleet."""
    found = unproven(folder.layout.town / UNPROVEN)
    if found is None:
        return []
    since = f"{found.since:%Y-%m-%d %H:%M} UTC"
    what = f"NOT PROVEN since {since} that the broker obeys: {found.said.rstrip('.')}. Treat it as open"
    return [f"{what}: 'watchlink fleet renew-crl' tries again."]


def _write(file: Path, found: Unproven) -> None:
    # A disk that is full keeps nobody from telling the broker.
    with contextlib.suppress(OSError):
        write_atomic(file, msgspec.json.encode(found), PUBLIC)
