"""What people do and what central itself finds: judged, written, applied, told. One act at a time (ADR 0012)."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Final

from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.air import Air
from central.core.asking_lines import WentOffLine
from central.core.audience import Reach
from central.core.bulk import Bulk, bulk_for, next_entries, open_of
from central.core.contacts import Contacts, Reached
from central.core.desk import AlreadySo, cleaned
from central.core.duty import Duty
from central.core.escalation import Escalation, Roster, StepsDue
from central.core.figures import Figures
from central.core.incident import Incident
from central.core.incidents import Incidents
from central.core.journal import ActionEntry, KeptAct
from central.core.nodes import Nodes
from central.core.outbound import states_of
from central.core.page import Page
from central.core.paths import Paths
from central.core.pending_decisions import Pending, entry_for
from central.core.premises import PremisesBook
from central.core.receipts import Receipts
from central.core.shifts import Shifts
from central.core.staff import Staff
from central.core.steps import InFlight, Steps
from central.core.timing import Timing
from central.core.undo import Table
from central.core.view import Done, OnDuty, Person, Refused
from wire.directory import EMPTY_DIRECTORY, Directory
from wire.ids import FrameId

PENDING_MAX: Final = 1_000


class Acts(Steps):
    """Base of the machine: its incidents, its page, and how people's acts change both."""

    def __init__(self, timing: Timing) -> None:
        super().__init__(timing)
        self._directory: Directory = EMPTY_DIRECTORY
        self._entry = 0
        self._incidents = Incidents()
        self._nodes = Nodes(timing)
        self._air = Air(timing)
        self._figures = Figures(timing)
        self._paths = Paths(timing, self._nodes, self._incidents, self._air, self._figures)
        self._receipts = Receipts(self._intake, self._nodes, self._paths, self._air)
        self._premises = PremisesBook(self._spared)
        self._escalation = Escalation(self._spared)
        self._shifts = Shifts(self._escalation.rota)
        self._contacts = Contacts(self._premises)
        self._duty = Duty()
        self._page = Page(timing, self._figures, self._premises, self._escalation.rota, self._duty, self._spared)
        self._staff = Staff()
        # To be judged once nothing is on its way to disk.
        self._pending: tuple[Pending | Bulk | StepsDue, ...] = ()
        # Acts for many: those waiting for their turn, so that alerts come in between; and all that are unfinished.
        self._rest: tuple[Bulk, ...] = ()
        self._open_acts: Table[int, KeptAct] = Table()

    @abstractmethod
    def _publish_status(self) -> None:
        """Tell the schemes who is on duty."""

    def _on_action_requested(self, event: ev.ActionRequested) -> None:
        asked = cleaned(event.action, event.by)
        if isinstance(asked, Refused):
            self._answer(event.request, asked)
            return
        action, by = asked
        self._duty.take_sign(by.key, self._page.on_duty, self._now_at)
        if len(self._pending) >= PENDING_MAX:
            self._answer(event.request, Refused("Central is busy. Try again."))
            return
        self._pending += (replace(event, action=action, by=by),)

    def _judge_pending(self) -> None:
        """Each in its own step: if one fails, those before it must stand."""
        while self._pending and self._in_flight is None and self._intake.is_idle:
            pending, *rest = self._pending
            self._pending = tuple(rest)
            error = self._whole(partial(self._judge, pending))
            if error is not None:
                self._set_aside(pending, error)
                self._show_what_can_be()

    def _reach(self, by: Person, schemes: frozenset[int] | None) -> Reach:
        """What ``by`` may act on now; ``schemes``: when they asked."""
        return Reach(self._staff.still(by, schemes), self._directory)

    def _judge_bulk(self, bulk: Bulk, request: int | None) -> None:
        reach = self._reach(bulk.by, bulk.schemes)
        if reach.is_nothing:  # The role is gone: what is open on disk only is not waited for either.
            self._end_act(bulk)
            self._answer(request, Refused("There is no such incident."))
            return
        if not bulk.ids:
            bulk = bulk.of(open_of(bulk.node, self._incidents, bulk.through))
        found = next_entries(
            bulk,
            self._entry + 1,
            incidents=bulk.known(self._incidents),
            reach=reach,
            now_at=self._now_at,
            timing=self._timing,
        )
        entries, rest, refused = found
        if rest is None and bulk.has_more(self._incidents, entries):
            rest = replace(bulk, ids=(), aside=None)
        if not entries:
            if rest is None:
                self._end_act(bulk)
            else:  # Waits until some of it is back from disk.
                self._rest += (rest,)
                self._look_on_disk()
                if not bulk.is_closing and self._page.is_disk_ok:
                    known = frozenset(one.id.counter for one in self._incidents.of(bulk.node))
                    self._effects.append(do.RecallOpen(bulk.node, known | bulk.visited, bulk.number))
            self._answer(request, refused or Done(self._page.sequence))
            return
        if rest is not None and not bulk.number:
            bulk, rest = (replace(one, number=entries[0].entry) for one in (bulk, rest))
            self._open_acts[bulk.number] = bulk.kept
            self._effects.append(do.KeepActs(tuple(self._open_acts.values())))
        self._write(InFlight(entries, request, bulk, rest))

    def _end_replaced(self, bulk: Bulk) -> None:
        for old in filter(bulk.replaces, (*self._pending, *self._rest)):
            if isinstance(old, Bulk):
                self._end_act(old)
        self._pending = tuple(one for one in self._pending if not bulk.replaces(one))
        self._rest = tuple(one for one in self._rest if not bulk.replaces(one))

    def _take_aside(self, event: ev.OpenRecalled) -> None:
        """Take incidents read for this act only: judged in its turn, and kept in memory for nothing else."""
        waiting = [one for one in (*self._pending, *self._rest) if isinstance(one, Bulk) and one.number == event.act]
        if len(waiting) != 1 or waiting[0].ids:
            return  # It is finished, or was requested twice.
        (bulk,) = waiting
        aside = Incidents()
        for entry in event.journal:
            self._spared(partial(aside.apply, entry, self._directory), entry, event.node)
        some = bulk.of(open_of(event.node, aside, bulk.through), aside)
        self._pending = tuple(one for one in self._pending if one is not bulk)
        self._rest = tuple(one for one in self._rest if one is not bulk)
        # Those pressed since and those that failed must not be read again either.
        some = replace(some, visited=some.visited | {one.counter for entry in event.journal if (one := entry.incident)})
        if some.ids or not event.is_all:
            self._rest += (some,)
            self._effects.append(do.Yield())
        else:
            self._end_act(bulk)

    def _end_act(self, bulk: Bulk) -> None:
        """Nothing is left to do: the disk may forget it."""
        if self._open_acts.pop(bulk.number, None) is not None:
            self._effects.append(do.KeepActs(tuple(self._open_acts.values())))

    def _write(self, flight: InFlight) -> None:
        self._entry = flight.entries[-1].entry
        self._in_flight = flight
        self._effects += map(do.CommitAction, flight.entries)

    def _roster(self) -> Roster:
        return self._escalation.roster(self._page.people(self._now_at), self._staff, self._now_at)

    def _look_for_steps(self) -> None:
        """Steps of policies are looked at in their turn, behind all alerts that are on their way to disk."""
        self._effects += self._escalation.resume(self._incidents, self._now_at)
        if self._page.is_disk_ok and StepsDue() not in self._pending:
            self._pending += (StepsDue(),)

    def _look_at_shifts(self) -> None:
        """Who is to be told that their shift begins, and who is missing from theirs."""
        on_duty, ways = self._page.on_duty.values(), self._escalation.ways
        self._effects += self._shifts.look(on_duty, self._staff, ways, self._now_at)
        self._page.missing = self._shifts.missing

    def _look_at_contacts(self) -> None:
        """Which members' contacts are to be told of their own premises."""
        reached, is_linked = Reached(self._staff, self._escalation.ways), self._page.is_broker_linked
        self._effects += self._contacts.look(self._incidents, self._nodes, reached, self._now_at, is_linked=is_linked)

    def _judge(self, pending: Pending | Bulk | StepsDue) -> None:
        if isinstance(pending, StepsDue):
            entries = self._escalation.entries(self._incidents, self._roster(), self._entry + 1, self._now_at)
            if entries:
                self._write(InFlight(entries))
            return
        if isinstance(pending, Bulk):
            self._judge_bulk(pending, None)
            return
        if isinstance(pending, ev.ActionRequested):
            reach = self._reach(pending.by, pending.rights.answers_as(pending.by.role))
            bulk = bulk_for(pending.action, pending.by, self._incidents, reach)
            if isinstance(bulk, Bulk):
                self._judge_bulk(bulk, pending.request)
                return
            if bulk is not None:
                self._answer(pending.request, bulk)
                return
        request = pending.request if isinstance(pending, ev.ActionRequested) else None
        found = entry_for(
            pending,
            self._entry + 1,
            incidents=self._incidents.by_id,
            on_duty=self._page.on_duty,
            duty=self._duty,
            staff=self._staff,
            directory=self._directory,
            now_at=self._now_at,
            timing=self._timing,
        )
        if isinstance(found, ActionEntry):
            self._write(InFlight((found,), request))
        elif found is not None:
            self._answer(request, Done(self._page.sequence) if isinstance(found, AlreadySo) else found)

    def _on_action_committed(self, event: ev.ActionCommitted) -> None:
        self._page.is_disk_ok = True
        flight = self._in_flight
        entry = None if flight is None else next((one for one in flight.entries if one.entry == event.entry), None)
        if flight is None or entry is None:
            return
        left = tuple(one for one in flight.entries if one is not entry)
        flight = replace(flight, entries=left, is_begun=True)
        self._in_flight = flight if left else None
        match entry.kind, entry.by:
            case "duty-started", by if by is not None:
                before = self._page.on_duty.get(by.key)
                since = entry.at if before is None else before.since
                self._page.on_duty[by.key] = OnDuty(
                    by.role,
                    by.name,
                    since,
                    by.account,
                    entry.schemes,
                    entry.text,
                    is_unread=before is None or before.is_unread or before.role != by.role,
                )
                self._duty.begin(by.key, self._now_at)
                self._publish_status()
            case "duty-ended", by if by is not None:
                self._duty.end(by.key)
                if (one := self._page.on_duty.pop(by.key, None)) is not None:
                    note = entry.text if entry.actor == "person" else ""
                    went_off = WentOffLine(by.role, by.name, entry.at, by.account, one.schemes, note)
                    self._duty.take_went_off([went_off])
                self._publish_status()
            case "handover-read", by if by is not None:
                if by.key in self._page.on_duty:
                    self._page.on_duty[by.key] = replace(self._page.on_duty[by.key], is_unread=False)
            case _:
                incident = self._apply(entry, flight.bulk)
                self._effects += self._receipts.answer(entry, incident, self._now_at)
                self._effects += self._escalation.orders(entry, incident)
                if not left:  # The page is told once for all of them.
                    self._show_change()
                if entry.kind != "told":  # Of messages: nothing that a shop is told of.
                    self._tell(incident)
                if left:
                    return
        self._show_change()
        self._land(flight)

    def _apply(self, entry: ActionEntry, bulk: Bulk | None) -> Incident | None:
        self._incidents.apply(entry, self._directory)
        self._entry = max(self._entry, self._incidents.revision)
        if entry.incident is None:
            return None
        if bulk is not None and bulk.aside is not None and entry.incident not in self._incidents.by_id:
            bulk.aside.apply(entry, self._directory)
            return bulk.aside.by_id.get(entry.incident)
        return self._incidents.by_id.get(entry.incident)

    def _land(self, flight: InFlight) -> None:
        rest, is_waited_for = flight.rest, flight.request is not None
        if flight.is_refused:
            # If a person waits, they are told what was not done. If nobody does, it is retried once the disk works.
            rest = None if is_waited_for else flight.bulk
        elif is_waited_for and not flight.is_begun:
            rest = None  # They are told that nothing was changed.
        if is_waited_for and flight.is_begun and flight.bulk is not None:
            self._end_replaced(flight.bulk)
        untouched = flight.bulk.untouched if flight.bulk is not None else 0
        left = len(rest.ids) + rest.left_on_disk(self._incidents) if rest is not None else 0
        done = Done(self._page.sequence, left, untouched)
        self._answer(flight.request, Refused(flight.told) if flight.told else done)
        if rest is not None:
            self._rest += (rest,)
            if not flight.is_refused:
                self._look_on_disk()
                self._effects.append(do.Yield())
        elif flight.bulk is not None:
            self._end_act(flight.bulk)

    def _look_on_disk(self) -> None:
        """Recall what is open only there, where there is room again."""
        if self._page.is_disk_ok:
            self._effects += [do.RecallOpen(node, known) for node, known in self._incidents.crowded_out()]

    def _go_on(self) -> None:
        """Continue acts for many, if the disk works."""
        if self._page.is_disk_ok:
            self._pending, self._rest = (*self._pending, *self._rest), ()

    def _publish_incidents(self) -> None:
        changed = tuple(self._incidents.changed)
        self._show_change()
        for incident in changed:
            self._spared(partial(self._publish, incident), incident, incident.node)

    def _publish(self, incident_id: FrameId | None) -> None:
        self._tell(self._incidents.by_id.get(incident_id) if incident_id is not None else None)

    def _tell(self, incident: Incident | None) -> None:
        if incident is not None:
            states = states_of(incident, self._directory, self._now_at, self._timing)
            self._effects += map(do.PublishIncident, states)

    def _show_change(self, *, with_rejections: bool = False) -> None:
        rejections = self._rejections if with_rejections else None
        change = self._page.change(self._incidents, self._nodes, rejections, self._directory, self._now_at)
        if change is not None:
            self._effects.append(do.ShowChange(change))
