"""What stands around the program, read from the kernel: for ``watchlink node check``, and for the health report.

Each reader returns ``None`` for what the machine does not tell, and raises nothing.
"""

from __future__ import annotations

import os
import shlex
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from node.check.machine import Machine
from wire.errors import DecodeError
from wire.unit_files import CARD_FILE, SYSTEM_FILE, SystemReport, read_unit_file

THERMAL: Final = "/sys/class/thermal/thermal_zone0/temp"
OS_RELEASES: Final = ("/etc/os-release", "/usr/lib/os-release")
DEBIAN_UNTIL: Final = {"11": date(2024, 8, 14), "12": date(2026, 6, 10), "13": date(2028, 8, 9)}
"""Last day of regular support (Debian's ``distro-info-data``): its ``os-release`` has no ``SUPPORT_END``."""
_YEARS_FROM: Final = 1970
_YEARS_TO: Final = 9997
_OF_DEBIAN: Final = frozenset({"debian", "raspbian"})


def temperature_c(machine: Machine) -> float | None:
    """The processor's, in degrees Celsius."""
    try:
        return round(int(machine.text(THERMAL) or "") / 1000, 1)
    except ValueError:
        return None


def has_battery_clock(machine: Machine) -> bool:
    """Whether the kernel knows a clock that goes on without power."""
    return bool(machine.listed("/sys/class/rtc", "rtc*"))


def free_bytes(folder: Path) -> int | None:
    """Room for an ordinary user on the disk of ``folder``, or of the nearest folder above that is there."""
    for there in (folder, *folder.parents):
        try:
            room = os.statvfs(there)
        except OSError:
            continue
        return room.f_bavail * room.f_frsize
    return None


def system(machine: Machine) -> tuple[str, datetime | None]:
    """The operating system's name, and midnight after the last day of its support.

    Source: os-release(5), ``SUPPORT_END``; without it, for Debian and Raspberry Pi OS, :data:`DEBIAN_UNTIL`.
    """
    said = _os_release(machine)
    until: date | None = None
    try:
        until = date.fromisoformat(said.get("SUPPORT_END", ""))
    except ValueError:
        if said.get("ID") in _OF_DEBIAN:
            until = DEBIAN_UNTIL.get(said.get("VERSION_ID", ""))
    ends_at = None if until is None else _told(datetime.combine(until, time(), UTC))
    return said.get("PRETTY_NAME", ""), ends_at + timedelta(days=1) if ends_at else None


def system_report(machine: Machine) -> SystemReport | None:
    """What the card's own program says of the system image; ``None`` on a machine that runs none."""
    try:
        return read_unit_file((machine.text(SYSTEM_FILE) or "").encode(), SystemReport)
    except DecodeError:
        return None


def card_fault(machine: Machine) -> str | None:
    """What is wrong with the card's data partition; empty = nothing; ``None`` on a machine that runs no image.

    What was found before any program ran stands, even if the card's own program does not run.
    """
    report, found = system_report(machine), machine.text(CARD_FILE)
    return found or (None if report is None else report.card)


def certificate_ends_at(certificate_file: Path) -> datetime | None:
    """The earliest end within a chain of certificates (PEM)."""
    try:
        chain = x509.load_pem_x509_certificates(certificate_file.read_bytes())
    except (OSError, ValueError):
        return None
    return _told(min((certificate.not_valid_after_utc for certificate in chain), default=None))


def _told(moment: datetime | None) -> datetime | None:
    """Certificates without an end say 9999; that is no moment that travels (:mod:`wire.messages.fields`)."""
    return moment if moment is not None and _YEARS_FROM <= moment.year <= _YEARS_TO else None


def _os_release(machine: Machine) -> dict[str, str]:
    text = next(filter(None, map(machine.text, OS_RELEASES)), "")
    said = {}
    for line in text.splitlines():
        key, is_there, value = line.partition("=")
        if not is_there or key.startswith("#"):
            continue
        try:
            said[key.strip()] = " ".join(shlex.split(value))
        except ValueError:  # An open quotation mark.
            continue
    return said
