"""Everything held of a person, as they are given it: third parties are left out (UK GDPR Art. 15).

Who nominated is "a member of the scheme", staff are named by their role, other people's names are replaced in texts.
Somebody still reads it before it is handed over: texts may tell of others without naming them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from django.db.models import Manager, Q
from msgspec import Struct

from office.accounts.models import Account, RoleGrant
from office.accounts.rules import TITLES as ROLE_TITLES
from office.audit.journal import WATCHLINK_NAME
from office.audit.models import AuditRow
from office.breaches.models import Breach, StatementCopy
from office.exclusions.models import Ballot, Case, Notice, Step
from office.exclusions.rules.life import TITLES as STATE_TITLES
from office.exclusions.rules.period import day_of
from office.exclusions.terms import terms_of
from office.members.models import Contact, Member
from office.people.erasure import reports_without_case
from office.people.models import Individual, Photograph, RightsRequest
from office.people.rules import by_first_word, other_names, without_others

ABOUT: Final = (
    "Why it is held: to prevent and detect crime and disorder, and to protect staff, customers and premises.",
    "Who receives it: members of the scheme, the police, police community support officers and the CCTV control room.",
    "How long: nominations that were not accepted for 28 days. After an exclusion, its photograph for 28 days.",
    "The rest of an exclusion for 12 months after its end. Requests such as this one for 24 months.",
    "Where it comes from: members of the scheme, their staff and cameras, the police, other schemes.",
    "There is no face recognition, and no machine decides: members of the scheme vote.",
    "You may ask for correction, erasure or restriction; you may object, appeal, and complain to the scheme.",
    "You may also complain to the Information Commissioner's Office: ico.org.uk, 0303 123 1113.",
)
"""What Art. 15(1) wants beside the data."""
HANDLING: Final = "What was done with it"
"""Title of the part that the audit tells."""
_TOLD_DETAILS: Final = ("fields", "way", "form", "reason", "size", "photograph", "version", "cases", "ended")
"""Of what the audit says beside: the rest names others, or stands in another part."""
_A_MEMBER: Final = "a member of the scheme"
_OF_A_MEMBER: Final = "somebody of a member"
_SOMEBODY: Final = "somebody of the scheme"
_CO_ORDINATOR: Final = "the co-ordinator"


class Fact(Struct, frozen=True):
    """A label and what is held."""

    label: str
    text: str


class Part(Struct, frozen=True):
    """A heading with facts under it."""

    title: str
    facts: tuple[Fact, ...]


class Held(Struct, frozen=True):
    """All of it.

    Attributes:
        reference: of the person.
        scheme: name.
        responsible, contact: from the scheme's terms.
        made_at: when this was put together.
        about: sentences of :data:`ABOUT`.
        parts: in the order of a reader.
    """

    reference: str
    scheme: str
    responsible: str
    contact: str
    made_at: datetime
    about: tuple[str, ...]
    parts: tuple[Part, ...]


def held(individual: Individual, made_at: datetime) -> Held:
    """Put together everything held of a person now."""
    terms, texts = terms_of(individual.scheme), _Texts(individual)
    parts = [_person(individual, texts)]
    parts += [_photograph(one, texts) for one in individual.photographs.order_by("pk")]
    for case in individual.cases.order_by("pk"):
        parts += _case_parts(case, texts)
    parts += [
        Part("Reported by a shop, about a case that is not there", tuple(_breach(one, texts)))
        for one in reports_without_case(individual)
    ]
    parts += [_request(one, texts) for one in individual.requests.order_by("pk")]
    handling = tuple(_handling(individual))
    if handling:
        parts.append(Part(HANDLING, handling))
    return Held(
        reference=individual.reference,
        scheme=individual.scheme.name,
        responsible=terms.responsible,
        contact=terms.contact,
        made_at=made_at,
        about=ABOUT,
        parts=tuple(parts),
    )


def as_json(everything: Held) -> bytes:
    """For another program: UTF-8, indented."""
    return msgspec.json.format(msgspec.json.encode(everything), indent=2)


class _Texts:
    """Texts as the person is given them."""

    def __init__(self, individual: Individual) -> None:
        own = individual.scheme_id
        self._own_names = [individual.name, *other_names(individual.also_known_as)]
        others = Individual.objects.filter(scheme=own).exclude(pk=individual.pk).values_list("name", "also_known_as")
        # Of those who have left, too: texts still tell of them.
        roles: dict[int, str] = dict(RoleGrant.objects.filter(scheme=own).values_list("account", "role"))
        staff = Account.objects.values_list("pk", "name")
        members = Member.objects.filter(memberships__scheme=own)
        contacts = Contact.objects.filter(premises__member__memberships__scheme=own).distinct()
        self._others = by_first_word(
            [
                *((one, "another person") for name, also in others for one in (name, *other_names(also))),
                *((name, ROLE_TITLES.get(roles.get(number, ""), _SOMEBODY)) for number, name in staff),
                *((name, _OF_A_MEMBER) for name in contacts.values_list("name", flat=True)),
                *((name, _A_MEMBER) for name in members.values_list("name", flat=True)),
            ]
        )

    def fact(self, label: str, text: str) -> Fact:
        """Others left out."""
        return Fact(label, without_others(text, self._others, self._own_names) or "–")


def _person(individual: Individual, texts: _Texts) -> Part:
    own, *earlier = individual.references
    facts = (
        Fact("Reference", own),
        Fact("Also held under, until it was found to be you", ", ".join(earlier) or "–"),
        Fact("Name", individual.name or "not known"),
        Fact("Also known as", individual.also_known_as or "–"),
        Fact("Born on", _day(individual.born_on)),
        Fact("Believed to be under 18", "yes" if individual.is_believed_minor else "no"),
        texts.fact("Description", individual.description),
        texts.fact("Address", individual.address),
        Fact("In the register since", _day(individual.created_at)),
        Fact("Erased on", _day(individual.erased_at)),
    )
    return Part("You", facts)


def _photograph(photograph: Photograph, texts: _Texts) -> Part:
    face = f"{photograph.crop_width} × {photograph.crop_height} pixels"
    where = f"{photograph.crop_left} from the left, {photograph.crop_top} from the top"
    facts = (
        Fact("Taken on", _day(photograph.taken_on)),
        texts.fact("Source", photograph.source),
        Fact("Size", f"{photograph.width} × {photograph.height} pixels"),
        Fact("Your face in it, as a person chose", f"{face}, {where}" if photograph.crop_width else "not chosen yet"),
        Fact("SHA-256 of the file as handed in", photograph.original_sha256),
        Fact("Added on", _day(photograph.added_at)),
        Fact("Shown", "yes" if photograph.is_shown else "no"),
    )
    return Part("A photograph of you: the face is handed over with this", facts)


def _case_parts(case: Case, texts: _Texts) -> Iterator[Part]:
    state = STATE_TITLES[case.state]  # type: ignore[index]  # the field's choices are its keys
    listed = ", ".join(one.name for one in case.listed.all())
    facts = (
        Fact("State", state),
        Fact("Category", case.get_category_display() if case.category else "–"),
        Fact("Excluded before", "yes" if case.is_repeat else "no"),
        texts.fact("What happened", case.conduct),
        Fact("On", _day(case.happened_on)),
        texts.fact("Where", case.happened_at),
        texts.fact("Evidence", case.evidence),
        Fact("Nominated by", _nominator(case)),
        Fact("Nominated on", _day(case.nominated_at)),
        Fact("Source", case.get_source_display()),
        texts.fact("From whom, if regional", case.regional_source),
        Fact("To be asked for anew on", _day(case.source_expires_on)),
        Fact("Checked on", _day(case.checked_at)),
        texts.fact("What was checked", case.check_note),
        Fact("Months", str(case.months) if case.months else "–"),
        texts.fact("Why so long", case.months_reason),
        Fact("Premises", case.get_scope_display()),
        Fact("Listed", listed or "–"),
        texts.fact("Why these", case.necessity),
        Fact("Decided on", _day(case.decided_at)),
        Fact("First and last day", f"{_day(case.first_on)} … {_day(case.last_on)}"),
        Fact("Approved for an under-18", "yes" if case.minor_approved_by_id else "no"),
        Fact("May be shown to shops though under 18", "yes" if case.may_show_minor else "no"),
        Fact("Hidden from shops while it is looked into", "yes" if case.is_restricted else "no"),
        Fact("Open appeal", "yes" if case.has_open_appeal else "no"),
        Fact("Over since", _day(case.over_at)),
    )
    yield Part(f"Case {case.number}", facts)
    yield Part(f"Case {case.number}: what was done", tuple(_step(step, texts) for step in case.steps.all()))
    for ballot in case.ballots.order_by("pk"):
        yield Part(f"Case {case.number}: vote", _ballot(ballot))
    for notice in case.notices.order_by("version"):
        yield Part(f"Case {case.number}: notice, version {notice.version}", _notice(notice, texts))
    for breach in case.breaches.order_by("pk"):
        yield Part(f"Case {case.number}: reported by a shop", tuple(_breach(breach, texts)))


def _nominator(case: Case) -> str:
    if not case.category:
        return _SOMEBODY  # erased
    return _A_MEMBER if case.nominating_member_id else _CO_ORDINATOR


def _step(step: Step, texts: _Texts) -> Fact:
    label = f"{_day(step.at)}: {step.get_move_display()}, {_by_role(step.by)}"
    return texts.fact(label, step.reason)


def _ballot(ballot: Ballot) -> tuple[Fact, ...]:
    return (
        Fact("How", ballot.get_way_display()),
        Fact("Meeting of", _day(ballot.meeting_on)),
        Fact("Opened on", _day(ballot.opened_at)),
        Fact("Was to end on", _day(ballot.closes_at)),
        Fact("Ended on", _day(ballot.ended_at)),
        Fact("Your identity was shown before the vote", "yes" if ballot.identity_was_shown else "no"),
        Fact("Exclude, do not exclude, abstain", f"{ballot.exclude}, {ballot.do_not_exclude}, {ballot.abstain}"),
        Fact("Votes that did not count", str(ballot.not_counted)),
        Fact("Quorum, majority", f"{ballot.quorum} members, more than {ballot.majority_percent} %"),
        Fact("Outcome", ballot.outcome or "open"),
    )


def _notice(notice: Notice, texts: _Texts) -> tuple[Fact, ...]:
    return (
        Fact("Made on", _day(notice.made_at)),
        Fact("First and last day", f"{_day(notice.first_on)} … {_day(notice.last_on)}"),
        Fact("Premises", "; ".join(_premises(notice.premises)) or "–"),
        Fact("Served on", _day(notice.served_at)),
        texts.fact("Where", notice.served_where),
        texts.fact("How", notice.served_how),
        Fact("Privacy information was given", "yes" if notice.privacy_information_given else "no"),
    )


def _breach(breach: Breach, texts: _Texts) -> Iterator[Fact]:
    clock = "" if breach.is_time_proven else ", by a clock that was not proven right"
    yield Fact("What", breach.get_kind_display())
    yield Fact("Under which reference", breach.reference)
    yield Fact("When", f"{_moment(breach.at)}{clock}")
    yield texts.fact("Where", breach.place)
    yield Fact("Asked to leave", breach.get_left_display())
    yield Fact("Alert", breach.incident or "–")
    yield Fact("Received", _moment(breach.received_at))
    yield Fact("State", f"{breach.get_state_display()}, since {_moment(breach.state_at)}")
    yield Fact("Closed on", _day(breach.closed_at))
    for copy in StatementCopy.objects.filter(breach=breach):
        yield Fact(f"{_moment(copy.made_at)}, {_by_role(copy.made_by)}", "Copy of a statement, for the shop")
    for action in breach.actions.all():
        said = ", ".join(
            filter(None, (action.get_kind_display(), action.crime_reference, "closed with this" * action.closes))
        )
        yield Fact(f"{_moment(action.at)}, {_by_role(action.by)}", said)


def _moment(when: datetime) -> str:
    return f"{when:%-d %b %Y, %H:%M} UTC"


def _request(request: RightsRequest, texts: _Texts) -> Part:
    facts = (
        Fact("What", request.get_kind_display()),
        Fact("Received on", _day(request.received_on)),
        texts.fact("From", request.asked_by),
        texts.fact("In which words", request.asked),
        Fact("To be answered by", _day(request.due_on)),
        Fact("How you were found", request.get_found_by_display() or "–"),
        texts.fact("How you proved who you are", request.proof),
        texts.fact("Who compared photographs, and with what", request.compared_by),
        Fact("Acknowledged on", _day(request.acknowledged_on)),
        Fact("Answered on", _day(request.done_on)),
        texts.fact("Answer", request.outcome),
        texts.fact("Done", request.notes),
    )
    return Part(f"Your request {request.pk}", facts)


def _handling(individual: Individual) -> Iterator[Fact]:
    """Rows of the audit about the person, their cases and requests, without who it was.

    Also those from before it was found that the person is one of the register: they bear another reference.
    """
    about = Q(subject_kind="Individual", subject_id__in=_numbers(individual.merged, individual.pk))
    about |= Q(subject_kind="Case", subject_id__in=_numbers(individual.cases))
    about |= Q(subject_kind="RightsRequest", subject_id__in=_numbers(individual.requests))
    for reference in individual.references:
        about |= Q(details__contains=f'"{reference}"')
    for row in AuditRow.objects.filter(about).order_by("sequence"):
        roles = {pair.partition(":")[0] for pair in row.actor_role.split(", ") if pair}
        by = ", ".join(sorted(ROLE_TITLES.get(role, role) for role in roles)) or WATCHLINK_NAME
        details = json.loads(row.details)
        more = [f"{key}: {_listed(details[key])}".replace("_", " ") for key in _TOLD_DETAILS if key in details]
        yield Fact(f"{row.at:%-d %b %Y, %H:%M} UTC", ", ".join([row.action, by, *more]))


def _listed(value: object) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _numbers(rows: Manager[Any], *more: int) -> list[str]:
    """As the audit has them."""
    return [str(number) for number in (*rows.values_list("pk", flat=True), *more)]


def _by_role(by: str) -> str:
    """Whoever made a step, told by their roles then."""
    if by == WATCHLINK_NAME:
        return by
    said = [title for title in ROLE_TITLES.values() if by.endswith(f", {title}") or f", {title}, " in by]
    if said == [ROLE_TITLES["members-contact"]]:
        return _A_MEMBER
    return ", ".join(said) or _SOMEBODY


def _premises(rows: Sequence[dict[str, object]]) -> Iterator[str]:
    for row in rows:
        yield ", ".join(str(row[key]) for key in ("name", "place") if row.get(key))


def _day(when: date | datetime | None) -> str:
    """A day, or that of a moment, in Europe/London."""
    day = day_of(when) if isinstance(when, datetime) else when
    return "–" if day is None else f"{day.day} {day:%b %Y}"
