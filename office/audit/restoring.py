"""After a restore from a backup: what the snapshots still know, so that nothing that was ended comes back.

A copy of the database is older than what was published. In it ended accounts are active, ended sessions are good again,
and numbers of accounts and premises made since would be given to others.
"""

from __future__ import annotations

from typing import Final

from django.db import connection, models

from office.accounts import acts
from office.accounts.models import Account
from office.audit.chain import NO_DIGEST
from office.audit.journal import digest_at, record
from office.members.models import Premises
from wire.snapshots import AuditHead, People
from wire.snapshots import Premises as PremisesSnapshot

NUMBERS_LEFT_OUT: Final = 1_000
"""Above the highest that is known: accounts that have ended since are in no snapshot."""


def carry_over(people: People | None, premises: PremisesSnapshot | None) -> list[str]:
    """Bring the database up to what was published, where that is newer.

    Args:
        people: the newest snapshot in the folder; ``None`` = there is none.
        premises: the same.

    Returns:
        What a person should know, in sentences.
    """
    said: list[str] = []
    # Both first: rows are written below.
    newer_people = people if people is not None and _lacks(people.audit) else None
    newer_premises = premises if premises is not None and _lacks(premises.audit) else None
    if newer_people is not None:
        said += _carry_people(newer_people)
        _leave_out(Account, max((person.account for person in newer_people.people), default=0))
    if newer_premises is not None:
        _leave_out(Premises, max((one.premises for one in newer_premises.premises), default=0))
    return said


def _lacks(published: AuditHead) -> bool:
    """Whether this database lacks a row that was published: not by its number, which may have been given again since."""
    return (digest_at(published.sequence) or NO_DIGEST) != published.digest


def _carry_people(people: People) -> list[str]:
    said = []
    published = {person.account: person for person in people.people}
    for account in Account.objects.filter(is_active=True).order_by("pk"):
        who = f"{account.name} ({account.username})"
        entry = published.get(account.pk)
        if entry is None or entry.username != account.username:
            record(None, "account.ended", account, after_restore=True)
            acts.close_account(account)
            said.append(
                f"{who}: had ended since the copy was made, or came only after the restore. The account is ended;"
                " if they should have one, invite them."
            )
        elif entry.generation > account.generation:
            Account.objects.filter(pk=account.pk).update(generation=entry.generation + 1)
            record(None, "sessions.ended", account, after_restore=True)
            said.append(
                f"{who}: had a new password or second factor, or signed out everywhere, since the copy was made."
                " The old ones are good again: call them. Their sessions have ended."
            )
    return said


def _leave_out(model: type[models.Model], known: int) -> None:
    """Give no number again that was given since."""
    table = model._meta.db_table  # noqa: SLF001 - Django's public interface, by documentation
    here = model._default_manager.aggregate(highest=models.Max("pk"))["highest"] or 0  # noqa: SLF001
    number = max(known, here) + NUMBERS_LEFT_OUT
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])
