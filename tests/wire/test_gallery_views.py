"""The view log's chain: that a copied card shows, and a missing record too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.gallery_examples import TOWN
from wire.gallery_lines import GalleryError
from wire.gallery_views import (
    VIEW_BYTES_MAX,
    VIEWS_BYTES_MAX,
    VIEWS_MAX,
    Continued,
    View,
    ViewHead,
    ViewRecord,
    continue_chain,
    head_of,
    is_forked,
    no_views,
    read_views,
    write_view,
)
from wire.ids import NodeId
from wire.signing import SigningKey
from wire.snapshots import Town

START = no_views(TOWN, NodeId(0x10))


def chain(count: int, after: ViewHead = START, *, staff: int = 4) -> tuple[View, ...]:
    """Records that follow."""
    views = []
    for _ in range(count):
        at_s = 1_772_926_800 + after.n
        record = ViewRecord(
            n=after.n + 1, at_s=at_s, is_proven=True, staff=staff, scheme=1, case=17, kind="person", before=after.digest
        )
        views.append(write_view(record))
        after = head_of(views[-1])
    return tuple(views)


def sent(views: tuple[View, ...]) -> bytes:
    return b"".join(view.data + b"\n" for view in views)


class Kept:
    """What an office keeps of a node."""

    def __init__(self) -> None:
        self.head = START
        self.digests: dict[int, str] = {}

    def take(self, views: tuple[View, ...]) -> Continued:
        found = continue_chain(self.head, read_views(sent(views)), self.digests.get)
        self.head = found.head
        self.digests |= {view.record.n: view.digest for view in found.new}
        return found


VIEWS = chain(6)


def test_records_are_taken_once_each_in_whatever_parts_they_come() -> None:
    kept = Kept()
    assert kept.take(VIEWS[:2]) == Continued(VIEWS[:2], head_of(VIEWS[1]))
    assert kept.take(VIEWS[:2]) == Continued((), head_of(VIEWS[1]))
    assert kept.take(VIEWS[1:5]).new == VIEWS[2:5]
    assert kept.take(()) == Continued((), head_of(VIEWS[4]))
    assert kept.take(VIEWS[5:]) == Continued(VIEWS[5:], head_of(VIEWS[5]))


@pytest.mark.parametrize("common", [0, 1, 3, 5])
@pytest.mark.parametrize("other", [1, 4])
def test_two_that_go_on_differently_are_a_fork(common: int, other: int) -> None:
    """A copied card: both show people, and both have the same name. Longer or shorter than the first one's."""
    kept = Kept()
    kept.take(VIEWS)
    copied = chain(other, head_of(VIEWS[common - 1]) if common else START, staff=9)

    found = kept.take(copied)

    assert (found.fault, found.at, found.new) == ("fork", common + 1, ())
    assert kept.head == head_of(VIEWS[-1])


def test_fork_right_after_the_last_kept_record_is_seen() -> None:
    kept = Kept()
    kept.take(VIEWS[:3])
    other = chain(3, staff=9)

    assert kept.take(chain(1, head_of(other[-1]))).fault == "fork"


def test_chain_of_another_node_or_town_is_a_fork() -> None:
    for start in (no_views(TOWN, NodeId(0x11)), no_views(Town(SigningKey(b"b" * 32).public), NodeId(0x10))):
        assert Kept().take(chain(2, start)).fault == "fork"


def test_missing_records_are_a_gap_and_what_came_is_kept() -> None:
    kept = Kept()
    kept.take(VIEWS[:2])

    assert kept.take(VIEWS[4:]) == Continued(VIEWS[4:], head_of(VIEWS[5]), "gap", 3)


def test_record_far_ahead_keeps_nothing_of_what_comes_late_from_being_kept() -> None:
    """The thief of a copy sends one record with the highest number; whom the shop itself shows is kept all the same."""
    kept = Kept()
    kept.take(VIEWS[:1])
    far = head_of(VIEWS[0])
    assert "gap" == kept.take(chain(1, replace(far, n=2**30))).fault

    assert VIEWS[1:4] == kept.take(VIEWS[:4]).new
    assert () == kept.take(VIEWS[1:4]).new
    assert "fork" == kept.take(chain(1, head_of(VIEWS[2]), staff=9)).fault
    assert 2**30 + 1 == kept.head.n


def test_where_a_node_says_it_has_come_to_shows_a_fork_before_a_record_comes() -> None:
    kept = Kept()
    kept.take(VIEWS)
    other = head_of(chain(2, head_of(VIEWS[2]), staff=9)[-1])

    assert is_forked(kept.head, other, kept.digests.get)
    assert is_forked(kept.head, replace(head_of(VIEWS[-1]), digest="0" * 64), kept.digests.get)
    for honest in (head_of(VIEWS[2]), kept.head, head_of(chain(1, kept.head)[0])):
        assert not is_forked(kept.head, honest, kept.digests.get)
    assert is_forked(START, replace(START, digest="0" * 64), kept.digests.get)


@pytest.mark.parametrize(
    "altered",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b'"staff":4', b'"staff":5', 1),
        lambda data: data.replace(b'"n":2', b'"n":3'),
        lambda data: b"".join(data.splitlines(keepends=True)[::-1]),
        lambda data: b"".join(data.splitlines(keepends=True)[::2]),
        lambda data: data + data,
        lambda data: data + b"\n",
        lambda data: data + b"{}\n",
        lambda data: data.replace(b'"kind":"person"', b'"kind":"Person"'),
        lambda _: b"[" * VIEW_BYTES_MAX + b"\n",
        lambda _: b'{"later":"' + b"x" * VIEW_BYTES_MAX + b'"}\n',
        lambda _: b"\n" * (VIEWS_MAX + 1),
        lambda _: b"x" * (VIEWS_BYTES_MAX + 1),
    ],
    ids=range(13),
)
def test_what_is_no_chain_is_refused(altered: Callable[[bytes], bytes]) -> None:
    with pytest.raises(GalleryError, match="gallery views"):
        read_views(altered(sent(VIEWS[:3])))


def test_longest_record_fits_and_one_out_of_bounds_is_not_written() -> None:
    largest = ViewRecord(
        n=2**53, at_s=2**40, is_proven=True, staff=2**53, scheme=65_535, case=2**53, kind="x" * 32, before="ab" * 32
    )

    assert len(write_view(largest).data) <= VIEW_BYTES_MAX // 2
    with pytest.raises(GalleryError):
        write_view(replace(largest, n=0))


def test_field_of_a_newer_node_counts_in_the_digest() -> None:
    (view,) = read_views(sent(VIEWS[:1]).replace(b'"kind"', b'"later":1,"kind"'))

    assert view.record == VIEWS[0].record
    assert view.digest != VIEWS[0].digest


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    if data:
        with pytest.raises(GalleryError):
            read_views(data)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
def test_an_honest_node_is_never_called_a_fork(parts: list[tuple[int, int]]) -> None:
    """In whatever order, and how often, its records come."""
    kept = Kept()
    for start, end in parts:
        assert kept.take(VIEWS[start:end]).fault in {"", "gap"}
