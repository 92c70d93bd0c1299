"""The chain of the audit: how a row is hashed, and what is wrong with a chain. Pure.

A row's digest covers all of it and the digest of the row before, so a row cannot be changed, removed, added or moved
without all later digests changing. A chain alone cannot show that its tail was cut or that all of it was written anew:
its head is published in the signed snapshots, and compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from wire.snapshots import AuditHead

NO_DIGEST: Final = "0" * 64
"""What the first row names as the digest before it."""
RESTORED: Final = "audit.restored"
"""The one action whose row may leave numbers out: rows that were published are gone, and the office says so."""
PROBLEMS_MAX: Final = 50
_DOMAIN: Final = "watchlink/1/audit"


class Row(Struct, frozen=True, kw_only=True):
    """A row of the audit.

    Attributes:
        sequence: 1, 2, 3 …
        at: aware.
        actor_account: number of the account; 0 = Watchlink itself.
        actor_name: as it was then.
        actor_role: the actor's roles then, each with the number of its scheme: ``pcso:1, police:1, police:2``.
        action: such as ``role.given``.
        subject_kind, subject_id, subject_name: what it was done to.
        schemes: numbers with a space on either side, ``" 1 2 "``; empty = the whole town.
        details: a JSON object.
        previous: digest of the row before.
        digest: 64 hexadecimal digits.
    """

    sequence: int
    at: datetime
    actor_account: int
    actor_name: str
    actor_role: str
    action: str
    subject_kind: str
    subject_id: str
    subject_name: str
    schemes: str
    details: str
    previous: str
    digest: str


class Problem(Struct, frozen=True):
    """What is wrong with the audit.

    Attributes:
        kind: what happened.
        sequence: of the first row concerned.
        text: one sentence.
    """

    kind: Literal["changed", "moved", "removed", "replaced", "cut", "rewritten"]
    sequence: int
    text: str


class Finding(Struct, frozen=True):
    """The outcome of a verification.

    Attributes:
        rows: how many were read.
        head: of the last one.
        problems: the first :data:`PROBLEMS_MAX`, by number.
        notes: what a person should know but is in order: a restore from a backup.
    """

    rows: int
    head: AuditHead
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


NO_HEAD: Final = AuditHead(sequence=0, digest=NO_DIGEST)


def digest_of(row: Row) -> str:
    """SHA-256 over a JSON array of every field but the digest, in the order of :class:`Row`."""
    *fields, _ = msgspec.structs.astuple(msgspec.structs.replace(row, at=row.at.astimezone(UTC)))
    text = json.dumps([_DOMAIN, *fields], ensure_ascii=True, separators=(",", ":"), default=_moment)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="microseconds")


def verify(rows: Iterable[Row], published: AuditHead = NO_HEAD) -> Finding:
    """Check a chain.

    Args:
        rows: all of them, by sequence.
        published: the head last published in a snapshot; :data:`NO_HEAD` = nothing is known of one.
    """
    problems: list[Problem] = []
    notes: list[str] = []
    changed: list[Row] = []
    count, last, at_published = 0, NO_HEAD, NO_DIGEST
    follows_sound = True
    for row in rows:
        count += 1
        if row.action == RESTORED:
            notes.append(_restored(row, last.sequence))
        elif row.sequence != last.sequence + 1:
            problems.append(_removed(last.sequence + 1, row.sequence - 1))
        is_sound = row.digest == digest_of(row)
        if not is_sound:
            changed.append(row)
        elif (
            follows_sound
            and row.previous != last.digest
            and (row.sequence == last.sequence + 1 or row.action == RESTORED)
        ):
            problems.append(_replaced(row.sequence))
        if row.sequence == published.sequence:
            at_published = row.digest
        follows_sound, last = is_sound, AuditHead(sequence=row.sequence, digest=row.digest)
    problems += _altered(changed)
    problems += _compare(last, at_published, published)
    problems.sort(key=lambda problem: problem.sequence)
    return Finding(count, last, tuple(problems[:PROBLEMS_MAX]), tuple(notes))


def contradiction(head: AuditHead, at_published: str | None, published: AuditHead) -> Problem | None:
    """Whether the audit still contains what was published of it.

    Args:
        head: the newest row.
        at_published: digest of the row with the published head's number; ``None`` = there is no such row.
        published: the head last published.
    """
    found = _compare(head, at_published or NO_DIGEST, published)
    return found[0] if found else None


def _compare(head: AuditHead, at_published: str, published: AuditHead) -> list[Problem]:
    if head.sequence < published.sequence:
        first = head.sequence + 1
        text = (
            f"The end of the audit was cut: row {published.sequence} was published, but the last row is now"
            f" {head.sequence}. {_rows(first, published.sequence)} missing."
        )
        return [Problem("cut", first, text)]
    if published.sequence and at_published != published.digest:
        number = published.sequence
        text = (
            f"Row {number} is not the one that was published: the audit was written anew up to this row or before it."
        )
        return [Problem("rewritten", number, text)]
    return []


def _altered(changed: list[Row]) -> list[Problem]:
    found = []
    for row in changed[:PROBLEMS_MAX]:
        for other in changed[:PROBLEMS_MAX]:
            if other is not row and row.digest == digest_of(msgspec.structs.replace(row, sequence=other.sequence)):
                text = f"Row {row.sequence} was moved: its contents belong to row {other.sequence}."
                found.append(Problem("moved", row.sequence, text))
                break
        else:
            found.append(Problem("changed", row.sequence, f"Row {row.sequence} was changed after it was written."))
    return found


def _removed(first: int, last: int) -> Problem:
    return Problem("removed", first, f"{_rows(first, last)} missing.")


def _replaced(sequence: int) -> Problem:
    text = f"Row {sequence} was written after another row {sequence - 1} than the one that is there now."
    return Problem("replaced", sequence, text)


def _restored(row: Row, before: int) -> str:
    left_out = _left_out(row)
    last = row.sequence - 1 - left_out
    gap = "" if last <= before else f" {_rows(before + 1, last)} missing since then."
    if left_out:
        gap += f" Numbers up to {row.sequence - 1} were left out: nobody knows how many had been used."
    on = f"{row.at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
    return f"Row {row.sequence}: the office was restored from a backup on {on}.{gap}"


def _left_out(row: Row) -> int:
    """By how much numbers were raised besides; 0 also in a row that was meddled with."""
    try:
        return int(json.loads(row.details)["left_out"])
    except (KeyError, TypeError, ValueError):
        return 0


def _rows(first: int, last: int) -> str:
    return f"Row {first} is" if first == last else f"Rows {first} to {last} are"
