"""Tables of policies with their versions, and of the ways by which people are reached."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from office.accounts.models import Scheme
from office.escalation.addresses import EMAIL_CHARS_MAX, shown


class Policy(models.Model):
    """Who is asked about some kinds of alert in a scheme, as its newest version says, until it is ended."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="policies")
    ended_at = models.DateTimeField(null=True, blank=True)
    """Since when nobody is asked by it; ``None`` = it holds. An ended one stays readable and never comes back."""

    class Meta:
        ordering = ["scheme_id", "pk"]

    def __str__(self) -> str:
        return f"policy {self.pk} of {self.scheme}"

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]


class PolicyVersion(models.Model):
    """What a policy says from the moment at which it was made until the next version. It never changes."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    """Counted through all policies of the scheme, so that no two of them say the same number."""
    kinds = models.JSONField()
    """Names of :class:`wire.kinds.AlertKind`."""
    steps = models.JSONField()
    """Fields of :class:`wire.snapshots.StepEntry`, in order."""
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="one_version_of_a_number")]

    def __str__(self) -> str:
        return f"version {self.number} of {self.policy}"


class ContactWay(models.Model):
    """A way by which a person is reached who has no page open, as they entered it. It goes with their account."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ways")
    place = models.PositiveSmallIntegerField()
    """From 1: in the order in which they were entered."""
    way = models.CharField(max_length=8, choices=[("sms", "text message"), ("email", "e-mail")])
    to = models.CharField(max_length=EMAIL_CHARS_MAX)
    """A number as E.164, or an address."""

    class Meta:
        ordering = ["account_id", "place"]
        constraints = [models.UniqueConstraint(fields=["account", "place"], name="one_way_in_a_place")]

    def __str__(self) -> str:
        return f"{self.get_way_display()} of {self.account}"

    @property
    def shown(self) -> str:
        """For the person themselves, and for nobody else."""
        return shown(self.to)
