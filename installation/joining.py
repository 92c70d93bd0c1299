"""What ``central.toml`` must say of its neighbours on the same machine, added to what an engineer has written there."""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

from installation import places
from installation.places import Parts

_IDENTITY: Final = re.compile(r"^\[identity\][ \t]*(#.*)?$", re.MULTILINE)
_KEY: Final = "delegated_directory_file"


def joined(text: str, parts: Parts) -> tuple[str, tuple[str, ...]]:
    """The file with what is missing, and sentences about that; unchanged if nothing is, or if it cannot be read."""
    toml = _read(text)
    if not toml or not parts.central:
        return text, ()
    said = []
    if places.enrols(parts) and _KEY not in toml.get("identity", {}):
        longer = _IDENTITY.sub(lambda found: f'{found[0]}\n{_KEY} = "{places.CHANGED}"', text, count=1)
        wanted = {**toml, "identity": {**toml.get("identity", {}), _KEY: places.CHANGED}}
        if _read(longer) == wanted:
            text = longer
            said.append(
                f"added {_KEY} to {places.CENTRAL_TOML}: central takes units from the enrolment service on this machine"
            )
    if parts.office and "office" not in toml:
        # Behind all that is there, whoever wrote it.
        text += places.OFFICE_TABLE
        said.append(f"added [office] to {places.CENTRAL_TOML}: central knows the office on this machine")
    return text, tuple(said)


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError:
        return {}
