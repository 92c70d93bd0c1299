"""Channel access (N10): whose turn it is on one frequency, when nobody hands out turns.

**The problem.** A transmitter is noticed a third of a second after it keys (*blind time*: its rise, the far squelch,
the detector). Whoever keys within that time of somebody else destroys both overs. One lone alert should wait as
little as possible; of fifty alerts at once, about one a second may try, or nearly all collide.

**The wait.** Who has something to say draws a random wait *once*, in seconds of a channel that it has to itself (1 …
2 s), and counts it down

- only while the channel is clear, and has been for :data:`GAP_MS`. Busy time freezes it, as in IEEE 802.11: who
  waited longest goes first, and nothing is drawn anew at the end of somebody's over, when everybody would draw at
  once. The gap is what an answer from central needs to be heard before the next of us (:mod:`node.core.radio.asked`);
- the slower, the more nodes seem to want the channel: at 1/n of its speed for a crowd of n. So the draws of fifty
  nodes, made for one second, are stretched over fifty seconds the moment the crowd is noticed, and those of the last
  three are not kept waiting when it is gone.

**The crowd** is estimated from what all hear alike, so all come to about the same number (Rivest's pseudo-Bayesian rule
for slotted Aloha, *Network control by Bayesian broadcast*, 1987, carried over to carrier sense): every second of clear
channel makes it smaller, because that many nodes would have spoken; every spell as long as an over that nobody could
decode is a collision and makes it larger, and several in a row double it; another member's alert says that we are not
alone. Talk is no collision: a spell longer than a fast over says nothing about the crowd.

What it costs an attacker: short noise can raise the estimate to :data:`CROWD_MAX` and so slow us down, but no more than
noise all the time does, and that is reported (*blocked*). An attack's wait for a *busy* channel is bounded elsewhere
(:func:`node.core.radio.overs.breaks_in_ms`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from node.core.radio import duty
from node.core.radio.chance import draw
from node.core.radio.state import Channel, Radio, change
from node.core.turn import Turn

GAP_MS: Final = 250
"""The channel must be clear for so long before waits go on."""
ALONE: Final = 1_000
"""A crowd of one, in thousandths."""
CROWD_MAX: Final = 256_000
SPELL_MS: Final = (500, 2_600)
"""As long as a burst in one of the fast modes, or several on top of each other."""
RUN_GAP_MS: Final = 3_000
"""Two undecodable spells so near each other are of one storm."""
HEARD_CROWD: Final = 4_000
"""Another member's alert was heard: there may be more."""
CROWDED: Final = 3_000
"""From here on a lost over was probably a collision, and manners change."""
LATE_DECODE_MS: Final = 500
"""A decoder may be so much slower than the carrier sense."""
OPEN_MS: Final = 1_000
"""Clear for so long: open to anybody. A channel that never is, is blocked."""
STEP_MS: Final = 500
"""The estimate moves on in steps of at most this."""
_GROWTH: Final = 2_000
_DECAY_PER_S: Final = 1_100
_PACE_PERCENT: Final = 90
_RECENT_MS: Final = 30_000


