"""Tables of people, their roles and the schemes."""

from __future__ import annotations

from typing import get_args

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from wire.snapshots import RoleSlug

NAME_CHARS_MAX = 80
USERNAME_CHARS_MAX = 40
ROLE_SLUGS: tuple[str, ...] = get_args(RoleSlug)


class Scheme(models.Model):
    """A scheme of the town. The fleet owns it; the office reads it from the signed directory."""

    number = models.PositiveIntegerField(primary_key=True)
    slug = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=NAME_CHARS_MAX)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.name


class AccountManager(BaseUserManager["Account"]):
    """Finds people by username, in any case of letters."""

    def get_by_natural_key(self, username: str | None) -> Account:
        """As Django's sign-in asks."""
        return self.get(username=(username or "").lower())


class Account(AbstractBaseUser):
    """A person who may sign in. Never deleted, so that the number is never another's; an ended one is not active."""

    username = models.CharField(max_length=USERNAME_CHARS_MAX, unique=True)
    name = models.CharField(max_length=NAME_CHARS_MAX)
    """For people: as it is recorded with what they do."""
    email = models.EmailField(blank=True)
    """For invitations and warnings; empty = told on the page only."""
    generation = models.PositiveBigIntegerField(default=1)
    """Of their sessions; raising it ends them all (:class:`wire.snapshots.PersonEntry`)."""
    is_active = models.BooleanField(default=True)
    """``False`` = ended. An ended account never comes back; the person gets a new one."""
    is_staff = False
    is_superuser = False
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = AccountManager()

    def __str__(self) -> str:
        return self.name


class RoleGrant(models.Model):
    """A role of a person in a scheme."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=32, choices=[(slug, slug) for slug in ROLE_SLUGS])
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="grants")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "role", "scheme"], name="one_grant_of_a_role_in_a_scheme")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.role} in {self.scheme}"
