"""Tables of the people that cases are about, and of their photographs.

No column is for ethnicity, religion or orientation, and none is made from a face. What is held here of a person can be
erased; the audit names people by their reference alone.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from office.accounts.models import Scheme
from office.people.rules import REQUEST_TITLES, WAY_TITLES

PERSON_NAME_CHARS_MAX = 120
DESCRIPTION_CHARS_MAX = 500
ADDRESS_CHARS_MAX = 500
SOURCE_CHARS_MAX = 200
ASKER_CHARS_MAX = 300
ASKED_CHARS_MAX = 2_000
PROOF_CHARS_MAX = 300


class Individual(models.Model):
    """A person whom a case of one scheme is about; each scheme holds its own. With or without a name."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="individuals")
    number = models.PositiveIntegerField()
    """In the scheme: 1, 2, 3 …; never another person's."""
    name = models.CharField(max_length=PERSON_NAME_CHARS_MAX, blank=True)
    """Empty = a face without a name."""
    also_known_as = models.CharField(max_length=PERSON_NAME_CHARS_MAX, blank=True)
    """Several names stand with a semicolon between them."""
    born_on = models.DateField(null=True, blank=True)
    is_believed_minor = models.BooleanField(default=False)
    """Counts only while the date of birth is not known."""
    description = models.CharField(max_length=DESCRIPTION_CHARS_MAX, blank=True)
    address = models.CharField(max_length=ADDRESS_CHARS_MAX, blank=True)
    """Where papers reach the person. Seen by co-ordinators alone."""
    version = models.PositiveBigIntegerField(default=1)
    """Rises with each change, so that two editors notice one another."""
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)
    """From then on the row holds its number alone."""
    same_as = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    """Who of the register this turned out to be: the row itself holds nothing any more, its number leads there."""
    search_text = models.TextField(editable=False, blank=True)
    """What the register is searched by, folded."""

    class Meta:
        ordering = ["scheme_id", "number"]
        constraints = [models.UniqueConstraint(fields=["scheme", "number"], name="one_individual_of_a_number")]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """``HART-0042``: how papers, audit and telephone calls name the person."""
        return f"{self.scheme.slug.upper()}-{self.number:04}"

    @property
    def references(self) -> list[str]:
        """Its own, and those of rows that turned out to be the same person."""
        return [self.reference, *(one.reference for one in self.merged.select_related("scheme").order_by("number"))]

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]


SHOWN_TO_READERS = models.Q(is_shown=True, crop_width__gt=0)
"""The photograph of a person that readers, papers and shops get; at most one, and none before it is cropped."""


class Photograph(models.Model):
    """A photograph of a person. Its files are encrypted; the key that opens them is here, wrapped."""

    individual = models.ForeignKey(Individual, models.CASCADE, related_name="photographs")
    file = models.CharField(max_length=32, unique=True)
    """32 hexadecimal digits: names the encrypted files."""
    wrapped_key = models.BinaryField()
    """The content key, encrypted under the photographs' key, which no database or backup holds."""
    original_sha256 = models.CharField(max_length=64)
    """Of the file as it was handed in: for the chain of custody."""
    taken_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=SOURCE_CHARS_MAX)
    """Where it comes from: camera, shop, police."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    crop_left = models.PositiveIntegerField(default=0)
    crop_top = models.PositiveIntegerField(default=0)
    crop_width = models.PositiveIntegerField(default=0)
    """0 = not cropped yet."""
    crop_height = models.PositiveIntegerField(default=0)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)
    is_shown = models.BooleanField(default=True)
    """The one that readers see; at most one of a person."""

    class Meta:
        ordering = ["-added_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["individual"], condition=models.Q(is_shown=True), name="one_photograph_is_shown"
            )
        ]

    def __str__(self) -> str:
        return f"photograph of {self.individual}"


class RightsRequest(models.Model):
    """What a person asks of a scheme about themselves, and what came of it. Found in the register or not."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="rights_requests")
    kind = models.CharField(max_length=12, choices=list(REQUEST_TITLES.items()))
    asked_by = models.CharField(max_length=ASKER_CHARS_MAX)
    """Who asks, and how to reach them. Seen by co-ordinators alone."""
    asked = models.TextField(max_length=ASKED_CHARS_MAX, blank=True)
    """What they say."""
    received_on = models.DateField()
    due_on = models.DateField()
    acknowledged_on = models.DateField(null=True, blank=True)
    done_on = models.DateField(null=True, blank=True)
    outcome = models.TextField(max_length=ASKED_CHARS_MAX, blank=True)
    individual = models.ForeignKey(Individual, models.PROTECT, null=True, blank=True, related_name="requests")
    """``None`` = not found in the register, or not looked for yet."""
    found_by = models.CharField(max_length=12, choices=list(WAY_TITLES.items()), blank=True)
    proof = models.CharField(max_length=PROOF_CHARS_MAX, blank=True)
    """How they proved who they are."""
    compared_by = models.CharField(max_length=PROOF_CHARS_MAX, blank=True)
    """Who compared photographs, and with what."""
    notes = models.TextField(blank=True)
    """What was done and why, a line each, with day and name."""
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["due_on", "pk"]

    def __str__(self) -> str:
        return f"request {self.pk}"

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]
