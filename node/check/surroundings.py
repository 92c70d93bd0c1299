"""What stands around the program: the clock, the supply, the temperature."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from node.check.configuration import Identity
from node.check.machine import Machine, said
from node.step import Step, bad, not_done, ok
from node.surroundings import has_battery_clock, temperature_c
from runtime.clock_proof import is_synchronised

_HOT_C: Final = 80
"""A Raspberry Pi slows down from here on (Raspberry Pi documentation, 'Frequency management and thermal control')."""
_THROTTLED: Final = "/sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW: Final = {0: "under-voltage", 1: "slowed down", 2: "throttled", 3: "too hot"}
"""Bits of ``vcgencmd get_throttled`` (Raspberry Pi documentation); the same from bit 16 on: since the start."""
_SINCE_START: Final = 16


def clock_step(identity: Identity, machine: Machine, now: datetime) -> Step:
    """Proven? With a battery? Within our certificate's dates?"""
    has_battery = has_battery_clock(machine)
    battery = "with a battery clock" if has_battery else "without a battery clock"
    told = f"it says {now:%d %b %Y %H:%M} UTC"
    wrong = "timedatectl; let UDP 123 through, or make the router its time server (runbook, 'A wrong clock')"
    begins, ends = _dates(identity)
    if begins and now < begins:
        return bad("clock", f"{told}, before this unit's certificate was made: it is behind", wrong)
    if ends and now > ends:
        return bad(
            "clock", f"{told}, after this unit's certificate ended: the clock is ahead, or it was not renewed", wrong
        )
    is_trusted = identity.file is not None and identity.file.clock.proof == "machine"
    if is_trusted and not has_battery:
        advice = 'fit a battery clock, or set proof = "ntp" under [clock]'
        return bad("clock", f'{told}; [clock] proof = "machine" believes it, but there is no battery clock', advice)
    if is_synchronised() or is_trusted:
        return ok("clock", f"{told}: proven, {battery}", has_battery=has_battery, is_proven=True)
    # Normal for the first minute, and where central vouches for the time.
    text = f"{told}: not proven yet, {battery}; alerts carry no time until NTP or central agrees"
    return ok("clock", text, has_battery=has_battery, is_proven=False)


def _dates(identity: Identity) -> tuple[datetime | None, datetime | None]:
    if "certificate_file" not in identity.files:
        return None, None
    try:
        ours = x509.load_pem_x509_certificate(Path(identity.files["certificate_file"]).read_bytes())
    except (OSError, ValueError):
        return None, None
    return ours.not_valid_before_utc.astimezone(UTC), ours.not_valid_after_utc.astimezone(UTC)


def power_step(machine: Machine) -> Step:
    """Under-voltage and throttling, now and since the start."""
    told = said("vcgencmd", "get_throttled") or machine.text(_THROTTLED) or ""
    try:
        bits = int(told.strip().removeprefix("throttled="), 16)
    except ValueError:
        return not_done("power", "this machine does not tell: no Raspberry Pi, or no vcgencmd")
    now = [words for bit, words in _NOW.items() if bits >> bit & 1]
    before = [words for bit, words in _NOW.items() if bits >> _SINCE_START + bit & 1 and words not in now]
    if not now and not before:
        return ok("power", "enough, now and since the start", throttled=bits)
    said_now = f"now: {', '.join(now)}" if now else ""
    said_before = f"since the start: {', '.join(before)}" if before else ""
    advice = "use the maker's own supply and a short, thick lead; take the unit out of the sun and give it air"
    return bad("power", "; ".join(filter(None, (said_now, said_before))), advice, throttled=bits)


def temperature_step(machine: Machine) -> Step:
    """The processor's."""
    degrees_c = temperature_c(machine)
    if degrees_c is None:
        return not_done("temperature", "this machine does not tell")
    if degrees_c >= _HOT_C:
        return bad(
            "temperature", f"{degrees_c} °C: it slows down", "give the box air, away from heaters", celsius=degrees_c
        )
    return ok("temperature", f"{degrees_c} °C", celsius=degrees_c)
