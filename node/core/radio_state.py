"""What the node knows of the radio between two events. Nothing here decides anything."""

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
        losses: so many were lost since one passed.
        is_failed: the last ones did not come back: one alone may have met somebody's speech.
        counter: of the one that is under way, 0 = none.
        next_ms: when the next one is drafted, or the one under way is given up; ``None`` = not planned.
        is_asked: the next one is a person's wish, and waits for nothing but the disk (N12).
    """

    passed_ms: int | None = None
    lost_ms: int | None = None
    losses: int = 0
    is_failed: bool = False
    counter: int = 0
    next_ms: int | None = None
    is_asked: bool = False


class Channel(Struct, frozen=True):
    """What carrier sense and the decoders have told. See :mod:`node.core.radio.channel_access`.

    Attributes:
        since_ms: when it last became busy or clear.
        counted_ms: up to when time has been counted.
        crowd_milli: how many nodes seem to want the channel, in thousandths, 1,000 = this one alone.
        losses: own overs in a row that brought no receipt.
        grown_milli: by how much the last spell raised ``crowd_milli``; taken back if it is decoded after all.
        decoded_ms: when a frame was last decoded; ``None`` = never.
        member_ms: when another member's alert or cancel was last decoded; ``None`` = never.
        closed_ms: when it last became busy after it had been clear for a while.
        receipt_ms: when receipts were last on the air; ``None`` = never.
        gap_ms: for how long it must be clear this time before waits go on.
        is_common: it became clear at the end of somebody else's over, which all heard.
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
        due_ms: since when it waits for this try, or from when it will.
        tries: overs it was in since it was first wanted.
        losses: of those, the ones that no collision explains.
        rung: of the ladder, for the next try.
        ended_ms: when the last over with it ended.
        answer_due_ms: an over has carried it, and its receipt is awaited until then; ``None`` = it waits for an over.
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
        says: (incident, rank) of its sentence; ``None`` = it has none.
        overdue_ms: no answer by then, and it is taken as failed.
        bursts_ms: from key-up to the end of its last burst, about.
        started_ms: when it was keyed; ``None`` = not yet.
        is_cut: an attack is waiting for it, and it was told to end.
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
        news: those of them for whose sake it is said; the others were said before.
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
        subject: what it was about: a receipt's target, or the frame itself.
        times: how often.
        last_ms: when last.
    """

    subject: FrameId
    times: int
    last_ms: int


class Relay(Struct, frozen=True):
    """A frame of another node's that was heard, on its way to central. See :mod:`node.core.radio.relays`.

    Attributes:
        due_ms: when it is relayed; ``None`` = it was, or somebody was faster.
        heard_ms: when it was last heard.
        times: how often we have relayed it.
    """

    id: FrameId
    data: bytes
    due_ms: int | None
    heard_ms: int
    times: int = 0


class Bucket(Struct, frozen=True):
    """So much may be done at once, and so much more as time goes by.

    Attributes:
        tokens_milli: left, in thousandths, at ``filled_ms``.
    """

    tokens_milli: int
    filled_ms: int = 0


class Radio(Struct):
    """The radio.

    Attributes:
        tests: path tests.
        is_busy: somebody else speaks on the channel.
        blocked_since_ms: since when an alert has waited for a channel that is never clear; ``None`` = none waits.
        overs, airtime_ms, bursts_heard: since start.
        draws: random numbers drawn since start.
        channel: what is known of it.
        own_use, others_use: airtime of ours, and of the channel by others.
        wanted: frames of ours that are to go on the air, in no order.
        backlog: counter below which older rows are looked for; ``None`` = from the newest.
        backlog_ms: when the next of them may be wanted.
        wait_us: what is left of the random wait, in microseconds of a channel with nobody else on it; ``None`` = no
            wait is drawn.
        over: the one that is ordered.
        next_over: its successor's number.
        failures: overs that failed in a row.
        rest_ms: no over before that.
        rungs: (node, rung) of the ladder that its last frame seems to have come in, oldest first.
        asked, said: what central wants said, and what was said of late.
        relays: what was heard of late.
        relay_tokens, checks: what may still be relayed, and verified.
        known: SHA-256 of frames that were verified of late, by the directory of ``known_serial``, oldest first.
        heard: members' frames that were heard over the air of late, oldest first.
        spoken: (incident, rank) of what we have spoken of late.
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
