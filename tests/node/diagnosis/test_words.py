"""Words that may leave the unit: ours, and nobody's name (D)."""

from __future__ import annotations

import pytest

from node.diagnosis.words import Words, vocabulary

WORDS = Words(["The Test Button", "High Street", "HART", "broker.town.example"], {"00000010"})


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("the broker refuses our certificate: it has expired", "the broker refuses our certificate: it has expired"),
        ("no such shop as Smithson's in Leicester", "no such shop as … in …"),
        ("the test button of The Test Button, High Street", "‹name› of ‹name› ‹name›"),
        ("members of hart, and of hartlepool", "members of ‹name› and of ‹name›"),
        ("no broker answers at broker.town.example:8883", "no broker answers at ‹name›"),
        ("192.0.2.10 fe80::1 10.0.0.1:8883", "…"),
        ("ring 0116 4960123 or 07700900123", "… or …"),
        (
            "/var/lib/watchlink-node/client.key: Permission denied",
            "/var/lib/watchlink-node/client.key: Permission denied",
        ),
        ("/media/Smithson/client.key:", "…/client.key"),
        ("/srv/hart/client.key /srv/hart", "…/client.key ‹name›"),
        ("frame 00000010-77 and 00000099-77 of deadbeef", "frame 00000010-77 and … of …"),
        ("0a1b2c3d4e5f60718293a4b5c6d7e8f9", "…"),
        ("пароль 秘密 ————— !!!!!", "…"),
        ("in 89 days, on 25 Feb 2027, 65393 MB free", "in 89 days, on 25 Feb 2027, … MB free"),
        ("PSK=hunter2x", "…"),
    ],
)
def test_words_pass_one_by_one(text: str, cleaned: str) -> None:
    assert cleaned == WORDS.clean(text)


def test_text_is_cut_and_on_one_line() -> None:
    assert ("\n" not in WORDS.clean("the\nunit"), 600) == (True, len(WORDS.clean("unit " * 1_000)))


def test_vocabulary_knows_the_systems_errors_and_no_example_from_a_docstring() -> None:
    assert {"permission", "denied", "connected", "sqlite"} <= vocabulary()
    assert set() == {"boots", "leicester", "smith"} & vocabulary()
