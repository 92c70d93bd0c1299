"""The node's knowledge of the radio between two events. No rules here."""

from __future__ import annotations

from msgspec import Struct, field

from node.core.air import Mode
from wire.frames import SignedFrame
from wire.ids import FrameId


class PathTests(Struct, frozen=True):
    """See :mod:`node.core.radio.path_tests`.

    Attributes:
        passed_ms: when one last came back over the air; ``None`` = never in this run, nor since the radio last failed.
        lost_ms: when one was last given up; ``None`` = never in this run.
        losses: tests lost since one passed.
        is_failed: the last ones did not come back (a single one may have met someone's speech).
        counter: of the one under way, 0 = none.
        next_ms: when the next one is drafted, or the one under way is given up; ``None`` = not planned.
        is_asked: a person requested the next one, which waits only for the disk (N12).
    """

    passed_ms: int | None = None
    lost_ms: int | None = None
    losses: int = 0
    is_failed: bool = False
    counter: int = 0
    next_ms: int | None = None
    is_asked: bool = False


class Channel(Struct, frozen=True):
    """What carrier sense and decoders have reported. See :mod:`node.core.radio.channel_access`.

    Attributes:
        since_ms: when it last became busy or clear.
        counted_ms: time has been counted up to here.
        crowd_milli: how many nodes seem to want the channel, in thousandths, 1,000 = this one alone.
        losses: own overs in a row that brought no receipt.
        grown_milli: by how much the last spell raised ``crowd_milli``; taken back if it is decoded after all.
        decoded_ms: when a frame was last decoded; ``None`` = never.
        member_ms: when another member's alert or cancel was last decoded; ``None`` = never.
        closed_ms: when it last became busy after it had been clear for a while.
        receipt_ms: when receipts were last on the air; ``None`` = never.
        gap_ms: how long it must be clear this time before waits continue.
        is_common: it became clear at the end of another's over, which all heard.
    """

    since_ms: int = 0
    closed_ms: int = 0
    receipt_ms: int | None = None
    gap_ms: int = 0
    is_common: bool = False
    counted_ms: int = 0
    crowd_milli: int = 1_000
    losses: int = 0
    grown_milli: int = 0
    decoded_ms: int | None = None
    member_ms: int | None = None


class Usage(Struct, frozen=True):
    """How long something was on the air, in slices of :data:`node.core.radio.duty_cycle.SLICE_MS`, newest last.

    Attributes:
        slices: (number of the slice, milliseconds in it).
    """

    slices: tuple[tuple[int, int], ...] = ()


class Wanted(Struct, frozen=True):
    """A stored frame of ours that is to go on the air. See :mod:`node.core.radio.retransmission`.

    Attributes:
        since_ms: when it was first wanted.
        due_ms: from when it waits for this try.
        tries: overs it was in since it was first wanted.
        losses: of those, the ones that no collision explains.
        rung: for the next try.
        ended_ms: when the last over with it ended.
        answer_due_ms: an over has carried it, and its receipt is awaited until then; ``None`` = waiting for an over.
        is_late: from the backlog: after everything fresh, and never spoken.
        is_told: its presser has been told that there is no receipt.
    """

    counter: int
    since_ms: int
    due_ms: int
    tries: int = 0
    losses: int = 0
    rung: int = 0
    ended_ms: int = 0
    answer_due_ms: int | None = None
    is_late: bool = False
    is_told: bool = False


class Over(Struct, frozen=True):
    """The over that was ordered and has neither ended nor failed.

    Attributes:
        counters: our own frames in it.
        says: (incident, rank) of its sentence; ``None`` = none.
        overdue_ms: without an answer by then it counts as failed.
        bursts_ms: from key-up to the end of its last burst, about.
        started_ms: when it was keyed; ``None`` = not yet.
        is_cut: it was told to end, because an attack is waiting.
    """

    number: int
    counters: tuple[int, ...]
    mode: Mode
    bursts: int
    says: tuple[int, int] | None
    overdue_ms: int
    bursts_ms: int = 0
    started_ms: int | None = None
    is_cut: bool = False


