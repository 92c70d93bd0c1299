"""Does what a plan of an import says: wholly, in one transaction, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from django.db import transaction
from django.utils import timezone

from office.accounts.models import Account
from office.audit.journal import Entry, record_many
from office.members.csv_cells import Table
from office.members.facts import folded
from office.members.import_rules import ImportPlan, RowPlan, plan_import
from office.members.models import Contact, Member, Membership, Premises
from office.members.register import Wanted, change_entries
from office.members.rules import schemes_after
from office.members.scope import known_of, members_of, premises_of


class PlanChangedError(Exception):
    """The register has changed since the preview, so that the file would do something else now."""


def plan_digest(plan: ImportPlan) -> str:
    """Of all that a plan does: what a person has confirmed."""
    return hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()


@transaction.atomic
def import_table(actor: Account, own_schemes: frozenset[int], table: Table, confirmed: str) -> ImportPlan:
    """Do what the person has confirmed.

    Args:
        actor: who imports.
        own_schemes: those they co-ordinate.
        table: the file.
        confirmed: digest of the plan that they have seen.

    Raises:
        PlanChangedError: it would do something else now, or the file has a bad row; nothing was done.
    """
    # The rows stay as they are until we are done. SQLite holds everybody else off by itself.
    list(premises_of(own_schemes).select_for_update().order_by("pk").values_list("pk", flat=True))
    plan = plan_import(table, known_of(own_schemes))
    if plan.problems or plan_digest(plan) != confirmed:
        raise PlanChangedError
    _Import(actor, own_schemes, plan).run()
    return plan


class _Import:
    """One import under way."""

    def __init__(self, actor: Account, own_schemes: frozenset[int], plan: ImportPlan) -> None:
        self._actor = actor
        self._own = own_schemes
        self._plan = plan
        self._entries: list[Entry] = []
        self._members: dict[str, Member] = {}

    def run(self) -> None:
        plan = self._plan
        counts: dict[str, object] = {"added": len(plan.new), "changed": len(plan.changed)}
        self._entries.append(Entry("premises.imported", "a CSV file", counts, self._own))
        self._find_members()
        self._add(plan.new)
        self._change(plan.changed)
        self._join()
        record_many(self._actor, self._entries)

    def _find_members(self) -> None:
        self._members = {folded(member.name): member for member in members_of(self._own)}
        schemes: dict[str, set[int]] = {}
        for row in self._plan.rows:
            schemes.setdefault(folded(row.member), set()).update(row.schemes)
        for member in Member.objects.bulk_create(Member(name=name) for name in self._plan.new_members):
            self._members[folded(member.name)] = member
            self._entries.append(Entry("member.added", member, {}, schemes[folded(member.name)]))

    def _member(self, row: RowPlan) -> Member:
        return self._members[folded(row.member)]

    def _add(self, rows: Iterable[RowPlan]) -> None:
        pairs: list[tuple[RowPlan, Premises]] = []
        for row in rows:
            premises = Premises(member=self._member(row), changed_by=self._actor.name)
            premises.put(row.facts, row.member)
            pairs.append((row, premises))
        Premises.objects.bulk_create((premises for _, premises in pairs), batch_size=200)
        in_schemes = Premises.schemes.through
        in_schemes.objects.bulk_create(
            (
                in_schemes(premises_id=premises.pk, scheme_id=scheme)
                for row, premises in pairs
                for scheme in sorted(schemes_after(frozenset(), row.schemes, self._own))
            ),
            batch_size=200,
        )
        self._write_contacts(pairs)
        self._entries += (
            Entry("premises.added", premises, {"member": row.member}, row.schemes) for row, premises in pairs
        )

    def _change(self, rows: Iterable[RowPlan]) -> None:
        by_number = {row.number: row for row in rows}
        stored = Premises.objects.filter(pk__in=by_number).select_related("member")
        with_new_contacts: list[tuple[RowPlan, Premises]] = []
        for premises in stored.prefetch_related("contacts", "schemes"):
            row = by_number[premises.pk]
            before, wanted = premises.facts(), Wanted(self._member(row), row.schemes, row.facts)
            now = frozenset(scheme.pk for scheme in premises.schemes.all())
            after = schemes_after(now, row.schemes, self._own)
            self._entries += change_entries(premises, before, wanted, schemes_before=now, schemes_now=after)
            premises.member = wanted.member
            premises.version += 1
            premises.changed_by = self._actor.name
            premises.put(row.facts, wanted.member.name)
            premises.save()
            if after != now:
                premises.schemes.set(after)
            if before.contacts != row.facts.contacts:
                with_new_contacts.append((row, premises))
        Contact.objects.filter(premises__in=[premises.pk for _, premises in with_new_contacts]).delete()
        self._write_contacts(with_new_contacts)

    def _write_contacts(self, pairs: Iterable[tuple[RowPlan, Premises]]) -> None:
        Contact.objects.bulk_create(
            (contact for row, premises in pairs for contact in Contact.of(premises, row.facts)), batch_size=200
        )

    def _join(self) -> None:
        """Each member joins the schemes of its premises that it is not in."""
        today = timezone.localdate()
        rows = (*self._plan.new, *self._plan.changed)
        wanted = {(self._member(row).pk, scheme): self._member(row) for row in rows for scheme in row.schemes}
        members = {member for member, _ in wanted}
        held = {(one.member_id, one.scheme_id): one for one in Membership.objects.filter(member__in=members)}
        for (member, scheme), row in wanted.items():
            membership = held.get((member, scheme)) or Membership(member_id=member, scheme_id=scheme)
            if membership.pk is not None and membership.ended_on is None:
                continue
            membership.joined_on, membership.ended_on = today, None
            membership.save()
            self._entries.append(Entry("membership.set", row, {"joined_on": today}, (scheme,)))
