"""Writes the audit: inside the transaction of the change, so that there is never one without the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from django.db import connection, models, transaction
from django.utils import timezone
from msgspec import Struct

from office.accounts.models import Account, RoleGrant, Scheme
from office.audit.chain import NO_DIGEST, NO_HEAD, RESTORED, Row, digest_of
from office.audit.models import AuditRow
from office.audit.triggers import LOCK
from wire.snapshots import AuditHead

WATCHLINK_NAME: Final = "Watchlink itself"
Subject = models.Model | str | None
"""What something was done to: a row of some table, a word such as ``"list of premises"``, or nothing. It may know its
schemes' numbers by a method ``audit_schemes()``."""


class Entry(Struct, frozen=True):
    """One row to be. See :func:`record` for what its fields mean."""

    action: str
    subject: Subject = None
    details: Mapping[str, object] = {}
    schemes: Iterable[int] | None = None


def record(
    actor: Account | None,
    action: str,
    subject: Subject = None,
    *,
    schemes: Iterable[int] | None = None,
    **details: object,
) -> None:
    """Append a row, in the transaction of the change.

    Args:
        actor: who did it; ``None`` = Watchlink itself.
        action: a noun and what became of it, ``role.given``, ``account.ended``.
        subject: what it was done to. Its name is kept as it is now.
        schemes: numbers of the schemes whose co-ordinators may read the row. Left out: the subject's (an
            ``audit_schemes()`` of its own, an account's, a scheme's), else the actor's, else the whole town's.
        details: what else a reader should know, no secrets. Text, numbers, dates, and lists and mappings of them.
    """
    record_many(actor, [Entry(action, subject, details, schemes)])


def record_many(actor: Account | None, entries: Sequence[Entry]) -> None:
    """Append a row for each of ``entries``, in their order, by a few statements however many they are."""
    _append(actor, entries, 0)


def record_restored(above: int, details: Mapping[str, object]) -> AuditHead:
    """Say that the office was restored from a backup, in a row whose number is above ``above`` and all others.

    Returns:
        the new head.
    """
    with transaction.atomic():
        _append(None, [Entry(RESTORED, None, details, ())], above)
        return head()


def _append(actor: Account | None, entries: Sequence[Entry], above: int) -> None:
    grants = sorted(RoleGrant.objects.filter(account=actor).values_list("role", "scheme_id")) if actor else []
    role = ", ".join(f"{role}:{scheme}" for role, scheme in grants)
    own_schemes = [scheme for _, scheme in grants]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = head()
        at = timezone.now()
        rows = []
        for entry in entries:
            schemes = _schemes(entry, own_schemes)
            row = Row(
                sequence=max(last.sequence, above) + 1,
                at=at,
                actor_account=actor.pk if actor else 0,
                actor_name=_clean(actor.name) if actor else WATCHLINK_NAME,
                actor_role=role,
                action=entry.action,
                subject_kind=_kind(entry.subject),
                subject_id=str(entry.subject.pk) if isinstance(entry.subject, models.Model) else "",
                subject_name=_clean("" if entry.subject is None else str(entry.subject)),
                schemes="".join(f" {number}" for number in schemes) + " " if schemes else "",
                details=_json(entry.details),
                previous=last.digest,
                digest=NO_DIGEST,
            )
            row = msgspec.structs.replace(row, digest=digest_of(row))
            last = AuditHead(sequence=row.sequence, digest=row.digest)
            rows.append(AuditRow(**msgspec.structs.asdict(row)))
        AuditRow.objects.bulk_create(rows, batch_size=50)


def head() -> AuditHead:
    """The newest row."""
    newest = AuditRow.objects.order_by("-sequence").values_list("sequence", "digest").first()
    return NO_HEAD if newest is None else AuditHead(sequence=newest[0], digest=newest[1])


def digest_at(sequence: int) -> str | None:
    """Digest of a row; ``None`` = there is none of this number."""
    return AuditRow.objects.filter(sequence=sequence).values_list("digest", flat=True).first()


def _schemes(entry: Entry, own: Sequence[int]) -> list[int]:
    if entry.schemes is not None:
        return sorted(set(entry.schemes))
    own_word: Callable[[], Iterable[int]] | None = getattr(entry.subject, "audit_schemes", None)
    found: list[int] = []
    if own_word is not None:
        found = [*own_word()]
    elif isinstance(entry.subject, Account):
        found = [*RoleGrant.objects.filter(account=entry.subject).values_list("scheme_id", flat=True)]
    elif isinstance(entry.subject, Scheme):
        found = [entry.subject.number]
    return sorted({*(found or own)})


def _kind(subject: Subject) -> str:
    return type(subject).__name__ if isinstance(subject, models.Model) else ""


def _clean(text: str) -> str:
    """Without what a database refuses: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _json(details: Mapping[str, object]) -> str:
    text = json.dumps(details, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return _clean(text)
