"""The table of numbers."""

from __future__ import annotations

from django.db import models


class PublishedNumber(models.Model):
    """The highest number that was ever given to a snapshot of this name, so that a lost folder loses no number."""

    name = models.CharField(max_length=16, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}-{self.number}"
