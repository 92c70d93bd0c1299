"""Puts a person with a notice into a measured office: ``python -m bench.office_filling OFFICE.TOML CO-ORDINATOR``.

It prints the notice's number and the individual's. A real office has no such command: there members decide.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import Final

PREMISES: Final = 50


def main(username: str) -> None:
    """Fill. Django is set up, or its tables could not be imported."""
    from django.utils import timezone  # noqa: PLC0415

    from office.accounts.models import Account, Scheme  # noqa: PLC0415
    from office.exclusions.models import Case, Notice, SchemeTerms  # noqa: PLC0415
    from office.people.models import Individual  # noqa: PLC0415

    scheme, account = Scheme.objects.get(), Account.objects.get(username=username)
    now, today = timezone.now(), timezone.localdate()
    last_on = today + timedelta(days=180)
    SchemeTerms.objects.create(scheme=scheme, responsible="HART\n1 Castle Street", contact="office@example.org")
    individual = Individual.objects.create(scheme=scheme, number=42, name="Nobody Atall")
    case = Case.objects.create(
        scheme=scheme,
        number=17,
        individual=individual,
        state="issued",
        category="theft",
        conduct="Took three bottles from the shelf and left without paying. " * 4,
        happened_on=today,
        happened_at="High Street",
        nominated_by=account,
        decided_at=now,
        first_on=today,
        last_on=last_on,
    )
    premises = [{"number": one, "name": f"Shop {one}", "place": "Castle Street"} for one in range(1, PREMISES + 1)]
    notice = Notice.objects.create(
        case=case,
        version=1,
        made_at=now,
        made_by=account,
        first_on=today,
        last_on=last_on,
        premises=premises,
    )
    sys.stdout.write(f"{notice.pk} {individual.pk}\n")


if __name__ == "__main__":
    os.environ |= {"WATCHLINK_OFFICE_CONFIG": sys.argv[1], "DJANGO_SETTINGS_MODULE": "office.settings"}
    import django

    django.setup()
    main(sys.argv[2])
