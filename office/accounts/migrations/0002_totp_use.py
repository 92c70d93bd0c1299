"""The newest code taken of each authenticator app. Apart, as the app of the second factors itself needs accounts."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.CreateModel(
            name="TotpUse",
            fields=[
                (
                    "authenticator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="mfa.authenticator",
                    ),
                ),
                ("counter", models.PositiveBigIntegerField(default=0)),
            ],
        ),
    ]
