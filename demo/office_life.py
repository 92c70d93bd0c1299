"""Plays the stories of :mod:`demo.office_stories` at the office, each step on its day, by the office's own acts.

So every case of the demo has gone the way that the rules allow, with its history and its audit. Imported once Django is
set up.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final, Literal
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from django.utils import timezone
from PIL import Image

from demo.office_stories import STORIES, Move, Step, Story
from office.accounts.access import rights_of
from office.accounts.models import Account, Scheme
from office.exclusions import acts, nominating, terms, voting, waiting
from office.exclusions.acts import Nomination, Proposal, Serving, Turn
from office.exclusions.models import Case
from office.exclusions.nominating import PersonFacts
from office.exclusions.rules.law import DOCUMENT_KINDS
from office.exclusions.rules.period import TOWN_ZONE, day_of, tariff
from office.members.models import Member, Membership, Premises, Spokesperson
from office.people import photographs, rights
from office.people.intake_process import Picture
from office.people.intake_terms import SMALL, Box
from office.people.photographs import Taken
from office.people.rights import Search
from office.people.rules import RequestKind

FACES: Final = Path(__file__).parent / "faces"
BEGAN_DAYS_AGO: Final = 345
_REVIEWED_DAYS_AGO: Final = 100
_OFFICE_MINUTES: Final = 8 * 60
_STRIDE_MINUTES: Final = 187
_OTHER_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "hart": ("Fern Florist", "Market Hall Traders"),
    "pub-watch": ("Assembly Rooms", "Bowls Club"),
}
"""They have no premises in the demo, but a vote."""
_SPEAK: Final = (
    ("mistry", "Corner Shop", "hart"),
    ("ward", "Penny Books", "hart"),
    ("tanner", "Red Lion", "pub-watch"),
)
_TERMS: Final = {
    "hart": {
        "paper_title": "Exclusion notice",
        "responsible": "HART, the shops of this invented town\n1 Market Place, LE1 0AA",
        "contact": "By letter to 1 Market Place, LE1 0AA, by e-mail to hart@office.example\nTelephone: 0116 496 0050",
    },
    "pub-watch": {
        "paper_title": "Exclusion order",
        "responsible": "Pub Watch, the licensed houses of this invented town\n3 Church St, LE1 0AB",
        "contact": "By letter to 3 Church St, LE1 0AB, by e-mail to pub-watch@office.example\nTelephone: 0116 496 0060",
    },
}
_REQUESTS: Final[tuple[tuple[float, RequestKind, str, str, str], ...]] = (
    (9, "restriction", "Corin Wells, by telephone", "It was my brother. Please look at the film again.", "Corin Wells"),
    (5, "complaint", "A neighbour, by letter", "The notice was handed over where the whole street could listen.", ""),
    (2, "access", "Bryony Marsh, at the counter", "I want to see everything that you have about me.", "Bryony Marsh"),
)
"""Days ago, kind, who asks, their words, and whom it is about if that is established."""


def play(now: datetime) -> None:
    """Live through the office's last year, up to ``now``, in the order of the days."""
    town = _Town()
    happenings: list[tuple[float, Callable[[], object]]] = [(BEGAN_DAYS_AGO, town.begin)]
    happenings.append((_REVIEWED_DAYS_AGO, town.review))
    for story in STORIES:
        play_step = _Played(town, story).step
        happenings += [(step.days_ago, lambda step=step, do=play_step: do(step)) for step in story.steps]  # type: ignore[misc]
    happenings += [(one[0], lambda one=one: town.ask(*one[1:])) for one in _REQUESTS]  # type: ignore[misc]
    dated = [(_moment(now, days_ago, number), do) for number, (days_ago, do) in enumerate(happenings)]
    for moment, do in sorted(dated, key=lambda one: one[0]):
        with _clock_at(moment):
            do()


