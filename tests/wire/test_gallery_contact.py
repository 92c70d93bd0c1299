"""The question and the answer: what is refused, and what a change costs."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.gallery_examples import HOLDER, NODE, NODE_PUBLIC, OFFICE, TEXT, TOWN, digest_of, head_of, keys_of, line
from wire.gallery_contact import (
    ANSWER_BYTES_MAX,
    GONE_MAX,
    QUESTION_BYTES_MAX,
    ROWS_BYTES_MAX,
    GalleryAnswer,
    GalleryChange,
    GalleryQuestion,
    Held,
    decode_answer,
    decode_question,
    decode_rows,
    encode_answer,
    encode_question,
    encode_rows,
)
from wire.gallery_head import merge, open_head, seal_head
from wire.gallery_keys import open_row, open_text, seal_row
from wire.gallery_lines import GalleryError, Lines
from wire.gallery_staff import STAFF_MAX, StaffEntry
from wire.gallery_views import ViewHead

QUESTION = GalleryQuestion(
    holds=(Held(scheme=1, number=41, is_complete=True), Held(scheme=2, number=0)),
    views=ViewHead(n=3, digest="ab" * 32),
)
HELD = Lines.of(line(case, since=case % 40 + 1) for case in range(1, 501))
CHANGED = line(250, since=41)
LINES = HELD.changed(Lines.of((CHANGED,)), (7,))
ROW = seal_row(keys_of(250), CHANGED, HOLDER, NODE_PUBLIC)
CHANGE = GalleryChange(
    scheme=1,
    head=msgspec.Raw(seal_head(head_of(LINES, 41), TOWN, OFFICE)),
    after=40,
    lines=LINES.after(40).decode(),
    gone=(7,),
    keys=(ROW,),
)
ANSWER = GalleryAnswer(now_s=1_700_000_000, lease_until_s=1_700_604_800, schemes=(1,), changes=(CHANGE,))


def test_one_change_among_500_costs_a_node_less_than_a_kilobyte() -> None:
    """Beside its photograph, and with 250 bytes left for HTTP and TLS."""
    assert len(encode_answer(ANSWER)) <= 750


def test_answer_carries_a_change_that_the_node_follows_and_opens() -> None:
    (change,) = decode_answer(encode_answer(ANSWER)).changes
    head = open_head(change.head_bytes, 1, TOWN, (OFFICE.public,))
    lines = merge(HELD, 40, head, change.line_bytes, change.gone)
    keys = open_row(change.keys[0], lines[250], HOLDER, NODE)

    assert lines == LINES
    assert open_text(lines[250], keys.text, 1) == TEXT


def test_answer_of_an_older_office_says_nothing_of_staff() -> None:
    raw = {"now_s": 1, "lease_until_s": 2, "schemes": [1]}
    answer = decode_answer(zlib.compress(msgspec.json.encode(raw)))

    assert (None, ()) == (answer.staff, answer.open_schemes)


def test_list_of_nobody_is_another_thing_than_no_list() -> None:
    assert () == decode_answer(encode_answer(replace(ANSWER, staff=()))).staff


def test_question_is_read_back() -> None:
    assert decode_question(encode_question(QUESTION)) == QUESTION
    assert decode_question(b"{}") == GalleryQuestion()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"holds":[{"scheme":1,"number":1},{"scheme":1,"number":2}]}',
        b'{"holds":[{"scheme":0,"number":1}]}',
        b'{"holds":[{"scheme":1,"number":-1}]}',
        b'{"holds":[{"scheme":1}]}',
        b'{"views":{"n":1,"digest":"x"}}',
        b"[" * QUESTION_BYTES_MAX,
        b" " * (QUESTION_BYTES_MAX + 1),
        b'{"holds":[' + b",".join(b'{"scheme":%d,"number":1}' % one for one in range(1, 18)) + b"]}",
    ],
    ids=range(10),
)
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(GalleryError, match="gallery question"):
        decode_question(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"schemes": (2,)},
        {"changes": (CHANGE, CHANGE)},
        {"schemes": (1, 2, 3, 4, 5)},
        {"changes": (replace(CHANGE, gone=(0,)),)},
        {"changes": (replace(CHANGE, gone=tuple(range(1, GONE_MAX + 2))),)},
        {"changes": (replace(CHANGE, keys=(replace(ROW, sealed=bytes(48)),)),)},
        {"now_s": -1},
        {"open_schemes": (2,)},
        {"staff": (StaffEntry(person=4, name="Ann"), StaffEntry(person=4, name="Zoe"))},
        {"staff": tuple(StaffEntry(person=one, name="") for one in range(1, STAFF_MAX + 2))},
        {"staff": ({"person": 0, "name": "Ann"},)},
        {"staff": (StaffEntry(person=4, name="Ann", code_check="K7PM"),)},
    ],
    ids=range(12),
)
def test_what_is_no_answer_is_refused(fields: dict[str, Any]) -> None:
    raw = {field: getattr(ANSWER, field) for field in ("now_s", "lease_until_s", "schemes", "changes")} | fields
    with pytest.raises(GalleryError, match="gallery answer"):
        decode_answer(zlib.compress(msgspec.json.encode(raw)))


def test_change_that_starts_from_nowhere_bears_nothing() -> None:
    whole = GalleryChange(scheme=1, head=CHANGE.head)
    assert decode_answer(encode_answer(replace(ANSWER, changes=(whole,)))).changes[0].after is None
    for fields in ({"lines": "x\n"}, {"gone": (1,)}, {"keys": (ROW,)}):
        with pytest.raises(ValueError, match="from nowhere"):
            replace(whole, **fields)


def test_half_a_character_in_lines_is_refused_by_who_reads_them() -> None:
    body = msgspec.json.encode(ANSWER).replace(b'"lines":"', b'"lines":"\\ud83d')
    try:
        (change,) = decode_answer(zlib.compress(body)).changes
    except GalleryError:
        return
    with pytest.raises(GalleryError):
        merge(HELD, 40, head_of(LINES, 41), change.line_bytes, change.gone)


def bomb(length: int) -> bytes:
    return zlib.compress(b" " * length, 9)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        encode_answer(ANSWER)[:-1],
        encode_answer(ANSWER) + b"x",
        zlib.compress(b"[" * 10_000),
        zlib.compress(b"x" * (ANSWER_BYTES_MAX + 1)),
        bomb(64 * ANSWER_BYTES_MAX),
        bytes(ANSWER_BYTES_MAX + 1),
    ],
    ids=["nothing", "not compressed", "cut short", "more behind it", "deep", "too large", "a bomb", "a large body"],
)
def test_hostile_body_is_refused(data: bytes) -> None:
    with pytest.raises(GalleryError, match="gallery answer"):
        decode_answer(data)
    with pytest.raises(GalleryError, match="gallery rows"):
        decode_rows(data if len(data) <= ANSWER_BYTES_MAX else bytes(ROWS_BYTES_MAX + 1))


def test_rows_of_the_largest_gallery_fit_into_their_file() -> None:
    rows = tuple(replace(ROW, case=2**53 - one, since=2**53) for one in range(10_000))
    rows = tuple(replace(row, sealed=bytes.fromhex(digest_of(row.case) * 3) + bytes(17)) for row in rows)

    assert decode_rows(encode_rows(rows)) == rows
    with pytest.raises(GalleryError, match="gallery rows"):
        decode_rows(encode_rows((*rows, ROW)))
    with pytest.raises(GalleryError, match="a case twice"):
        decode_rows(encode_rows((ROW, ROW)))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    for decode in (decode_answer, decode_rows, lambda body: decode_answer(zlib.compress(body))):
        with pytest.raises(GalleryError):
            decode(data)
    try:
        decode_question(data)
    except GalleryError as e:
        assert e.reason == "gallery question"  # noqa: PT017 - some bytes are a question


@given(st.data())
def test_no_altered_body_raises_anything_else(data: st.DataObject) -> None:
    body = bytearray(msgspec.json.encode(ANSWER))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        answer = decode_answer(zlib.compress(bytes(body)))
    except GalleryError:
        return

    assert len(answer.changes) <= 1
