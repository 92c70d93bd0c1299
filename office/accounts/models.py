"""Tables of people, their roles, their sessions and their links."""

from __future__ import annotations

from typing import get_args

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from wire.limits import NAME_CHARS_MAX
from wire.snapshots import RoleSlug

USERNAME_CHARS_MAX = 40
AGENT_CHARS_MAX = 200
ROLE_SLUGS: tuple[RoleSlug, ...] = get_args(RoleSlug)
_ROLE_CHOICES = [(slug, slug) for slug in ROLE_SLUGS]


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
    """For warnings; empty = told on the page only."""
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
    role = models.CharField(max_length=32, choices=_ROLE_CHOICES)
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="grants")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "role", "scheme"], name="one_grant_of_a_role_in_a_scheme")
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.role} in {self.scheme}"


class OfficeSession(models.Model):
    """A session at the office. It is over when it is ended or its generation is not the account's any more."""

    public_id = models.CharField(max_length=32, primary_key=True)
    """32 hexadecimal digits; in tickets and snapshots. It opens nothing."""
    account = models.ForeignKey(Account, models.CASCADE, related_name="sessions")
    generation = models.PositiveBigIntegerField()
    """The account's when the session began."""
    began_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    had_ticket = models.BooleanField(default=False)
    """Whether it ever got a ticket for central, which then must hear of its end."""
    agent = models.CharField(max_length=AGENT_CHARS_MAX, blank=True)
    """What the browser calls itself."""
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["account", "generation", "ended_at"], name="sessions_of_an_account")]

    def __str__(self) -> str:
        return self.public_id


class PrintedCode(models.Model):
    """A one-time code on paper, for central (:mod:`wire.printed_codes`); a new sheet replaces the old one."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="printed_codes")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="one_printed_code_once")]

    def __str__(self) -> str:
        return f"{self.account}: printed code"


class TotpUse(models.Model):
    """The newest time step whose code was taken of an authenticator app: none is taken twice, nor an older one."""

    authenticator = models.OneToOneField("mfa.Authenticator", models.CASCADE, primary_key=True, related_name="+")
    counter = models.PositiveBigIntegerField(default=0)
    """Of RFC 6238: Unix time over 30 s."""

    def __str__(self) -> str:
        return f"{self.authenticator_id}: {self.counter}"


class Invitation(models.Model):
    """A link by which a person gets an account, or a role for the one they have. Only the token's digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=NAME_CHARS_MAX)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=32, choices=_ROLE_CHOICES)
    schemes = models.ManyToManyField(Scheme, related_name="+")
    invited_by = models.ForeignKey(Account, models.CASCADE, null=True, related_name="invitations")
    """``None`` = Watchlink itself, for the first co-ordinator."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+")

    def __str__(self) -> str:
        return f"Invitation of {self.name}"


class RecoveryLink(models.Model):
    """A link for somebody who lost what they sign in with. Only the token's digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="recovery_links")
    generation = models.PositiveBigIntegerField()
    """The account's when the link was made: whatever raises it voids the link."""
    sets_password = models.BooleanField()
    """The person chooses a new password; otherwise the old one is asked for."""
    made_by = models.ForeignKey(Account, models.CASCADE, null=True, related_name="+")
    """``None`` = Watchlink itself, by a command on the machine."""
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Recovery of {self.account}"


class Notice(models.Model):
    """What a person is told at their next sign-in, until they have read it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="notices")
    text = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.text
