"""Which boot of the machine this is."""

from __future__ import annotations

import os
from pathlib import Path


def machine_boot_id() -> str:
    """Id of the machine's boot, from which the monotonic clock counts."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Then nothing ever counts as of this boot: ages come only from proven clocks, and a lease is charged.
        return f"unknown-{os.urandom(8).hex()}"
