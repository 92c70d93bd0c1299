"""Whether a session may have gone into the control room. Of sessions that are there already, nobody knows: yes."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Field ``had_ticket``."""

    dependencies: ClassVar = [("accounts", "0002_totp_use")]
    operations: ClassVar = [
        migrations.AddField("officesession", "had_ticket", models.BooleanField(default=True)),
        migrations.AlterField("officesession", "had_ticket", models.BooleanField(default=False)),
    ]
