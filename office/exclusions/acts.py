"""Moves cases. Every function runs inside :func:`office.accounts.access.acting`, so that no two act at the same time.

Each asks the rules first, then changes the case, writes its history and the audit. The audit names people by their
reference and holds no reason: what is said about a person can be erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from msgspec import Struct

from office.accounts.models import Account, Scheme
from office.accounts.rules import NOBODY, Rights
from office.accounts.rules import TITLES as ROLE_TITLES
from office.audit.journal import WATCHLINK_NAME, record
from office.exclusions.models import STEP_BY_CHARS_MAX, Ballot, Case, Notice, Step
from office.exclusions.movers import mover_of
from office.exclusions.rules import correction, life, period, reach
from office.exclusions.rules.correction import Said
from office.exclusions.rules.life import MOVES, OVER, WATCHLINK, MoveName, Mover
from office.exclusions.rules.period import Category, Period, day_of
from office.exclusions.rules.votes import VOTE_LASTS, Way
from office.exclusions.terms import terms_of, why_off
from office.members.models import Member, Premises
from office.people.forgetting import forget_deleted_rows
from office.people.models import Individual

HIDDEN_ELSEWHERE = "Another case of the person is hidden while it is looked into."
NOBODY_ELSE_HEARS = "Heard by who had nominated or checked it: the scheme had no other co-ordinator to hear it."
FUTURE = "The day is in the future. Choose the day on which it happened."
_CLOCKS_APART = timedelta(minutes=5)


class MoveRefusedError(ValueError):
    """The move cannot be made; the message is a sentence for whoever asked."""


class ChangedMeanwhileError(Exception):
    """Somebody else has moved the case since the page was loaded; nothing was done."""


class Nomination(Struct, frozen=True):
    """What somebody nominates.

    Attributes:
        category: of the conduct.
        conduct, evidence: texts, without the person's name or looks.
        happened_on, happened_at: day and place.
        regional_source: empty = local.
        source_expires_on: of a regional one.
    """

    category: Category
    conduct: str
    evidence: str
    happened_on: date
    happened_at: str
    regional_source: str = ""
    source_expires_on: date | None = None


class Proposal(Struct, frozen=True):
    """What the co-ordinator puts before the members once the nomination is checked.

    Attributes:
        note: what was checked, and how.
        category: as checked.
        is_repeat: excluded before.
        months: calendar months; another number than the tariff's needs ``months_reason``.
        scope: all premises, or those ``listed`` by number.
        necessity: why all these.
    """

    note: str
    category: Category
    is_repeat: bool
    months: int
    months_reason: str
    scope: reach.Scope
    listed: frozenset[int]
    necessity: str


class Serving(Struct, frozen=True):
    """How the paper reached the person (G2)."""

    at: datetime
    by: str
    where: str
    how: str
    gave_privacy_information: bool


class Turn(Struct, frozen=True):
    """Somebody who acts on a case.

    Attributes:
        actor: who; ``None`` = Watchlink itself.
        rights: theirs, read in this transaction.
        case: read in this transaction.
        version: of the case, as they saw it.
    """

    actor: Account | None
    rights: Rights
    case: Case
    version: int

    def mover(self) -> Mover:
        """For the rules: who moves, with their roles in the case's scheme."""
        return WATCHLINK if self.actor is None else mover_of(self.rights, self.case)


def nominate(
    actor: Account, rights: Rights, individual: Individual, member: Member | None, nomination: Nomination
) -> Case:
    """Open a case.

    Args:
        actor: who nominates.
        rights: theirs, as they are now.
        individual: whom; the case is of the same scheme.
        member: for whom the actor speaks; ``None`` = as co-ordinator.
        nomination: what happened.
    """
    if nomination.happened_on > timezone.localdate():
        raise MoveRefusedError(FUTURE)
    case = Case.objects.create(
        scheme=individual.scheme,
        number=_next_case_number(individual.scheme),
        individual=individual,
        category=nomination.category,
        is_repeat=was_excluded(individual),
        conduct=nomination.conduct,
        evidence=nomination.evidence,
        happened_on=nomination.happened_on,
        happened_at=nomination.happened_at,
        nominated_by=actor,
        nominating_member=member,
        source="regional" if nomination.regional_source else "local",
        regional_source=nomination.regional_source,
        source_expires_on=nomination.source_expires_on,
    )
    _tell(Turn(actor, rights, case, case.version), "nominate", "")
    return case


