from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from tools.publish.examples import MESSAGES, PRESSED_AT
from wire.errors import EncodeError, MessageDecodeError
from wire.limits import MESSAGE_BYTES_MAX, SYNC_ANSWER_BYTES_MAX, TEXT_CHARS_MAX
from wire.messages import (
    INCIDENTS_MAX,
    MEMBERS_MAX,
    PARTS_MAX,
    PENDING_MAX,
    RECEIPTED_MAX,
    CentralStatus,
    FaultReport,
    Health,
    IncidentState,
    MachineReport,
    MemberAnswer,
    Message,
    PendingFrame,
    RadioReport,
    ReceiptedFrame,
    Sync,
    SyncAnswer,
    decode_message,
    encode_message,
    settle_moments,
)

TYPES = (Health, Sync, IncidentState, CentralStatus, SyncAnswer)
every_type = pytest.mark.parametrize("kind", TYPES)
messages = st.one_of([st.from_type(kind) for kind in TYPES])
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_least = MESSAGES["incident, least"]
assert isinstance(_least, IncidentState)
LEAST: IncidentState = _least


def assert_read_or_refused_in_our_terms(data: bytes, kind: type[Message]) -> None:
    try:
        message = decode_message(data, kind)
    except MessageDecodeError as e:
        refusal = e
    else:
        assert message == decode_message(encode_message(message), kind)
        return
    assert refusal.reason in {"message too large", "message json", "message field"}
    assert str(refusal).isprintable()


@given(messages)
def test_message_comes_back_as_it_went(message: Message) -> None:
    """Also with right-to-left overrides, byte-order marks and controls in every text: it is kept as it came."""
    assert message == decode_message(encode_message(message), type(message))


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_message_fed_byte_by_byte_is_refused_until_its_last_byte(message: Message) -> None:
    data = encode_message(message)

    for length in range(len(data)):
        with pytest.raises(MessageDecodeError, match="message json"):
            decode_message(data[:length], type(message))


@given(messages, st.data())
def test_message_cut_anywhere_is_refused(message: Message, data: st.DataObject) -> None:
    whole = encode_message(message)
    length = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(MessageDecodeError, match="message json"):
        decode_message(whole[:length], type(message))


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())
def test_message_with_any_single_bit_flipped_is_read_or_refused(message: Message) -> None:
    data = encode_message(message)
    number = int.from_bytes(data, "big")

    for bit in range(8 * len(data)):
        assert_read_or_refused_in_our_terms((number ^ 1 << bit).to_bytes(len(data), "big"), type(message))


@given(messages, st.data())
def test_message_with_bytes_cut_out_put_in_or_changed_is_read_or_refused(message: Message, data: st.DataObject) -> None:
    whole = encode_message(message)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))

    assert_read_or_refused_in_our_terms(whole[:start] + data.draw(st.binary(max_size=40)) + whole[end:], type(message))


@given(messages, st.data())
def test_message_with_any_field_of_another_type_is_read_or_refused(message: Message, data: st.DataObject) -> None:
    fields = msgspec.to_builtins(message)
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(any_json)

    assert_read_or_refused_in_our_terms(json.dumps(fields).encode("utf-8", "surrogatepass"), type(message))


@given(st.binary(max_size=200), st.sampled_from(TYPES))
def test_decode_message_of_any_bytes_gives_a_message_or_our_error(data: bytes, kind: type[Message]) -> None:
    assert_read_or_refused_in_our_terms(data, kind)


@given(any_json, st.sampled_from(TYPES))
def test_decode_message_of_any_json_gives_a_message_or_our_error(value: object, kind: type[Message]) -> None:
    assert_read_or_refused_in_our_terms(json.dumps(value).encode("utf-8", "surrogatepass"), kind)


@every_type
@pytest.mark.parametrize(
    "deep",
    [b"[" * 30_000, b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000],
    ids=["opened", "lists", "objects"],
)
def test_decode_message_refuses_deep_nesting(kind: type[Message], deep: bytes) -> None:
    """Also inside a field that is ignored."""
    for data in (deep, b'{"boot_id":"b","later":' + deep + b"}"):
        with pytest.raises(MessageDecodeError) as caught:
            decode_message(data, kind)
        assert caught.value.reason in {"message json", "message field"}


@every_type
def test_decode_message_refuses_a_megabyte_by_its_length_alone(kind: type[Message]) -> None:
    cap = SYNC_ANSWER_BYTES_MAX if kind is SyncAnswer else MESSAGE_BYTES_MAX
    whole = encode_message(next(message for message in MESSAGES.values() if type(message) is kind))
    for data in (b'{"boot_id":"' + b"b" * 1_000_000 + b'"}', whole + b" " * (cap + 1 - len(whole))):
        with pytest.raises(MessageDecodeError) as caught:
            decode_message(data, kind)
        assert ("message too large", cap) == (caught.value.reason, caught.value.offset)

    assert decode_message(whole + b" " * (cap - len(whole)), kind)


