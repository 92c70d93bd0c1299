"""Every script by name. A new one is a module with ``play`` and a line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from demo.scripts import broker_killed, central_killed, first_alert, node_killed
from demo.scripts.stage import Stage


@dataclass(frozen=True, slots=True)
class Script:
    """One play.

    Attributes:
        what: one line for ``--help``.
        play: raises nothing but :class:`demo.notice.NeverCameError` and what the town raises.
    """

    what: str
    play: Callable[[Stage], Awaitable[None]]


SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "first-alert": Script("a shop presses, the control room sees, the shop knows", first_alert.play),
        "broker-killed": Script("Mosquitto is killed at the worst moments of an alert", broker_killed.play),
        "central-killed": Script("central is killed before and after its commit", central_killed.play),
        "node-killed": Script("the presser's and a neighbour's node are killed", node_killed.play),
    }
)
