"""The enrolment service's directory, which says who has claimed what: given, fetched, or in the town folder."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Final

from provisioning.errors import FleetError
from provisioning.fleet import Fleet
from runtime.atomic import PUBLIC, write_atomic
from wire.directory import open_directory
from wire.errors import REASONS, DecodeError
from wire.limits import DIRECTORY_BYTES_MAX

FETCH_WITHIN_S: Final = 20.0
"""Who revokes a stolen unit waits for it."""


def claimed_file(fleet: Fleet, given: Path | None) -> Path:
    """The file to collect from: the one given; else fetched from central's machine now; else in the town folder.

    Raises:
        FleetError: it could not be fetched.
    """
    if given is not None:
        return given
    fetch(fleet)
    return fleet.layout.changed


def fetch(fleet: Fleet) -> bool:
    """Fetch it from central's machine, in place of the copy that is here. Returns whether there is a way to do that.

    Raises:
        FleetError: it could not be fetched, and the copy stays as it was.
    """
    layout = fleet.layout
    # On a machine of its own the service's file is not where the command looks.
    if not layout.fetch.exists() or not layout.beside_central.exists():
        return False
    try:
        data = _said_by(layout.fetch)
        open_directory(data, fleet.folder.authority_public())
        layout.changed.parent.mkdir(exist_ok=True)
        write_atomic(layout.changed, data, PUBLIC)
    except (OSError, subprocess.SubprocessError) as e:
        raise FleetError(f"The enrolment service's file could not be fetched from central's machine: {e}.") from e
    except DecodeError as e:
        raise FleetError(f"What central's machine has of the enrolment service is {REASONS[e.reason]}.") from e
    return True


def _said_by(program: Path) -> bytes:
    """Its output, and no more than a directory may have: central's machine may be somebody else's by now."""
    with subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        clock = threading.Timer(FETCH_WITHIN_S, process.kill)
        clock.start()
        try:
            data = process.stdout.read(DIRECTORY_BYTES_MAX + 1)
            if len(data) > DIRECTORY_BYTES_MAX:
                process.kill()
                return data
            status = process.wait()
        finally:
            clock.cancel()
    if status:
        raise subprocess.CalledProcessError(status, [program])
    return data