def _moment(now: datetime, days_ago: float, number: int) -> datetime:
    """Today it is so long ago; on another day it was between nine and five, each at a time of its own."""
    if days_ago < 1:
        return now - timedelta(days=days_ago)
    hours, minutes = divmod(number * _STRIDE_MINUTES % _OFFICE_MINUTES, 60)
    return datetime.combine(day_of(now) - timedelta(days=int(days_ago)), time(9 + hours, minutes), TOWN_ZONE)


@contextmanager
def _clock_at(moment: datetime) -> Iterator[None]:
    """Whoever asks Django for the time is told this moment."""
    with patch.object(timezone, "now", lambda: moment):
        yield


class _Town:
    """The schemes with their people."""

    def __init__(self) -> None:
        self.schemes = {scheme.slug: scheme for scheme in Scheme.objects.all()}
        self.people = {account.username: account for account in Account.objects.all()}
        self.co_ordinator = self.people["grant"]
        joined_on = _today() - timedelta(days=600)
        for slug, names in _OTHER_MEMBERS.items():
            for name in names:
                member = Member.objects.create(name=name)
                Membership.objects.create(member=member, scheme=self.schemes[slug], joined_on=joined_on)
        for username, member_name, slug in _SPEAK:
            Spokesperson.objects.create(
                member=Member.objects.get(name=member_name), scheme=self.schemes[slug], account=self.people[username]
            )

    def begin(self) -> None:
        """Settle the terms and record the documents: from then on the registers are on."""
        for slug, own in _TERMS.items():
            scheme = self.schemes[slug]
            held = terms.terms_of(scheme)
            kept = {field: getattr(held, field) for field in terms.TERMS_FIELDS}
            terms.set_terms(self.co_ordinator, scheme, kept | own)
            for kind in DOCUMENT_KINDS:
                terms.record_document(self.co_ordinator, scheme, kind, "1.0, invented for the demo")

    def review(self) -> None:
        """Look at each document again but one: its yearly review is due soon."""
        for scheme in self.schemes.values():
            for kind in DOCUMENT_KINDS:
                if kind != "impact-assessment":
                    terms.record_document(self.co_ordinator, scheme, kind, "1.1, invented for the demo")

    def ask(self, kind: RequestKind, asked_by: str, asked: str, about: str) -> None:
        """Somebody asks HART something about themselves."""
        number = rights.receive(self.co_ordinator, self.schemes["hart"], kind, _today(), (asked_by, asked))
        if about:
            request = rights.requests_of(rights_of(self.co_ordinator).co_ordinates).get(pk=number)
            reference = Case.objects.get(individual__name=about).individual.reference
            rights.find(
                self.co_ordinator,
                request,
                Search(
                    way="reference",
                    reference=reference,
                    name="",
                    born_on=None,
                    compared_by="",
                    proof="Passport seen, no copy kept.",
                ),
            )

    def spokesperson(self, member: str, scheme: Scheme) -> Account:
        """Who speaks for a member."""
        return Spokesperson.objects.get(member__name=member, scheme=scheme).account