def test_decode_message_ignores_fields_it_does_not_know() -> None:
    assert Sync(boot_id="b") == decode_message(b'{"boot_id":"b","mood":["fine"]}', Sync)


def test_decode_message_says_one_short_printable_line_in_an_error() -> None:
    with pytest.raises(MessageDecodeError) as caught:
        decode_message(('{"boot_id":"b","state":"\u202egnimra\\u0007\\n' + "x" * 5_000 + '"}').encode(), Health)

    assert "gnimra" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "9999-01-01T00:00:00Z",
        "2026-03-07T23:40:05",
        "2026-03-07",
        "1772926805",
        "2026-02-30T00:00:00Z",
    ],
)
def test_decode_message_refuses_a_time_no_clock_can_hold(text: str) -> None:
    """A clock jumped by years must not overflow at the reader."""
    with pytest.raises(MessageDecodeError, match="message field"):
        decode_message(json.dumps({"boot_id": "b", "state": "armed", "at": text}).encode(), Health)


def test_decode_message_brings_times_to_utc() -> None:
    health = decode_message(b'{"boot_id":"b","state":"armed","at":"2026-03-07T20:40:05-03:00"}', Health)

    assert health.at == PRESSED_AT
    assert UTC is health.at.tzinfo


def test_message_with_a_naive_time_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="zone"):
        Health(state="armed", boot_id="b", at=datetime(2026, 3, 7))  # noqa: DTZ001


def test_message_built_in_another_zone_is_the_same_message() -> None:
    lisbon = timezone(timedelta(hours=1))

    assert Health(state="armed", boot_id="b", at=PRESSED_AT) == Health(
        state="armed", boot_id="b", at=PRESSED_AT.astimezone(lisbon)
    )


def test_fault_report_carries_one_clean_line_of_what_a_driver_says() -> None:
    fault = FaultReport(part="oled", detail="no\nanswer \udcff\u202e" + "x" * 2_000, age_ms=0)

    assert fault.detail.startswith("no answer xxx")
    assert TEXT_CHARS_MAX == len(fault.detail)
    assert (
        fault == decode_message(encode_message(Health(state="armed", boot_id="b", faults=(fault,))), Health).faults[0]
    )


def test_lists_that_are_too_long_are_cut_from_their_end() -> None:
    """Ten thousand stored alerts must not make a sync that central refuses whole (N13)."""
    sync = Sync(boot_id="b", pending=tuple(PendingFrame(counter=c, age_ms=c) for c in range(1, 10_001)))
    member = MemberAnswer(node="00000011", premises="The Anchor", response="seen", at=PRESSED_AT)
    state = IncidentState(**{**msgspec.structs.asdict(LEAST), "members": (member,) * 100})
    answer = SyncAnswer(boot_id="c", counter_floor=0, incidents=(LEAST,) * 5_000)

    assert list(range(1, PENDING_MAX + 1)) == [row.counter for row in sync.pending]
    assert MEMBERS_MAX == len(state.members)
    assert INCIDENTS_MAX == len(answer.incidents)
    assert sync == decode_message(encode_message(sync), Sync)
    assert answer == decode_message(encode_message(answer), SyncAnswer)


def test_widest_incident_fits_its_cap() -> None:
    wide = "\x00" * 64
    member = MemberAnswer(node="00000011", premises=wide, response="responding", at=PRESSED_AT)
    state = msgspec.structs.replace(LEAST, premises=wide, place=wide, members=(member,) * MEMBERS_MAX)

    assert state == decode_message(encode_message(state), IncidentState)


def test_longest_part_of_a_sync_fits_one_packet() -> None:
    sync = Sync(
        boot_id="\x00" * 64,
        pending=(PendingFrame(counter=2**32 - 1, age_ms=2**53),) * PENDING_MAX,
        nonce="f" * 32,
        receipted=(ReceiptedFrame(counter=2**32 - 1, digest="f" * 16),) * RECEIPTED_MAX,
        part=PARTS_MAX,
        parts=PARTS_MAX,
    )

    assert sync == decode_message(encode_message(sync), Sync)


def test_part_of_fewer_parts_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="part 2 of 1"):
        Sync(boot_id="b", part=2)


