"""The *Demo authenticator*: what the people of this run would have in their heads and on their phones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import msgspec
import pyotp

from demo.office_people import DemoAccount

_STEP_S: Final = 30
"""RFC 6238: a code is good for so long."""


class CodeLine(msgspec.Struct, frozen=True):
    """One account's code now."""

    username: str
    code: str


class Codes(msgspec.Struct, frozen=True):
    """All codes, and for how many seconds they last."""

    seconds: int
    lines: tuple[CodeLine, ...]


def codes_of(accounts: Sequence[DemoAccount], now_s: float | None = None) -> Codes:
    """The codes at ``now_s``, Unix time; ``None`` = now."""
    at_s = int(time.time() if now_s is None else now_s)
    lines = (CodeLine(one.username, pyotp.TOTP(one.totp_secret).at(at_s)) for one in accounts)
    return Codes(_STEP_S - at_s % _STEP_S, tuple(lines))
