"""The gallery's head: what a reader refuses, that one scheme's is never another's, and what a change makes of lines."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.gallery_examples import KEYS, OFFICE, TOWN, head_of, line
from wire.errors import EncodeError, SnapshotError
from wire.gallery_head import (
    HEAD_BYTES_MAX,
    LEASE_S_MAX,
    ciphertext_file,
    head_file,
    lines_file,
    merge,
    open_head,
    open_lines,
    parse_ciphertext_file,
    parse_head_file,
    parse_lines_file,
    seal_head,
)
from wire.gallery_lines import NO_LINES, GalleryError, GalleryLine, Lines
from wire.signing import SigningKey
from wire.snapshots import People, Town, open_snapshot, parse_file_name, seal_named

LINES = Lines.of((line(17, since=9), line(18, since=3)))
HEAD = head_of(LINES, 9)
HELD = Lines.of((line(5, since=1), LINES[18]))
CHANGE, GONE = LINES.after(8), (5,)


def test_head_is_read_back_as_it_was() -> None:
    assert HEAD == open_head(seal_head(HEAD, TOWN, OFFICE), 1, TOWN, KEYS)
    assert LINES == open_lines(LINES.data, HEAD)
    assert NO_LINES == open_lines(b"", head_of(NO_LINES, 10))


@pytest.mark.parametrize(
    ("reason", "altered"),
    [
        ("snapshot signature", lambda data: data.replace(b"604800", b"604801")),
        ("snapshot signature", lambda data: data.replace(b'"number":9', b'"number":8')),
        ("snapshot signature", lambda data: data.replace(b'"lines":2', b'"lines":3')),
        ("snapshot town", lambda data: data.replace(TOWN.text.encode(), b"0" * 64)),
        ("snapshot name", lambda data: data.replace(b'"gallery-1"', b'"gallery-2"')),
        ("snapshot", lambda data: data[:-2]),
        ("snapshot", lambda _: b"[" * HEAD_BYTES_MAX),
        ("snapshot too large", lambda data: data + b" " * HEAD_BYTES_MAX),
    ],
)
def test_altered_head_is_refused(reason: str, altered: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SnapshotError) as refused:
        open_head(altered(seal_head(HEAD, TOWN, OFFICE)), 1, TOWN, KEYS)

    assert reason == refused.value.reason


def test_one_schemes_head_is_never_anothers() -> None:
    """HART's gallery is never readable as Pub Watch's (G4)."""
    with pytest.raises(SnapshotError, match="snapshot name"):
        open_head(seal_head(HEAD, TOWN, OFFICE), 2, TOWN, KEYS)
    with pytest.raises(SnapshotError, match="snapshot name"):
        open_head(seal_named("gallery-2", HEAD, TOWN, OFFICE, lambda _: HEAD), 2, TOWN, KEYS)


def test_head_is_no_other_snapshot_and_no_other_signer_or_town_counts() -> None:
    data = seal_head(HEAD, TOWN, OFFICE)
    with pytest.raises(SnapshotError, match="snapshot name"):
        open_snapshot(data, People, TOWN, KEYS)
    for keys in ((), (SigningKey(b"x" * 32).public,)):
        with pytest.raises(SnapshotError, match="signature"):
            open_head(data, 1, TOWN, keys)
    with pytest.raises(SnapshotError, match="town"):
        open_head(data, 1, Town(SigningKey(b"b" * 32).public), KEYS)


@pytest.mark.parametrize(
    "fields",
    [{"lease_s": 0}, {"lease_s": LEASE_S_MAX + 1}, {"number": 0}, {"lines": -1}, {"lines": 10_001}, {"digest": "x"}],
    ids=str,
)
def test_head_out_of_bounds_is_not_published(fields: dict[str, Any]) -> None:
    with pytest.raises(EncodeError):
        seal_head(replace(HEAD, **fields), TOWN, OFFICE)


def test_change_makes_the_lines_that_the_head_names() -> None:
    assert merge(HELD, 8, HEAD, CHANGE, GONE) == LINES
    assert merge(NO_LINES, 0, HEAD, LINES.data, ()) == LINES
    assert merge(LINES, 9, head_of(NO_LINES, 10), b"", (17, 18)) == NO_LINES


@pytest.mark.parametrize(
    ("reason", "held", "number", "change", "gone"),
    [
        ("gallery digest", HELD, 8, CHANGE, ()),
        ("gallery digest", HELD, 8, b"", GONE),
        ("gallery digest", HELD, 8, CHANGE, (5, 18)),
        ("gallery digest", NO_LINES, 8, CHANGE, GONE),
        ("gallery digest", HELD, 8, CHANGE.replace(b'"not_after_s":1', b'"not_after_s":2'), GONE),
        ("gallery change", HELD, 9, CHANGE, GONE),
        ("gallery change", HELD, 10, CHANGE, GONE),
        ("gallery change", HELD, 8, LINES.data, GONE),
        ("gallery change", HELD, 8, CHANGE.replace(b'"since":9', b'"since":10'), GONE),
        ("gallery lines", HELD, 8, CHANGE[:-1], GONE),
    ],
)
def test_change_that_does_not_make_what_the_head_names_is_refused(
    reason: str, held: Lines, number: int, change: bytes, gone: tuple[int, ...]
) -> None:
    """A shop then goes on with what it held, and fetches the whole: it shows from nothing that no head names."""
    with pytest.raises(GalleryError) as refused:
        merge(held, number, HEAD, change, gone)

    assert refused.value.reason == reason


def test_whole_file_that_is_not_what_the_head_names_is_refused() -> None:
    for data in (HELD.data, b"", LINES.data.replace(b'"since":9', b'"since":8')):
        with pytest.raises(GalleryError, match="gallery digest"):
            open_lines(data, HEAD)


@given(st.integers(0, 2**32))
def test_any_history_is_followed_from_any_number_in_it(seed: int) -> None:
    """Whoever missed some of it gets to the same lines as who missed nothing."""
    pick = random.Random(seed)
    now: dict[int, GalleryLine] = {}
    gone: dict[int, int] = {}
    history = [(0, NO_LINES)]
    for number in range(1, 8):
        for case in pick.sample(range(1, 9), pick.randint(1, 4)):
            if now.pop(case, None) is None or pick.random() < 0.5:
                now[case] = line(case, since=number, has_photograph=pick.random() < 0.5)
                gone.pop(case, None)
            else:
                gone[case] = number
        history.append((number, Lines.of(now.values())))
    newest = history[-1][1]
    for number, held in history[:-1]:
        since = tuple(case for case, at in gone.items() if at > number)
        assert merge(held, number, head_of(newest, 7), newest.after(number), since) == newest


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        open_head(data, 1, TOWN, KEYS)
    if data:
        with pytest.raises(GalleryError):
            merge(HELD, 8, HEAD, data, GONE)


@given(st.data())
def test_no_change_of_a_byte_is_taken_for_the_head(data: st.DataObject) -> None:
    sealed = bytearray(seal_head(HEAD, TOWN, OFFICE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = open_head(bytes(sealed), 1, TOWN, KEYS)
    except SnapshotError:
        return

    assert read == HEAD


def test_file_names_are_read_back_and_others_are_none() -> None:
    assert parse_head_file(head_file(1, 42)) == (1, 42)
    assert parse_lines_file(lines_file(1, 42)) == (1, 42)
    assert parse_ciphertext_file(ciphertext_file("ab" * 32)) == "ab" * 32
    for text in ("gallery-0-1.json", "gallery-1-0.json", "gallery-1.json", ".gallery-1-1.json", "gallery-1-1.json.x"):
        assert parse_head_file(text) is None
        assert parse_lines_file(text.replace("json", "lines")) is None
    assert parse_head_file(lines_file(1, 42)) is None
    assert parse_lines_file(head_file(1, 42)) is None
    assert parse_head_file("gallery-99999-1.json") is None
    for text in ("AB" * 32 + ".bin", "ab" * 31 + ".bin", "." + "ab" * 32 + ".bin"):
        assert parse_ciphertext_file(text) is None
    assert parse_file_name(head_file(1, 42)) is None
