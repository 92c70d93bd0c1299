"""Policies as the database has them now, and their changes, which run inside :func:`office.accounts.access.acting`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

import msgspec
from django.db.models import Max
from django.utils import timezone

from office.accounts.models import Account, RoleGrant, Scheme
from office.audit.journal import record
from office.escalation import rules
from office.escalation.models import Policy, PolicyVersion
from wire.snapshots import POLICIES_MAX, PolicyEntry, StepEntry

logger = logging.getLogger(__name__)

CHANGED_MEANWHILE: Final = "Somebody has changed this policy meanwhile: open it again, and make your change there."

TOO_MANY: Final = (
    f"All schemes together have {POLICIES_MAX} policies, and central takes no more: nobody would be asked by this one."
    " Add these kinds to a policy that has the same steps, or end one first."
)


class PolicyRefusedError(ValueError):
    """A policy that cannot be, as a sentence that says what to do."""


def said_by(version: PolicyVersion) -> rules.Policy:
    """What a version says.

    Raises:
        msgspec.ValidationError: no reader would accept it; somebody changed the database by hand.
    """
    kinds = msgspec.convert(version.kinds, tuple[str, ...])
    return rules.Policy(kinds, msgspec.convert(version.steps, tuple[StepEntry, ...]))


def in_force(schemes: Collection[int]) -> Iterator[PolicyVersion]:
    """The newest version of each policy that has not ended, with policy and scheme; by scheme and age."""
    rows = PolicyVersion.objects.filter(policy__scheme__in=schemes, policy__ended_at=None)
    newest = {version.policy_id: version for version in rows.select_related("policy__scheme").order_by("number")}
    yield from sorted(newest.values(), key=lambda version: (version.policy.scheme_id, version.policy_id))


def without_policy(schemes: frozenset[int]) -> frozenset[int]:
    """Those of the schemes in which nobody is asked about anything."""
    held = Policy.objects.filter(scheme__in=schemes, ended_at=None)
    return schemes.difference(held.values_list("scheme", flat=True))


def entry_of(version: PolicyVersion) -> PolicyEntry:
    """As it is published.

    Raises:
        msgspec.ValidationError: no reader would accept it.
    """
    said = said_by(version)
    entry = PolicyEntry(scheme=version.policy.scheme_id, kinds=said.kinds, version=version.number, steps=said.steps)
    return msgspec.json.decode(msgspec.json.encode(entry), type=PolicyEntry)


def roles_in(scheme: Scheme) -> Counter[str]:
    """How many people have which role in a scheme."""
    grants = RoleGrant.objects.filter(scheme=scheme, account__is_active=True)
    return Counter(grants.values_list("role", flat=True))


def make_policy(actor: Account, scheme: Scheme, said: rules.Policy) -> PolicyVersion:
    """A first version: from now on people are asked by it.

    Raises:
        PolicyRefusedError: it cannot be, or the town has as many as central takes.
    """
    if Policy.objects.filter(ended_at=None).count() >= POLICIES_MAX:
        raise PolicyRefusedError(TOO_MANY)
    return _add_version(actor, Policy.objects.create(scheme=scheme), said, "policy.made")


def change_policy(actor: Account, policy: Policy, said: rules.Policy, seen: int) -> PolicyVersion:
    """The next version. One that says the same as the newest is not made.

    Args:
        actor: who does it.
        policy: which.
        said: what it is to say.
        seen: number of the version that the person has changed.

    Raises:
        PolicyRefusedError: it cannot be, it has ended, or there is a newer version than the one seen.
    """
    newest = policy.versions.first()
    if newest is None or policy.ended_at is not None or newest.number != seen:
        raise PolicyRefusedError(CHANGED_MEANWHILE)
    if said_by(newest) == said:
        return newest
    return _add_version(actor, policy, said, "policy.changed")


def end_policy(actor: Account, policy: Policy) -> None:
    """Nobody is asked by it any more; its versions stay readable."""
    if policy.ended_at is None:
        record(actor, "policy.ended", policy, kinds=rules.kinds_text(policy.versions.latest("number").kinds))
        policy.ended_at = timezone.now()
        policy.save(update_fields=["ended_at"])


def _add_version(actor: Account, policy: Policy, said: rules.Policy, action: str) -> PolicyVersion:
    scheme = policy.scheme
    others = [said_by(version) for version in in_force([scheme.pk]) if version.policy_id != policy.pk]
    why = rules.why_not(scheme.name, said, others)
    if why is not None:
        raise PolicyRefusedError(why)
    highest = PolicyVersion.objects.filter(policy__scheme=scheme).aggregate(highest=Max("number"))["highest"] or 0
    version = PolicyVersion.objects.create(
        policy=policy,
        number=highest + 1,
        kinds=list(said.kinds),
        steps=msgspec.to_builtins(said.steps),
        made_by=actor,
    )
    steps = [f"{step.role} {step.wait_s} s {' '.join(step.ways)}".strip() for step in said.steps]
    record(actor, action, policy, version=version.number, kinds=rules.kinds_text(said.kinds), steps=steps)
    return version
