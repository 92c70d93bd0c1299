from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exclusions", "0009_register_index")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="paper_digest",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["scheme", "state", "scope", "paper_digest"], name="cases_by_what_is_on_paper"),
        ),
    ]
