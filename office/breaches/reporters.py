"""Who reported a breach, as the people who deal with it read it."""

from __future__ import annotations

from office.breaches.models import Breach
from office.staff.names import staff_names


def reporter_of(breach: Breach) -> str:
    """Their name, or the number by which the unit knew them; empty = nobody was signed in."""
    if not breach.staff:
        return ""
    names = staff_names([breach.staff], frozenset({breach.scheme_id}))
    return names.get(breach.staff, f"member of staff {breach.staff}")
