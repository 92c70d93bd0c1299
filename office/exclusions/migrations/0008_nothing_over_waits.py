from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def close_appeals(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """An exclusion that ended while an appeal was open waited for its outcome for ever."""
    over = apps.get_model("exclusions", "Case").objects.filter(over_at__isnull=False)
    over.filter(has_open_appeal=True).update(has_open_appeal=False)


class Migration(migrations.Migration):
    dependencies = [("exclusions", "0007_lapsed")]

    operations = [migrations.RunPython(close_appeals, migrations.RunPython.noop)]
