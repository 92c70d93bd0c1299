"""After a restore from a backup: what the snapshots still know, so that nothing that was ended comes back.

A copy of the database is older than what was published. In it ended accounts are active, ended sessions are good again,
roles, passkeys, apps and codes that were taken away are back, links that were used are open, and numbers of accounts
and premises made since would be given to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.utils import timezone

from office.accounts import acts
from office.accounts.enrolment import METHOD_WORDS
from office.accounts.models import Account, Invitation, OfficeSession, RecoveryLink, Scheme
from office.accounts.rules import TITLES
from office.accounts.second_factor import has_second_factor
from office.accounts.telling import tell
from office.accounts.withdrawal import withdraw
from office.audit.chain import NO_DIGEST, NO_HEAD
from office.audit.journal import digest_at, record
from office.members.models import Premises
from office.publisher.content import passkey_entry, second_factor_digest
from runtime.backup_rules import height_by_clock
from wire.snapshots import AuditHead, People, PersonEntry
from wire.snapshots import Premises as PremisesSnapshot

NUMBERS_LEFT_OUT: Final = 10_000
"""Above the highest that is known: far more than a town makes between two backups."""
NOT_KNOWN: Final = (
    "No list of people that is newer than the copy is here, so the office does not know what was taken away since."
    " Accounts, roles, passwords, passkeys and apps are as in the copy. Go through the list of people: end accounts,"
    " remove roles, and help those with “Help with a lost phone or key” who changed a password, phone or key since."
)

NOT_KNOWN_WHO: Final = (
    "Who was erased from the register, hidden from shops or let go since the copy is not known here: go through the"
    " answers to people’s requests, and do it again."
)


def carry_over(people: People | None, true_until: AuditHead = NO_HEAD) -> list[str]:
    """Bring the database up to what was published, where that is newer.

    Args:
        people: the newest snapshot in the folder; ``None`` = there is none.
        true_until: head of the audit, later than the snapshot's, at which nothing of it had changed: one that only
            repeats the people is published up to a minute after the audit has moved.

    Returns:
        What a person should know, in sentences.
    """
    if people is not None and is_newer(people, true_until):
        return _carry_people(people)
    return [NOT_KNOWN]


def is_newer(people: People, true_until: AuditHead = NO_HEAD) -> bool:
    """Whether a snapshot is newer than this database."""
    return _lacks(people.audit) or _lacks(true_until)


def who_is_back(until: datetime | None) -> str:
    """What the person who restores is told of those who were erased, hidden or let go, and are not so any more.

    Args:
        until: when the newest list of people was made, if it is newer than the copy; ``None`` = there is none.
    """
    if until is None:
        return NOT_KNOWN_WHO
    return (
        f"The newest list of people here is of {_said(until)}. Who was erased from the register, hidden from shops or"
        " let go AFTER THAT IS BACK, and nothing here names them. If there is a newer list anywhere (in 'snapshots' of"
        " the central that runs, or in a newer backup of central's), restore again with that. If not, go through the"
        " answers to people’s requests, letters and minutes since then, and do it again."
    )


def tell_co_ordinators(until: datetime | None) -> None:
    """Tell every co-ordinator of the restore, until they have read it.

    Args:
        until: as for :func:`who_is_back`.
    """
    text = "The office was restored from a backup: do again what was changed since; open links are void."
    if until is None:
        text += (
            " Who was taken away, erased or hidden since is not known: go through the list of people, and the answers"
            " to requests, with the engineer."
        )
    else:
        text += (
            f" Who was erased, hidden or let go after {_said(until)} IS BACK: go through the answers to requests,"
            " letters and minutes since then, with the engineer. Who was before that is so again."
        )
    for account in Account.objects.filter(is_active=True, grants__role="co-ordinator").distinct().order_by("pk"):
        tell(account, text)


def leave_numbers_out(people: People | None, premises: PremisesSnapshot | None) -> None:
    """Give no number of an account or premises again that was given since the copy was made.

    Snapshots do not list who has ended since, and may be as old as the copy: so many more are left out.
    """
    accounts = max((person.account for person in people.people), default=0) if people else 0
    places = max((one.premises for one in premises.premises), default=0) if premises else 0
    # Without a list nothing is known of an office that was restored from the same copy before.
    by_clock = height_by_clock(timezone.now())
    leave_out(Account, accounts, 0 if people else by_clock)
    leave_out(Premises, places, 0 if premises else by_clock)


def _said(at: datetime) -> str:
    return f"{at.astimezone(UTC):%-d %B %Y, %H:%M} UTC"


def _lacks(published: AuditHead) -> bool:
    """Whether this database lacks a row that was published: not by its number, which may be another row's since."""
    return (digest_at(published.sequence) or NO_DIGEST) != published.digest


