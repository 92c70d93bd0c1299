from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def end_with_the_source(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """What was issued for longer ends with the last day on which its source may be used."""
    too_long = apps.get_model("exclusions", "Case").objects.filter(last_on__gt=models.F("source_expires_on"))
    too_long.update(last_on=models.F("source_expires_on"))


class Migration(migrations.Migration):
    dependencies = [("exclusions", "0003_law_documents")]

    operations = [
        migrations.RunPython(end_with_the_source, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(source_expires_on=None)
                | models.Q(last_on=None)
                | models.Q(last_on__lte=models.F("source_expires_on")),
                name="no_case_outlasts_its_source",
            ),
        ),
    ]
