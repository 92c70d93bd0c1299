from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.formula_guard import guard_cell, unguard_cell

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@'\t\r\n\",;"), max_size=12)


@given(texts | st.sampled_from(["\t=1", "\r=1", "\n=1"]))
def test_guard_is_undone(text: str) -> None:
    guarded = guard_cell(text)

    assert unguard_cell(guarded) == text
    assert guarded[:1] not in tuple("=+@\t\r\n＝＋－＠")


@pytest.mark.parametrize("text", ["=1+1", "+44 1604 496000", "-2+3", "@SUM(A1)", "＝1", "'=1", "\n=1", "-1\n"])
def test_guard_puts_an_apostrophe_before_a_formula(text: str) -> None:
    assert guard_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-0.9027", "'tis", "O'Neill", "''quoted''", "5-a-side", ""])
def test_guard_leaves_numbers_and_words(text: str) -> None:
    assert guard_cell(text) == text == unguard_cell(text)
