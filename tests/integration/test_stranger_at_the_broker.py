"""N3: central's certificate without its signing key opens the broker and moves nothing that a member reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import SHOP, Town
from wire.ids import parse_node
from wire.messages import Answer, CentralStatus, IncidentState, SyncAnswer, encode_message
from wire.topics import CentralTopic, Down, DownTopic, IncidentTopic

pytestmark = [pytest.mark.integration, pytest.mark.finding(1)]

TOLD = {"ready", "received", "answered", "on-the-way", "closed", "neighbour"}
"""Faces that say something of central, or of another member."""
BURNT = 4_278_190_080
Said = Literal["unanswered", "answered", "on-the-way", "closed"]


def state(incident: str, said: Said, premises: str = "Corner Shop") -> bytes:
    """What a stranger says of an incident, unsigned."""
    now = datetime.now(UTC)
    return encode_message(
        IncidentState(
            incident=incident,
            revision=99,
            scheme="hart",
            node=incident.partition("-")[0],
            premises=premises,
            place="High St",
            kind="attack",
            priority=1,
            state=said,
            opened_at=now,
            expires_at=now + timedelta(hours=1),
            answer=Answer(role="pcso", name="Jaswinder Patel", at=now),
        )
    )


def wait_until_taken_in(central: CentralStandIn, shop: NodeProcess, lies: int) -> None:
    """The shop counts that many unsigned messages, or shows what it was told."""

    def is_taken_in() -> bool:
        counts = [health.rejected.get("unsigned", 0) for health in central.health(parse_node(SHOP))]
        return max(counts, default=0) >= lies or bool(told(shop))

    central.wait_for(is_taken_in, "what the shop makes of the lies")


def told(shop: NodeProcess) -> set[str]:
    assert shop.board
    return TOLD.intersection(shop.board.faces_seen)


def wait_until_it_listens(central: CentralStandIn) -> None:
    """What is said before the shop listens is said to nobody."""
    central.wait_for(lambda: bool(central.health(parse_node(SHOP))), "the shop's first health")


@pytest.mark.parametrize("said", ["answered", "on-the-way", "closed"])
def test_presser_reads_nothing_that_central_did_not_sign(
    town: Town, start_node: Callable[[str], NodeProcess], start_central: Callable[[], CentralStandIn], said: Said
) -> None:
    assert town.broker
    central, shop = start_central(), start_node(SHOP)
    wait_until_it_listens(central)
    shop.press("attack")
    alert = shop.wait_for_fact("stored")["alert"]
    shop.wait_for_face("undelivered")
    central.say(str(IncidentTopic("hart")), state(alert, said))
    wait_until_taken_in(central, shop, 1)

    assert set() == told(shop)


def test_shop_shows_no_attack_no_link_and_burns_no_counter_at_a_strangers_word(
    town: Town, start_node: Callable[[str], NodeProcess], start_central: Callable[[], CentralStandIn]
) -> None:
    """A bank that does not exist, somebody on duty, and a floor under the shop's counter that nothing is left above."""
    assert town.broker
    now = datetime.now(UTC)
    central, shop = start_central(), start_node(SHOP)
    wait_until_it_listens(central)
    status = CentralStatus(boot_id="lie", at=now, expires_at=now + timedelta(seconds=30), on_duty=("pcso",))
    answer = SyncAnswer(boot_id="lie", counter_floor=BURNT)
    central.say(str(DownTopic(parse_node(SHOP), Down.SYNC)), encode_message(answer))
    central.say(str(IncidentTopic("hart")), state("00000077-5", "unanswered", "The Bank"))
    central.say(str(CentralTopic("hart")), encode_message(status))
    wait_until_taken_in(central, shop, 3)
    shown = told(shop)
    shop.press("assist")
    counter = int(shop.wait_for_fact("stored")["alert"].partition("-")[2])

    assert (set(), True) == (shown, counter < BURNT)
