"""Every script by name. A new one is a module with ``play`` and a line here.

A script is loaded when it is to be played: together they load what a whole town has.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from demo.premises import ADDRESSES, MARKET, Address, TownPlan
from demo.scripts.stage import Stage

_PLAIN: Final = TownPlan()
# Path tests are automatic; a script that counts overs must not meet one.
_UNTESTED_MS: Final = 3_600_000
_RADIO: Final = TownPlan(has_radio=True, path_test_first_ms=_UNTESTED_MS)
_STORM: Final = TownPlan(MARKET, has_radio=True, path_test_first_ms=_UNTESTED_MS)
_LIAR: Final = TownPlan(
    (
        *MARKET[: len(ADDRESSES) + 2],
        Address("vaults", "The Vaults", "King St", ("pub-watch",)),
        Address("anchor", "The Anchor", "Mill Ln", ("pub-watch",)),
    )
)

Play = Callable[[Stage], Awaitable[None]]


class Script(Struct, frozen=True):
    """One play.

    Attributes:
        what: one line for ``--help``.
        at: its module here, and its function if that is not ``play``, as in ``liar.play_quick``. It raises only
            :class:`demo.notice.NeverCameError` and the town's errors.
        plan: the town it needs.
    """

    what: str
    at: str
    plan: TownPlan = _PLAIN

    def load(self) -> Play:
        """What plays it."""
        module, _, function = self.at.partition(".")
        play: Play = getattr(importlib.import_module(f"demo.scripts.{module}"), function or "play")
        return play


SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "first-alert": Script("a shop presses, the control room sees, the shop knows", "first_alert"),
        "pressed-again": Script(
            "a shop presses again after the answer: that press is not shown as answered", "pressed_again"
        ),
        "liar": Script("a liar controls the broker and lies on every topic: nothing changes", "liar", _LIAR),
        "liar-quick": Script("the same lies, except those that need restarts or time", "liar.play_quick", _LIAR),
        "liar-control": Script("the same lies, truly signed: each changes something", "liar_control", _LIAR),
        "broker-killed": Script("Mosquitto is killed at the worst moments of an alert", "broker_killed"),
        "central-killed": Script("central is killed before and after its commit", "central_killed"),
        "node-killed": Script("the nodes of the shop that pressed and of a neighbour are killed", "node_killed"),
        "kills-node": Script("nodes are killed at random moments of a press, --times N", "random_kills.of_node"),
        "kills-central": Script("central is killed at random moments of a press", "random_kills.of_central"),
        "kills-broker": Script("Mosquitto is killed at random moments of a press", "random_kills.of_broker"),
        "network-cut": Script("a shop loses its network: alert and answer go by radio", "network_cut", _RADIO),
        "town-cut": Script("no premises has a network: central's own radio hears them all", "town_cut", _RADIO),
        "central-gone": Script("central and broker are dead: neighbours warn each other", "central_gone", _RADIO),
        "busy-channel": Script("someone is talking: an assist waits, an attack breaks in", "busy_channel", _RADIO),
        "withheld": Script("a liar controls the broker and withholds messages: radios carry them", "withheld", _RADIO),
        "office": Script(
            "invited, signed in, an alert answered while the office is dead, an account ended",
            "office",
            TownPlan(has_office=True),
        ),
        "escalation": Script(
            "nobody answers: central asks one after the other, until somebody answers by their phone",
            "escalation",
            TownPlan(has_office=True, has_phones=True),
        ),
        "exclusion": Script(
            "a person is nominated, voted on, excluded, served, appeals and is erased, by seven people's browsers",
            "exclusion",
            TownPlan(ADDRESSES[:1], has_office=True, has_papers=True),
        ),
        "gallery": Script(
            "who is excluded is in every member's shop of the scheme, and gone from all of them when it is revoked",
            "gallery",
            TownPlan(ADDRESSES, has_office=True, has_galleries=True),
        ),
        "breach": Script(
            "somebody banned comes in: two taps, central and office act, the shop hears of it, and the next shop knows",
            "breach",
            TownPlan(ADDRESSES, has_office=True, has_galleries=True),
        ),
        "lease": Script(
            "a shop's clock is set back, days pass without a network, it boots without one: its gallery is off",
            "lease",
            TownPlan(ADDRESSES, has_office=True, has_galleries=True, has_benches=True),
        ),
        "town-live": Script(
            "a town is installed, claimed, kept, a unit replaced, one revoked, and central lost and restored",
            "town_live",
            TownPlan((), is_bare=True),
        ),
        "storm": Script("twelve premises without network press at once", "storm", _STORM),
    }
)