def check(turn: Turn, proposal: Proposal, remark: str = "") -> None:
    """Record what was checked, and what the members are asked to decide on; ``remark`` stays in the history."""
    if turn.case.happened_on > timezone.localdate():
        raise MoveRefusedError(FUTURE)
    if not proposal.note.strip():
        raise MoveRefusedError("Say what you checked, and how.")
    why_not = period.why_not_months(
        proposal.months, proposal.category, is_repeat=proposal.is_repeat, reason=proposal.months_reason
    ) or reach.why_not_scope(proposal.scope, proposal.listed, premises_in(turn.case.scheme), proposal.necessity)
    if turn.case.source == "regional" and turn.case.source_expires_on is None:
        why_not = "Enter until when the regional source allows use: nothing that comes from it lasts longer."
    if why_not:
        raise MoveRefusedError(why_not)
    turn.case.checked_by, turn.case.checked_at, turn.case.check_note = turn.actor, timezone.now(), proposal.note
    turn.case.category, turn.case.is_repeat = proposal.category, proposal.is_repeat
    turn.case.months, turn.case.months_reason = proposal.months, proposal.months_reason
    turn.case.scope, turn.case.necessity = proposal.scope, proposal.necessity
    turn.case.listed.set(proposal.listed if proposal.scope == "listed" else ())
    _move(turn, "check", remark)


def open_vote(turn: Turn, way: Way) -> Ballot:
    """Open the vote: for seven days between meetings; at today's meeting until it is closed."""
    now, terms = timezone.now(), terms_of(turn.case.scheme)
    _move(turn, "open-vote")
    end = end_of(day_of(now)) if way == "meeting" else now + VOTE_LASTS
    return Ballot.objects.create(
        case=turn.case,
        way=way,
        meeting_on=day_of(now) if way == "meeting" else None,
        identity_was_shown=way == "meeting" and terms.shows_identity_at_meetings and not is_minor(turn.case.individual),
        opened_at=now,
        closes_at=end,
        quorum=terms.quorum,
        majority_percent=terms.majority_percent,
    )


def stop_vote(turn: Turn, reason: str) -> None:
    """End the vote without counting it."""
    _move(turn, "stop-vote", reason)
    turn.case.ballots.filter(ended_at=None).update(ended_at=timezone.now(), outcome="stop-vote")


def approve_minor(turn: Turn, reason: str, *, may_show: bool) -> None:
    """The second approver's word on an under-18, and whether shops may be shown them."""
    _move(turn, "approve-minor", reason, minor_approved_by=turn.actor, may_show_minor=may_show)


def issue(turn: Turn, first: date) -> Notice:
    """Set the exclusion's days and make its first notice."""
    _check_register(turn)
    case, today = turn.case, timezone.localdate()
    last = period.last_day_allowed(first, case.months, case.source_expires_on)
    if not is_source_over(case):
        why_not = (
            period.why_not_first_day(first, today)
            or period.why_not_after_source(first, case.source_expires_on)
            or period.why_not_period(Period(first, last), today)
        )
        if why_not:
            raise MoveRefusedError(why_not)
    _move(turn, "issue", first_on=first, last_on=last)
    if not case.is_restricted and _is_hidden_elsewhere(case):
        restrict(msgspec.structs.replace(turn, version=case.version), HIDDEN_ELSEWHERE)
    return _notice(turn)


def reissue(turn: Turn, reason: str) -> Notice:
    """Make the next version of the notice, with the premises covered now; it is to be served again."""
    _check_register(turn)
    why_not = period.why_not_period(turn.case.period, timezone.localdate()) if turn.case.period else None
    if why_not:
        raise MoveRefusedError(why_not)
    _move(turn, "reissue", reason)
    return _notice(turn)


