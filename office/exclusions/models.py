"""Tables of cases, their steps, votes and notices, and of each scheme's terms."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models

from office.accounts.models import Scheme
from office.exclusions.rules.law import DOCUMENT_TITLES
from office.exclusions.rules.life import MOVES, TITLES
from office.exclusions.rules.life import Case as CaseFacts
from office.exclusions.rules.period import CATEGORY_TITLES, Period, is_minor
from office.exclusions.rules.reach import Shown
from office.exclusions.rules.votes import VotingRules
from office.members.models import Member, Premises
from office.people.models import Individual

CONDUCT_CHARS_MAX = 2_000
REASON_CHARS_MAX = 1_000
PLACE_CHARS_MAX = 120
VERSION_CHARS_MAX = 200
STEP_BY_CHARS_MAX = 120
NOTICE_CHARS_MAX = 12_000

_STATES = list(TITLES.items())
_CATEGORIES = list(CATEGORY_TITLES.items())
_WAYS = [("meeting", "At a meeting"), ("between-meetings", "Between meetings")]
_CHOICES = [("exclude", "Exclude"), ("do-not-exclude", "Do not exclude"), ("abstain", "Abstain")]
_SOURCES = [("local", "Local"), ("regional", "Regional")]
_DOCUMENTS = list(DOCUMENT_TITLES.items())
_SCOPES = [("all", "All premises of the scheme, later joiners included"), ("listed", "Only those listed")]


class SchemeTerms(models.Model):
    """What a scheme has settled for its exclusions. Without a row the defaults hold."""

    scheme = models.OneToOneField(Scheme, models.PROTECT, primary_key=True, related_name="exclusion_terms")
    paper_title = models.CharField(max_length=60, default="Exclusion notice")
    """Of what the person is handed: exclusion notice, exclusion order."""
    quorum = models.PositiveSmallIntegerField(default=3)
    majority_percent = models.PositiveSmallIntegerField(default=50)
    shows_identity_at_meetings = models.BooleanField(default=False)
    """A scheme may take its votes at meetings with the identity shown; each decision says so."""
    dpia_allows_minors = models.BooleanField(default=False)
    shows_without_proof = models.BooleanField(default=False)
    """Its gallery stays readable on a unit that was started without network and does not know the day."""
    responsible = models.CharField(max_length=500, blank=True)
    """Who is responsible, with address: the controller or controllers."""
    contact = models.CharField(max_length=300, blank=True)
    """How a person asks, appeals and complains."""
    privacy_notice = models.TextField(max_length=NOTICE_CHARS_MAX, blank=True)
    """The long one, for the public page; empty = Watchlink's own words."""

    def __str__(self) -> str:
        return f"terms of {self.scheme}"

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]

    def voting(self) -> VotingRules:
        """For the count."""
        return VotingRules(quorum=self.quorum, majority_percent=self.majority_percent)


