"""Every script by name. A new one is a module with ``play`` and a line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from demo.premises import ADDRESSES, MARKET, TownPlan
from demo.scripts import (
    breach,
    broker_killed,
    busy_channel,
    central_gone,
    central_killed,
    exclusion,
    first_alert,
    gallery,
    lease,
    liar,
    liar_control,
    liar_past,
    network_cut,
    node_killed,
    office,
    pressed_again,
    random_kills,
    storm,
    town_cut,
    town_live,
    withheld,
)
from demo.scripts.stage import Stage

_PLAIN: Final = TownPlan()
# Path tests are automatic; a script that counts overs must not meet one.
_UNTESTED_MS: Final = 3_600_000
_RADIO: Final = TownPlan(has_radio=True, path_test_first_ms=_UNTESTED_MS)
_STORM: Final = TownPlan(MARKET, has_radio=True, path_test_first_ms=_UNTESTED_MS)


class Script(Struct, frozen=True):
    """One play.

    Attributes:
        what: one line for ``--help``.
        play: raises only :class:`demo.notice.NeverCameError` and the town's errors.
        plan: the town it needs.
    """

    what: str
    play: Callable[[Stage], Awaitable[None]]
    plan: TownPlan = _PLAIN


SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "first-alert": Script("a shop presses, the control room sees, the shop knows", first_alert.play),
        "pressed-again": Script(
            "a shop presses again after the answer: that press is not shown as answered", pressed_again.play
        ),
        "liar": Script(
            "a liar controls the broker and lies on every topic: nothing changes", liar.play, liar_past.PLAN
        ),
        "liar-quick": Script("the same lies, except those that need restarts or time", liar.play_quick, liar_past.PLAN),
        "liar-control": Script(
            "the same lies, truly signed: each changes something", liar_control.play, liar_past.PLAN
        ),
        "broker-killed": Script("Mosquitto is killed at the worst moments of an alert", broker_killed.play),
        "central-killed": Script("central is killed before and after its commit", central_killed.play),
        "node-killed": Script("the nodes of the shop that pressed and of a neighbour are killed", node_killed.play),
        "kills-node": Script("nodes are killed at random moments of a press, --times N", random_kills.of_node),
        "kills-central": Script("central is killed at random moments of a press", random_kills.of_central),
        "kills-broker": Script("Mosquitto is killed at random moments of a press", random_kills.of_broker),
        "network-cut": Script("a shop loses its network: alert and answer go by radio", network_cut.play, _RADIO),
        "town-cut": Script("no premises has a network: central's own radio hears them all", town_cut.play, _RADIO),
        "central-gone": Script("central and broker are dead: neighbours warn each other", central_gone.play, _RADIO),
        "busy-channel": Script("someone is talking: an assist waits, an attack breaks in", busy_channel.play, _RADIO),
        "withheld": Script(
            "a liar controls the broker and withholds messages: radios carry them", withheld.play, _RADIO
        ),
        "office": Script(
            "invited, signed in, an alert answered while the office is dead, an account ended",
            office.play,
            TownPlan(has_office=True),
        ),
        "exclusion": Script(
            "a person is nominated, voted on, excluded, served, appeals and is erased, by seven people's browsers",
            exclusion.play,
            TownPlan(ADDRESSES[:1], has_office=True, has_papers=True),
        ),
        "gallery": Script(
            "who is excluded is in every member's shop of the scheme, and gone from all of them when it is revoked",
            gallery.play,
            TownPlan(ADDRESSES, has_office=True, has_galleries=True),
        ),
        "breach": Script(
            "somebody banned comes in: two taps, central and office act, the shop hears of it, and the next shop knows",
            breach.play,
            TownPlan(ADDRESSES, has_office=True, has_galleries=True),
        ),
        "lease": Script(
            "a shop's clock is set back, days pass without a network, it boots without one: its gallery is off",
            lease.play,
            TownPlan(ADDRESSES, has_office=True, has_galleries=True, has_benches=True),
        ),
        "town-live": Script(
            "a town is installed, claimed, kept, a unit replaced, one revoked, and central lost and restored",
            town_live.play,
            TownPlan((), is_bare=True),
        ),
        "storm": Script("twelve premises without network press at once", storm.play, _STORM),
    }
)
