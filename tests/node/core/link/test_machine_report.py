"""What the machine says of itself goes to central with the regular report, and changes nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from node.core.controls import Part
from node.core.effects import Effect, PublishHealth
from node.core.events import ClockRead, MachineRead
from tests.support.node_world import World
from wire.messages import Health, MachineReport

END = datetime(2027, 1, 1, tzinfo=UTC)


def healths(world: World, effects: Iterable[Effect]) -> list[Health]:
    return [order.health for order in world.of(PublishHealth, effects)]


def test_health_says_what_the_machine_told_from_the_next_report_on(world: World) -> None:
    assert None is healths(world, world.live(10_000))[-1].machine
    told = MachineReport(profile="fake", temperature_c=48, free_bytes=120_000_000, clock="ntp")
    done = world.do(MachineRead(told, END))
    health = healths(world, world.live(10_000))[-1]

    assert [] == done, "it waits for the regular report"
    assert (told, END) == (health.machine, health.certificate_ends_at)


@pytest.mark.parametrize(("told", "said"), [("ntp", "ntp"), ("machine", "machine"), (None, "central")])
def test_health_says_who_vouches_for_the_clock(world: World, told: str | None, said: str) -> None:
    world.do(MachineRead(MachineReport(clock=told)))
    vouched = healths(world, world.live(10_000))[-1].machine
    world.do(ClockRead(86_400, is_proven=False))
    doubted = healths(world, world.live(10_000))[-1].machine

    assert (MachineReport(clock=said), MachineReport(clock="none")) == (vouched, doubted)


def test_card_that_fails_is_told_at_once_until_a_good_one_is_read(world: World) -> None:
    card = "its data cannot be read"
    world.do(MachineRead(MachineReport(), card=card))
    failed = healths(world, world.live(1_000))[-1].faults
    world.do(MachineRead(MachineReport()))
    unknown = world.state.faults
    world.do(MachineRead(MachineReport(), card=""))
    mended = healths(world, world.live(1_000))[-1].faults

    assert [("card", card)] == [(fault.part, fault.detail) for fault in failed]
    assert {Part.CARD} == set(unknown), "nobody says that it is good again"
    assert () == mended
