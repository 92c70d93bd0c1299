"""Whether the broker was seen to obey. People at central are told while it was not.

Whoever proves it leaves word: the fleet's machine in its pack, and the enrolment service beside central.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runtime.proof_file import read_proof
from wire.fleet_files import PROOF

FLEETS_PROOF: Final = Path("/etc/watchlink/broker") / PROOF
"""With the broker's files, if it is on this machine."""


def proof_trouble(files: Iterable[Path]) -> str:
    """What people at central are told, in sentences; empty = all is well, or nobody has left word."""
    found = [unproven for file in files if (unproven := read_proof(file)) is not None]
    if not found:
        return ""
    since = min((one.since for one in found if one.since is not None), default=None)
    when = f" since {since:%d %B %Y}" if since is not None else ""
    return (
        f"NOT PROVEN{when} that the broker obeys its newest files: a stolen unit may still be let in. Tell the fleet’s"
        " engineer: watchlink central check."
    )
