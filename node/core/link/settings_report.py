"""What the node tells of settings from the fleet: in its health, and as a fault while they do not count."""

from __future__ import annotations

from typing import Final

from node.core.state import NodeState
from wire.messages import SettingsReport

PART: Final = "settings"
"""Name of the fault at central. It is none of the node's parts, and not on its panel: the node works as before."""
_NOT_USED: Final = {"refused": "refused", "returned": "tried, and taken back"}


def report(state: NodeState) -> SettingsReport | None:
    """As in health; ``None`` = none ever came."""
    configuring = state.configuring
    if configuring.offered.serial:
        return SettingsReport(
            serial=configuring.offered.serial,
            state="waiting",
            reason=configuring.waits_for,
            in_force=configuring.kept.good.serial,
        )
    return configuring.kept.report()


def fault(state: NodeState) -> tuple[str, int] | None:
    """Why the newest settings do not count, and since when in this run; ``None`` = they do."""
    kept = state.configuring.kept
    word = _NOT_USED.get(kept.state)
    if word is None:
        return None
    return f"{word}: {kept.reason}", state.configuring.since_ms or state.started_ms
