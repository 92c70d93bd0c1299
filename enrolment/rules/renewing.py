"""Whether a node gets another certificate (ADR 0031). Pure: no clock, no disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from wire.renewal import BACKDATED, CERTIFICATE_LIFE, may_come_back

A_DAY_MAX = 6
"""In one name. Whoever asks for more is broken, or fills the register."""

Problem = Literal["unknown node", "struck", "too old", "slow down"]


class Made(Struct, frozen=True):
    """A certificate that the service has made in the name that is asked for.

    Attributes:
        ends_at: aware.
        is_for_this_key: of the key that is asked for.
        pem: with its issuer's after it.
    """

    ends_at: datetime
    is_for_this_key: bool
    pem: str


def judge(*, is_known: bool, is_struck: bool, made: Sequence[Made], now: datetime) -> Made | Problem | None:
    """What becomes of a request that its node has signed.

    Args:
        is_known: the authority lists the node, or it was enrolled here.
        is_struck: the authority has struck it off.
        made: everything in that name, oldest first. Of a node whose first certificate an engineer carried there is
            nothing, and so nobody says when that one ended.
        now: aware.

    Returns the certificate that the node has for this key already, because its answer was lost; why it gets none; or
    ``None``: sign one.
    """
    if not is_known:
        return "unknown node"
    if is_struck:
        return "struck"
    # Those that begin only later were made while this machine's clock was wrong: nobody is let in with them.
    made = [one for one in made if one.ends_at - now <= CERTIFICATE_LIFE + BACKDATED]
    if made and not may_come_back(made[-1].ends_at, now):
        return "too old"
    for one in reversed(made):
        if one.is_for_this_key and one.ends_at - now > CERTIFICATE_LIFE / 2:
            return one
    today = [one for one in made if one.ends_at - CERTIFICATE_LIFE > now - timedelta(days=1)]
    return "slow down" if len(today) >= A_DAY_MAX else None