def test_messages_of_an_old_version_are_read_and_old_readers_ignore_what_is_new() -> None:
    """Mixed versions talk: what is new is absent from an old message, and no required field was added."""
    assert Sync(boot_id="b") == decode_message(b'{"boot_id":"b"}', Sync)
    assert SyncAnswer(boot_id="c", counter_floor=3) == decode_message(b'{"boot_id":"c","counter_floor":3}', SyncAnswer)
    status = b'{"boot_id":"c","at":"2026-03-07T23:40:05Z","expires_at":"2026-03-07T23:40:35Z"}'
    assert (0, ()) == ((read := decode_message(status, CentralStatus)).sequence, read.on_duty)
    assert b'{"boot_id":"c","counter_floor":3}' == encode_message(SyncAnswer(boot_id="c", counter_floor=3))


def test_health_of_an_older_node_tells_nothing_of_its_machine() -> None:
    old = decode_message(b'{"state":"armed","boot_id":"b"}', Health)
    bare = decode_message(b'{"state":"armed","boot_id":"b","machine":{}}', Health)

    assert (None, None) == (old.certificate_ends_at, old.machine)
    assert MachineReport() == bare.machine
    assert b'{"state":"armed","boot_id":"b"}' == encode_message(old)


def test_health_takes_a_clock_vouched_for_in_a_way_that_is_not_known_yet() -> None:
    newer = decode_message(b'{"state":"armed","boot_id":"b","machine":{"clock":"gps"}}', Health)

    assert MachineReport(clock="gps") == newer.machine


def test_number_that_a_message_leaves_out_is_none_at_all() -> None:
    """Nodes in the field leave out what is 0; whoever reads another number makes something up."""
    sync = decode_message(b'{"boot_id":"b"}', Sync)
    health = decode_message(b'{"state":"armed","boot_id":"b","radio":{"state":"ready"}}', Health)
    answer = decode_message(b'{"boot_id":"c","counter_floor":3}', SyncAnswer)

    assert (
        RadioReport(
            state="ready",
            licence="",
            tested_age_ms=None,
            overs=0,
            airtime_ms=0,
            bursts_heard=0,
            busy_percent=0,
            blocked_ms=0,
        )
        == health.radio
    )
    assert (0, 0, 0, 0) == (
        health.uptime_ms,
        health.outbox_depth,
        health.oldest_unreceipted_ms,
        health.directory_serial,
    )
    assert (0, 0, 0, 0) == (sync.directory_serial, sync.last_counter, sync.central_counter, sync.central_revision)
    assert (1, 1, 1, 1) == (sync.part, sync.parts, answer.part, answer.parts)
    assert (0, 0) == (answer.sequence, answer.revision)


def test_sync_answer_over_its_cap_loses_incidents_from_the_end() -> None:
    wide = "\x00" * 64
    member = MemberAnswer(node="00000011", premises=wide, response="responding", at=PRESSED_AT)
    states = tuple(
        msgspec.structs.replace(LEAST, revision=n, premises=wide, members=(member,) * 30) for n in range(INCIDENTS_MAX)
    )
    read = decode_message(encode_message(SyncAnswer(boot_id="c", counter_floor=0, incidents=states)), SyncAnswer)

    assert 0 < len(read.incidents) < INCIDENTS_MAX
    assert states[: len(read.incidents)] == read.incidents


@pytest.mark.parametrize(
    "message",
    [
        Sync(boot_id="b" * 65),
        Sync(boot_id="\ud800"),
        Sync(boot_id="b", last_counter=2**32),
        Health(state="armed", boot_id="b", uptime_ms=-1),
        Health(state="armed", boot_id="b", rejected={f"r{n}": 1 for n in range(129)}),
        Sync(boot_id="b", nonce="0123"),
        Sync(boot_id="b", receipted=(ReceiptedFrame(counter=1, digest="x" * 16),)),
        Sync(boot_id="b", receipted=(ReceiptedFrame(counter=1, digest="0" * 16),) * (RECEIPTED_MAX + 1)),
        Sync(boot_id="b", parts=PARTS_MAX + 1),
        SyncAnswer(boot_id="c", counter_floor=0, missing=(1,) * (RECEIPTED_MAX + 1)),
        msgspec.structs.replace(LEAST, priority=0),
        msgspec.structs.replace(LEAST, scheme="Not A Slug"),
    ],
)
def test_encode_message_refuses_what_no_receiver_would_take(message: Message) -> None:
    with pytest.raises(EncodeError):
        encode_message(message)


def test_moment_that_is_absent_leaves_the_next_to_be_settled() -> None:
    class Moments(Message, frozen=True):
        first: datetime | None = None
        second: datetime | None = None

    moments = Moments(second=datetime(2026, 11, 28, 1, 30, tzinfo=timezone(timedelta(hours=1))))

    settle_moments(moments, "first", "second")

    assert (None, "2026-11-28T00:30:00+00:00") == (moments.first, moments.second and moments.second.isoformat())
