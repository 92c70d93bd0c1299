"""What a shopkeeper reads when something is not shown: short, whole, and with somebody to call."""

from __future__ import annotations

import pytest

from gallery.core.effects import NotShown, SignIn
from gallery.core.readable import WHOLE, Why
from gallery.core.words import NOT_SHOWN, NOTHING_YET, SIGN_IN, WORDS, Words

LET_IN = {SignIn.OPEN, SignIn.CHOOSE_PIN}


def test_nothing_is_without_words() -> None:
    assert (set(Why), set(NotShown), set(SignIn) - LET_IN) == (set(WORDS), set(NOT_SHOWN), set(SIGN_IN))


@pytest.mark.parametrize("words", [*WORDS.values(), *NOT_SHOWN.values(), *SIGN_IN.values(), NOTHING_YET])
def test_words_are_short_sentences(words: Words) -> None:
    """What, why, what to do: each fits on a phone."""
    texts = (words.what, words.why, words.to_do)

    assert all(text.endswith(".") for text in texts)
    assert 200 >= max(map(len, (*texts, words.call)))


@pytest.mark.parametrize("why", sorted(WHOLE))
def test_gallery_that_is_off_says_whom_to_call(why: Why) -> None:
    assert WORDS[why].call