def count(turn: Turn) -> None:
    """Let time pass until now: while the channel is clear, the wait goes on and the crowd shrinks."""
    radio = turn.state.radio
    if radio.channel.counted_ms >= turn.now_ms:
        return
    if radio.over is not None or radio.is_busy:
        change(turn, channel=replace(radio.channel, counted_ms=turn.now_ms))
        return
    at_ms = max(radio.channel.counted_ms, radio.channel.since_ms + GAP_MS)
    crowd, wait_us = radio.channel.crowd_milli, radio.wait_us
    while at_ms < turn.now_ms:
        step_ms = turn.now_ms - at_ms
        if wait_us is not None and crowd > ALONE:
            step_ms = min(step_ms, STEP_MS)
        if wait_us is not None:
            wait_us = max(0, wait_us - step_ms * 1_000_000 // _slowness(crowd))
        crowd = max(ALONE, crowd - step_ms * _DECAY_PER_S // 1_000)
        at_ms += step_ms
    change(turn, wait_us=wait_us, channel=replace(radio.channel, counted_ms=turn.now_ms, crowd_milli=crowd))


def wait(turn: Turn) -> None:
    """Draw the wait, unless one is drawn."""
    if turn.state.radio.wait_us is None and turn.settings.radio is not None:
        low_ms, high_ms = turn.settings.radio.timing.lone_wait_ms
        change(turn, wait_us=draw(turn, 1_000 * low_ms, 1_000 * high_ms))


def wait_ends_ms(radio: Radio, now_ms: int) -> int | None:
    """When the wait would be over if the channel stayed clear, or earlier: ask again then. ``None`` = not by itself."""
    if radio.wait_us is None or radio.is_busy or radio.over is not None:
        return None
    start_ms = max(now_ms, radio.channel.since_ms + GAP_MS)
    if radio.wait_us <= 1:
        return start_ms
    left_ms = -(-radio.wait_us * _slowness(radio.channel.crowd_milli) // 1_000_000)
    return start_ms + (left_ms if radio.channel.crowd_milli <= ALONE else min(left_ms, STEP_MS))


def is_over(radio: Radio, now_ms: int) -> bool:
    """Whether the wait is over, and the channel clear."""
    ends_ms = wait_ends_ms(radio, now_ms)
    return ends_ms is not None and ends_ms <= now_ms and radio.wait_us is not None and radio.wait_us <= 1


def changed(turn: Turn, *, is_busy: bool) -> None:
    """Somebody speaks, or nobody does any more."""
    radio = turn.state.radio
    if is_busy is radio.is_busy:
        return
    channel = radio.channel
    if is_busy:
        clear_ms = turn.now_ms - channel.since_ms
        change(
            turn,
            is_busy=True,
            channel=replace(
                channel,
                since_ms=turn.now_ms,
                closed_ms=turn.now_ms if clear_ms >= OPEN_MS else channel.closed_ms,
                run=channel.run if clear_ms <= RUN_GAP_MS else 0,
                grown_milli=0,
            ),
        )
        return
    spell_ms = turn.now_ms - channel.since_ms
    use = duty.add(radio.others_use, turn.now_ms, spell_ms)
    after = replace(channel, since_ms=turn.now_ms)
    if not _is_decoded(channel) and SPELL_MS[0] <= spell_ms <= SPELL_MS[1]:
        run = channel.run + 1
        grown = _GROWTH if run == 1 else max(_GROWTH, channel.crowd_milli)
        grown = min(grown, CROWD_MAX - channel.crowd_milli)
        after = replace(
            after,
            run=run,
            crowd_milli=channel.crowd_milli + grown,
            grown_milli=grown,
            collided_ms=turn.now_ms,
        )
    change(turn, is_busy=False, others_use=use, channel=after)


def decoded(turn: Turn, *, is_member_alert: bool) -> None:
    """A frame of somebody else's came over the air: the spell it lies in was no collision."""
    channel = turn.state.radio.channel
    crowd = channel.crowd_milli
    if channel.grown_milli and turn.now_ms - channel.since_ms <= LATE_DECODE_MS:
        crowd = max(ALONE, crowd - channel.grown_milli)
    if is_member_alert:
        crowd = max(crowd, HEARD_CROWD)
        channel = replace(channel, member_ms=turn.now_ms)
    change(turn, channel=replace(channel, decoded_ms=turn.now_ms, run=0, grown_milli=0, crowd_milli=crowd))


def lost(turn: Turn) -> None:
    """An over of ours brought no receipt: somebody else may have spoken at the same time."""
    channel = turn.state.radio.channel
    crowd = 2 * channel.crowd_milli if channel.crowd_milli < 2 * HEARD_CROWD else channel.crowd_milli + _GROWTH
    change(turn, channel=replace(channel, crowd_milli=min(crowd, CROWD_MAX)))


def unkeyed(turn: Turn) -> None:
    """Our own over is at its end: what the channel is now, will show."""
    channel = turn.state.radio.channel
    if not turn.state.radio.is_busy:
        channel = replace(channel, since_ms=turn.now_ms)
    change(turn, channel=replace(channel, counted_ms=turn.now_ms, grown_milli=0))


def is_crowded(radio: Radio, now_ms: int) -> bool:
    """Whether others want the channel just now, so that what was lost probably collided."""
    channel = radio.channel
    if channel.crowd_milli >= CROWDED:
        return True
    lately_ms = now_ms - _RECENT_MS
    return any(at_ms is not None and at_ms > lately_ms for at_ms in (channel.member_ms, channel.collided_ms))


def _is_decoded(channel: Channel) -> bool:
    return channel.decoded_ms is not None and channel.decoded_ms >= channel.since_ms


def _slowness(crowd_milli: int) -> int:
    """How many thousandths of a second one second of the wait takes."""
    return max(ALONE, crowd_milli * _PACE_PERCENT // 100)
