import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def note_members(apps: StateApps, _: BaseDatabaseSchemaEditor) -> None:
    """Of reports from before, only whose the shop is now is known."""
    premises = apps.get_model("members", "Premises").objects.filter(pk=models.OuterRef("premises"))
    apps.get_model("breaches", "Breach").objects.update(member=models.Subquery(premises.values("member")[:1]))


class Migration(migrations.Migration):
    dependencies = [("breaches", "0002_incidents_and_copies"), ("members", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="breach",
            name="member",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="members.member"
            ),
        ),
        migrations.RunPython(note_members, migrations.RunPython.noop),
    ]
