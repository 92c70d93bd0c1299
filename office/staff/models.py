"""The table of named staff."""

from __future__ import annotations

from datetime import date

from django.db import models

from office.accounts.models import Scheme
from office.members.models import Premises
from office.staff.rules import open_check
from wire.gallery_staff import StaffEntry
from wire.limits import NAME_CHARS_MAX


class StaffMember(models.Model):
    """A person who may sign in at the page of a premises, or who might until lately: the view log knows their number.

    Seen by the member's contact, and by the co-ordinators of the schemes of the premises.
    """

    number = models.PositiveBigIntegerField(unique=True, editable=False)
    """Random, and so never another's, not even after a restore from an older copy."""
    premises = models.ForeignKey(Premises, models.SET_NULL, null=True, related_name="staff")
    """``None`` = it was deleted, and they are off every list."""
    schemes = models.ManyToManyField(Scheme, related_name="+")
    """Of the premises when something was done last: their co-ordinators read whose a look was, also once it is gone."""
    name = models.CharField(max_length=NAME_CHARS_MAX)
    code = models.PositiveBigIntegerField(default=0)
    """Number of the newest start code: the second in which it was made."""
    code_check = models.CharField(max_length=64, blank=True)
    """What that is compared with; the code itself is not kept."""
    code_until = models.DateField(null=True, blank=True)
    """The last day on which it is good."""
    added_at = models.DateTimeField(auto_now_add=True)
    taken_off_at = models.DateTimeField(null=True, blank=True, db_index=True)
    """``None`` = they may sign in."""

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def entry(self, today: date) -> StaffEntry:
        """As the units of the premises are told."""
        check = open_check(self.code_check, self.code_until, today)
        return StaffEntry(person=self.number, name=self.name, code=self.code, code_check=check)
