"""Members' contacts who are told of alerts and faults at their own premises: their choice, and whom it comes to (C8).

They are told by text message or e-mail, at the addresses of :mod:`office.escalation.ways`. Nobody is told who has not
chosen it, and of no premises but those that they see here as a contact. Changes run inside ``acting``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Final, Literal

from django.db.models import F, QuerySet
from msgspec.structs import replace

from office.accounts.models import Account
from office.accounts.rules import Rights
from office.audit.journal import record
from office.members.models import Premises, Spokesperson, ToldOf
from office.members.scope import premises_visible
from wire.snapshots import TOLD_MAX, PremisesEntry

What = Literal["alerts", "faults"]
TOLD_IN_TOWN_MAX: Final = 20_000
"""People to tell, counted at each premises: more would not fit the snapshot beside the largest register."""


def told_of(account: Account) -> frozenset[str]:
    """What a person has chosen."""
    return frozenset(account.told_of.values_list("what", flat=True))


def choose(account: Account, chosen: Collection[str]) -> None:
    """A person's own choice: of these, and of nothing else."""
    if told_of(account) == frozenset(chosen):
        return
    account.told_of.all().delete()
    ToldOf.objects.bulk_create(ToldOf(account=account, what=what) for what in sorted(chosen))
    record(account, "told-of.changed", account, of=sorted(chosen))


def premises_as_contact(rights: Rights) -> QuerySet[Premises]:
    """Those of which a person may be told: not those that they see as a co-ordinator."""
    as_contact = Rights(rights.account, frozenset(one for one in rights.grants if one[0] == "members-contact"))
    return premises_visible(as_contact).order_by("name", "pk")


def with_told(entries: Iterable[PremisesEntry], tell: Callable[[str], None]) -> tuple[PremisesEntry, ...]:
    """The same, each with whom to tell. Whose role, membership or account has ended is not among them.

    Args:
        entries: as they are published.
        tell: takes a sentence for the log if some had to be left out.
    """
    rows = Spokesperson.objects.filter(
        account__is_active=True,
        account__told_of__isnull=False,
        account__grants__role="members-contact",
        account__grants__scheme=F("scheme"),
        member__premises__schemes=F("scheme"),
    )
    found: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for premises, what, account in rows.values_list("member__premises", "account__told_of__what", "account"):
        found[premises, what].add(account)
    left = TOLD_IN_TOWN_MAX
    told: list[PremisesEntry] = []
    for entry in entries:
        both = [tuple(sorted(found.get((entry.premises, what), ()))) for what in ("alerts", "faults")]
        alerts_to, faults_to = (some[:TOLD_MAX] for some in both)
        left -= len(alerts_to) + len(faults_to)
        if left < 0:
            alerts_to = faults_to = ()
        if (alerts_to, faults_to) != tuple(both):
            tell(f"premises {entry.premises} has more people to tell than fit: some are not told")
        told.append(replace(entry, alerts_to=alerts_to, faults_to=faults_to) if any(both) else entry)
    return tuple(told)
