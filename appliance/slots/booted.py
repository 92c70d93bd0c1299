"""Which system runs: never the one that is meant to, but the one that was booted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from appliance.core.slot import SLOTS, Slot
from appliance.errors import CardError
from appliance.image import Image, lies_on

COMMAND_LINE: Final = Path("/proc/cmdline")
_WORD: Final = re.compile(r"(?:^|\s)watchlink\.slot=(\S+)")


def booted_slot(image: Image, command_line: Path = COMMAND_LINE) -> Slot:
    """The system that was booted: the kernel's command line and the partition that is mounted agree on it.

    Raises:
        CardError: they do not, or one of them says nothing.
    """
    try:
        said = _WORD.findall(command_line.read_text(encoding="utf-8", errors="replace"))
    except OSError as e:
        raise CardError(f"{command_line} cannot be read: {e.strerror}") from e
    slot = next((one for one in SLOTS if said == [one]), None)
    if slot is None:
        raise CardError(f"the kernel was started with {said or 'no'} watchlink.slot")
    if not lies_on(image.root(slot), Path(image.root_at)):
        raise CardError(f"the kernel was started for system {slot}, but another partition is mounted")
    return slot
