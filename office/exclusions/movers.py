"""Who moves a case, as the rules see them: their roles, their other accounts, and who else could hear an appeal."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.utils import timezone

from office.accounts.models import RoleGrant
from office.accounts.rules import Rights
from office.accounts.second_factor import KINDS
from office.exclusions import second_accounts
from office.exclusions.models import Case
from office.exclusions.rules.life import Mover
from office.exclusions.rules.period import is_minor


def mover_of(mine: Rights, case: Case) -> Mover:
    """A person, for the rules, with their roles in the case's scheme."""
    roles = frozenset(role for role, scheme in mine.grants if scheme == case.scheme_id)
    one = case.individual
    is_approved_twice = is_minor(one.born_on, timezone.localdate(), is_believed_minor=one.is_believed_minor)
    if not (is_approved_twice or case.has_open_appeal):
        # Nothing else asks for somebody who is not the same.
        return Mover(mine.account, roles)
    checked = case.steps.filter(move="check", account__isnull=False).values_list("account", flat=True)
    checkers = {case.checked_by_id or 0, *(number for number in checked if number is not None)}
    of_case = {*checkers, case.nominated_by_id}
    others = _other_co_ordinators(mine.account, case.scheme_id) if case.has_open_appeal else frozenset()
    each = second_accounts.same_as_each({mine.account, *others}, of_case)
    same = each[mine.account]
    if same & checkers:
        # Whoever has checked it before counts as who did it last.
        same |= {case.checked_by_id or 0}
    return Mover(mine.account, roles, same, another_hears=any(not each[other] for other in others))


def _other_co_ordinators(account: int, scheme: int) -> frozenset[int]:
    """Accounts that could act in a person's place: who cannot sign in could not."""
    can_sign_in = Authenticator.objects.filter(type__in=KINDS).values("user")
    grants = RoleGrant.objects.filter(role="co-ordinator", scheme=scheme, account__is_active=True)
    return frozenset(
        grants.filter(account__in=can_sign_in).exclude(account=account).values_list("account_id", flat=True)
    )
