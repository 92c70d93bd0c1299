"""Accounts, schemes, roles."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("username", models.CharField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("generation", models.PositiveBigIntegerField(default=1)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Scheme",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("slug", models.CharField(max_length=64, unique=True)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("co-ordinator", "co-ordinator"),
                            ("cctv", "cctv"),
                            ("pcso", "pcso"),
                            ("duty-sergeant", "duty-sergeant"),
                            ("duty-officer", "duty-officer"),
                            ("police", "police"),
                            ("fleet-engineer", "fleet-engineer"),
                            ("members-contact", "members-contact"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "scheme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grants", to="accounts.scheme"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "role", "scheme"), name="one_grant_of_a_role_in_a_scheme"
                    )
                ],
            },
        ),
    ]
