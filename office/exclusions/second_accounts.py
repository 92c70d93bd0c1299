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
    return same_as_each({account}, others)[account]


def same_as_each(accounts: Iterable[int], others: Iterable[int]) -> dict[int, frozenset[int]]:
    """Of each account which of ``others`` may be the same person; two questions, however many they are."""
    numbers, wanted = frozenset(accounts), frozenset(others)
    found = known_of(numbers | wanted)
    rest = [found[other] for other in wanted & found.keys()]
    return {
        number: frozenset(other.account for other in rest if number in found and may_be_one(found[number], other))
        for number in numbers
    }
