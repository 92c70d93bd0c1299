"""Claim codes: what a label says, by which a new node proves once whose it is.

A code has 105 random bits and 35 of check, as 28 letters and digits in seven groups: ``K7PA-2QXM-…``. Each group ends
with a check of its own, so that a typo is told with its group. That check finds every single wrong character, every
two that changed places within a group, and every group in another's place; of other mistakes 31 out of 32.

=========  ==========================================================
character  meaning
=========  ==========================================================
1, 2, 3    15 random bits, most significant first
4          ``α⁴·group ⊕ α³·first ⊕ α²·second ⊕ α·third`` in GF(2⁵),
           α⁵ = α² + 1, with groups counted from 1
=========  ==========================================================

Letters that are misread (I, L, O, U) do not occur; I, L and O are read as what they look like.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import Final

from wire.errors import DecodeError
from wire.printed_codes import ALPHABET

RANDOM_BYTES: Final = 14
"""Of which the last seven bits are left out."""
GROUPS: Final = 7
GROUP_CHARS: Final = 4
CODE_CHARS: Final = GROUPS * GROUP_CHARS
_DATA_CHARS: Final = GROUP_CHARS - 1
_TYPED_CHARS_MAX: Final = 200
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_POLYNOMIAL: Final = 0b100101
_DOMAIN: Final = b"watchlink/1/claim\n"


class ClaimCodeError(DecodeError):
    """What was typed is no claim code. Nothing of it is in the text, which goes to logs.

    Attributes:
        sentence: for whoever typed it.
        groups: those with a typo, counted from 1; none if that cannot be told.
    """

    def __init__(self, reason: str, sentence: str, groups: Sequence[int] = ()) -> None:
        super().__init__(reason, detail=sentence)
        self.sentence = sentence
        self.groups = tuple(groups)


def claim_code(random: bytes) -> str:
    """Fourteen random bytes as a code.

    Raises:
        ValueError: not fourteen bytes.
    """
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a claim code has {RANDOM_BYTES} random bytes, not {len(random)}")
    digits = GROUPS * _DATA_CHARS
    value = int.from_bytes(random, "big") >> RANDOM_BYTES * 8 - digits * 5
    values = [value >> 5 * place & 31 for place in reversed(range(digits))]
    groups = [values[start : start + _DATA_CHARS] for start in range(0, digits, _DATA_CHARS)]
    return "-".join(
        "".join(ALPHABET[one] for one in (*group, _check(number, group))) for number, group in enumerate(groups, 1)
    )


def read_claim_code(typed: str) -> str:
    """The code as :func:`claim_code` writes it.

    Case does not matter, nor what stands between the groups, nor whether anything does.

    Raises:
        ClaimCodeError: it is none; says which groups hold a typo, if that can be told.
    """
    if len(typed) > _TYPED_CHARS_MAX:
        raise ClaimCodeError("claim code", f"This is no claim code: one has {CODE_CHARS} letters and digits.")
    plain = unicodedata.normalize("NFKC", typed).upper().translate(_READ_AS)
    parts = "".join(c if c.isalnum() else " " for c in plain).split()
    joined = "".join(parts)
    if len(joined) != CODE_CHARS:
        raise _of_wrong_length(parts, len(joined))
    groups = [joined[start : start + GROUP_CHARS] for start in range(0, CODE_CHARS, GROUP_CHARS)]
    wrong = [number for number, group in enumerate(groups, 1) if not _is_whole(number, group)]
    if wrong:
        raise ClaimCodeError(
            "claim code", f"{_named(wrong)} of the claim code cannot be right: check for typing errors.", wrong
        )
    return "-".join(groups)


def claim_hash(code: str) -> str:
    """What is stored of a code, 64 hexadecimal digits: SHA-256 over its domain and the code without dashes.

    No salt and no slow hash, which make up for secrets that people choose. This one has 105 random bits: 2¹⁰⁵ trials
    cannot be made, and no two codes are equal, so whoever steals the list learns no code from it.

    Args:
        code: as :func:`claim_code` or :func:`read_claim_code` give it.
    """
    return hashlib.sha256(_DOMAIN + code.replace("-", "").encode("ascii")).hexdigest()


def _check(number: int, data: Sequence[int]) -> int:
    value = number
    for one in data:
        value = _doubled(value) ^ one
    return _doubled(value)


def _doubled(value: int) -> int:
    """Times α."""
    return value << 1 ^ (_POLYNOMIAL if value & 0b10000 else 0)


def _is_whole(number: int, group: str) -> bool:
    values = [ALPHABET.find(c) for c in group]
    return -1 not in values and _check(number, values[:-1]) == values[-1]


def _of_wrong_length(parts: Sequence[str], chars: int) -> ClaimCodeError:
    wrong = [number for number, part in enumerate(parts, 1) if len(part) != GROUP_CHARS]
    if len(parts) == GROUPS:
        return ClaimCodeError(
            "claim code",
            f"{_named(wrong)} of the claim code must have {GROUP_CHARS} letters and digits, like every group.",
            wrong,
        )
    return ClaimCodeError(
        "claim code",
        f"A claim code has {CODE_CHARS} letters and digits in {GROUPS} groups of {GROUP_CHARS}; this has {chars}.",
    )


def _named(groups: Sequence[int]) -> str:
    texts = [str(group) for group in groups]
    return f"Group {texts[0]}" if len(texts) == 1 else f"Groups {', '.join(texts[:-1])} and {texts[-1]}"
