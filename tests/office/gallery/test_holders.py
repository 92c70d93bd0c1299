"""Who may hold a line's keys, and which cases are gone since a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.gallery import holders as module
from office.gallery.holders import (
    Holders,
    HoldersError,
    LineHolders,
    decode_holders,
    encode_holders,
    first_holders,
    holders_file,
    next_holders,
    parse_holders_file,
)
from tests.wire.gallery_examples import line
from wire.gallery_head import head_file
from wire.gallery_lines import Lines

ONE = LineHolders(case=17, premises=(3, 5), here=(3,), wrapped_key=b"w" * 60)
TWO = LineHolders(case=18)
HOLDERS = first_holders(1, 42, (ONE, TWO))


def test_holders_are_read_back_and_belong_to_one_gallery() -> None:
    data = encode_holders(HOLDERS)
    assert decode_holders(data, 1, 42) == HOLDERS
    for scheme, number in ((2, 42), (1, 43)):
        with pytest.raises(HoldersError):
            decode_holders(data, scheme, number)
    assert HOLDERS.fit(Lines.of((line(17), line(18))))
    assert not HOLDERS.fit(Lines.of((line(17),)))
    assert not HOLDERS.fit(Lines.of((line(17), line(19))))


def test_listed_premises_may_show_and_no_other() -> None:
    assert [ONE.may_show(number) for number in (0, 3, 4, 5)] == [False, True, False, True]
    assert TWO.may_show(4)
    assert TWO.may_show(0)


def test_case_that_comes_back_is_not_gone() -> None:
    without = next_holders(HOLDERS, 43, (TWO,))
    assert [without.gone_after(number) for number in (0, 41, 42, 43, 44)] == [(), None, (17,), (), None]
    back = next_holders(without, 44, (ONE, TWO))

    assert [back.gone_after(number) for number in (42, 43, 44)] == [(), (), ()]


def test_oldest_of_too_many_that_are_gone_are_forgotten_and_who_needs_them_fetches_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GONE_KEPT", 2)
    holders = first_holders(1, 1, tuple(LineHolders(case=case) for case in range(1, 5)))
    for number in range(2, 5):
        holders = next_holders(holders, number, holders.lines[1:])

    assert [holders.gone_after(number) for number in (1, 2, 3, 4)] == [None, (2, 3), (3,), ()]


def test_names_of_files_are_read_back_and_others_are_none() -> None:
    assert parse_holders_file(holders_file(1, 42)) == (1, 42)
    for text in (head_file(1, 42), "gallery-0-1.holders", ".gallery-1-1.holders", "gallery-1-1.holders.x"):
        assert parse_holders_file(text) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(HoldersError):
        decode_holders(data, 1, 42)


@given(st.lists(st.frozensets(st.integers(1, 6)), min_size=1, max_size=8))
def test_gone_since_any_number_is_what_was_there_and_is_not(galleries: list[frozenset[int]]) -> None:
    """A case that has come back is named to nobody: it has a line, whose number says since when."""
    holders: Holders | None = None
    for number, cases in enumerate(galleries, start=1):
        lines = tuple(LineHolders(case=case) for case in sorted(cases))
        holders = first_holders(1, number, lines) if holders is None else next_holders(holders, number, lines)
    assert holders is not None
    for number, cases in enumerate(galleries, start=1):
        gone = holders.gone_after(number)
        assert gone is not None
        assert cases - galleries[-1] <= frozenset(gone)
        assert not frozenset(gone) & galleries[-1]
