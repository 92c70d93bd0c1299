"""Reports of breaches, and what has become of them: what is read, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wire.gallery_contact import (
    QUESTION_BYTES_MAX,
    GalleryAnswer,
    GalleryQuestion,
    Held,
    decode_answer,
    decode_question,
    encode_answer,
    encode_question,
)
from wire.gallery_lines import GalleryError
from wire.gallery_reports import (
    OUTCOME_CHARS_MAX,
    OUTCOMES_MAX,
    REPORT_BYTES_MAX,
    REPORTS_BYTES_MAX,
    REPORTS_MAX,
    TAKEN_BYTES_MAX,
    BreachReport,
    Outcomes,
    ReportOutcome,
    ReportsTaken,
    decode_reports,
    decode_taken,
    encode_reports,
    encode_taken,
)
from wire.gallery_views import ViewHead

REPORT = BreachReport(
    id="ab" * 16,
    kind="breach",
    scheme=1,
    case=17,
    person=42,
    staff=4,
    at_s=1_772_926_811,
    is_proven=True,
    left="no",
    incident="00000010-7",
)
LARGEST = BreachReport(
    id="f" * 32,
    kind="sighting",
    scheme=65_535,
    case=2**53,
    person=9_999_999_999,
    staff=2**53,
    at_s=2**40,
    is_proven=True,
    left="yes",
    incident="ffffffff-4294967295",
)


def outcome(number: int) -> ReportOutcome:
    return ReportOutcome(report=f"{number:032x}", state="in-hand", words="x" * OUTCOME_CHARS_MAX, at_s=2**40)


def test_reports_are_read_back_and_the_largest_fit() -> None:
    many = tuple(replace(LARGEST, id=f"{number:032x}") for number in range(REPORTS_MAX))

    assert decode_reports(encode_reports((REPORT,))) == (REPORT,)
    assert len(msgspec.json.encode(LARGEST)) <= REPORT_BYTES_MAX
    assert decode_reports(encode_reports(many)) == many


def test_report_holds_no_words_of_anybody() -> None:
    """No free note is taken: whatever else is sent is dropped before anything is kept."""
    body = encode_reports((REPORT,)).replace(b"{", b'{"note":"he is a thief",', 1)

    assert b"thief" not in encode_reports(decode_reports(body))


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "AB" * 16},
        {"id": "ab" * 15},
        {"kind": "theft"},
        {"scheme": 0},
        {"case": 0},
        {"person": 0},
        {"person": 10_000_000_000},
        {"staff": -1},
        {"at_s": -1},
        {"left": "perhaps"},
        {"incident": "00000000-7"},
        {"incident": "00000010-0"},
        {"incident": "00000010-7\n"},
        {"case": None},
    ],
    ids=range(14),
)
def test_what_is_no_report_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(GalleryError, match="gallery reports"):
        decode_reports(msgspec.json.encode([msgspec.to_builtins(REPORT) | fields]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 9_000,
        b" " * (REPORTS_BYTES_MAX + 1),
        encode_reports((REPORT, REPORT)),
        encode_reports(tuple(replace(REPORT, id=f"{number:032x}") for number in range(REPORTS_MAX + 1))),
    ],
    ids=["nothing", "an object", "none", "deep", "too large", "one twice", "too many"],
)
def test_hostile_list_of_reports_is_refused(data: bytes) -> None:
    with pytest.raises(GalleryError, match="gallery reports"):
        decode_reports(data)


def test_answer_to_the_most_reports_fits() -> None:
    taken = ReportsTaken(committed=tuple(f"{number:032x}" for number in range(REPORTS_MAX)))

    assert decode_taken(encode_taken(taken)) == taken
    assert decode_taken(b"{}") == ReportsTaken()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"committed":["x"]}',
        b'{"committed":["%s"],"refused":["%s"]}' % (b"ab" * 16, b"ab" * 16),
        b" " * (TAKEN_BYTES_MAX + 1),
    ],
    ids=range(5),
)
def test_what_is_no_answer_to_reports_is_refused(data: bytes) -> None:
    with pytest.raises(GalleryError, match="gallery reports taken"):
        decode_taken(data)


def test_outcomes_come_with_the_answer_and_an_older_peer_is_told_none() -> None:
    outcomes = Outcomes(version="0" * 16, reports=tuple(outcome(number) for number in range(OUTCOMES_MAX)))
    answer = GalleryAnswer(now_s=1, lease_until_s=2, outcomes=outcomes)

    assert decode_answer(encode_answer(answer)).outcomes == outcomes
    assert decode_answer(encode_answer(GalleryAnswer(now_s=1, lease_until_s=2))).outcomes is None
    assert len(msgspec.json.encode(outcomes)) < 64_000, "an answer has room for changes beside it"


def test_question_says_which_outcomes_are_held_or_that_none_can_be_shown() -> None:
    """Told apart, or an older node, which cannot say what it holds, would be answered at once for ever."""
    assert decode_question(b"{}").outcomes is None
    assert decode_question(encode_question(GalleryQuestion(outcomes=""))).outcomes == ""
    largest = GalleryQuestion(
        holds=tuple(Held(scheme=65_535 - one, number=2**53, is_complete=True) for one in range(16)),
        views=ViewHead(n=2**53, digest="f" * 64),
        outcomes="f" * 16,
    )
    assert len(encode_question(largest)) < QUESTION_BYTES_MAX // 2


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "x"},
        {"version": "0" * 15},
        {"reports": [msgspec.to_builtins(outcome(1)), msgspec.to_builtins(outcome(1))]},
        {"reports": [msgspec.to_builtins(outcome(number)) for number in range(OUTCOMES_MAX + 1)]},
        {"reports": [msgspec.to_builtins(outcome(1)) | {"words": "x" * (OUTCOME_CHARS_MAX + 1)}]},
        {"reports": [msgspec.to_builtins(outcome(1)) | {"state": "In Hand"}]},
    ],
    ids=range(6),
)
def test_what_are_no_outcomes_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"version": "0" * 16, "reports": ()} | fields, Outcomes)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_as_reports_with_a_reason(data: bytes) -> None:
    with pytest.raises(GalleryError):
        decode_reports(data)


@given(st.data())
def test_no_altered_report_raises_anything_else(data: st.DataObject) -> None:
    body = bytearray(encode_reports((REPORT,)))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        reports = decode_reports(bytes(body))
    except GalleryError:
        return

    assert len(reports) == 1
