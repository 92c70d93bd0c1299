"""Channel access (N10): who may transmit next on one frequency, with nobody in charge.

**The problem.** A transmitter is noticed a third of a second after it keys (*blind time*: its rise, the far squelch,
the detector). Two nodes that key within that time destroy each other's overs. A lone alert should wait as little as
possible; of fifty alerts at once only about one a second may try, or nearly all collide.

**The wait.** A node with something to send draws a random wait *once*, in seconds of an otherwise unused channel (1 …
2 s), and counts it down

- only while the channel is clear. Busy time freezes it, as in IEEE 802.11: the node that has waited longest goes first,
  and nothing is drawn again at the end of an over, when all would draw at once;
- more slowly, the more nodes seem to want the channel: at about 1/n of its speed for a crowd of n. Fifty
  nodes that drew for one second share out fifty as soon as they notice one another; once the crowd is gone, the last
  three no longer wait.

**Slots.** In a crowd an over begins only at the start of a slot as long as the blind time, counted from the end of the
last over, which all heard. A node that would key later in the slot then notices one that keyed at its start: this saves
nearly half of the overs that unslotted carrier sense would destroy.

**The answer's slot.** After a frame that central may answer, the first slot belongs to the node that answers for
central (:mod:`node.core.radio.answer_queue`). In a crowd receipts are gathered, several to an over, and meanwhile
nobody waits for them.

**The crowd** is estimated from what all nodes hear, so all arrive at about the same number (Rivest's pseudo-Bayesian
rule for slotted Aloha, *Network control by Bayesian broadcast*, 1987, carried over to carrier sense): a clear channel
reduces it, because that many nodes would have spoken by now; every undecodable spell as long as an over is a collision
and raises it, by a share of itself, so that it rises quickly, and by a fixed number, so that nodes with different
estimates converge. Another member's alert says that we are not alone. Talk is not a collision: a spell longer than a
fast over says nothing about the crowd. Knowing the true number would gain nothing: fifty alerts at once take a little
under four minutes either way, two of them for the overs themselves.

An attacker can raise the estimate to :data:`CROWD_MAX` with short noise and so slow us down, but no more than with
continuous noise, which is reported (*blocked*). An attack's wait for a *busy* channel is limited elsewhere
(:func:`node.core.radio.overs.breaks_in_ms`).
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from node.core.radio import duty_cycle
from node.core.radio.chance import draw
from node.core.radio_state import Channel, Radio
from node.core.turn import Turn

GAP_MS: Final = 60
"""How long the channel must be clear before waits continue."""
TURN_MS: Final = 360
"""Extra time after a frame that central may answer: the answer's slot."""
SLOT_MS: Final = 360
"""The blind time, plus differences between clocks and loops."""
SLOT_LATE_MS: Final = 20
SLOTS_FOR_MS: Final = 60_000
"""How long after a commonly heard end of an over the nodes agree on the slots."""
GATHER_MS: Final = 8_000
GATHERING_CROWD: Final = 8_000
ALONE: Final = 1_000
"""A crowd of one, in thousandths."""
CROWD_MAX: Final = 256_000
SPELL_MS: Final = (500, 2_600)
"""Length of a burst in a fast mode, or of several that overlap."""
HEARD_CROWD: Final = 4_000
"""Estimate after another member's alert: there may be more."""
CROWDED: Final = 3_000
"""From here the rules change: waits are drawn from zero up, and an attack breaks in later."""
LATE_DECODE_MS: Final = 500
"""How much later than the carrier sense a decoder may be."""
OPEN_MS: Final = 1_000
"""Clear for this long: open to all. A channel that never is, is blocked."""
STEP_MS: Final = 500
"""Longest time step of the estimate."""
_GROWTH: Final = 2_000
_GROWTH_PERCENT: Final = 25
_DECAY_PERCENT_PER_S: Final = 14
_LOSSES_MAX: Final = 3
_LOSS_SLOWNESS: Final = 2_000
"""A collision costs its senders ten seconds, however few: after each they spread out more."""
_CROWDED_DRAW_MS: Final = (200, 1_800)
_DECAY_PER_S: Final = 200
_PACE_PERCENT: Final = 75
_RECENT_MS: Final = 30_000


