"""Which evidence of time is taken from whom, what a boot costs, and when the disk learns of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from gallery.core.clock import ANSWER_WITHIN_MS
from gallery.core.effects import KeepLedger
from gallery.core.events import BatteryRead, CentralTimeTold, FrameHeard, OfficeAnswered, Started
from gallery.core.ledger import KEEP_EVERY_S, Ledger
from gallery.core.state import State
from gallery.core.turn import Turn


def started(turn: Turn, event: Started) -> None:
    """Begin where the disk says; a new boot is charged, and the charge counts once it is on the disk."""
    state = turn.state
    state.boot_id, state.ledger = event.boot_id, event.ledger
    state.clock, state.lease = event.ledger.begin(event.boot_id, turn.now_ms)


def battery_read(turn: Turn, event: BatteryRead) -> None:
    """A clock with a battery was read."""
    turn.state.clock = turn.state.clock.read_battery(event.at_s, turn.now_ms)


def central_told(turn: Turn, event: CentralTimeTold) -> None:
    """The node told central's time."""
    turn.state.clock = turn.state.clock.told_by_central(event.at_s, turn.now_ms)


def frame_heard(turn: Turn, event: FrameHeard) -> None:
    """A frame bears a time."""
    turn.state.clock = turn.state.clock.heard(event.at_s, turn.now_ms)


def office_answered(turn: Turn, event: OfficeAnswered) -> None:
    """Time and lease of an answer. One that took too long does not prove that it is now."""
    state = turn.state
    is_fresh = turn.now_ms - event.asked_ms <= ANSWER_WITHIN_MS
    told = state.clock.told_by_office if is_fresh else state.clock.told_late
    state.clock = told(event.now_s, turn.now_ms)
    lengths_s = {scheme: one.title.lease_s for scheme, one in state.galleries.items()}
    unproven = {scheme: lengths_s.get(scheme, 0) for scheme in event.unproven}
    state.lease = state.lease.renewed(event.now_s, event.lease_until_s, unproven)


def kept(turn: Turn, ledger: Ledger, *, is_done: bool) -> None:
    """It is on the disk, or not."""
    turn.state.ledger_coming = None
    if is_done:
        turn.state.ledger = ledger


def settle(turn: Turn) -> None:
    """Tell the disk, if a power cut would now lose too much."""
    state = turn.state
    if not state.is_started or state.ledger_coming is not None or not state.may_store:
        return
    newer = Ledger.of(state.boot_id, state.clock, state.lease, turn.now_ms)
    if state.ledger.is_outdated(newer) or _has_ended(state, newer.floor_s):
        state.ledger_coming = newer
        turn.store(lambda ticket: KeepLedger(ticket, newer))


def _has_ended(state: State, floor_s: int) -> bool:
    """Whether a day or a lease ended that the disk does not know of: a clock set back would begin it again."""
    known_s = state.ledger.floor_s
    return any(
        known_s < state.lease.ends_s(gallery.scheme, gallery.title.lease_s) <= floor_s
        or bisect_right(gallery.edges_s, known_s) != bisect_right(gallery.edges_s, floor_s)
        for gallery in state.galleries.values()
    )


def deadlines(state: State) -> Iterator[int]:
    """When time alone changes something."""
    floor_s, proven_s = state.clock.floor_s(state.now_ms), state.clock.proven_s(state.now_ms)
    if state.ledger_coming is None:
        yield (state.ledger.floor_s + KEEP_EVERY_S) * 1000 - state.clock.floor_offset_ms
    for gallery in state.galleries.values():
        yield state.lease.ends_s(gallery.scheme, gallery.title.lease_s) * 1000 - state.clock.floor_offset_ms
        for at_s, offset_ms in ((floor_s, state.clock.floor_offset_ms), (proven_s, state.clock.proven_offset_ms)):
            following = bisect_right(gallery.edges_s, at_s)
            if following < len(gallery.edges_s):
                yield gallery.edges_s[following] * 1000 - offset_ms
