"""Who is asked in the simulation: policies, a rota and a notifier that dies, and what must hold of it.

| id | what must hold |
|---|---|
| I32 (C3) | soon after central runs on a working disk, each unanswered alert is at a step of its policies or NOBODY |
| I33 (C3) | no step lasts longer than its time, or waits for pages that are shut |
| I33 (C3) | NOBODY is not shown while somebody of the policy is on duty with a page open |
| I34 (C3) | nobody is told of an alert that has been answered, and of no step twice |
| I35 (C8) | a member's contact is told nothing where a silent alert is open, of no drill, nothing twice in a run |
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NoReturn

from central.core import effects as do
from central.core import events as ev
from central.core.incidents import Incidents
from central.core.journal import ASKING_KINDS, ActionEntry, Asking, Told
from central.core.rights import TABLE, Rights
from central.core.view import EndDuty, OnDuty, Person
from sim.broken import BrokenInvariantError
from sim.node_actor import EPOCH_S
from wire.ids import node_text
from wire.snapshots import AuditHead, PolicyEntry, PremisesEntry, Rota, ShiftEntry, StepEntry, Way

if TYPE_CHECKING:
    from central.core.asking_lines import AskingLine
    from sim.town import Town
    from wire.directory import Directory

STAFF: Final = (Person("pcso", "J Patel"), Person("cctv", "Sam O'Neill"), Person("duty-sergeant", "R Mwangi"))
"""As :mod:`sim.people` has them."""
_KINDS: Final = ("attack", "assist")
_AT_HOME: Final = Person("duty-officer", "K Publican", 41)
"""Whom the rota names and only a message reaches."""
_CONTACT: Final = Person("members-contact", "A Shah", 42)
"""Speaks for everybody, and chose to be told of all there is."""
POLICIES: Final = (
    PolicyEntry(
        scheme=1,
        kinds=_KINDS,
        version=1,
        steps=(
            StepEntry(role="pcso", wait_s=15),
            StepEntry(role="duty-sergeant", wait_s=20, ways=("push",)),
            StepEntry(role="duty-officer", wait_s=15, ways=("push",)),
        ),
    ),
    PolicyEntry(
        scheme=2,
        kinds=_KINDS,
        version=1,
        steps=(StepEntry(role="duty-officer", wait_s=30, ways=("push",)), StepEntry(role="cctv", wait_s=15)),
    ),
)
_WITHIN: Final = timedelta(seconds=12)
"""After a disk that refused, central looks again every five seconds."""
_RIGHTS: Final = Rights(frozenset((role, scheme) for role in TABLE for scheme in (1, 2)))
_ENDS_WITHIN_MS: Final = 20_000


class AskedWorld:
    """A town's policies, rota and notifier, with their own chance: without them the town runs as it did."""

    def __init__(self, seed: int, town: Town) -> None:
        self._chance = Random(f"asked {seed}")
        self._town = town
        self._has_notifier = True
        self._told: set[int] = set()
        self._wrong: dict[tuple[str, int, str], datetime] = {}
        self._told_contact: set[tuple[str, str]] = set()

    def plan(self, span_ms: int) -> None:
        """The notifier dies and comes back; people go off duty."""
        later = self._town.timeline.after
        for _ in range(self._chance.randint(0, 6)):
            later(self._chance.randint(0, span_ms), self._turn_notifier)
        for _ in range(self._chance.randint(0, 6)):
            later(self._chance.randint(0, span_ms), self._end_duty)

    def begun(self) -> None:
        """Central has started: it reads what it has kept, and orders again what had no result."""
        self.interrupted()
        self._told = set()
        named = (*STAFF, _AT_HOME, _CONTACT)
        people = ev.PeopleChanged(
            tuple((one.account, _RIGHTS) for one in named), tuple((one.account, one.name) for one in named)
        )
        began_at = datetime.fromtimestamp(EPOCH_S, UTC)
        shift = ShiftEntry(
            role="duty-officer",
            scheme=2,
            account=_AT_HOME.account,
            begins_at=began_at - timedelta(days=1),
            ends_at=began_at + timedelta(seconds=150),
        )
        head = AuditHead(sequence=1, digest="0" * 64)
        rota = Rota(number=1, made_at=began_at, audit=head, through=shift.ends_at, shifts=(shift,), policies=POLICIES)
        self._told_contact = set()
        premises = ev.PremisesChanged(
            tuple(
                PremisesEntry(
                    premises=one.office_premises,
                    name=one.premises,
                    schemes=tuple(sorted(one.schemes)),
                    alerts_to=(_CONTACT.account,),
                    faults_to=(_CONTACT.account,),
                )
                for one in self._town.newest_directory.senders.values()
                if one.office_premises
            )
        )
        for event in (people, premises, ev.RotaChanged(rota), self._ways()):
            self._town.central.take(event)

    def interrupted(self) -> None:
        """Central cannot write: what it owes, it owes from now on."""
        self._wrong = {}

    def forgotten(self) -> None:
        """Central's database is an older copy: steps of it come again."""
        self._told = set()

    def ordered(self, order: do.Ask) -> None:
        """Central orders messages."""
        incidents = Incidents()
        begun: list[Asking] = []
        settled: set[tuple[int, Way]] = set()
        for entry in self._town.central.disk.journal:
            if entry.incident == order.incident:
                incidents.apply(entry, self._town.newest_directory)
                is_asking = isinstance(entry, ActionEntry) and entry.kind in ASKING_KINDS
                begun = begun if is_asking else []  # Whatever else happens to it may begin it anew.
                if isinstance(entry, ActionEntry) and isinstance(entry.details, Asking):
                    begun.append(entry.details)
                if isinstance(entry, ActionEntry) and isinstance(entry.details, Told):
                    settled |= (
                        {(entry.details.account, entry.details.way)} if entry.details.entry == order.entry else set()
                    )
        incident = incidents.by_id.get(order.incident)
        if incident is None or incident.state != "unanswered":
            self._broken("I34", f"{order.incident.text} is asked about and has been answered")
        places = [(one.scheme, one.round, one.step) for one in begun if one.people]
        is_settled = any((account, way) in settled for account, ways in order.people for way in ways)
        if is_settled or order.entry in self._told or len(places) != len({*places}):
            self._broken("I34", f"{order.incident.text}, scheme {order.scheme}, is asked twice")
        self._told.add(order.entry)
        for account, ways in order.people:
            for way in ways:
                self._end(order, account, way)

    def told(self, order: do.Tell) -> None:
        """Central tells a member's contact."""
        node, incidents = order.about[:8], Incidents()
        for entry in self._town.central.disk.journal:
            if entry.incident is not None and node_text(entry.incident.node) == node:
                incidents.apply(entry, self._town.newest_directory)
        about = [one for one in incidents.all() if one.id.text == order.about]
        if any(one.is_silent and one.is_open for one in incidents.all()) or any(one.is_drill for one in about):
            self._broken("I35", f"{order.occasion} {order.about}: a silent alert or a drill is told")
        if (order.occasion, order.about) in self._told_contact:
            self._broken("I35", f"{order.occasion} {order.about} is told twice")
        self._told_contact.add((order.occasion, order.about))

    def look(self, directory: Directory) -> None:
        """The board after a second's work."""
        central = self._town.central
        if central.disk.is_refusing:
            self.interrupted()
            return
        numbers = {one.slug: one.number for one in directory.schemes.values()}
        now_at, present = central.now_at, central.on_duty
        wrong: dict[tuple[str, int, str], datetime] = {}
        for card in central.cards.values():
            if card.state != "unanswered" or card.kind not in _KINDS:
                continue
            lines = {line.scheme: line for line in card.asking}
            for scheme in (numbers[slug] for slug in card.schemes):
                what = _wrong(lines.get(scheme), scheme, present, now_at)
                if what:
                    key = (card.incident, scheme, what)
                    wrong[key] = self._wrong.get(key, now_at)
                    if now_at - wrong[key] > _WITHIN:
                        which, _, how = what.partition(" ")
                        self._broken(which, f"{card.incident}, scheme {scheme}: {how}")
        self._wrong = wrong

    def _end(self, order: do.Ask, account: int, way: Way) -> None:
        """A message goes out, or does not, or nothing is heard of it."""
        how = self._chance.choice((True, False, None)) if self._has_notifier else None
        if how is None:
            return
        ended = ev.NoticeEnded(order.incident, order.scheme, order.entry, account, way, how, "" if how else "gone")
        self._town.timeline.after(self._chance.randint(1, _ENDS_WITHIN_MS), lambda: self._town.central.take(ended))

    def _end_duty(self) -> None:
        if self._town.central.is_running:
            self._town.central.act(EndDuty(), self._chance.choice(STAFF))

    def _turn_notifier(self) -> None:
        self._has_notifier = not self._has_notifier
        self._town.central.take(self._ways())

    def _ways(self) -> ev.WaysChanged:
        reached: tuple[tuple[int, tuple[Way, ...]], ...] = ((_AT_HOME.account, ("push",)), (_CONTACT.account, ("sms",)))
        return ev.WaysChanged(reached if self._has_notifier else ())

    def _broken(self, which: str, how: str) -> NoReturn:
        raise BrokenInvariantError(f"{which}: {how} (at {self._town.timeline.now_ms} ms)")


def _wrong(line: AskingLine | None, scheme: int, present: Iterable[OnDuty], now_at: datetime) -> str:
    """What must not last; empty = all is well."""
    if line is None:
        return "I32 nobody is asked"
    if line.until is not None:
        # Of these people nobody has a phone.
        shut = {one.name for one in present if not one.has_page}
        if shut.issuperset(line.names):
            return f"I33 {line.role} waits for a page that is shut"
        return f"I33 stuck at {line.role}" if line.until < now_at else ""
    roles = {step.role for policy in POLICIES if policy.scheme == scheme for step in policy.steps}
    is_there = any(one.role in roles and one.is_for(scheme) and one.has_page for one in present)
    return "I33 NOBODY while somebody is on duty" if is_there else ""