class Asked(Struct, frozen=True):
    """A frame that central has asked us to put on the air. See :mod:`node.core.radio.answer_queue`.

    Attributes:
        rank: smallest first.
        asked_ms: when.
        ready_ms: not before.
        targets: what it is a receipt for; empty = no receipt.
        news: the targets that make this over worth its airtime: those not sent yet, or all if each was.
        rung: of the ladder.
    """

    signed: SignedFrame
    rank: int
    asked_ms: int
    ready_ms: int
    targets: tuple[FrameId, ...] = ()
    news: tuple[FrameId, ...] = ()
    rung: int = 0


class Said(Struct, frozen=True):
    """Something that was put on the air for central.

    Attributes:
        subject: a receipt's target, or the frame itself.
        times: how often.
        last_ms: when last.
    """

    subject: FrameId
    times: int
    last_ms: int


class Relay(Struct, frozen=True):
    """Another node's frame that was heard, on its way to central. See :mod:`node.core.radio.relays`.

    Attributes:
        due_ms: when to relay it; ``None`` = done, or another was faster.
        heard_ms: when it was last heard.
        times: how often we have relayed it.
    """

    id: FrameId
    data: bytes
    due_ms: int | None
    heard_ms: int
    times: int = 0


class Bucket(Struct, frozen=True):
    """A token bucket; see :mod:`node.core.radio.bucket`.

    Attributes:
        tokens_milli: left, in thousandths, at ``filled_ms``.
    """

    tokens_milli: int
    filled_ms: int = 0


class Radio(Struct):
    """The radio.

    Attributes:
        tests: path tests.
        is_busy: someone else is speaking on the channel.
        blocked_since_ms: since when an alert has waited for a channel that is never clear; ``None`` = none waits.
        overs, airtime_ms, bursts_heard: since start.
        draws: random numbers drawn since start.
        channel: what is known of it.
        own_use, others_use: airtime of ours, and of the channel by others.
        wanted: frames of ours that are to go on the air, in no order.
        backlog: counter below which older rows are looked for; ``None`` = from the newest.
        backlog_ms: when the next of them may be wanted.
        wait_us: rest of the random wait, in microseconds of an otherwise unused channel; ``None`` = not drawn.
        over: the one ordered.
        next_over: number of the next.
        failures: overs that failed in a row.
        rest_ms: no over before then.
        rungs: (node, rung) of the ladder that its last frame seems to have come in, oldest first.
        asked, said: central's orders, and what was sent recently.
        relays: what was heard recently.
        relay_tokens, checks: what may still be relayed, and verified.
        known: SHA-256 of recently verified frames, by the directory of ``known_serial``, oldest first.
        heard: members' frames recently heard over the air, oldest first.
        spoken: (incident, rank) of what we have recently spoken.
        proven_ms: since when central has been heard without a break; ``None`` = it is not.
        doubted_ms: when a receipt last did not come in time by the network.
        received_ms: when a receipt last came by the network.
    """

    tests: PathTests = field(default_factory=PathTests)
    is_busy: bool = False
    blocked_since_ms: int | None = None
    overs: int = 0
    airtime_ms: int = 0
    bursts_heard: int = 0
    draws: int = 0
    channel: Channel = field(default_factory=Channel)
    own_use: Usage = field(default_factory=Usage)
    others_use: Usage = field(default_factory=Usage)
    wanted: tuple[Wanted, ...] = ()
    backlog: int | None = None
    backlog_ms: int = 0
    wait_us: int | None = None
    over: Over | None = None
    next_over: int = 1
    failures: int = 0
    rest_ms: int = 0
    rungs: tuple[tuple[int, int], ...] = ()
    asked: tuple[Asked, ...] = ()
    said: tuple[Said, ...] = ()
    relays: tuple[Relay, ...] = ()
    relay_tokens: Bucket = field(default_factory=lambda: Bucket(16_000))
    checks: Bucket = field(default_factory=lambda: Bucket(24_000))
    known: tuple[bytes, ...] = ()
    known_serial: int = 0
    heard: tuple[FrameId, ...] = ()
    spoken: tuple[tuple[int, int], ...] = ()
    proven_ms: int | None = None
    doubted_ms: int | None = None
    received_ms: int | None = None
