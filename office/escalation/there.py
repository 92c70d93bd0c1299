"""Who could be asked at a time, as far as the office can know: who has the role."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from office.accounts.models import RoleGrant, Scheme
from office.escalation.dry_run import There
from wire.snapshots import AnsweringRole


def people_there(scheme: Scheme) -> There:
    """Everybody who has the role in a scheme, by name: whoever of them is on duty then is asked."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    grants = RoleGrant.objects.filter(scheme=scheme, account__is_active=True).order_by("account__name", "account")
    for role, account in grants.values_list("role", "account"):
        found[role].append(account)

    def there(role: AnsweringRole, _: datetime) -> Sequence[int]:
        return found[role]

    return there
