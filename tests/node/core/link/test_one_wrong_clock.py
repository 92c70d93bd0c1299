"""N13: one wrong clock, central's included, makes no live alert late and no late one live, and mutes nobody."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from node.core.controls import Button
from node.core.effects import PlaySound, StoreFrame
from node.core.events import CentralStatusReceived, FrameReceived, LinkUp
from node.core.screens import Emphasis
from tests.support.members import signed
from tests.support.node_world import World
from wire.answers import DigestReceipt, frame_digest
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, Path
from wire.messages import CentralStatus, SyncAnswer

OURS, BOOTS = NodeId(0x10), NodeId(0x11)
pytestmark = pytest.mark.finding(2)


def test_live_attack_is_live_though_centrals_clock_is_70_s_ahead(world: World) -> None:
    """Its sender and we have the right time; central's status says another."""
    status = world.status().status
    ahead = replace_at(status, timedelta(seconds=70))
    world.do(CentralStatusReceived(ahead))
    done = world.do(world.alert_from(BOOTS, 5))

    assert (Emphasis.INVERTED, "14:32 ▲Seen ►Coming") == (world.screen.emphasis, world.screen.lines[1])
    assert 1 == len(world.of(PlaySound, done))


def test_attack_that_waits_for_the_panel_sounds_and_can_be_answered_however_long_it_waits(offline: World) -> None:
    """Our own attack is not received, and has the panel for a minute."""
    offline.hold(Button.ATTACK)
    arrived_ms = offline.now_ms
    offline.do(offline.alert_from(BOOTS, 5))
    while offline.face != "neighbour":
        offline.after(100)

    assert 60_000 < offline.now_ms - arrived_ms
    assert offline.state.sounding is not None
    assert FrameId(BOOTS, 5) == offline.state.sounding.neighbour
    assert "14:32 ▲Seen ►Coming" == offline.screen.lines[1]


@pytest.mark.parametrize("kind", [AlertKind.ATTACK, AlertKind.ASSIST])
@pytest.mark.parametrize("age_s", [61, 899])
def test_late_attack_or_assist_under_a_quarter_of_an_hour_sounds_once_and_can_be_answered(
    world: World, kind: AlertKind, age_s: int
) -> None:
    done = world.do(world.alert_from(BOOTS, 5, kind, at_s=int(world.wall().timestamp()) - age_s))
    done += world.live(5_000)
    assert 1 == len(world.of(PlaySound, done))
    assert Emphasis.FRAMED == world.screen.emphasis
    assert any("LATE" in line for line in world.screen.lines)
    assert world.screen.lines[1].endswith(" ▲Seen ►Coming")

    assert 1 == len(world.of(StoreFrame, world.tap(Button.RESPONDING)))
    assert world.screen.lines[1].endswith(" You: coming")


@pytest.mark.parametrize(("kind", "age_s"), [(AlertKind.ATTACK, 901), (AlertKind.THEFT, 61), (AlertKind.SIGHTING, 61)])
def test_older_or_lesser_late_alert_is_quiet(world: World, kind: AlertKind, age_s: int) -> None:
    done = world.do(world.alert_from(BOOTS, 5, kind, at_s=int(world.wall().timestamp()) - age_s))

    assert [] == world.of(PlaySound, done)
    assert "LATE" == world.screen.lines[1][:4]


def replace_at(status: CentralStatus, by: timedelta) -> CentralStatus:
    return msgspec.structs.replace(status, at=status.at + by, expires_at=status.expires_at + by)


def behind(world: World) -> CentralStatusReceived:
    """The next status of a central that does not sign and whose clock is half an hour behind."""
    return CentralStatusReceived(replace_at(world.status().status, -timedelta(minutes=30)))


def test_status_of_a_central_whose_clock_is_behind_counts_once_that_clock_is_seen_to_run(offline: World) -> None:
    """Each alone looks like one that a broker kept; two, as far apart as they say, are central speaking now."""
    offline.after(20_000)
    offline.do(LinkUp(), behind(offline))
    assert ("NO LINK",) == offline.screen.headline

    offline.after(10_000)
    offline.do(behind(offline))
    assert "ready" == offline.face


def test_statuses_that_a_broker_kept_and_delivers_together_prove_nothing(offline: World) -> None:
    kept = [behind(offline)]
    for _ in range(3):
        offline.after(10_000)
        kept.append(behind(offline))
    offline.do(LinkUp(), *kept)

    assert ("NO LINK",) == offline.screen.headline


@pytest.mark.parametrize("behind", [timedelta(minutes=30), timedelta(minutes=-30)])
def test_time_of_an_answer_is_that_of_the_clock_on_the_wall(offline: World, behind: timedelta) -> None:
    """People compare the panel with it; central's clock is half an hour off, and that is told as a fault."""
    offline.do(LinkUp())
    offline.do(offline.answers(SyncAnswer(boot_id="central-1", counter_floor=0, at=offline.wall() - behind)))
    offline.hold(Button.ATTACK)
    said_s = int((offline.wall() - behind).timestamp())
    receipt = DigestReceipt(CENTRAL, 8, said_s, FrameId(OURS, 1), frame_digest(offline.numbered[1].data))
    offline.do(FrameReceived(signed(receipt).data, None, Path.NETWORK))
    offline.after(14_000)
    answer = offline.answer(at=offline.wall() - behind, press="00000010-1", after_s=14)
    offline.do(offline.says(OURS, 1, "answered", answer=answer))

    assert f"{offline.wall():%H:%M:%S} after 14 s" == offline.screen.lines[1]
