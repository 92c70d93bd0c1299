"""What people read on their phones says nothing of where, who or what kind, on any occasion."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec.structs import replace

from notifier.texts import SENTENCES, sentence
from tests.notifier.test_desk import text
from wire.notices import Notice, Occasion

PAGE = "https://central.example/"


def test_there_is_a_sentence_for_each_occasion() -> None:
    assert {*get_args(Occasion)} == {*SENTENCES}


@pytest.mark.parametrize(
    ("occasion", "said"),
    [
        ("alert", "Watchlink: an alert waits. https://central.example/wake/r"),
        ("shift", "Watchlink: your shift begins. https://central.example/wake/r"),
        ("premises-alert", "Watchlink: an alert at your premises."),
    ],
)
def test_members_contact_gets_no_address_for_nothing_would_open(occasion: Occasion, said: str) -> None:
    notice: Notice = replace(text(), occasion=occasion)

    assert said == sentence(notice, PAGE)
    assert said.partition(" https")[0] == sentence(notice, "")
