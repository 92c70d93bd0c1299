"""Tables of what shops report, and of what was done about it. But for a copy of a statement, nothing names anybody."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from office.accounts.models import Scheme
from office.breaches.rules import ACTION_TITLES, HAPPENED_TITLES, KIND_TITLES, LEFT_TITLES, STATE_TITLES
from office.exclusions.models import PLACE_CHARS_MAX, STEP_BY_CHARS_MAX, Case
from office.members.models import Member, Premises

CRIME_REFERENCE_CHARS_MAX = 40


class Breach(models.Model):
    """A report of a shop, as it came, or an incident, as it was written down; and how far it has been dealt with."""

    report = models.CharField(max_length=32, unique=True)
    """As the unit drew it, or the office for an incident; one that is taken in twice is one."""
    kind = models.CharField(max_length=12, choices=list(KIND_TITLES.items()))
    happened = models.CharField(max_length=12, choices=list(HAPPENED_TITLES.items()), blank=True)
    """Of an incident."""
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="breaches")
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="breaches")
    """``None`` = there is no such case in the scheme, or it is an incident."""
    reference = models.CharField(max_length=48, blank=True)
    """Of the person, as the unit had it: ``HART-0042``; empty = it is an incident."""
    node = models.PositiveBigIntegerField()
    premises = models.ForeignKey(Premises, models.SET_NULL, null=True, related_name="+")
    member = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    """Whose the premises was then: who has it since is told nothing of this."""
    place = models.CharField(max_length=2 * PLACE_CHARS_MAX)
    """Name and place of the premises, as they were then."""
    staff = models.PositiveBigIntegerField(default=0)
    """Number of the member of staff who reported it; 0 = nobody was signed in."""
    at = models.DateTimeField()
    is_time_proven = models.BooleanField()
    """Whether the unit's clock was proven right."""
    left = models.CharField(max_length=12, choices=list(LEFT_TITLES.items()), blank=True)
    incident = models.CharField(max_length=20, blank=True)
    """Of the alert at central; empty = none went out."""
    received_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=list(STATE_TITLES.items()), default="received")
    state_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=1)
    """Rises with each action, so that two who act at once notice one another."""

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["scheme", "state", "at"], name="breaches_of_a_scheme"),
            models.Index(fields=["node", "received_at"], name="breaches_of_a_node"),
        ]

    def __str__(self) -> str:
        by = f" by {self.reference}" if self.reference else ""
        return f"{self.get_kind_display()} {self.pk}{by}"

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]


class BreachAction(models.Model):
    """What was done about a breach."""

    breach = models.ForeignKey(Breach, models.CASCADE, related_name="actions")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=list(ACTION_TITLES.items()))
    crime_reference = models.CharField(max_length=CRIME_REFERENCE_CHARS_MAX, blank=True)
    extended = models.ForeignKey(Case, models.SET_NULL, null=True, related_name="+")
    """By which case the exclusion was extended."""
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by = models.CharField(max_length=STEP_BY_CHARS_MAX)
    """Name and role as they were then."""
    closes = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.breach}: {self.kind}"


class StatementCopy(models.Model):
    """The reporter's statement, as it was made: for the contact of the business that had the shop when it happened."""

    breach = models.OneToOneField(Breach, models.CASCADE, related_name="copy")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    paper = models.BinaryField()
    """:class:`office.papers.orders.StatementPaper` as JSON: the same order gives the same PDF."""
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=STEP_BY_CHARS_MAX)
    """Name and role as they were then."""

    class Meta:
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"Copy of the statement about {self.breach}"
