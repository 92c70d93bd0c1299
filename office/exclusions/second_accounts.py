"""Who has which accounts, as far as the office can tell: for votes, and for the second approval of an under-18."""

from __future__ import annotations

from collections.abc import Iterable

from office.accounts.models import Account, Invitation
from office.exclusions.rules.same_person import Known, known, may_be_one


def known_of(accounts: Iterable[int]) -> dict[int, Known]:
    """What is known of these accounts, ended ones too; two questions.

    An invitation goes to the address of whoever is meant, so that address counts though the account's was changed.
    """
    numbers = frozenset(accounts)
    emails: dict[int, set[str]] = {}
    for number, email in Invitation.objects.filter(used_by__in=numbers).values_list("used_by_id", "email"):
        emails.setdefault(number or 0, set()).add(email)
    rows = Account.objects.filter(pk__in=numbers).values_list("pk", "name", "email")
    return {number: known(number, name, {email, *emails.get(number, ())}) for number, name, email in rows}


def same_as(account: int, others: Iterable[int]) -> frozenset[int]:
    """Which of ``others`` may be the same person as the holder of ``account``."""
    wanted = frozenset(others)
    found = known_of({account, *wanted})
    if account not in found:
        return wanted & {account}
    return frozenset(number for number in wanted & found.keys() if may_be_one(found[account], found[number]))