class _Played:
    """A story as it goes on."""

    def __init__(self, town: _Town, story: Story) -> None:
        self._town, self._story = town, story
        self._scheme = town.schemes[story.scheme]
        self._case: Case

    def step(self, step: Step) -> None:
        """Take a step, now."""
        takes: dict[Move, Callable[[], object]] = {
            "nominate": self._nominate,
            "check": self._check,
            "open-vote": self._vote_between_meetings,
            "open-meeting": lambda: acts.open_vote(self._turn(), "meeting"),
            "meet": self._meet,
            "issue": lambda: acts.issue(self._turn(), _today()),
            "serve": self._serve,
            "appeal": lambda: acts.appeal(self._turn(), step.words),
            "restrict": lambda: acts.restrict(self._turn(), step.words),
            "revoke": lambda: acts.revoke(self._turn(), step.words),
            "withdraw": lambda: acts.withdraw(self._turn(), step.words),
            "expire": lambda: voting.end_what_is_over(timezone.now()),
            "lapse": lambda: waiting.lapse_what_is_due(timezone.now()),
        }
        takes[step.move]()

    def _nominate(self) -> None:
        story = self._story
        member = Member.objects.get(name=story.member) if story.member else None
        actor = self._town.spokesperson(story.member, self._scheme) if story.member else self._town.people["brandt"]
        nomination = Nomination(
            category=story.category,
            conduct=story.conduct,
            evidence=story.evidence,
            happened_on=_today() - timedelta(days=1),
            happened_at=story.happened_at,
            regional_source=story.regional_source,
            source_expires_on=_today() + timedelta(days=300) if story.regional_source else None,
        )
        born_on = _today() - relativedelta(years=story.born_years_ago, days=40) if story.born_years_ago else None
        person = PersonFacts(
            name=story.name,
            also_known_as=story.also_known_as,
            born_on=born_on,
            is_believed_minor=False,
            description=story.description,
            address=story.address,
        )
        self._case = nominating.nominate(actor, rights_of(actor), (self._scheme, member), person, nomination)
        if story.face:
            self._add_photograph(actor, is_checked=len(story.steps) > 1)

    def _add_photograph(self, actor: Account, *, is_checked: bool) -> None:
        """It is ours, upright and of the right size: no child needs to read it first."""
        data = (FACES / f"nobody-{self._story.face:02}.jpg").read_bytes()
        with Image.open(io.BytesIO(data)) as face:
            width, height = face.size
            small = io.BytesIO()
            face.resize(SMALL, Image.Resampling.LANCZOS).save(small, "JPEG", quality=90)
        portrait = Picture(width, height, data)
        photograph = photographs.add_photograph(
            actor,
            self._case.individual,
            Taken(data, portrait),
            source="Drawn for the demo: nobody’s face",
            taken_on=_today(),
        )
        if is_checked:
            co_ordinator = self._town.co_ordinator
            faces = (portrait, Picture(*SMALL, small.getvalue()))
            photographs.keep_crop(co_ordinator, photograph, Box(0, 0, width, height), faces)
            photographs.show_photograph(co_ordinator, photograph)

    def _check(self) -> None:
        story = self._story
        scope: Literal["all", "listed"] = "listed" if story.listed else "all"
        listed = Premises.objects.filter(name__in=story.listed, schemes=self._scheme).values_list("pk", flat=True)
        proposal = Proposal(
            note="Film and statements seen. It is the right person, and the text says no more than they show.",
            category=story.category,
            is_repeat=False,
            months=tariff(story.category, is_repeat=False),
            months_reason="",
            scope=scope,
            listed=frozenset(listed),
            necessity="It happened only there." if story.listed else "The same could happen next door.",
        )
        acts.check(self._turn(), proposal)

    def _vote_between_meetings(self) -> None:
        """Open it, and let one member vote: the others are the visitor's."""
        ballot = acts.open_vote(self._turn(), "between-meetings")
        voting.vote(self._town.people["ward"], ballot, Member.objects.get(name="Penny Books").pk, "exclude")

    def _meet(self) -> None:
        ballot, co_ordinator = acts.open_vote(self._turn(), "meeting"), self._town.co_ordinator
        for number, member in enumerate(voting.members_to_vote(self._case, timezone.now())):
            choice: Literal["exclude", "do-not-exclude"] = (
                "do-not-exclude" if number < self._story.against else "exclude"
            )
            voting.write_down(co_ordinator, ballot, member.pk, choice)
        voting.close_meeting_vote(co_ordinator, ballot)

    def _serve(self) -> None:
        serving = Serving(
            at=timezone.now(),
            by="PC 0000 Lowe",
            where=self._story.happened_at,
            how="Handed over, and read out",
            gave_privacy_information=True,
        )
        acts.serve(self._turn(), serving)

    def _turn(self) -> Turn:
        """The co-ordinator's, with the case as it is now."""
        self._case = Case.objects.get(pk=self._case.pk)
        actor = self._town.co_ordinator
        return Turn(actor, rights_of(actor), self._case, self._case.version)


def _today() -> date:
    return day_of(timezone.now())
