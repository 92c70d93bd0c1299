"""One-time codes on paper, the last resort when office, phone and passkey all fail.

A code has 80 random bits as sixteen letters and digits, ``K7PM-2QXD-9RTA-W4HC``, so its digest may be published: nobody
finds the code by trying. Letters that are misread (I, L, O, U) do not occur and are read as what they look like.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32: five bits a character."""
CODE_CHARS: Final = 16
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


def code_text(random: bytes) -> str:
    """Ten random bytes as a code, in groups of four.

    Raises:
        ValueError: not ten bytes.
    """
    if len(random) * 8 != CODE_CHARS * 5:
        raise ValueError(f"a code has ten random bytes, not {len(random)}")
    value = int.from_bytes(random, "big")
    characters = "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(CODE_CHARS)))
    return "-".join(characters[start : start + 4] for start in range(0, CODE_CHARS, 4))


def code_digest(account: int, typed: str) -> str | None:
    """What the snapshot lists of a code: SHA-256 over account and code, 64 hexadecimal digits.

    Case, spaces and dashes do not matter. ``None`` if it cannot be a code.
    """
    code = read_code(typed)
    return None if code is None else sha256(f"watchlink/1/printed code\n{account}\n{code}".encode()).hexdigest()


def read_code(typed: str) -> str | None:
    """The sixteen characters of a code; ``None`` if it cannot be one."""
    if len(typed) > 4 * CODE_CHARS:
        return None
    code = typed.strip().upper().translate(_READ_AS)
    return code if len(code) == CODE_CHARS and set(code) <= set(ALPHABET) else None
