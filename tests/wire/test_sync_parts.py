from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from wire.limits import MESSAGE_BYTES_MAX
from wire.messages import INCIDENTS_MAX, IncidentState, SyncAnswer, decode_message, encode_message
from wire.sync_parts import SyncAnswerParts, split_sync_answer

pytestmark = pytest.mark.finding(15)

NOW = datetime(2026, 3, 7, 23, 40, tzinfo=UTC)
NONCE = "0123456789abcdef" * 2


def state(counter: int) -> IncidentState:
    return IncidentState(
        incident=f"00000010-{counter}",
        revision=counter,
        scheme="hart",
        node="00000010",
        premises="ß" * 64,
        place="ß" * 64,
        kind="attack",
        priority=1,
        state="unanswered",
        opened_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


LONG = SyncAnswer(
    boot_id="c",
    counter_floor=9,
    incidents=tuple(map(state, range(1, INCIDENTS_MAX + 1))),
    nonce=NONCE,
    missing=tuple(range(1, 513)),
)


def parts_of(answer: SyncAnswer) -> list[SyncAnswer]:
    return [decode_message(payload, SyncAnswer) for payload in split_sync_answer(answer)]


def test_long_answer_travels_in_parts_and_is_read_as_one() -> None:
    payloads, parts = split_sync_answer(LONG), SyncAnswerParts()

    taken = [parts.take(part, is_signed=True) for part in parts_of(LONG)]

    assert len(payloads) > 1
    assert max(map(len, payloads)) <= MESSAGE_BYTES_MAX
    assert [None] * (len(payloads) - 1) + [(LONG, True)] == taken


def test_states_of_an_answer_are_encoded_by_whoever_keeps_them() -> None:
    """Thousands of answers bear the same states."""
    kept = {id(one): encode_message(one) for one in LONG.incidents}
    asked = []

    def encoded(one: IncidentState) -> bytes:
        asked.append(one.revision)
        return kept[id(one)]

    assert split_sync_answer(LONG) == split_sync_answer(LONG, encoded)
    assert list(range(1, INCIDENTS_MAX + 1)) == asked


def test_answer_that_fits_is_one_message() -> None:
    short = msgspec.structs.replace(LONG, incidents=LONG.incidents[:3])

    assert [short] == parts_of(short)
    assert (short, False) == SyncAnswerParts().take(short, is_signed=False)


def test_node_that_asked_without_a_nonce_gets_one_message_cut_from_its_end() -> None:
    """It would take each part for the whole, and what is not in it for ended."""
    [answer] = parts_of(msgspec.structs.replace(LONG, nonce=""))

    assert LONG.incidents[: len(answer.incidents)] == answer.incidents
    assert (1, 1) == (answer.part, answer.parts)
    assert 0 < len(answer.incidents) < INCIDENTS_MAX


def test_answer_of_which_one_part_is_unsigned_is_unsigned() -> None:
    parts, (first, *rest) = SyncAnswerParts(), parts_of(LONG)
    parts.take(first, is_signed=False)

    taken = [parts.take(part, is_signed=True) for part in rest]

    assert (LONG, False) == taken[-1]


def test_unsigned_part_takes_no_signed_ones_place() -> None:
    parts, (first, *rest) = SyncAnswerParts(), parts_of(LONG)
    parts.take(first, is_signed=True)
    parts.take(msgspec.structs.replace(first, counter_floor=4_000_000_000), is_signed=False)

    assert (LONG, True) == [parts.take(part, is_signed=True) for part in rest][-1]


def test_part_of_another_answer_begins_that_one() -> None:
    parts, later = SyncAnswerParts(), msgspec.structs.replace(LONG, nonce="f" * 32)
    for part in parts_of(LONG)[:-1]:
        assert parts.take(part, is_signed=True) is None

    assert (later, True) == [parts.take(part, is_signed=True) for part in parts_of(later)][-1]
    assert parts.take(msgspec.structs.replace(LONG, parts=INCIDENTS_MAX + 1), is_signed=True) is None
