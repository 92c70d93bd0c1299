"""What the node tells of settings from the fleet: in its health, and as a fault while they do not count."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.state import Configuring, NodeState
from wire.messages import SettingsReport

PART: Final = "settings"
"""Name of the fault at central. It is none of the node's parts, and not on its panel: the node works as before."""
_NOT_USED: Final = {"refused": "refused", "returned": "tried, and taken back"}
_GIVEN_UP: Final = "tried, and in use until nobody needs the unit"


def report(state: NodeState) -> SettingsReport | None:
    """As in health; ``None`` = none ever came."""
    configuring = state.configuring
    if configuring.offered.serial:
        return SettingsReport(
            serial=configuring.offered.serial,
            state="waiting",
            reason=configuring.waits_for,
            in_force=configuring.kept.good_serial,
        )
    said = configuring.kept.report()
    # They are given up on the disk, but this run still uses them: an alert goes before its end.
    return replace(said, state="trial") if said is not None and _is_going_back(configuring) else said


def fault(state: NodeState) -> tuple[str, int] | None:
    """Why the newest settings do not count, and since when in this run; ``None`` = they do."""
    kept = state.configuring.kept
    word = _GIVEN_UP if _is_going_back(state.configuring) else _NOT_USED.get(kept.state)
    if word is None:
        return None
    return f"{word}: {kept.reason}", state.configuring.since_ms or state.started_ms


def _is_going_back(configuring: Configuring) -> bool:
    return configuring.is_trial and configuring.kept.state == "returned"
