"""Telephone numbers and e-mail addresses: read as people type them, kept as machines send to them. Pure.

Not by ``phonenumbers``, which is lenient: by length alone it takes ``07700 9001`` and ``0770O 900123`` for numbers, and
by its tables of ranges it refuses those for examples (07700 900…), and new ones until its next release.
"""

from __future__ import annotations

import re
from typing import Final

from wire.snapshots import WayEntry

EMAIL_CHARS_MAX: Final = 254
"""RFC 5321, section 4.5.3.1.3, without its brackets."""
LOCAL_CHARS_MAX: Final = 64
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_E164: Final = re.compile(r"\+[1-9][0-9]{7,14}")
"""ITU-T E.164: 15 digits at most. None that sends a text message has fewer than eight."""
_BRITISH: Final = re.compile(r"\+44(?:[1-9][0-9]{9}|1[0-9]{8})")
"""Some towns still have numbers of nine digits after the 0."""
_COSTLY: Final = ("+449", "+4470")
"""Premium-rate and personal numbers: each message to one would cost the scheme pounds."""
_SPACES: Final = str.maketrans("", "", " \t\u00a0\u202f-\u2010\u2011\u2013.()/")

NOT_A_WAY: Final = "Enter a telephone number, such as 07700 900123 or +353 85 123 4567, or an e-mail address."
NOT_BRITISH: Final = "This is not a whole British number: check its digits, or begin with + and the country."
COSTLY: Final = "Messages to this number cost too much: enter an ordinary mobile number."
TWICE: Final = "This stands here twice: leave it out once."


class WayRefusedError(ValueError):
    """What was typed is no way to reach anybody, as a sentence that says what to do."""


def read_way(text: str) -> WayEntry:
    """``"07700 900123"`` → a text message to ``+447700900123``; with an ``@`` an e-mail.

    Raises:
        WayRefusedError: it is neither.
    """
    typed = text.strip()
    if "@" in typed:
        local = typed.partition("@")[0]
        is_email = _EMAIL.fullmatch(typed) and len(typed) <= EMAIL_CHARS_MAX and len(local) <= LOCAL_CHARS_MAX
        if not is_email or local.startswith(".") or local.endswith(".") or ".." in local:
            raise WayRefusedError(NOT_A_WAY)
        return WayEntry(way="email", to=typed)
    return WayEntry(way="sms", to=_number(typed))


def shown(to: str) -> str:
    """As people read it: a British number as it is dialled at home, all else as it is kept."""
    if not _BRITISH.fullmatch(to):
        return to
    digits = "0" + to.removeprefix("+44")
    if digits.startswith("02"):
        parts = digits[:3], digits[3:7], digits[7:]
    elif re.match(r"011|01.1|03|08", digits):
        parts = digits[:4], digits[4:7], digits[7:]
    else:
        parts = digits[:5], digits[5:], ""
    return " ".join(parts).strip()


def _number(typed: str) -> str:
    """As E.164."""
    bare = typed.replace("(0)", "").translate(_SPACES)
    number = "+" + bare[2:] if bare.startswith("00") else bare
    if number.startswith("0"):
        number = "+44" + number[1:]
    elif not number.startswith("+"):
        raise WayRefusedError(NOT_A_WAY)
    if number.startswith("+44") and number[1:].isascii() and number[1:].isdigit() and not _BRITISH.fullmatch(number):
        raise WayRefusedError(NOT_BRITISH)
    if not _E164.fullmatch(number):
        raise WayRefusedError(NOT_A_WAY)
    if number.startswith(_COSTLY):
        raise WayRefusedError(COSTLY)
    return number
