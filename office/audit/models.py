"""The table of the audit. Nothing but :mod:`office.audit.journal` writes it; triggers refuse all but new rows."""

from __future__ import annotations

from django.db import models

from office.audit.chain import Row


class AuditRow(models.Model):
    """One thing done by a person, or by Watchlink itself.

    No column is unique but the number: on SQLite ``REPLACE`` would remove another row with the same value, unseen by
    triggers. For the same reason the number is SQLite's own row number (an ``INTEGER PRIMARY KEY``).
    """

    sequence = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor_account = models.BigIntegerField()
    """0 = Watchlink itself. No foreign key: the record stands by itself."""
    actor_name = models.TextField()
    actor_role = models.TextField()
    action = models.TextField()
    subject_kind = models.TextField()
    subject_id = models.TextField()
    subject_name = models.TextField()
    schemes = models.TextField()
    details = models.TextField()
    """JSON as it was hashed; a JSON column would put it in another form."""
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["-sequence"]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"

    def as_row(self) -> Row:
        """For the chain."""
        return Row(**{name: getattr(self, name) for name in Row.__struct_fields__})
