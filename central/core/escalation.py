"""Escalation: an open alert that nobody has answered is always at a step of its scheme's policy (C3, ADR 0044).

Theory. A step goes three ways: *due* (here) → ordered to disk → *begun* (:class:`central.core.incident.Incident`). Only
then is anybody told. Where an alert stands is part of its incident, and so of the journal: a restart goes on there.

| at | goes on when |
|---|---|
| nothing yet: pressed, or asks anew | at once |
| a step | its seconds are over, or no message of it went out and none of its people has a page open, or all have left |
| NOBODY | somebody can be asked |

A way by which a message to somebody failed is left alone for a minute, so that a gateway that refuses everything shows
NOBODY, and not one step after the other.

An answer ends it, and whatever makes an incident *unanswered* again begins it anew. Each scheme's policy runs by
itself. Of one premises only the most urgent few are asked about at a time: they share its cards, and a flood from one
unit asks no more than its first alerts do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from central.core.asking import Stands
from central.core.effects import Ask, CallOff, Effect, ReportFact
from central.core.events import NoticeEnded
from central.core.groups import asked_about, urgency
from central.core.incident import Incident
from central.core.incidents import Incidents
from central.core.journal import WATCHLINK, ActionEntry, ActionKind, AskedPerson, Asking, Told
from central.core.rota import RotaBook
from central.core.set_aside import Spared
from central.core.staff import Staff
from central.core.undo import Record, Table
from central.core.view import OnDuty, Person
from wire.escalation import Turn, next_turn
from wire.ids import FrameId
from wire.kinds import PRIORITY
from wire.snapshots import AnsweringRole, StepEntry, Way
from wire.text import display_text

T = TypeVar("T")
BEGUN_AT_ONCE: Final = 100
"""Steps in one go: the others follow a second later, the less urgent last."""
TOLD_AT_ONCE: Final = 32
"""What became of messages, likewise: a press must not wait for hundreds of them."""
TOLD_SHARE: Final = 16
"""Of more than that, so much in one go, so that their number cannot grow."""
PEOPLE_MAX: Final = 16
"""Of one step."""
ENDED_MAX: Final = 4_096
"""Messages whose end waits to be written down: as many as may be under way."""
WORDS_CHARS_MAX: Final = 120
FAILED_RESTS: Final = timedelta(minutes=1)
"""How long nobody is asked by a way that has just failed them."""
_ANSWERS: Final = ("acknowledged", "on-the-way", "closed")


class StepsDue(Struct, frozen=True):
    """Some alerts' steps may be over, or have not begun."""


class Due(Struct, frozen=True):
    """A step to begin."""

    incident: FrameId
    asking: Asking
    turn: tuple[int, bool, datetime]


