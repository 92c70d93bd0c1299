"""Lines of a gallery: what a reader refuses, and that their bytes are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.gallery_examples import digest_of, line
from wire.gallery_lines import (
    ENTRIES_MAX,
    LINE_BYTES_MAX,
    LINES_BYTES_MAX,
    NO_LINES,
    TEXT_BYTES_MAX,
    GalleryError,
    Lines,
    parse_lines,
)
from wire.limits import SNAPSHOT_BYTES_MAX

ONE = line(17, since=4)
LINES = Lines.of((line(18, since=2, has_photograph=False), ONE))


def test_lines_are_read_back_in_the_order_of_cases() -> None:
    read = parse_lines(LINES.data)

    assert read == LINES
    assert list(read) == [17, 18]
    assert read[17] == ONE
    assert read.digest == LINES.digest != NO_LINES.digest
    assert read.ciphertexts() == {digest_of("small", 17), digest_of("portrait", 17)}
    assert parse_lines(b"") == NO_LINES


def test_line_says_nothing_of_a_person_in_the_clear() -> None:
    for word in (b"Nobody", b"HART", b"theft", b"premises"):
        assert word not in LINES.data + b"".join(one.text for one in LINES.values())


def test_field_of_a_newer_office_counts_in_the_digest_and_is_kept() -> None:
    newer = LINES.data.replace(b'{"case":17', b'{"later":"yes","case":17')
    read = parse_lines(newer)

    assert read[17] == ONE
    assert (read.data, read.digest) == (newer, parse_lines(newer).digest)
    assert read.digest != LINES.digest
    assert b"later" in read.changed(Lines.of((line(20),)), ()).data


@pytest.mark.parametrize(
    ("what", "altered"),
    [
        ("cut short", lambda data: data[:-1]),
        ("not json", lambda data: data.replace(b"{", b"(", 1)),
        ("a case twice", lambda data: data + data),
        ("out of order", lambda data: data[data.index(b"\n") + 1 :] + data[: data.index(b"\n") + 1]),
        ("an empty line", lambda data: b"\n" + data),
        ("a long line", lambda data: b'{"later":"' + b"x" * LINE_BYTES_MAX + b'",' + data[1:]),
        ("deep", lambda _: b"[" * 2_000 + b"\n"),
        ("too many lines", lambda _: b"\n" * (ENTRIES_MAX + 1)),
        ("too many bytes", lambda _: b"x" * (LINES_BYTES_MAX + 1)),
        ("bad UTF-8", lambda data: data.replace(b'"text":"', b'"text":"\xff')),
    ],
)
def test_what_are_no_lines_is_refused(what: str, altered: Callable[[bytes], bytes]) -> None:
    with pytest.raises(GalleryError) as refused:
        parse_lines(altered(LINES.data))

    assert refused.value.reason == "gallery lines", what


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"not_after_s": ONE.not_before_s}, "ends before"),
        ({"photographs": ONE.photographs[:1] * 2}, "size is listed twice"),
        ({"photograph": None}, "without a number"),
        ({"photographs": ()}, "number without photographs"),
    ],
)
def test_line_that_contradicts_itself_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(ONE, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"case": 0},
        {"since": 0},
        {"not_before_s": -1},
        {"text": b"x" * 27},
        {"text": b"x" * (TEXT_BYTES_MAX + 1)},
        {"photograph": "0f" * 15},
        {"photographs": (replace(ONE.photographs[0], file_bytes=1_048_577),)},
        {"photographs": (replace(ONE.photographs[0], sha256="AB" * 32),)},
    ],
    ids=str,
)
def test_line_out_of_bounds_is_not_published(fields: dict[str, Any]) -> None:
    with pytest.raises(GalleryError):
        Lines.of((replace(ONE, **fields),))


def test_longest_line_fits_and_so_do_as_many_as_there_may_be() -> None:
    longest = replace(
        ONE,
        case=2**53,
        since=2**53,
        not_before_s=2**40 - 1,
        not_after_s=2**40,
        text=bytes(TEXT_BYTES_MAX),
        photographs=tuple(replace(one, file_bytes=1_048_576) for one in ONE.photographs),
    )

    assert len(Lines.of((longest,)).data) <= LINE_BYTES_MAX
    assert LINES_BYTES_MAX < SNAPSHOT_BYTES_MAX


def test_change_is_what_is_newer_and_makes_the_new_from_the_old() -> None:
    after = Lines.of((replace(LINES[17], since=7), line(19, since=6)))
    part = parse_lines(after.after(4))

    assert list(part) == [17, 19]
    assert LINES.changed(part, (18, 999)) == after
    assert LINES.changed(part, (18,)).digest == after.digest
    assert list(LINES) == [17, 18]
    assert after.after(7) == b""


def test_more_lines_than_there_may_be_are_refused() -> None:
    row = msgspec.json.encode(line(1, has_photograph=False))
    rows = (row.replace(b'"case":1,', b'"case":%d,' % case) for case in range(1, ENTRIES_MAX + 1))
    full = parse_lines(b"".join(b"%b\n" % one for one in rows))
    assert len(full) == ENTRIES_MAX

    with pytest.raises(GalleryError, match="10001 lines"):
        full.changed(Lines.of((line(20_000),)), ())
    assert len(full.changed(Lines.of((line(20_000),)), (1,))) == ENTRIES_MAX


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25)], ids=str)
def test_last_day_is_the_day_in_london_that_ends_then(day: date) -> None:
    end = datetime.combine(date.fromordinal(day.toordinal() + 1), datetime.min.time(), ZoneInfo("Europe/London"))

    assert replace(ONE, not_after_s=int(end.timestamp())).last_day == day
    assert replace(ONE, not_before_s=0, not_after_s=1).last_day == datetime.fromtimestamp(0, UTC).date()


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    if data:
        with pytest.raises(GalleryError):
            parse_lines(data)


@given(st.data())
def test_altered_lines_are_refused_or_have_another_digest(data: st.DataObject) -> None:
    altered = bytearray(LINES.data)
    altered[data.draw(st.integers(0, len(altered) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = parse_lines(bytes(altered))
    except GalleryError:
        return

    assert read.digest != LINES.digest