def count(turn: Turn) -> None:
    """Account for the time until now: while the channel is clear, the wait runs and the crowd shrinks."""
    radio = turn.state.radio
    if radio.channel.counted_ms >= turn.now_ms:
        return
    if radio.over is not None or radio.is_busy:
        turn.state.radio.channel = replace(radio.channel, counted_ms=turn.now_ms)
        return
    at_ms = max(radio.channel.counted_ms, radio.channel.since_ms + radio.channel.gap_ms)
    crowd, wait_us = radio.channel.crowd_milli, radio.wait_us
    while at_ms < turn.now_ms:
        step_ms = turn.now_ms - at_ms
        if wait_us is not None and crowd > ALONE:
            step_ms = min(step_ms, STEP_MS)
        if wait_us is not None:
            wait_us = max(0, wait_us - step_ms * 1_000_000 // _slowness(crowd, radio.channel.losses))
        crowd = max(ALONE, crowd - step_ms * (_DECAY_PER_S + crowd * _DECAY_PERCENT_PER_S // 100) // 1_000)
        at_ms += step_ms
    turn.state.radio.wait_us = wait_us
    turn.state.radio.channel = replace(radio.channel, counted_ms=turn.now_ms, crowd_milli=crowd)


def wait(turn: Turn) -> None:
    """Draw the wait, unless one is drawn."""
    if turn.state.radio.wait_us is None and turn.settings.radio is not None:
        low_ms, high_ms = turn.settings.radio.timing.lone_wait_ms
        if is_crowded(turn.state.radio.channel):
            low_ms, high_ms = _CROWDED_DRAW_MS
        wait_us = draw(turn, 1_000 * low_ms, 1_000 * high_ms)
        turn.state.radio.wait_us = wait_us


def wait_ends_ms(radio: Radio, now_ms: int) -> int | None:
    """When the wait ends at the earliest if the channel stays clear; ask again then. ``None`` = not by itself."""
    if radio.wait_us is None or radio.is_busy or radio.over is not None:
        return None
    start_ms = max(now_ms, radio.channel.since_ms + radio.channel.gap_ms)
    if radio.wait_us <= 1:
        return _slot_ms(radio, start_ms)
    left_ms = -(-radio.wait_us * _slowness(radio.channel.crowd_milli, radio.channel.losses) // 1_000_000)
    return start_ms + (left_ms if radio.channel.crowd_milli <= ALONE else min(left_ms, STEP_MS))


def is_over(radio: Radio, now_ms: int) -> bool:
    """Whether the wait is over, and the channel clear."""
    ends_ms = wait_ends_ms(radio, now_ms)
    return ends_ms is not None and ends_ms <= now_ms and radio.wait_us is not None and radio.wait_us <= 1


def changed(turn: Turn, *, is_busy: bool) -> None:
    """Someone began or stopped speaking."""
    radio = turn.state.radio
    if is_busy is radio.is_busy:
        return
    channel = radio.channel
    if is_busy:
        clear_ms = turn.now_ms - channel.since_ms
        turn.state.radio.is_busy = True
        turn.state.radio.channel = replace(
            channel,
            since_ms=turn.now_ms,
            closed_ms=turn.now_ms if clear_ms >= OPEN_MS else channel.closed_ms,
            grown_milli=0,
        )
        return
    spell_ms = turn.now_ms - channel.since_ms
    use = duty_cycle.add(radio.others_use, turn.now_ms, spell_ms)
    is_answerable = channel.member_ms is not None and channel.member_ms >= channel.since_ms
    gap_ms = _gap_ms(channel, turn.now_ms) if is_answerable else GAP_MS
    after = replace(channel, since_ms=turn.now_ms, gap_ms=gap_ms, is_common=True)
    if not _is_decoded(channel) and SPELL_MS[0] <= spell_ms <= SPELL_MS[1]:
        grown = min(_growth(channel.crowd_milli), CROWD_MAX - channel.crowd_milli)
        after = replace(
            after,
            crowd_milli=channel.crowd_milli + grown,
            grown_milli=grown,
        )
    turn.state.radio.is_busy = False
    turn.state.radio.others_use = use
    turn.state.radio.channel = after


def decoded(turn: Turn, *, is_member_alert: bool) -> None:
    """Another sender's frame was decoded: its spell was not a collision."""
    channel = turn.state.radio.channel
    crowd = channel.crowd_milli
    if channel.grown_milli and turn.now_ms - channel.since_ms <= LATE_DECODE_MS:
        crowd = max(ALONE, crowd - channel.grown_milli)
    if is_member_alert:
        crowd = max(crowd, HEARD_CROWD)
        channel = replace(channel, member_ms=turn.now_ms)
        if not turn.state.radio.is_busy and turn.now_ms - channel.since_ms <= LATE_DECODE_MS:
            channel = replace(channel, gap_ms=_gap_ms(channel, turn.now_ms))
    turn.state.radio.channel = replace(channel, decoded_ms=turn.now_ms, grown_milli=0, crowd_milli=crowd)


def lost(turn: Turn, tries: int) -> None:
    """The n-th over of ours in a row brought no receipt: another node may have transmitted unheard at the same time."""
    channel = turn.state.radio.channel
    crowd = min(channel.crowd_milli + _growth(channel.crowd_milli), CROWD_MAX)
    turn.state.radio.channel = replace(channel, crowd_milli=crowd, losses=min(tries, _LOSSES_MAX))


def begin_anew(turn: Turn) -> None:
    """A fresh press: earlier losses do not make it wait longer."""
    turn.state.radio.channel = replace(turn.state.radio.channel, losses=0)


def unkeyed(turn: Turn) -> None:
    """Our own over has ended: the channel's state is yet to be seen."""
    channel = turn.state.radio.channel
    if not turn.state.radio.is_busy:
        channel = replace(channel, since_ms=turn.now_ms, gap_ms=GAP_MS + TURN_MS, is_common=False)
    turn.state.radio.channel = replace(channel, counted_ms=turn.now_ms, grown_milli=0, losses=0)


def receipted(turn: Turn) -> None:
    """Receipts went out on the air, ours or another node's."""
    turn.state.radio.channel = replace(turn.state.radio.channel, receipt_ms=turn.now_ms)


def gather_ms(channel: Channel) -> int:
    """How long receipts are gathered so that one over carries several: longer in a larger crowd."""
    return GATHER_MS if channel.crowd_milli >= GATHERING_CROWD else 0


def is_turn(channel: Channel) -> bool:
    """Whether the first slot after the spell just ended is left to an answer."""
    return channel.gap_ms > GAP_MS


def is_storm(radio: Radio, now_ms: int) -> bool:
    """Whether other members' alerts are heard just now, so that what was lost probably collided."""
    heard_ms = radio.channel.member_ms
    return heard_ms is not None and now_ms - heard_ms < _RECENT_MS


def is_crowded(channel: Channel) -> bool:
    """Whether several seem to want the channel, also if nobody can be understood."""
    return channel.crowd_milli >= CROWDED


def _gap_ms(channel: Channel, now_ms: int) -> int:
    """The gap now required; while receipts are gathered, it leaves no slot for them."""
    gather = gather_ms(channel)
    is_gathering = gather > 0 and channel.receipt_ms is not None and now_ms - channel.receipt_ms < gather
    return GAP_MS if is_gathering else GAP_MS + TURN_MS


def _slot_ms(radio: Radio, at_ms: int) -> int:
    """``at_ms``, or the next start of a slot."""
    base_ms = radio.channel.since_ms + radio.channel.gap_ms
    if radio.channel.crowd_milli <= ALONE or not radio.channel.is_common or at_ms - base_ms > SLOTS_FOR_MS:
        return at_ms
    into_ms = (at_ms - base_ms) % SLOT_MS
    return at_ms if into_ms <= SLOT_LATE_MS else at_ms + SLOT_MS - into_ms


def _is_decoded(channel: Channel) -> bool:
    return channel.decoded_ms is not None and channel.decoded_ms >= channel.since_ms


def _growth(crowd_milli: int) -> int:
    return _GROWTH + crowd_milli * _GROWTH_PERCENT // 100


def _slowness(crowd_milli: int, losses: int) -> int:
    """Thousandths of a second that one second of the wait takes."""
    return max(ALONE, crowd_milli * _PACE_PERCENT // 100, losses * _LOSS_SLOWNESS)