class LawDocument(models.Model):
    """A document of data protection, as a scheme has recorded it. The newest of a kind counts; the older ones stay."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="law_documents")
    kind = models.CharField(max_length=24, choices=_DOCUMENTS)
    version = models.CharField(max_length=VERSION_CHARS_MAX)
    """As the scheme calls it, and where it is kept; or why this scheme needs none."""
    recorded_on = models.DateField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    review_due = models.DateField()

    class Meta:
        ordering = ["scheme_id", "kind", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.scheme}"

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]


class Case(models.Model):
    """One exclusion, from its nomination to its end. Everything in it is of one scheme."""

    scheme = models.ForeignKey(Scheme, models.PROTECT, related_name="cases")
    number = models.PositiveIntegerField()
    """In the scheme: 1, 2, 3 …; by it the case is read out before a vote."""
    individual = models.ForeignKey(Individual, models.PROTECT, related_name="cases")
    state = models.CharField(max_length=16, choices=_STATES, default="nominated")
    category = models.CharField(max_length=24, choices=_CATEGORIES)
    is_repeat = models.BooleanField(default=False)
    """Excluded before: the tariff's second column."""
    conduct = models.TextField(max_length=CONDUCT_CHARS_MAX)
    """What happened, as members read it: without the person's name or looks."""
    happened_on = models.DateField()
    happened_at = models.CharField(max_length=PLACE_CHARS_MAX)
    evidence = models.TextField(max_length=CONDUCT_CHARS_MAX)
    """What there is and who holds it."""
    nominated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    nominating_member = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="nominations")
    """``None`` = the co-ordinator nominated."""
    nominated_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=8, choices=_SOURCES, default="local")
    regional_source = models.CharField(max_length=PLACE_CHARS_MAX, blank=True)
    source_expires_on = models.DateField(null=True, blank=True)
    """Of a regional one: the last day on which it may be used. No exclusion lasts longer."""
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)
    check_note = models.TextField(max_length=REASON_CHARS_MAX, blank=True)
    """What was checked, and how."""
    months = models.PositiveSmallIntegerField(default=0)
    """Proposed, and then decided; 0 = not yet."""
    months_reason = models.CharField(max_length=REASON_CHARS_MAX, blank=True)
    scope = models.CharField(max_length=8, choices=_SCOPES, default="all")
    listed = models.ManyToManyField(Premises, blank=True, related_name="+")
    necessity = models.CharField(max_length=REASON_CHARS_MAX, blank=True)
    """Why all these premises."""
    decided_at = models.DateTimeField(null=True, blank=True)
    first_on = models.DateField(null=True, blank=True)
    last_on = models.DateField(null=True, blank=True)
    minor_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    may_show_minor = models.BooleanField(default=False)
    """The second approver also allows that shops are shown an under-18, if the impact assessment does."""
    is_restricted = models.BooleanField(default=False)
    has_open_appeal = models.BooleanField(default=False)
    paper_digest = models.CharField(max_length=32, blank=True)
    """Of the premises that the newest version of its notice names, as long as the rest of what that says holds too;
    empty = the last day or its words have changed since, or there is no notice."""
    over_at = models.DateTimeField(null=True, blank=True)
    """When nothing more could follow: retention counts from here."""
    version = models.PositiveBigIntegerField(default=1)
    """Rises with each move, so that two who act at once notice one another."""

    class Meta:
        ordering = ["-nominated_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["scheme", "number"], name="one_case_of_a_number"),
            models.CheckConstraint(
                condition=models.Q(source_expires_on=None)
                | models.Q(last_on=None)
                | models.Q(last_on__lte=models.F("source_expires_on")),
                name="no_case_outlasts_its_source",
            ),
        ]
        indexes = [
            # All that the register looks through, so that a search of 10,000 does not read as many whole cases.
            models.Index(
                fields=[
                    *("scheme", "state", "last_on", "first_on", "individual", "is_restricted"),
                    *("may_show_minor", "minor_approved_by", "happened_at"),
                ],
                name="cases_in_the_register",
            ),
            # All that is asked to find the notices out of date when a premises joins or leaves.
            models.Index(fields=["scheme", "state", "scope", "paper_digest"], name="cases_by_what_is_on_paper"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """``HART case 17``."""
        return f"{self.scheme.name} case {self.number}"

    @property
    def period(self) -> Period | None:
        """First and last day, once there are any."""
        return Period(self.first_on, self.last_on) if self.first_on and self.last_on else None

    def audit_schemes(self) -> list[int]:
        """Whose co-ordinators read of it."""
        return [self.scheme_id]

    def shown(self, today: date) -> Shown:
        """For the rules of who is shown it on a day."""
        one = self.individual
        return Shown(
            state=self.state,  # type: ignore[arg-type]  # the field's choices are its values
            period=self.period,
            is_restricted=self.is_restricted,
            is_minor=is_minor(one.born_on, today, is_believed_minor=one.is_believed_minor),
            minor_shown_by=(self.minor_approved_by_id or 0) if self.may_show_minor else 0,
        )

    def facts(self, *, is_minor: bool, premises: int, is_newest_served: bool, is_source_over: bool) -> CaseFacts:
        """For the rules."""
        return CaseFacts(
            state=self.state,  # type: ignore[arg-type]  # the field's choices are its values
            checked_by=self.checked_by_id or 0,
            nominated_by=self.nominated_by_id,
            is_minor=is_minor,
            minor_approved_by=self.minor_approved_by_id or 0,
            has_open_appeal=self.has_open_appeal,
            is_restricted=self.is_restricted,
            premises=premises,
            is_newest_served=is_newest_served,
            is_source_over=is_source_over,
        )


class Step(models.Model):
    """One move of a case, as its history tells it. The audit has it too, without the reason: that can be erased."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    move = models.CharField(
        max_length=24, choices=[("nominate", "nominated"), *((m.name, m.told) for m in MOVES.values())]
    )
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    """``None`` = Watchlink itself."""
    by = models.CharField(max_length=STEP_BY_CHARS_MAX)
    """Name and role as they were then."""
    reason = models.TextField(max_length=REASON_CHARS_MAX, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.case}: {self.move}"


class Ballot(models.Model):
    """A vote on a case."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="ballots")
    way = models.CharField(max_length=16, choices=_WAYS)
    meeting_on = models.DateField(null=True, blank=True)
    identity_was_shown = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    quorum = models.PositiveSmallIntegerField()
    majority_percent = models.PositiveSmallIntegerField()
    """As they were when it was opened."""
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, blank=True)
    """``accept``, ``reject``, ``find-no-quorum``, ``leave-unfinished`` or ``stop-vote``; empty = open."""
    exclude = models.PositiveSmallIntegerField(default=0)
    do_not_exclude = models.PositiveSmallIntegerField(default=0)
    abstain = models.PositiveSmallIntegerField(default=0)
    not_counted = models.PositiveSmallIntegerField(default=0)
    """Votes whose caster had none any more when it ended, or whose member had left."""

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(ended_at=None), name="one_open_ballot_of_a_case"
            )
        ]

    def __str__(self) -> str:
        return f"vote on {self.case}"


class BallotVote(models.Model):
    """A member's vote. A later one of the member replaces it while the vote is open."""

    ballot = models.ForeignKey(Ballot, models.CASCADE, related_name="votes")
    member = models.ForeignKey(Member, models.PROTECT, related_name="+")
    choice = models.CharField(max_length=16, choices=_CHOICES)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    """Who cast it; at a meeting, who wrote it down."""
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ballot", "member"], name="one_vote_of_a_member")]

    def __str__(self) -> str:
        return f"{self.member}: {self.choice}"


class Notice(models.Model):
    """What the person is handed: a version with the premises it names, and how it was served."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="notices")
    version = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    first_on = models.DateField()
    last_on = models.DateField()
    premises = models.JSONField()
    """``[{"number": 3, "name": "Echo Club", "place": "High St"}, …]`` as they were then."""
    served_at = models.DateTimeField(null=True, blank=True)
    served_by = models.CharField(max_length=120, blank=True)
    served_where = models.CharField(max_length=PLACE_CHARS_MAX, blank=True)
    served_how = models.CharField(max_length=PLACE_CHARS_MAX, blank=True)
    privacy_information_given = models.BooleanField(default=False)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["case", "version"], name="one_notice_of_a_version")]

    def __str__(self) -> str:
        return f"{self.case}, version {self.version}"
