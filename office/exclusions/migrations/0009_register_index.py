from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exclusions", "0008_nothing_over_waits")]

    operations = [
        migrations.RemoveIndex(model_name="case", name="cases_of_a_state"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=[
                    *("scheme", "state", "last_on", "first_on", "individual", "is_restricted"),
                    *("may_show_minor", "minor_approved_by", "happened_at"),
                ],
                name="cases_in_the_register",
            ),
        ),
    ]