def serve(turn: Turn, serving: Serving) -> None:
    """Record that the newest version was served."""
    if not serving.gave_privacy_information:
        raise MoveRefusedError("The privacy information must be given with the notice, or before. Say so once it was.")
    if serving.at > timezone.now() + _CLOCKS_APART:
        raise MoveRefusedError("This time is in the future. Enter when it was served.")
    if not (serving.by.strip() and serving.where.strip() and serving.how.strip()):
        raise MoveRefusedError("Say who served it, where, and how.")
    notice = turn.case.notices.first()
    if notice is None:
        raise MoveRefusedError("There is no notice yet. Issue it first.")
    # Of an hour that comes twice the later one may be meant.
    if serving.at.replace(fold=1) < notice.made_at - _CLOCKS_APART:
        raise MoveRefusedError("This version cannot have been served before it was made. Enter when it was served.")
    _move(turn, "serve")
    notice.served_at, notice.served_by = serving.at, serving.by
    notice.served_where, notice.served_how = serving.where, serving.how
    notice.privacy_information_given = True
    notice.save()


def correct(turn: Turn, now: Said, reason: str) -> None:
    """Put right what a decided case says. The audit has which of it, and no words; of the old ones nothing is kept."""
    _check_version(turn)
    case = turn.case
    was = Said(**{field: getattr(case, field) for field in correction.FIELDS})
    fields = correction.changed(was, now)
    changes: dict[str, object] = {field: getattr(now, field) for field in fields}
    why_not = correction.why_not_correct(was, now, day_of(case.nominated_at))
    if why_not:
        raise MoveRefusedError(why_not)
    if not correction.ON_PAPER.isdisjoint(fields):
        changes["paper_digest"] = ""
    _move(turn, "correct", reason.strip() and correction.told(fields, reason), **changes)
    transaction.on_commit(forget_deleted_rows)


def appeal(turn: Turn, reason: str) -> None:
    """Record that the person appeals, and what they say."""
    _move(turn, "appeal", reason, has_open_appeal=True)


def dismiss_appeal(turn: Turn, reason: str) -> None:
    """The exclusion stands. The step says so if it was heard by who nominated or checked, as nobody else could."""
    is_own = life.is_own(facts(turn.case), turn.mover())
    told = f"{reason}\n{NOBODY_ELSE_HEARS}" if is_own and reason.strip() else reason
    _move(turn, "dismiss-appeal", told, has_open_appeal=False)


def shorten(turn: Turn, last: date, reason: str) -> None:
    """Give it an earlier last day: after an appeal, or because less is enough. An open appeal is settled by it."""
    if turn.case.first_on is None or turn.case.last_on is None or last >= turn.case.last_on:
        raise MoveRefusedError("Choose an earlier last day than now. It cannot be made longer: that is a new decision.")
    why_not = period.why_not_period(Period(turn.case.first_on, last), timezone.localdate())
    if why_not:
        raise MoveRefusedError(why_not)
    _move(turn, "shorten", reason, last_on=last, has_open_appeal=False, paper_digest="")


def restrict(turn: Turn, reason: str) -> None:
    """Hide it from shops while its accuracy is contested."""
    _move(turn, "restrict", reason, is_restricted=True)


def lift_restriction(turn: Turn, reason: str) -> None:
    """Show it in shops again."""
    _move(turn, "lift-restriction", reason, is_restricted=False)


def revoke(turn: Turn, reason: str) -> None:
    """End it now. An open appeal is settled by it."""
    _move(turn, "revoke", reason)


def withdraw(turn: Turn, reason: str) -> None:
    """Take the nomination back."""
    _move(turn, "withdraw", reason)


def move_by_itself(case: Case, name: MoveName, at: datetime) -> None:
    """A move of Watchlink itself: a vote has ended, a last day is over.

    Args:
        case: read in this transaction.
        name: of the move.
        at: when that was. However late it is noticed, papers say that day, and what is kept is kept from then.
    """
    when: dict[str, object] = {}
    if MOVES[name].after in OVER:
        when = {"over_at": at}
    elif name == "accept":
        when = {"decided_at": at}
    _move(Turn(None, NOBODY, case, case.version), name, "", **when)


def facts(case: Case) -> life.Case:
    """What the rules need to know of a case, as the database has it now."""
    return case.facts(
        is_minor=is_minor(case.individual),
        premises=len(covered(case)),
        is_newest_served=is_newest_served(case),
        is_source_over=is_source_over(case),
    )


def is_source_over(case: Case) -> bool:
    """Whether a regional source's last day is over: nothing may be issued on it any more."""
    return case.source_expires_on is not None and case.source_expires_on < timezone.localdate()


