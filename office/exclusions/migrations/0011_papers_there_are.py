from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from office.exclusions.rules.life import IN_FORCE
from office.exclusions.rules.reach import premises_digest


def keep_digests(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """Else every notice that there is would be out of date."""
    cases = apps.get_model("exclusions", "Case")
    notices = apps.get_model("exclusions", "Notice").objects.filter(case__state__in=IN_FORCE)
    # The newest of a case comes last.
    said = {one.case_id: one for one in notices.order_by("case", "version").only("case_id", "last_on", "premises")}
    for case in cases.objects.filter(state__in=IN_FORCE, pk__in=notices.values("case")).only("last_on", "paper_digest"):
        if case.last_on == said[case.pk].last_on:
            case.paper_digest = premises_digest(frozenset(row["number"] for row in said[case.pk].premises))
            case.save(update_fields=["paper_digest"])


class Migration(migrations.Migration):
    dependencies = [("exclusions", "0010_paper_digest")]

    operations = [migrations.RunPython(keep_digests, migrations.RunPython.noop)]