class Roster:
    """Who can be asked now: looked up once for each step and scheme, for as long as one decision takes."""

    def __init__(
        self,
        rota: RotaBook,
        can_reach: Callable[[int, Way], bool],
        on_duty: Collection[OnDuty],
        staff: Staff,
        now_at: datetime,
    ) -> None:
        self._rota = rota
        self._can_reach = can_reach
        self._on_duty = on_duty
        self._staff = staff
        self._now_at = now_at
        self._known: dict[tuple[AnsweringRole, tuple[Way, ...], int], tuple[AskedPerson, ...]] = {}
        self._here: dict[tuple[AnsweringRole, int], tuple[OnDuty, ...]] = {}
        self.at_pages = frozenset(one.account or one.name for one in on_duty if one.has_page)
        """Those on duty with a page open, as :attr:`AskedPerson.key` has them."""

    def people(self, step: StepEntry, scheme: int) -> tuple[AskedPerson, ...]:
        """Those on duty in the step's role, else those whom the rota names; of both, those who can be reached."""
        key = (step.role, step.ways, scheme)
        if key not in self._known:
            here = self._on_duty_as(step.role, scheme)
            people = self._present(step, [one for one in here if one.role == step.role])
            if not people:
                # Whoever is here in another role may have been asked already: the others whom the rota names are, too.
                both = self._present(step, here)
                asked = {one.account for one in both}
                people = (*both, *(one for one in self._named(step, scheme) if one.account not in asked))
            self._known[key] = people[:PEOPLE_MAX]
        return self._known[key]

    def _present(self, step: StepEntry, on_duty: Iterable[OnDuty]) -> tuple[AskedPerson, ...]:
        people = []
        for one in on_duty:
            ways = self._reaching(step, one.account)
            # Somebody who shut the page and whom no message reaches would hold the step up, and hear nothing.
            if one.has_page or ways:
                people.append(AskedPerson(one.account, one.name, is_on_duty=True, ways=ways, is_away=not one.has_page))
        return tuple(people)

    def left(self, asking: Asking) -> frozenset[int | str]:
        """Those whom a step asked and whose duty or role is over since, as :attr:`AskedPerson.key` has them."""
        role, scheme = asking.steps[asking.step].role, asking.scheme
        here = {one.account or one.name for one in self._on_duty_as(role, scheme)}
        return frozenset(
            one.key
            for one in asking.people
            if (one.is_on_duty and one.key not in here)
            or (not one.is_on_duty and self._staff.has_lost(Person(role, one.name, one.account), scheme))
        )

    def away(self, skipped: Iterable[AnsweringRole], scheme: int) -> tuple[tuple[AnsweringRole, str], ...]:
        """Those on duty in steps that were skipped, by role and name: they have no page open."""
        return tuple((role, one.name) for role in dict.fromkeys(skipped) for one in self._on_duty_as(role, scheme))[
            :PEOPLE_MAX
        ]

    def _on_duty_as(self, role: AnsweringRole, scheme: int) -> tuple[OnDuty, ...]:
        """On duty in that role, or in another of theirs while the rota names them for that one, too."""
        if (role, scheme) not in self._here:
            rostered = self._rota.named(role, scheme, self._now_at)
            self._here[role, scheme] = tuple(
                one
                for one in self._on_duty
                if one.is_for(scheme)
                and (
                    one.role == role or (one.account in rostered and self._staff.may_answer(one.account, role, scheme))
                )
            )
        return self._here[role, scheme]

    def _named(self, step: StepEntry, scheme: int) -> tuple[AskedPerson, ...]:
        people = []
        for account in self._rota.named(step.role, scheme, self._now_at):
            name, ways = self._rota.name(account), self._reaching(step, account)
            # Without a message nobody asks somebody who has no page open.
            if name and ways and self._staff.may_answer(account, step.role, scheme):
                people.append(AskedPerson(account, name, is_on_duty=False, ways=ways))
        return tuple(people)

    def _reaching(self, step: StepEntry, account: int) -> tuple[Way, ...]:
        return tuple(way for way in step.ways if self._can_reach(account, way))


