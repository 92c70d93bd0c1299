"""What Hypothesis needs to make any frame, message, topic or directory that the contract allows.

Tests ask by type: ``st.from_type(Alert)``, ``st.from_type(Health)`` … For any frame and any topic there are
:data:`any_frame` and :data:`any_topic`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import hypothesis.strategies as st

from wire.answers import PRESS_MAX
from wire.directory import DirectoryDocument, SchemeEntry, SenderEntry
from wire.frames import (
    Acknowledgement,
    Alert,
    AutomaticAcknowledgement,
    Cancel,
    DigestReceipt,
    DigestReceiptBatch,
    DigestReceipted,
    Frame,
    PathTest,
    PressAcknowledgement,
    Receipt,
    ReceiptBatch,
    Receipted,
    Refusal,
    Response,
)
from wire.ids import U16_MAX, U32_MAX, FrameId, NodeId, node_text
from wire.kinds import (
    AlertKind,
    AnswerState,
    CancelReason,
    LeftWhenAsked,
    MemberResponse,
    Path,
    Priority,
    RefusalReason,
    Role,
)
from wire.messages import (
    Answer,
    CentralStatus,
    FaultReport,
    Health,
    IncidentState,
    MachineReport,
    MemberAnswer,
    PendingFrame,
    RadioReport,
    ReceiptedFrame,
    Sync,
    SyncAnswer,
    UpdateReport,
)
from wire.signing import SigningKey
from wire.topics import CentralTopic, Down, DownTopic, FrameTopic, IncidentTopic, Topic, Up, UpTopic

counters = st.integers(1, U32_MAX)
nodes = st.integers(1, U32_MAX).map(NodeId)
moments_s = st.integers(0, U32_MAX)
schemes = st.sets(st.integers(1, U16_MAX), min_size=1, max_size=4).map(lambda found: tuple(sorted(found)))
frame_ids = st.builds(FrameId, nodes, counters)
short_names = st.text(max_size=9).filter(lambda name: len(name.encode()) <= 9)

alerts = counters.flatmap(
    lambda counter: (
        st.builds(
            Alert,
            nodes,
            st.just(counter),
            moments_s,
            st.sampled_from(AlertKind),
            st.integers(1, counter),
            schemes,
            silent=st.booleans(),
            drill=st.booleans(),
        )
        | st.builds(
            Alert,
            nodes,
            st.just(counter),
            moments_s,
            st.just(AlertKind.BREACH),
            st.integers(1, counter),
            st.tuples(st.integers(1, U16_MAX)),
            drill=st.booleans(),
            about=counters,
            left=st.sampled_from(LeftWhenAsked),
        )
    )
)
cancels = st.integers(2, U32_MAX).flatmap(
    lambda counter: st.builds(
        Cancel,
        nodes,
        st.just(counter),
        moments_s,
        st.integers(1, counter - 1),
        st.sampled_from(CancelReason),
        schemes,
    )
)
st.register_type_strategy(FrameId, frame_ids)
st.register_type_strategy(Alert, alerts)
st.register_type_strategy(Cancel, cancels)
st.register_type_strategy(Receipt, st.builds(Receipt, nodes, counters, moments_s, frame_ids, st.booleans()))
acknowledgements = (
    nodes,
    counters,
    moments_s,
    frame_ids,
    st.sampled_from(Role),
    st.sampled_from(AnswerState),
    short_names,
)
urgencies = [priority for priority in Priority if priority is not Priority.TEST]
st.register_type_strategy(Acknowledgement, st.builds(Acknowledgement, *acknowledgements))
st.register_type_strategy(
    PressAcknowledgement,
    st.builds(PressAcknowledgement, *acknowledgements, st.integers(0, PRESS_MAX), st.sampled_from(urgencies)),
)
st.register_type_strategy(PathTest, st.builds(PathTest, nodes, counters, moments_s, st.sampled_from(Path)))
st.register_type_strategy(
    Response,
    st.builds(Response, nodes, counters, moments_s, frame_ids, st.sampled_from(MemberResponse), schemes),
)
receipted = st.builds(
    Receipted, st.builds(FrameId, nodes, counters) | st.builds(FrameId, st.integers(16, 40), st.integers(1, 90))
)
st.register_type_strategy(
    ReceiptBatch,
    st.builds(
        ReceiptBatch,
        nodes,
        counters,
        moments_s,
        st.lists(receipted, min_size=1, max_size=12).map(ReceiptBatch.fitting),
    ),
)
st.register_type_strategy(
    DigestReceipt,
    st.builds(DigestReceipt, nodes, counters, moments_s, frame_ids, st.binary(min_size=8, max_size=8), st.booleans()),
)
digest_receipted = st.builds(
    DigestReceipted,
    st.builds(FrameId, nodes, counters) | st.builds(FrameId, st.integers(16, 40), st.integers(1, 90)),
    st.binary(min_size=4, max_size=4),
    st.booleans(),
)
st.register_type_strategy(
    DigestReceiptBatch,
    st.builds(
        DigestReceiptBatch,
        nodes,
        counters,
        moments_s,
        st.lists(digest_receipted, min_size=1, max_size=4).map(DigestReceiptBatch.fitting),
    ),
)
st.register_type_strategy(
    Refusal,
    st.builds(
        Refusal,
        nodes,
        counters,
        moments_s,
        frame_ids,
        st.sampled_from(RefusalReason),
        st.binary(min_size=8, max_size=8),
    ),
)
st.register_type_strategy(
    AutomaticAcknowledgement,
    st.builds(AutomaticAcknowledgement, nodes, counters, moments_s, frame_ids, st.sampled_from(AnswerState)),
)
any_frame: st.SearchStrategy[Frame] = st.one_of([st.from_type(kind) for kind in get_args(Frame)])
st.register_type_strategy(SigningKey, st.binary(min_size=32, max_size=32).map(SigningKey))

# Hostile text on purpose: right-to-left overrides, byte-order marks, controls and combining stacks are legal JSON.
_HOSTILE = st.sampled_from(
    ["\u202egnaR", "\ufeffShop", "a\u0000b", "\u0301" * 64, "\U0001f6a8" * 64, "Shop\r\nATTACK", "\u2066x\u2069"]
)
names = st.text(max_size=64) | _HOSTILE
texts = st.text(max_size=500) | _HOSTILE
counts = st.integers(0, 2**53)
node_texts = nodes.map(node_text)
slugs = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1971, 1, 1), datetime(9997, 12, 31), timezones=_zones | st.just(UTC))  # noqa: DTZ001


def _few(items: st.SearchStrategy[object], length_max: int = 4) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(items, max_size=length_max).map(tuple)


faults = st.builds(FaultReport, part=names, detail=texts, age_ms=counts)
radio_reports = st.builds(
    RadioReport,
    state=st.sampled_from(["fault", "listening", "untested", "ready"]),
    licence=names,
    tested_age_ms=st.none() | counts,
    overs=counts,
    airtime_ms=counts,
    bursts_heard=counts,
    busy_percent=st.integers(0, 100),
    blocked_ms=counts,
)
update_reports = st.builds(UpdateReport, serial=counts, version=names, state=slugs, reason=names)
machine_reports = st.builds(
    MachineReport,
    profile=names,
    system=names,
    support_ends_at=st.none() | moments,
    temperature_c=st.none() | st.integers(-100, 200),
    free_bytes=st.none() | counts,
    has_battery_clock=st.none() | st.booleans(),
    clock=st.none() | slugs,
    is_speech_ready=st.none() | st.booleans(),
    image=names,
    slot=st.none() | slugs,
    update=st.none() | update_reports,
)
health = st.builds(
    Health,
    state=st.sampled_from(["armed", "starting", "stopping", "lost"]),
    boot_id=names,
    version=names,
    at=st.none() | moments,
    uptime_ms=counts,
    outbox_depth=counts,
    oldest_unreceipted_ms=counts,
    directory_serial=counts,
    faults=_few(faults),
    rejected=st.dictionaries(names, counts, max_size=4),
    radio=st.none() | radio_reports,
    speaks=_few(slugs),
    certificate_ends_at=st.none() | moments,
    machine=st.none() | machine_reports,
)
nonces = st.just("") | st.binary(min_size=16, max_size=16).map(bytes.hex)
receipted_frames = st.builds(ReceiptedFrame, counter=counters, digest=st.binary(min_size=8, max_size=8).map(bytes.hex))
pending = st.builds(PendingFrame, counter=counters, age_ms=counts)
answers = st.builds(
    Answer,
    role=slugs,
    name=names,
    at=moments,
    press=st.none() | frame_ids.map(lambda found: found.text),
    after_s=st.none() | counts,
)
members = st.builds(
    MemberAnswer, node=node_texts, premises=names, response=st.sampled_from(["seen", "responding"]), at=moments
)
incidents = st.builds(
    IncidentState,
    incident=frame_ids.map(lambda found: found.text),
    revision=counts,
    scheme=slugs,
    node=node_texts,
    premises=names,
    place=names,
    kind=slugs,
    priority=st.integers(1, 5),
    state=st.sampled_from(["unanswered", "answered", "on-the-way", "closed"]),
    opened_at=moments,
    expires_at=moments,
    late=st.booleans(),
    silent=st.booleans(),
    drill=st.booleans(),
    cancelled=st.sampled_from([None, "mistake", "stand-down"]),
    answer=st.none() | answers,
    members=_few(members, 3),
    person=st.none() | counters,
    left=st.sampled_from([None, "yes", "no", "not-asked"]),
)
st.register_type_strategy(Health, health)
st.register_type_strategy(
    Sync,
    st.builds(
        Sync,
        boot_id=names,
        directory_serial=counts,
        last_counter=st.integers(0, U32_MAX),
        pending=_few(pending, 8),
        nonce=nonces,
        receipted=_few(receipted_frames, 8),
        central_counter=st.integers(0, U32_MAX),
        central_revision=counts,
        part=st.integers(1, 3),
        parts=st.integers(3, 9),
    ),
)
st.register_type_strategy(IncidentState, incidents)
st.register_type_strategy(
    CentralStatus,
    st.builds(CentralStatus, boot_id=names, at=moments, expires_at=moments, on_duty=_few(slugs), sequence=counts),
)
st.register_type_strategy(
    SyncAnswer,
    st.builds(
        SyncAnswer,
        boot_id=names,
        counter_floor=st.integers(0, U32_MAX),
        incidents=_few(incidents, 3),
        nonce=nonces,
        at=st.none() | moments,
        sequence=counts,
        revision=counts,
        missing=_few(counters),
        speaks=_few(slugs),
        part=st.integers(1, 3),
        parts=st.integers(3, 9),
    ),
)

st.register_type_strategy(FrameTopic, st.builds(FrameTopic, slugs, nodes))
st.register_type_strategy(IncidentTopic, st.builds(IncidentTopic, slugs))
st.register_type_strategy(CentralTopic, st.builds(CentralTopic, slugs))
st.register_type_strategy(UpTopic, st.builds(UpTopic, nodes, st.sampled_from(Up)))
st.register_type_strategy(DownTopic, st.builds(DownTopic, nodes, st.sampled_from(Down)))
any_topic: st.SearchStrategy[Topic] = st.one_of([st.from_type(kind) for kind in get_args(Topic)])


@st.composite
def directories(draw: st.DrawFn) -> DirectoryDocument:
    """A directory that does not contradict itself."""
    entries = draw(
        st.lists(
            st.builds(SchemeEntry, number=st.integers(1, U16_MAX), slug=slugs, name=names),
            max_size=4,
            unique_by=(lambda entry: entry.number, lambda entry: entry.slug),
        )
    )
    numbers = [entry.number for entry in entries]
    some_schemes = st.sets(st.sampled_from(numbers), max_size=4).map(tuple) if numbers else st.just(())
    senders = st.builds(
        SenderEntry,
        node=node_texts,
        key=st.binary(min_size=32, max_size=32).map(lambda seed: SigningKey(seed).public.raw),
        premises=names,
        place=names,
        schemes=some_schemes,
        kind=st.sampled_from(["premises", "gateway", "central"]),
        signs=st.booleans(),
        sealing_key=st.just(b"") | st.binary(min_size=32, max_size=32),
        revoked_at=st.none() | moments,
    )
    return DirectoryDocument(
        serial=draw(counts),
        issued_at=draw(moments),
        schemes=tuple(entries),
        senders=tuple(draw(st.lists(senders, max_size=4, unique_by=lambda entry: entry.node))),
    )


st.register_type_strategy(DirectoryDocument, directories())