def void_links() -> list[str]:
    """Void the open links of the copy, some of which were used or cancelled since. Returns sentences."""
    withdrawn = withdraw(None, Invitation.objects.all(), RecoveryLink.objects.all(), after_restore=True)
    said = [one.what for one in (*withdrawn.invitations, *withdrawn.recoveries)]
    return (
        [f"{', '.join(said)}: the link is void, for it may have been used or cancelled. Make a new one."]
        if said
        else []
    )


def sign_browsers_out() -> list[str]:
    """Sign every browser out of the office: some of the copy's sessions have ended since. Returns sentences.

    Lists of people name only those of which central had to hear. Sign-ins there go on; any of the copy's sessions may
    have had a ticket since, so central hears of its end from now on.
    """
    OfficeSession.objects.filter(ended_at=None).update(had_ticket=True)
    ended, _ = Session.objects.all().delete()
    return ["Everybody must sign in to the office again. The control room’s sign-ins go on."] if ended else []


def _carry_people(people: People) -> list[str]:
    said = []
    published = {person.account: person for person in people.people}
    for account in Account.objects.filter(is_active=True).order_by("pk"):
        who = f"{account.name} ({account.username})"
        entry = published.get(account.pk)
        if entry is None or entry.username != account.username:
            record(None, "account.ended", account, after_restore=True)
            acts.close_account(None, account)
            said.append(
                f"{who}: had ended since the copy was made, or came only after the restore. The account is ended;"
                " if they should have one, invite them."
            )
        else:
            del published[account.pk]
            said += [f"{who}: {what}" for what in _carry_person(account, entry)]
    return said + [
        f"{one.name} ({one.username}): joined since the copy was made, and has no account here. Invite them again."
        for one in published.values()
    ]


def _carry_person(account: Account, entry: PersonEntry) -> Iterator[str]:
    """What was taken from a person since the copy was made is taken from them again."""
    if entry.generation > account.generation:
        Account.objects.filter(pk=account.pk).update(generation=entry.generation + 1)
        record(None, "sessions.ended", account, after_restore=True)
        yield (
            "had a new password or second factor, or signed out everywhere, since the copy was made."
            " If it was the password, the old one is good again: call them. Their sessions have ended."
        )
    elif entry.generation == account.generation:
        _end_sessions(account, entry.ended_sessions)
    yield from _carry_roles(account, entry)
    yield from _carry_methods(account, entry)
    gone, _ = account.printed_codes.exclude(digest__in=entry.printed_codes).delete()
    if gone:
        record(None, "printed-codes.removed", account, after_restore=True)
        yield "printed codes that had been used or replaced are void again."
    yield from _carry_ways(account, entry)


def _end_sessions(account: Account, ended: Iterable[str]) -> None:
    """Also those that the copy does not know: central takes one that is not listed any more for good again."""
    now = timezone.now()
    of_copy = OfficeSession.objects.filter(account=account, public_id__in=ended, ended_at=None)
    of_copy.update(ended_at=now, had_ticket=True)
    OfficeSession.objects.bulk_create(
        (
            OfficeSession(
                public_id=public_id, account=account, generation=account.generation, ended_at=now, had_ticket=True
            )
            for public_id in ended
        ),
        ignore_conflicts=True,
    )


