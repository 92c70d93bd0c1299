"""Tables of members, their premises and the people to reach there."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from office.accounts.models import Scheme
from office.members.facts import NOTES_CHARS_MAX, PHONE_CHARS_MAX, ContactFacts, PremisesFacts, entry_bytes, folded
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX


class Member(models.Model):
    """A business. Seen by co-ordinators of the schemes in which it has or had a membership."""

    name = models.CharField(max_length=NAME_CHARS_MAX)
    version = models.PositiveBigIntegerField(default=1)
    """Rises with each change, so that two editors notice one another."""

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Of a member in a scheme. Seen by that scheme's co-ordinators alone."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="memberships")
    joined_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)
    """The first day on which it is no member; ``None`` = it is one."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "scheme"], name="one_membership_in_a_scheme")]

    def __str__(self) -> str:
        return f"{self.member} in {self.scheme}"


class Spokesperson(models.Model):
    """Who sees a member's premises of a scheme here, while they have the role of a member's contact in it.

    Each scheme decides for itself: seen by its co-ordinators alone.
    """

    member = models.ForeignKey(Member, models.CASCADE, related_name="spokespeople")
    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="spokespeople")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="spokesperson_for")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "scheme", "account"], name="one_spokesperson_in_a_scheme")
        ]

    def __str__(self) -> str:
        return f"{self.account} for {self.member} in {self.scheme}"


class ToldOf(models.Model):
    """A member's contact chose to be told of this at the premises that they see as one. None: of nothing."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="told_of")
    what = models.CharField(max_length=8, choices=[("alerts", "alerts"), ("faults", "faults of the unit")])

    class Meta:
        ordering = ["what"]
        constraints = [models.UniqueConstraint(fields=["account", "what"], name="told_once_of_each")]

    def __str__(self) -> str:
        return f"{self.account} of {self.what}"


class Premises(models.Model):
    """A place of a member. Its number is never another's; without a scheme it is deleted, with its contacts."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="premises")
    schemes = models.ManyToManyField(Scheme, related_name="premises")
    name = models.CharField(max_length=NAME_CHARS_MAX)
    place = models.CharField(max_length=NAME_CHARS_MAX, blank=True)
    address = models.CharField(max_length=TEXT_CHARS_MAX, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    opening_hours = models.CharField(max_length=TEXT_CHARS_MAX, blank=True)
    staff_contact = models.CharField(max_length=TEXT_CHARS_MAX, blank=True)
    when_going = models.CharField(max_length=NOTES_CHARS_MAX, blank=True)
    version = models.PositiveBigIntegerField(default=1)
    """Rises with each change, so that two editors notice one another."""
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=80, blank=True)
    """Name, for the next editor."""
    search_text = models.TextField(editable=False)
    """What the list is searched by, as :func:`office.members.facts.folded` writes it."""
    entry_bytes = models.PositiveIntegerField(default=0, editable=False)
    """What it takes in a snapshot, as :func:`office.members.facts.entry_bytes` counts."""

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["name", "id"], name="premises_by_name")]

    def __str__(self) -> str:
        return self.name

    def put(self, facts: PremisesFacts, member_name: str) -> None:
        """Take over facts, contacts apart; not saved."""
        self.name = facts.name
        self.place = facts.place
        self.address = facts.address
        self.latitude = facts.latitude
        self.longitude = facts.longitude
        self.opening_hours = facts.opening_hours
        self.staff_contact = facts.staff_contact
        self.when_going = facts.when_going
        self.search_text = search_text(facts, member_name)
        self.entry_bytes = entry_bytes(facts)

    def facts(self) -> PremisesFacts:
        """As stored; asks for the contacts unless they are prefetched."""
        return PremisesFacts(
            name=self.name,
            place=self.place,
            address=self.address,
            latitude=self.latitude,
            longitude=self.longitude,
            opening_hours=self.opening_hours,
            staff_contact=self.staff_contact,
            when_going=self.when_going,
            contacts=tuple(contact.facts() for contact in self.contacts.all()),
        )


class Contact(models.Model):
    """A person to reach at a premises."""

    premises = models.ForeignKey(Premises, models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=NAME_CHARS_MAX)
    phone = models.CharField(max_length=PHONE_CHARS_MAX, blank=True)
    is_key_holder = models.BooleanField(default=False)
    note = models.CharField(max_length=TEXT_CHARS_MAX, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def dialled(self) -> str:
        """The phone number as a link has it: ``+441604496000``."""
        return "".join(c for c in self.phone if c in "+0123456789")

    def facts(self) -> ContactFacts:
        """As stored."""
        return ContactFacts(name=self.name, phone=self.phone, is_key_holder=self.is_key_holder, note=self.note)

    @classmethod
    def of(cls, premises: Premises, facts: PremisesFacts) -> list[Contact]:
        """The contacts of ``facts`` in their order, not saved."""
        return [
            cls(
                premises=premises,
                name=contact.name,
                phone=contact.phone,
                is_key_holder=contact.is_key_holder,
                note=contact.note,
            )
            for contact in facts.contacts
        ]


class PendingImport(models.Model):
    """A file that somebody has uploaded and not yet confirmed; one for each person, deleted after an hour."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="pending_import")
    token = models.CharField(max_length=32)
    """New for each file, so that an old preview cannot confirm a newer file."""
    data = models.BinaryField()
    uploaded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.token


def search_text(facts: PremisesFacts, member_name: str) -> str:
    """What a premises is found by: its names, places and people."""
    people = (contact.name for contact in facts.contacts)
    return folded(" ".join((facts.name, facts.place, facts.address, member_name, *people)))