def is_minor(individual: Individual) -> bool:
    """Whether the person is under 18 today."""
    return period.is_minor(individual.born_on, timezone.localdate(), is_believed_minor=individual.is_believed_minor)


def is_newest_served(case: Case) -> bool:
    """Whether the newest version of the notice has reached the person."""
    notice = case.notices.first()
    return notice is not None and notice.served_at is not None


def premises_in(scheme: Scheme) -> frozenset[int]:
    """Numbers of all premises of a scheme."""
    return frozenset(Premises.objects.filter(schemes=scheme).values_list("pk", flat=True))


def covered(case: Case) -> frozenset[int]:
    """Numbers of the premises that a case covers today."""
    listed = frozenset(case.listed.values_list("pk", flat=True)) if case.scope == "listed" else frozenset()
    scope: reach.Scope = "listed" if case.scope == "listed" else "all"
    return reach.covered(scope, listed, premises_in(case.scheme))


def was_excluded(individual: Individual) -> bool:
    """Whether members have decided to exclude the person before, in a case that was neither revoked nor lapsed."""
    decided = Case.objects.filter(individual=individual, decided_at__isnull=False)
    return decided.exclude(state__in=("revoked", "lapsed")).exists()


def _move(turn: Turn, name: MoveName, reason: str = "", **changes: object) -> None:
    _check_version(turn)
    case = turn.case
    why_not = life.why_not(name, facts(case), turn.mover(), reason)
    if why_not:
        raise MoveRefusedError(why_not)
    for field, value in changes.items():
        setattr(case, field, value)
    case.state = MOVES[name].after or case.state
    if case.state in OVER:
        case.over_at = case.over_at or timezone.now()
        # What is over waits for nobody: whatever is asked now is a request about data.
        case.has_open_appeal = False
    case.version += 1
    case.save()
    _tell(turn, name, reason, [field for field in changes if name == "correct" and field in correction.FIELDS])


def _is_hidden_elsewhere(case: Case) -> bool:
    """Whether another case of the person is hidden: shops must not see the contested face by this one."""
    others = Case.objects.filter(individual=case.individual_id, is_restricted=True).exclude(pk=case.pk)
    return others.exclude(state__in=OVER).exists()


def _check_register(turn: Turn) -> None:
    why_not = why_off(turn.case.scheme)
    if why_not:
        raise MoveRefusedError(why_not)


def _check_version(turn: Turn) -> None:
    if turn.version != turn.case.version:
        raise ChangedMeanwhileError


def _tell(turn: Turn, move: str, reason: str, corrected: Sequence[str] = ()) -> None:
    case = turn.case
    Step.objects.create(case=case, at=timezone.now(), move=move, account=turn.actor, by=_as_then(turn), reason=reason)
    details: dict[str, Any] = {"fields": corrected} if corrected else {}
    record(turn.actor, f"case.{move}", case, individual=case.individual.reference, **details)


def _as_then(turn: Turn) -> str:
    if turn.actor is None:
        return WATCHLINK_NAME
    text = ", ".join([turn.actor.name, *(ROLE_TITLES[role] for role in sorted(turn.mover().roles))])
    return text[:STEP_BY_CHARS_MAX]


def _notice(turn: Turn) -> Notice:
    case = turn.case
    assert turn.actor is not None
    assert case.first_on is not None
    assert case.last_on is not None
    numbers, newest = covered(case), case.notices.first()
    rows: Iterable[Mapping[str, object]] = Premises.objects.filter(pk__in=numbers).values("pk", "name", "place")
    case.paper_digest = reach.premises_digest(numbers)
    case.save(update_fields=["paper_digest"])
    return Notice.objects.create(
        case=case,
        version=1 if newest is None else newest.version + 1,
        made_at=timezone.now(),
        made_by=turn.actor,
        first_on=case.first_on,
        last_on=case.last_on,
        premises=[{"number": row["pk"], "name": row["name"], "place": row["place"]} for row in rows],
    )


def _next_case_number(scheme: Scheme) -> int:
    newest: int | None = Case.objects.filter(scheme=scheme).aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1


def end_of(last: date) -> datetime:
    """The end of a day in Europe/London."""
    return datetime.fromtimestamp(period.end_s(last), tz=UTC)
