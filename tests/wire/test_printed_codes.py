"""One-time codes on paper: read as people write them."""

from __future__ import annotations

import pytest

from wire.printed_codes import ALPHABET, code_digest, code_text

CODE = code_text(bytes(range(246, 256)))


def test_code_is_sixteen_characters_in_fours() -> None:
    assert [4, 4, 4, 4] == [len(group) for group in CODE.split("-")]
    assert set(CODE) - {"-"} <= set(ALPHABET)
    assert "0000-0000-0000-0000" == code_text(bytes(10))
    assert "ZZZZ-ZZZZ-ZZZZ-ZZZZ" == code_text(b"\xff" * 10)


def test_code_is_read_however_it_is_written() -> None:
    digest = code_digest(3, CODE)

    assert digest is not None
    assert digest == code_digest(3, f"  {CODE.lower().replace('-', ' ')} ")
    assert code_digest(3, "0011-" * 3 + "0011") == code_digest(3, "oOiL-" * 3 + "OolI")


def test_code_of_another_person_has_another_digest() -> None:
    assert code_digest(3, CODE) != code_digest(4, CODE)


@pytest.mark.parametrize("typed", ["", CODE[:-1], CODE + "A", CODE.replace(CODE[0], "U"), "é" * 16, "A" * 100])
def test_other_text_is_no_code(typed: str) -> None:
    assert code_digest(3, typed) is None


def test_code_needs_eighty_bits() -> None:
    with pytest.raises(ValueError, match="ten random bytes"):
        code_text(b"short")