def _carry_roles(account: Account, entry: PersonEntry) -> Iterator[str]:
    published = {(str(role.role), scheme) for role in entry.roles for scheme in role.schemes}
    names = dict(Scheme.objects.values_list("number", "name"))

    def titles(grants: Iterable[tuple[str, int]]) -> str:
        return ", ".join(f"{TITLES[role]} in {names.get(scheme, scheme)}" for role, scheme in sorted(grants))

    removed = set()
    for grant in account.grants.select_related("scheme").order_by("scheme", "role"):
        if (grant.role, grant.scheme_id) not in published:
            removed.add((grant.role, grant.scheme_id))
            details = {"role": grant.role, "scheme": grant.scheme.name, "after_restore": True}
            record(None, "role.removed", account, schemes=[grant.scheme_id], **details)
            grant.delete()
    if removed:
        yield f"no longer {titles(removed)}."
    given = published - set(account.grants.values_list("role", "scheme_id"))
    if given:
        yield f"had been made {titles(given)}. Give it again."


def _carry_methods(account: Account, entry: PersonEntry) -> Iterator[str]:
    published = {*(passkey.credential for passkey in entry.passkeys), *entry.second_factors}
    rows: Iterable[Authenticator] = Authenticator.objects.filter(user=account).order_by("type", "pk")
    removed = [row for row in rows if _mark(row) not in published]
    for row in removed:
        record(None, "sign-in-method.removed", account, method=METHOD_WORDS[row.type], after_restore=True)
        row.delete()
    if removed:
        words = " and ".join(dict.fromkeys(METHOD_WORDS[row.type] for row in removed))
        more = "" if has_second_factor(account) else " They have no second factor now: make them a recovery link."
        yield f"removed again, for removed, replaced or used since the copy was made: {words}.{more}"


def _carry_ways(account: Account, entry: PersonEntry) -> Iterator[str]:
    """A number that is somebody else's by now is told of no alert."""
    published = {(one.way, one.to) for one in entry.ways}
    gone = [one for one in account.ways.all() if (one.way, one.to) not in published]
    for one in gone:
        one.delete()
    if gone:
        record(None, "ways.removed", account, ways=[one.way for one in gone], after_restore=True)
        yield "telephone numbers or addresses for alerts that had been removed are removed again."
    if published - {(one.way, one.to) for one in account.ways.all()}:
        yield "had given telephone numbers or addresses for alerts since. Ask them to enter them again."


def _mark(row: Authenticator) -> bytes | str | None:
    """By which it is known in a snapshot; ``None`` = a passkey that cannot be read, so it was never published."""
    if row.type != Authenticator.Type.WEBAUTHN:
        return second_factor_digest(row.data)
    try:
        return passkey_entry(row.data).credential
    except (KeyError, TypeError, ValueError):
        return None


def leave_out(model: type[models.Model], known: int, at_least: int = 0) -> None:
    """Give no number of a row again that was given since the copy was made.

    Args:
        model: whose numbers they are.
        known: the highest that anybody knows of.
        at_least: the next number is above it, too.
    """
    table = model._meta.db_table  # noqa: SLF001 - Django's public interface, by documentation
    here = model._default_manager.aggregate(highest=models.Max("pk"))["highest"] or 0  # noqa: SLF001
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            number = max(max(known, here, *(cursor.fetchone() or (0,))) + NUMBERS_LEFT_OUT, at_least)
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
        else:
            # It may count one too many: the number that comes next, of a table that is empty.
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            number = max(max(known, here, *(cursor.fetchone() or (0,))) + NUMBERS_LEFT_OUT, at_least)
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])
