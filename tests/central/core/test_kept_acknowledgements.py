"""What central said by network to a shop that had just lost it goes over the air as soon as that turns out (N5, N9)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.view import Acknowledge, Close
from node.core.radio.answer_queue import OLD_MS
from tests.support.central_town import (
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    KEYS,
    NAMES,
    PATEL,
    SCHEMES,
    Town,
    keep_alive,
    make_directory,
    only,
    opened,
    radio_town,
)
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import AlertKind
from wire.messages import Health, RadioReport
from wire.signing import SigningKey

SEVEN = FrameId(CORNER, 7)
INCIDENT = "00000010-7"


def answered_by_network(air: Town) -> None:
    """An alert that came by network, by a shop with a radio, is answered; its last sign of life was just before."""
    air.beat(CORNER, radio="ready")
    air.press(7)
    air.later(1)
    air.act(Acknowledge(INCIDENT), PATEL)
    assert [None] == [order.air for order in only(air.said, do.SendAcknowledgement)]


@pytest.mark.finding(6)
def test_answer_that_the_network_did_not_bring_is_said_by_radio_twice(air: Town) -> None:
    """The network failed just before it, and half a minute later central knows."""
    answered_by_network(air)
    assert [] == only(keep_alive(air, 20, GATEWAY, BAKERY), do.SayAcknowledgement)

    said = keep_alive(air, 40, GATEWAY, BAKERY)
    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] * 2 == only(said, do.SayAcknowledgement)
    assert not air.card().is_untold


@pytest.mark.finding(6)
def test_answer_that_a_sign_of_life_follows_is_not_said_by_radio(air: Town) -> None:
    answered_by_network(air)
    air.later(7)
    air.beat(CORNER, radio="ready")

    assert [] == only(keep_alive(air, 60, GATEWAY, BAKERY), do.SayAcknowledgement)


@pytest.mark.finding(6)
def test_sign_of_life_at_once_proves_no_answer(air: Town) -> None:
    """It had set out before; then the cable was cut."""
    answered_by_network(air)
    air.later(1)
    air.beat(CORNER, radio="ready")

    assert 2 == len(only(keep_alive(air, 60, GATEWAY, BAKERY), do.SayAcknowledgement))


@pytest.mark.finding(6)
def test_unit_that_is_switched_off_after_the_closing_is_told_nothing_by_radio(air: Town) -> None:
    """Nor does the card say all night that its shop has not been told."""
    answered_by_network(air)
    air.later(1)
    air.handle(ev.HealthArrived(CORNER, Health(state="stopping", boot_id="n1", radio=RadioReport(state="ready"))))
    said = keep_alive(air, 60, GATEWAY, BAKERY)

    assert ([], False) == (only(said, do.SayAcknowledgement), air.card().is_untold)


@pytest.mark.finding(6)
def test_answer_that_no_radio_takes_any_more_stays_untold(air: Town) -> None:
    """The only radio comes back after ten minutes, and says nothing as old as that."""
    answered_by_network(air)
    air.later(OLD_MS / 1_000)
    said = keep_alive(air, 60, GATEWAY)

    assert ([], True) == (only(said, do.SayAcknowledgement), air.card().is_untold)


@pytest.mark.finding(13)
def test_closings_of_a_flood_crowd_no_waiting_answer_out(air: Town) -> None:
    answered_by_network(air)
    for counter in range(1, 300):
        air.press(counter, AlertKind.ASSIST, node=CROWN)
    for counter in range(1, 300):
        air.act(Close(f"00000012-{counter}", "flood"), PATEL)

    assert SEVEN in [say.target for say in only(keep_alive(air, 90, GATEWAY, BAKERY), do.SayAcknowledgement)]


@pytest.mark.finding(13)
def test_what_waits_when_a_town_loses_its_network_leaves_the_air_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty shops have just been told that somebody has answered; one of them pressed ATTACK."""
    shops = [NodeId(0x100 + number) for number in range(60)]
    for shop in shops:
        monkeypatch.setitem(SCHEMES, shop, (1,))
        monkeypatch.setitem(NAMES, shop, f"Shop {shop}")
        monkeypatch.setitem(KEYS, shop, SigningKey(bytes([shop & 0xFF]) * 32))
    air = radio_town()
    for shop in shops:
        air.beat(shop, "ready")
        air.press(7, AlertKind.ASSIST, node=shop)
    air.press(8, AlertKind.ATTACK, node=shops[30], incident=7)
    for shop in shops:
        air.act(Acknowledge(f"{node_text(shop)}-7"), PATEL)
    by_tick = []
    for _ in range(60):
        air.beat(GATEWAY, "ready")
        by_tick.append([say.target.node for say in only(air.later(1), do.SayAcknowledgement)])

    first, *later = [said for said in by_tick if said]
    assert (shops[30], 8) == (first[0], len(first))
    others = [node for said in (first, *later) for node in said if node != shops[30]]
    assert len(set(others)) == len(others) < 20, "no other has its second turn before all have had the first"
    assert any(shops[30] in said for said in later)


def test_second_time_comes_although_the_clock_was_set_back(air: Town) -> None:
    air.later(1)
    air.hear(air.alert())
    air.act(Acknowledge(INCIDENT))
    air.now_at -= timedelta(hours=1)

    assert 1 == len(only(keep_alive(air, 20, GATEWAY), do.SayAcknowledgement))


@pytest.mark.finding(6)
def test_shop_that_was_struck_off_is_told_nothing_more_by_radio(air: Town) -> None:
    answered_by_network(air)
    air.later(40)
    assert air.card().is_untold
    data = make_directory(serial=2, revoked=(CORNER,), has_gateway=True)
    air.handle(ev.DirectoryChanged(opened(data), data))

    assert [] == only(keep_alive(air, 60, GATEWAY, BAKERY), do.SayAcknowledgement)
    assert not air.card().is_untold


@pytest.mark.finding(6)
def test_card_says_that_the_shop_has_not_been_told_until_a_radio_can(air: Town) -> None:
    """The network of the shop fails, and the only radio with it."""
    answered_by_network(air)
    air.later(40)
    assert air.card().is_untold

    said = keep_alive(air, 2, GATEWAY)
    assert [do.SayAcknowledgement(GATEWAY, SEVEN)] == only(said, do.SayAcknowledgement)
    assert not air.card().is_untold
