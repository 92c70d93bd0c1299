"""Tables of the rota: what people plan. Shifts are not kept, they follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast, get_args

from django.conf import settings
from django.db import models

from office.accounts.models import Scheme
from office.accounts.rules import TITLES
from office.rota.rules.plan import Cover, Hours, Override, Pattern, Post, Turn
from office.rota.rules.spans import Span
from wire.snapshots import AnsweringRole

POST_ROLES: tuple[AnsweringRole, ...] = get_args(AnsweringRole)
REASON_CHARS_MAX = 200
_ROLE_CHOICES = [(slug, TITLES[slug]) for slug in POST_ROLES]


class OfPost(models.Model):
    """Something of a post: a role in a scheme."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    role = models.CharField(max_length=32, choices=_ROLE_CHOICES)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_role_display()} in {self.scheme}"

    @property
    def post(self) -> Post:
        """As the rules have it."""
        return Post(cast("AnsweringRole", self.role), self.scheme_id)

    def audit_schemes(self) -> Sequence[int]:
        """Whose co-ordinators read what was done with it."""
        return [self.scheme_id]


class WithHours(OfPost):
    """Days and times by the clock on the wall."""

    weekdays = models.CharField(max_length=7)
    """Digits, 0 = Monday."""
    every_weeks = models.PositiveSmallIntegerField(default=1)
    begins = models.TimeField()
    length_min = models.PositiveSmallIntegerField()
    first = models.DateField()
    last = models.DateField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def hours(self) -> Hours:
        """As the rules have them."""
        weekdays = frozenset(map(int, self.weekdays))
        return Hours(weekdays, self.begins, self.length_min, self.first, self.last, self.every_weeks)

    @property
    def mark(self) -> str:
        """Tells what it says from what it has said before."""
        days = f"{self.weekdays} {self.every_weeks} {self.first} {self.last}"
        return f"{days} {self.begins:%H:%M} {self.length_min}"


class RotaPattern(WithHours):
    """Shifts that come again and again."""

    people = models.JSONField(default=list)
    """Numbers of accounts, which are never deleted; in turn."""
    turn = models.CharField(max_length=8, choices=[("shift", "each shift"), ("week", "each Monday")], default="shift")

    @property
    def mark(self) -> str:
        """Also by its people."""
        return f"{super().mark} {self.people} {self.turn}"

    def pattern(self) -> Pattern:
        """As the rules have it."""
        return Pattern(self.pk, self.post, self.hours, tuple(self.people), cast("Turn", self.turn))


class RotaCover(WithHours):
    """When somebody should be on duty."""

    def cover(self) -> Cover:
        """As the rules have it."""
        return Cover(self.post, self.hours)


class RotaSwap(models.Model):
    """Two people who would take each other's shift. Seen by the two."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    asked = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    given_role = models.CharField(max_length=32, choices=_ROLE_CHOICES)
    given_begins_at = models.DateTimeField()
    given_ends_at = models.DateTimeField()
    taken_role = models.CharField(max_length=32, choices=_ROLE_CHOICES)
    taken_begins_at = models.DateTimeField()
    taken_ends_at = models.DateTimeField()
    state = models.CharField(max_length=12, default="asked")
    """``asked``, ``agreed``, ``declined``, ``withdrawn``."""
    asked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Swap in {self.scheme}"

    def audit_schemes(self) -> Sequence[int]:
        """Whose co-ordinators read what became of it."""
        return [self.scheme_id]


class RotaOverride(OfPost):
    """For once it is otherwise."""

    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    """Who is on; ``None`` = nobody, or one person less."""
    instead_of = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    """Who is not on; ``None`` = everybody, or nobody is taken off."""
    reason = models.CharField(max_length=REASON_CHARS_MAX, blank=True)
    swap = models.ForeignKey(RotaSwap, models.CASCADE, null=True, related_name="overrides")
    made_at = models.DateTimeField(auto_now_add=True)

    def override(self) -> Override:
        """As the rules have it."""
        span = Span(self.begins_at, self.ends_at)
        return Override(self.pk, self.post, span, self.account_id, self.instead_of_id)


class RotaFeed(models.Model):
    """A calendar's secret address. Only its digest is kept."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="rota_feeds")
    what = models.CharField(max_length=64)
    """``own``, or a post as its address has it."""
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "what"], name="one_feed_of_a_kind")]

    def __str__(self) -> str:
        return self.what
