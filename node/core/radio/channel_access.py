"""Channel access (N10): whose turn it is on one frequency, when nobody hands out turns.

**The problem.** A transmitter is noticed a third of a second after it keys (*blind time*: its rise, the far squelch,
the detector). Whoever keys within that time of somebody else destroys both overs. One lone alert should wait as
little as possible; of fifty alerts at once, about one a second may try, or nearly all collide.

**The wait.** Who has something to say draws a random wait *once*, in seconds of a channel that it has to itself (1 …
2 s), and counts it down

- only while the channel is clear. Busy time freezes it, as in IEEE 802.11: who waited longest goes first, and nothing
  is drawn anew at the end of somebody's over, when everybody would draw at once;
- the slower, the more nodes seem to want the channel: at about 1/n of its speed for a crowd of n. So the draws of fifty
  nodes, made for one second, are stretched over fifty seconds the moment the crowd is noticed, and those of the last
  three are not kept waiting when it is gone.

**Slots.** In a crowd an over begins only at the beginning of a slot as long as the blind time, counted from the end of
the last over, which everybody heard. Who would key later in the slot then notices who keyed at its beginning: of the
overs that unslotted carrier sense would destroy, nearly half are saved.

**The answer's turn.** After a frame that central may answer, the first slot belongs to whoever speaks for central
(:mod:`node.core.radio.answer_queue`). In a crowd receipts are gathered, several to an over, and while that is under
way nobody waits for them.

**The crowd** is estimated from what all hear alike, so all come to about the same number (Rivest's pseudo-Bayesian rule
for slotted Aloha, *Network control by Bayesian broadcast*, 1987, carried over to carrier sense): clear channel makes it
smaller, because that many nodes would have spoken by now; every spell as long as an over that nobody could decode is a
collision and makes it larger, by a share of itself, so that it is there quickly, and by a fixed number, so that nodes
that came to different numbers draw near each other. Another member's alert says that we are not alone. Talk is no
collision: a spell longer than a fast over says nothing about the crowd. To know the true number would win nothing
more: fifty alerts at once take a little under four minutes either way, of which the overs themselves are two.

What it costs an attacker: short noise can raise the estimate to :data:`CROWD_MAX` and so slow us down, but no more than
noise all the time does, and that is reported (*blocked*). An attack's wait for a *busy* channel is bounded elsewhere
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
"""The channel must be clear for so long before waits go on."""
TURN_MS: Final = 360
"""And so much longer after something that central may answer: the turn of whoever speaks for it."""
SLOT_MS: Final = 360
"""The blind time, and what clocks and loops differ by."""
SLOT_LATE_MS: Final = 20
SLOTS_FOR_MS: Final = 60_000
"""For so long after a common end of somebody's over the nodes agree on where the slots are."""
GATHER_MS: Final = 8_000
GATHERING_CROWD: Final = 8_000
ALONE: Final = 1_000
"""A crowd of one, in thousandths."""
CROWD_MAX: Final = 256_000
SPELL_MS: Final = (500, 2_600)
"""As long as a burst in one of the fast modes, or several on top of each other."""
HEARD_CROWD: Final = 4_000
"""Another member's alert was heard: there may be more."""
CROWDED: Final = 3_000
"""From here on manners change: waits are drawn from nothing on, and an attack breaks in later."""
LATE_DECODE_MS: Final = 500
"""A decoder may be so much slower than the carrier sense."""
OPEN_MS: Final = 1_000
"""Clear for so long: open to anybody. A channel that never is, is blocked."""
STEP_MS: Final = 500
"""The estimate moves on in steps of at most this."""
_GROWTH: Final = 2_000
_GROWTH_PERCENT: Final = 25
_DECAY_PERCENT_PER_S: Final = 14
_LOSSES_MAX: Final = 3
_LOSS_SLOWNESS: Final = 2_000
"""A collision costs its senders ten seconds, however few they are: after each they spread out more."""
_CROWDED_DRAW_MS: Final = (200, 1_800)
_DECAY_PER_S: Final = 200
_PACE_PERCENT: Final = 75
_RECENT_MS: Final = 30_000


def count(turn: Turn) -> None:
    """Let time pass until now: while the channel is clear, the wait goes on and the crowd shrinks."""
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
        if turn.state.radio.channel.crowd_milli >= CROWDED:
            low_ms, high_ms = _CROWDED_DRAW_MS
        wait_us = draw(turn, 1_000 * low_ms, 1_000 * high_ms)
        turn.state.radio.wait_us = wait_us


def wait_ends_ms(radio: Radio, now_ms: int) -> int | None:
    """When the wait would be over if the channel stayed clear, or earlier: ask again then. ``None`` = not by itself."""
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
    """Somebody speaks, or nobody does any more."""
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
    """A frame of somebody else's came over the air: the spell it lies in was no collision."""
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
    """The n-th over of ours in a row brought no receipt: somebody else may have spoken at the same time, unheard."""
    channel = turn.state.radio.channel
    crowd = min(channel.crowd_milli + _growth(channel.crowd_milli), CROWD_MAX)
    turn.state.radio.channel = replace(channel, crowd_milli=crowd, losses=min(tries, _LOSSES_MAX))


def begin_anew(turn: Turn) -> None:
    """A fresh press: what was lost before it does not make it wait longer."""
    turn.state.radio.channel = replace(turn.state.radio.channel, losses=0)


def unkeyed(turn: Turn) -> None:
    """Our own over is at its end: what the channel is now, will show."""
    channel = turn.state.radio.channel
    if not turn.state.radio.is_busy:
        channel = replace(channel, since_ms=turn.now_ms, gap_ms=GAP_MS + TURN_MS, is_common=False)
    turn.state.radio.channel = replace(channel, counted_ms=turn.now_ms, grown_milli=0, losses=0)


def receipted(turn: Turn) -> None:
    """Receipts were put on the air, by us or by somebody else."""
    turn.state.radio.channel = replace(turn.state.radio.channel, receipt_ms=turn.now_ms)


def gather_ms(channel: Channel) -> int:
    """For how long receipts are gathered, so that one over carries several: the longer, the larger the crowd."""
    return GATHER_MS if channel.crowd_milli >= GATHERING_CROWD else 0


def is_turn(channel: Channel) -> bool:
    """Whether the others leave the first moment after the spell just ended to an answer."""
    return channel.gap_ms > GAP_MS


def is_storm(radio: Radio, now_ms: int) -> bool:
    """Whether other members' alerts are heard just now, so that what was lost probably collided."""
    heard_ms = radio.channel.member_ms
    return heard_ms is not None and now_ms - heard_ms < _RECENT_MS


def _gap_ms(channel: Channel, now_ms: int) -> int:
    """While receipts are gathered, nobody needs a turn for them."""
    gather = gather_ms(channel)
    is_gathering = gather > 0 and channel.receipt_ms is not None and now_ms - channel.receipt_ms < gather
    return GAP_MS if is_gathering else GAP_MS + TURN_MS


def _slot_ms(radio: Radio, at_ms: int) -> int:
    """That moment, or the next at which a slot begins."""
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
    """How many thousandths of a second one second of the wait takes."""
    return max(ALONE, crowd_milli * _PACE_PERCENT // 100, losses * _LOSS_SLOWNESS)
