"""A directory that the authority's delegate has changed: a node takes it, or refuses it, by what it holds and knows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from node.core.effects import KeepDirectory
from node.core.events import ClockRead, DirectoryReceived
from node.core.machine import initial_state
from node.store import NodeStore
from tests.node.core.test_scales import answer
from tests.support.members import OURS
from tests.support.node_world import World
from tools.publish.examples import CHANGES, DELEGATING_DIRECTORY, KEYS, PUB
from wire.directory import (
    DelegateChanges,
    Delegation,
    Directory,
    DirectoryDocument,
    open_directory,
    seal_changes,
    seal_directory,
)
from wire.directory_succession import newest

AUTHORITY, DELEGATE = KEYS["authority"], KEYS["delegate"]
DAY = timedelta(days=1)


def of_world(world: World, *, days: int = 90, epoch: int = 1, serial: int = 1_000_000) -> DirectoryDocument:
    """The authority's, whose delegation ends so many days from the world's now."""
    now = world.wall()
    delegation = Delegation(epoch=epoch, key=DELEGATE.public.raw, expires_at=now + days * DAY)
    return replace(DELEGATING_DIRECTORY, serial=serial, issued_at=now - 200 * DAY, delegation=delegation)


def delegates(document: DirectoryDocument, changes: DelegateChanges = CHANGES) -> DirectoryReceived:
    changes = replace(changes, serial=document.serial + changes.serial % 1_000_000)
    data = seal_changes(seal_directory(document, AUTHORITY), changes, DELEGATE, AUTHORITY.public)
    return DirectoryReceived(open_directory(data, AUTHORITY.public), data)


def authoritys(document: DirectoryDocument) -> DirectoryReceived:
    data = seal_directory(document, AUTHORITY)
    return DirectoryReceived(open_directory(data, AUTHORITY.public), data)


def held(world: World) -> Directory:
    return world.state.directory


def set_clock(world: World, by: timedelta, *, is_proven: bool) -> None:
    """Our own clock, beside the true time."""
    world.do(ClockRead(int((world.wall() + by).timestamp()), is_proven=is_proven))


def test_node_takes_the_delegates_directory_and_keeps_its_bytes(world: World) -> None:
    event = delegates(of_world(world))

    done = world.do(event)

    assert [KeepDirectory(event.data, event.directory)] == world.of(KeepDirectory, done)
    assert held(world).senders[PUB].is_revoked


@pytest.mark.parametrize("way", ["an ended delegation", "un-striking"])
def test_node_refuses_and_counts_what_may_not_follow(world: World, way: str) -> None:
    if way == "un-striking":
        world.do(delegates(of_world(world)))
        event = delegates(of_world(world), replace(CHANGES, serial=1_000_002, struck=()))
        reason = "delegate change"
    else:
        world.do(authoritys(of_world(world, epoch=2)))
        event, reason = delegates(of_world(world, serial=3_000_000)), "old delegation"
    before = held(world)

    done = world.do(event)

    assert [] == world.of(KeepDirectory, done)
    assert before == held(world)
    assert {reason: 1} == dict(world.state.rejected)


def test_node_remembers_an_ended_delegation_after_a_restart(world: World, tmp_path: Path) -> None:
    """By what is on its disk, whatever lies in its folder and whatever the broker has kept for it."""
    before, ended = delegates(of_world(world)), authoritys(of_world(world, epoch=2, serial=2_000_000))
    for event in (before, ended):
        for order in world.of(KeepDirectory, world.do(event)):
            store = NodeStore(tmp_path, OURS, KEYS["shop"], "boot-1")
            store.keep_directory(order.data)
            store.close()
    store = NodeStore(tmp_path, OURS, KEYS["shop"], "boot-2")
    kept = store.load(0, 0).directory
    store.close()
    assert kept is not None
    world.state = initial_state(world.settings)
    world.start(known=newest(before.directory, open_directory(kept, AUTHORITY.public)))

    world.do(before, delegates(of_world(world, serial=3_000_000)))

    assert ended.directory == held(world)
    assert {"old directory": 1, "old delegation": 1} == dict(world.state.rejected)


def test_node_without_any_time_believes_the_delegation(world: World) -> None:
    """Minutes after a start it has none, in a shop without internet for good: a strike must reach it all the same."""
    set_clock(world, timedelta(days=-20_000), is_proven=False)

    world.do(delegates(of_world(world, days=-1)))

    assert held(world).is_delegated


@pytest.mark.parametrize("way", ["own clock", "central's", "both"])
def test_node_refuses_what_a_delegate_signs_after_its_time(world: World, way: str) -> None:
    if way != "central's":
        set_clock(world, timedelta(0), is_proven=True)
    else:
        set_clock(world, timedelta(days=-20_000), is_proven=False)
    if way != "own clock":
        world.do(answer(world))

    world.do(delegates(of_world(world, days=-1)))

    assert not held(world).is_delegated
    assert 1 == world.state.rejected["delegation expired"]


def test_node_takes_what_a_wrong_clock_refused_once_it_is_right(world: World) -> None:
    """Central sends it again while the node's health names an older one."""
    set_clock(world, 5_000 * DAY, is_proven=True)
    directory = delegates(of_world(world))
    world.do(directory)
    assert not held(world).is_delegated

    set_clock(world, timedelta(0), is_proven=True)
    world.do(directory)

    assert held(world).is_delegated


@pytest.mark.parametrize(("own", "centrals"), [(5_000, 0), (0, 5_000)], ids=["own", "central's"])
def test_one_wrong_clock_does_not_end_a_delegation(world: World, own: int, centrals: int) -> None:
    set_clock(world, own * DAY, is_proven=True)
    world.do(answer(world, centrals * 86_400))

    world.do(delegates(of_world(world)))

    assert held(world).is_delegated


def test_end_of_a_delegation_takes_nothing_back_that_it_signed_in_time(world: World) -> None:
    set_clock(world, timedelta(0), is_proven=True)
    world.do(delegates(of_world(world)))
    set_clock(world, 91 * DAY, is_proven=True)

    world.after(60_000)

    assert held(world).senders[PUB].is_revoked
