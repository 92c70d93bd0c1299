"""Nodes' settings pass through central as they were sealed, to whoever has older ones (ADR 0032)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from central.core import effects as do
from central.core import events as ev
from tests.support.central_town import AUTHORITY, BAKERY, CORNER, Town, make_directory, only
from wire.ids import NodeId, node_text
from wire.messages import Health, SettingsReport
from wire.node_settings import NodeSettings, SignedSettings, open_settings, seal_settings

MADE_AT = datetime(2026, 11, 27, tzinfo=UTC)


def sealed(node: NodeId = CORNER, serial: int = 7) -> SignedSettings:
    settings = NodeSettings(node=node_text(node), serial=serial, made_at=MADE_AT, licence="LG 1")
    return open_settings(seal_settings(settings, AUTHORITY), AUTHORITY.public)


def beat(
    town: Town,
    serial: int | None = None,
    *,
    node: NodeId = CORNER,
    state: str = "taken",
    speaks: tuple[str, ...] = ("settings",),
    is_signed: bool = True,
) -> list[do.Effect]:
    """A heartbeat, and what it brings about."""
    report = None if serial is None else SettingsReport(serial=serial, state=state)
    town.later(1)
    health = Health(state="armed", boot_id="n1", at=town.now_at, speaks=speaks, settings=report, directory_serial=1)
    return town.handle(ev.HealthArrived(node, health, is_signed))


def sent(effects: list[do.Effect]) -> list[tuple[NodeId, bytes]]:
    return [(order.node, order.data) for order in only(effects, do.SendSettings)]


@pytest.fixture
def town() -> Town:
    town = Town(directory=make_directory(signs=True))
    town.handle(ev.SettingsChanged((sealed(),)))
    return town


@pytest.mark.parametrize(("serial", "is_offered"), [(None, True), (6, True), (7, False), (8, False)])
def test_settings_go_to_their_node_while_it_has_older_ones(town: Town, serial: int | None, *, is_offered: bool) -> None:
    assert [(CORNER, sealed().data)] * is_offered == sent(beat(town, serial))


def test_settings_go_to_nobody_else(town: Town) -> None:
    assert [] == sent(beat(town, node=BAKERY))


@pytest.mark.parametrize("state", ["waiting", "trial", "refused", "returned"])
def test_node_that_has_judged_them_is_not_offered_them_again(town: Town, state: str) -> None:
    assert [] == sent(beat(town, 7, state=state))


def test_settings_do_not_go_to_a_node_that_would_not_understand_them(town: Town) -> None:
    assert [] == sent(beat(town, speaks=("refusal",)))


def test_unsigned_word_asks_for_nothing() -> None:
    town = Town()
    town.handle(ev.SettingsChanged((sealed(),)))

    assert [] == sent(beat(town, is_signed=False))


def test_settings_are_offered_again_after_half_a_minute_and_newer_ones_at_once(town: Town) -> None:
    assert sent(beat(town))
    assert [] == sent(beat(town))
    town.later(30)
    assert sent(beat(town))
    town.handle(ev.SettingsChanged((sealed(serial=8),)))
    assert [(CORNER, sealed(serial=8).data)] == sent(beat(town))


def test_settings_that_are_gone_from_the_file_are_offered_no_more(town: Town) -> None:
    town.handle(ev.SettingsChanged(()))

    assert [] == sent(beat(town))


def test_what_became_of_them_is_a_fact_once(town: Town) -> None:
    def told(effects: list[do.Effect]) -> list[tuple[tuple[str, str], ...]]:
        return [order.detail for order in only(effects, do.ReportFact) if order.fact == "settings"]

    detail = (("node", "00000010"), ("serial", "7"), ("state", "refused"))
    assert [detail] == told(beat(town, 7, state="refused"))
    assert [] == told(beat(town, 7, state="refused"))
    assert 1 == len(told(beat(town, 7, state="taken")))
