"""Claim codes: made from random bytes, read as people type them, typos told with their group."""

from __future__ import annotations

import itertools
import re

import pytest

from wire.claim_code import CODE_CHARS, RANDOM_BYTES, ClaimCodeError, claim_code, claim_hash, read_claim_code
from wire.printed_codes import ALPHABET

CODE = claim_code(bytes(range(200, 200 + RANDOM_BYTES)))
GROUPS = CODE.split("-")


def typed_wrong(typed: str) -> ClaimCodeError:
    with pytest.raises(ClaimCodeError) as caught:
        read_claim_code(typed)
    return caught.value


def test_code_is_seven_groups_of_four_of_the_alphabet() -> None:
    assert re.fullmatch(rf"([{ALPHABET}]{{4}}-){{6}}[{ALPHABET}]{{4}}", CODE)
    assert "S342-WNJ1-YCSW-Q7C7-ZM6F-HTB2-9X9M" == CODE


def test_code_has_every_one_of_its_105_bits() -> None:
    """A bit that no character shows would be missing against whoever guesses."""
    random = int.from_bytes(bytes(range(200, 200 + RANDOM_BYTES)), "big")
    others = {claim_code((random ^ 1 << bit).to_bytes(RANDOM_BYTES, "big")) for bit in range(7, RANDOM_BYTES * 8)}

    assert 105 == len(others - {CODE})


def test_code_needs_fourteen_bytes() -> None:
    with pytest.raises(ValueError, match="14 random bytes, not 4"):
        claim_code(b"weak")


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        f"  {CODE.replace('-', ' ')}\n",
        CODE.replace("-", " – "),
        CODE.replace("-", ".").replace("1", "l"),
        CODE.replace("1", "I").replace("0", "o"),
        " ".join(CODE),
    ],
)
def test_code_is_read_however_it_is_typed(typed: str) -> None:
    assert CODE == read_claim_code(typed)


def test_code_with_zeros_and_ones_is_read_from_letters_that_look_like_them() -> None:
    code = claim_code(bytes(4) + b"\x08\x42" * 5)

    assert {"0", "1"} <= set(code)
    assert code == read_claim_code(code.replace("0", "O").replace("1", "L"))


def test_every_wrong_character_is_told_with_its_group() -> None:
    plain = CODE.replace("-", "")
    for place, letter in itertools.product(range(CODE_CHARS), ALPHABET):
        if letter != plain[place]:
            error = typed_wrong(plain[:place] + letter + plain[place + 1 :])
            assert (place // 4 + 1,) == error.groups


def test_two_characters_that_changed_places_are_told_with_their_group() -> None:
    for number, group in enumerate(GROUPS):
        for one, other in itertools.combinations(range(4), 2):
            swapped = list(group)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            if "".join(swapped) != group:
                typed = "-".join([*GROUPS[:number], "".join(swapped), *GROUPS[number + 1 :]])
                assert (number + 1,) == typed_wrong(typed).groups


def test_groups_that_changed_places_are_told() -> None:
    for one, other in itertools.combinations(range(7), 2):
        swapped = GROUPS.copy()
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert (one + 1, other + 1) == typed_wrong("-".join(swapped)).groups


def test_letter_that_no_code_has_is_told_with_its_group() -> None:
    error = typed_wrong("-".join([*GROUPS[:2], "UÉ7K", *GROUPS[3:]]))

    assert (3,) == error.groups
    assert "Group 3 of the claim code cannot be right: check for typing errors." == error.sentence


def test_group_that_is_too_short_is_told() -> None:
    error = typed_wrong("-".join([*GROUPS[:4], GROUPS[4][:3], *GROUPS[5:]]))

    assert (5,) == error.groups
    assert "Group 5 of the claim code must have 4 letters and digits, like every group." == error.sentence


def test_several_wrong_groups_are_told_together() -> None:
    error = typed_wrong("-".join(["UUUU", GROUPS[1], "UUUU", *GROUPS[3:6], "UUUU"]))

    assert (1, 3, 7) == error.groups
    assert error.sentence.startswith("Groups 1, 3 and 7 ")


@pytest.mark.parametrize("typed", ["", "   ", "K7PM-2QXD-9RTA-W4HC", CODE.replace("-", "") + "A", "A" * 5000])
def test_what_has_another_length_is_no_code(typed: str) -> None:
    error = typed_wrong(typed)

    assert () == error.groups
    assert "28 letters and digits" in error.sentence


def test_error_says_nothing_of_the_code() -> None:
    """It goes to logs and screens, and six right groups are most of a secret."""
    text = str(typed_wrong("-".join([*GROUPS[:6], "UUUU"])))

    assert not any(group in text for group in GROUPS)


def test_no_code_is_all_zeros() -> None:
    assert (1, 2, 3, 4, 5, 6, 7) == typed_wrong("0" * CODE_CHARS).groups


def test_hash_is_of_the_domain_and_the_code() -> None:
    assert claim_hash(CODE) == claim_hash(read_claim_code(CODE.lower().replace("-", " ")))
    assert "9b32" == claim_hash(CODE)[:4]
