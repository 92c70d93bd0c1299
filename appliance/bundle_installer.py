"""RAUC writes the system that does not run. Its service does it; here it is asked, and its words are taken."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from appliance.core import events
from wire.text import display_text

WITHIN_S: Final = 3_600
"""A slow card takes minutes."""
_REASON_CHARS_MAX: Final = 160
_SAID: Final = re.compile(r"LastError: (.+)")
_OF_THE_BUNDLE: Final = re.compile(
    r"signature|verif|compatible|mismatch|manifest|not a bundle|invalid bundle|magic|format|certificate", re.IGNORECASE
)
"""In RAUC's words: the bundle itself is wrong."""


def install(path: Path, sha256: str, rauc: str = "/usr/bin/rauc") -> events.Installed | events.InstallFailed:
    """Write it. RAUC checks whose it is and for which hardware, before it writes anything."""
    try:
        done = subprocess.run(  # noqa: S603 - our own file
            [rauc, "install", str(path)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as e:
        return events.InstallFailed(f"RAUC did not answer: {type(e).__name__}.", is_final=False)
    if done.returncode == 0:
        return events.Installed(sha256)
    text = f"{done.stdout}\n{done.stderr}".strip()
    said = _SAID.search(text)
    reason = said[1] if said else text.splitlines()[-1] if text else f"status {done.returncode}"
    return events.InstallFailed(
        f"RAUC: {display_text(reason, _REASON_CHARS_MAX)}", is_final=bool(_OF_THE_BUNDLE.search(reason))
    )
