"""When a certificate is renewed, when that is late, and who may come back (ADR 0031). Pure.

======  =======================================================================================
day     of a certificate that lasts 90 days
======  =======================================================================================
0       signed, and backdated by a day
45      half its life: from here on it may be renewed
45–54   each node has a moment of its own in here, so that a town installed on one afternoon does
        not come back on one afternoon
60      late: a third is left. Central's page names the premises, a month before anything ends
90      ended: the broker refuses it
455     too old: it cannot come back, and the node needs a new claim
======  =======================================================================================
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

import msgspec

CERTIFICATE_LIFE: Final = timedelta(days=90)
BACKDATED: Final = timedelta(hours=24)
"""A Raspberry Pi has no clock of its own, and may wake a little in the past."""
COMES_BACK_WITHIN: Final = timedelta(days=365)
"""After its end: a pub that was closed for a year."""
RETRY_FIRST: Final = timedelta(minutes=10)
RETRY_MAX: Final = timedelta(hours=6)
"""So a node that was without network for months is renewed within hours of having one."""

_SPREAD: Final = 10
"""The moments of a town lie in this part of a life."""
_LATE_LEFT: Final = 3
"""This part of a life is left when it is late."""
_RETRY_SPREAD: Final = 2
_DOMAIN: Final = b"watchlink/1/renewal-moment\x00"


class Life(msgspec.Struct, frozen=True):
    """A certificate's.

    Attributes:
        begins_at: when it was signed, aware: its own beginning is a day before (:data:`BACKDATED`).
        ends_at: aware, and later.
    """

    begins_at: datetime
    ends_at: datetime

    @property
    def length(self) -> timedelta:
        """From the signature to the end."""
        return self.ends_at - self.begins_at


class Tries(msgspec.Struct, frozen=True):
    """What came of asking, since the last success.

    Attributes:
        failures: in a row.
        failed_at: when the last one was, by the clock of then, aware; ``None`` = none.
    """

    failures: int = 0
    failed_at: datetime | None = None


def renewal_at(life: Life, name: str) -> datetime:
    """The moment from which ``name`` (a node's id) renews its certificate.

    Always the same for the same certificate, so that a node that restarts does not draw again, and another for the
    next one.
    """
    part = _share(name, life.ends_at.isoformat())
    return life.begins_at + life.length / 2 + life.length / _SPREAD * part


def next_try_at(life: Life, name: str, tries: Tries, now: datetime) -> datetime:
    """When to ask (again); if that is past, now.

    Args:
        life: of the certificate in use.
        name: the node's id.
        tries: since the last success.
        now: by the clock here, aware.
    """
    due_at = renewal_at(life, name)
    # A failure in the future was noted by a clock that has been put right since: it must not hold for years.
    if tries.failed_at is None or tries.failures < 1 or tries.failed_at > now:
        return due_at
    return max(due_at, tries.failed_at + retry_pause(name, tries.failures))


def retry_pause(name: str, failures: int) -> timedelta:
    """How long to wait after so many failures in a row (≥ 1).

    It doubles up to :data:`RETRY_MAX`, and is up to half as long again, so that a town does not ask at once when the
    service is back.
    """
    doublings = min(failures - 1, 16)
    pause = min(RETRY_FIRST * (1 << doublings), RETRY_MAX)
    return pause + pause / _RETRY_SPREAD * _share(name, str(failures))


def is_late(ends_at: datetime, now: datetime, life: timedelta = CERTIFICATE_LIFE) -> bool:
    """Whether a person should look: a third of ``life`` is left, or less, while renewing has tried for weeks."""
    return now >= ends_at - life / _LATE_LEFT


def may_come_back(ends_at: datetime, now: datetime) -> bool:
    """Whether a certificate that ended at ``ends_at`` may still be renewed. Revocation is another question."""
    return now <= ends_at + COMES_BACK_WITHIN


def _share(name: str, of: str) -> float:
    """From 0 to below 1, evenly spread over names, and over ``of`` for one name."""
    digest = hashlib.sha256(_DOMAIN + name.encode() + b"\x00" + of.encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