class Escalation(Record):
    """Which steps are due, and what is ordered when one has begun."""

    # An alert on which a step fails keeps nobody from being asked about another.
    _spared: Spared
    rota: RotaBook = field(default_factory=RotaBook)
    # By account: the ways in which the notifier can reach them now.
    _ways: Table[int, tuple[Way, ...]] = field(default_factory=Table)
    _are_ways_sure: bool = True
    # When a message by it failed last.
    _failed: Table[tuple[int, Way], datetime] = field(default_factory=Table)
    _ended: tuple[NoticeEnded, ...] = ()
    # Those on their way to disk.
    _being_written: tuple[NoticeEnded, ...] = ()
    # Of this run: messages about them may still be on their way.
    _ordered: Table[FrameId, None] = field(default_factory=Table)
    _is_resumed: bool = False

    def take_ways(self, ways: Iterable[tuple[int, tuple[Way, ...]]], *, is_sure: bool) -> None:
        """Whom the notifier can reach, and how; all others by an open page only. What failed may be over."""
        self._ways, self._are_ways_sure = Table(ways), is_sure
        self._failed.clear()

    @property
    def ways(self) -> Mapping[int, tuple[Way, ...]]:
        """By account, the phone's first; nobody's until the notifier has said so, for of these one is chosen."""
        return self._ways if self._are_ways_sure else {}

    def take_ended(self, event: NoticeEnded, now_at: datetime) -> None:
        """A message has been delivered, or never will be."""
        if event.is_delivered:
            self._failed.pop((event.account, event.way), None)
        else:
            self._failed[event.account, event.way] = now_at
        self._ended = (*self._ended[-ENDED_MAX + 1 :], event)

    def take_refused(self) -> None:
        """The disk took nothing. What became of messages is written later, else a failed one counted as asked."""
        self._ended, self._being_written = (*self._being_written, *self._ended)[-ENDED_MAX:], ()

    def roster(self, on_duty: Collection[OnDuty], staff: Staff, now_at: datetime) -> Roster:
        """Of now."""

        def can_reach(account: int, way: Way) -> bool:
            failed_at = self._failed.get((account, way))
            rests = failed_at is not None and abs(now_at - failed_at) < FAILED_RESTS
            return way in self._ways.get(account, ()) and not rests

        return Roster(self.rota, can_reach, on_duty, staff, now_at)

    def resume(self, incidents: Incidents, now_at: datetime) -> list[Effect]:
        """Once after a start: order again what has no result. What went out before does not go out twice."""
        if self._is_resumed:
            return []
        self._is_resumed = True
        again = partial(self._ask_again, now_at=now_at)
        return [order for incident in incidents.all() for order in self._of(incident.id, partial(again, incident))]

    def entries(
        self, incidents: Incidents, roster: Roster, first_number: int, now_at: datetime
    ) -> tuple[ActionEntry, ...]:
        """What to write now: what became of messages, and the most urgent of the steps that are due."""
        # What failed first: a step that reaches nobody is over only once that is written.
        waiting = tuple(sorted(self._ended, key=lambda one: one.is_delivered))
        at_once = max(TOLD_AT_ONCE, len(waiting) // TOLD_SHARE)
        ended, self._ended = waiting[:at_once], waiting[at_once:]
        self._being_written = ended
        entries = [
            ActionEntry(0, "told", one.incident, None, "", now_at, WATCHLINK, details=told)
            for one in ended
            if one.incident in incidents.by_id
            for told in self._of(one.incident, partial(self._told, one))
        ]
        due = sorted(self._all_due(incidents, roster, now_at), key=lambda one: one.turn)
        for one in due[:BEGUN_AT_ONCE]:
            kind: ActionKind = "asked" if one.asking.people else "nobody"
            entries.append(ActionEntry(0, kind, one.incident, None, "", now_at, WATCHLINK, details=one.asking))
        return tuple(replace(entry, entry=first_number + at) for at, entry in enumerate(entries))

    def orders(self, entry: ActionEntry, incident: Incident | None) -> list[Effect]:
        """What follows from an entry that is on disk and applied."""
        details = entry.details
        if isinstance(details, Told):  # And with it all others: they are written in one go.
            self._being_written = ()
        if incident is None:
            return []
        if entry.kind in _ANSWERS and incident.id in self._ordered:
            del self._ordered[incident.id]
            return [CallOff(incident.id)]
        if isinstance(details, Asking):
            stands = incident.asking.get(details.scheme)
            return [*_facts(incident, details), *(self._ask(incident, stands, entry.at) if stands is not None else ())]
        return []

    def _of(self, incident: FrameId, part: Callable[[], Iterable[T]]) -> Iterable[T]:
        return self._spared(part, incident, incident.node) or ()

    def _told(self, one: NoticeEnded) -> tuple[Told]:
        name = self.rota.name(one.account) or f"account {one.account}"
        words = display_text(one.words, WORDS_CHARS_MAX) or "no reason given"
        words = "" if one.is_delivered else words
        return (Told(one.scheme, one.entry, one.account, name, one.way, one.is_delivered, words),)

    def _ask_again(self, incident: Incident, now_at: datetime) -> list[Effect]:
        return [order for stands in incident.asking.values() for order in self._ask(incident, stands, now_at)]

    def _ask(self, incident: Incident, stands: Stands, now_at: datetime) -> list[Effect]:
        self._ordered[incident.id] = None
        people = stands.unsettled
        if not people or not stands.has_time(now_at):
            return []
        return [
            Ask(
                incident=incident.id,
                scheme=stands.asking.scheme,
                entry=stands.entry,
                priority=PRIORITY[incident.kind],
                is_drill=incident.is_drill,
                people=people,
                valid_s=ceil((stands.until - now_at).total_seconds()),
            )
        ]

    def _all_due(self, incidents: Incidents, roster: Roster, now_at: datetime) -> Iterator[Due]:
        for incident in asked_about(incidents.all()):
            yield from self._of(incident.id, partial(self._due_of, incident, roster, now_at))

    def _due_of(self, incident: Incident, roster: Roster, now_at: datetime) -> list[Due]:
        due = []
        for scheme in incident.schemes:
            asking = self._following(incident, scheme, roster, now_at)
            if asking is not None:
                due.append(Due(incident.id, asking, _turn(incident, asking)))
        return due

    def _following(self, incident: Incident, scheme: int, roster: Roster, now_at: datetime) -> Asking | None:
        """The step to begin now; ``None``: none is due."""
        policy, stands = self.rota.policy(scheme, incident.kind.slug), incident.asking.get(scheme)
        if stands is not None:
            if not stands.is_over(now_at, roster.at_pages, roster.left(stands.asking)):
                return None
            before = stands.asking
            steps, after = before.steps, Turn(before.round, before.step)
        elif policy is not None:
            steps, after = policy.steps, None
        else:
            return None
        anew = None if policy is None or policy.steps == steps else policy.steps
        found = next_turn(steps, after, lambda step: bool(roster.people(step, scheme)), anew=anew)
        skipped = tuple(step.role for _, step in found.skipped)
        away = roster.away(skipped, scheme)
        if found.turn is None:
            if stands is not None and stands.is_nobody:
                return None
            this_round, last = (1, steps) if after is None else (after.round + 1, anew or steps)
            return Asking(scheme, this_round, len(last) - 1, last, skipped=skipped, away=away)
        if anew is not None and after is not None and found.turn.round > after.round:
            steps = anew
        people = roster.people(steps[found.turn.step], scheme)
        return Asking(scheme, found.turn.round, found.turn.step, steps, people, skipped, away)


def shift(incidents: Incidents, step: timedelta) -> None:
    """The clock was set, or the machine stood still: each step keeps what is left of its time."""
    for incident in incidents.all():
        for scheme, stands in tuple(incident.asking.items()):
            incident.asking[scheme] = stands.shifted(step)


def _turn(incident: Incident, asking: Asking) -> tuple[int, bool, datetime]:
    """The most urgent first, of those the ones about which nobody has been asked yet, then who has waited longest."""
    stands = incident.asking.get(asking.scheme)
    return (urgency(incident), stands is not None, incident.live_arrived_at if stands is None else stands.since)


def _facts(incident: Incident, asking: Asking) -> Iterator[ReportFact]:
    about = ("scheme", str(asking.scheme)), ("round", str(asking.round))
    for role in asking.skipped:
        yield ReportFact("step_skipped", incident.id, (*about, ("role", role)))
    if asking.role is None:
        yield ReportFact("nobody", incident.id, about)
        return
    ways = dict.fromkeys(way for one in asking.people for way in one.ways)
    has_page = any(one.is_on_duty and not one.is_away for one in asking.people)
    by = ("page", *ways) if has_page else tuple(ways)
    yield ReportFact("asked", incident.id, (*about, ("role", asking.role), ("ways", " ".join(by))))
