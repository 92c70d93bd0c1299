"""What the walk through all addresses asks for: in each scheme, and in both, one of everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Final, NamedTuple

from allauth.mfa.models import Authenticator
from django.utils import timezone
from msgspec.json import encode

from office.accounts import links
from office.accounts.models import Account, Invitation, Notice, OfficeSession, RecoveryLink, Scheme
from office.audit.journal import record
from office.breaches.models import StatementCopy
from office.breaches.statements import statement
from office.escalation.policies import make_policy
from office.escalation.rules import proposal
from office.exclusions.models import Ballot, Case, SchemeTerms
from office.exclusions.models import Notice as CaseNotice
from office.exclusions.rules.law import DOCUMENT_KINDS
from office.exclusions.terms import record_document
from office.members.models import Member, Membership, PendingImport, Premises
from office.people.intake_terms import Box
from office.people.models import Individual, RightsRequest
from office.people.photographs import add_photograph, keep_crop, show_photograph
from office.rota.models import RotaCover, RotaFeed, RotaOverride, RotaPattern, RotaSwap
from office.staff.models import StaffMember
from tests.office.breaches.conftest import breach_of
from tests.office.breaches.test_statements import FACTS, MAKER
from tests.office.conftest import HART, PUB_WATCH, MakePerson
from tests.office.people.conftest import taken
from wire.ids import NodeId, node_text

MARKS: Final = {HART: "Quagga", PUB_WATCH: "Zebra"}
"""In the names of all that is of one scheme alone."""
UPLOADED: Final = b"Name,Member\nA,M\n"


class Things(NamedTuple):
    """What there is to ask for.

    Attributes:
        arguments: words in addresses, by the name of the address or by its first word.
        target: whose the personal things among them are.
        member: name of the member.
    """

    arguments: Mapping[str, Mapping[str, object]]
    target: Account
    member: str

    @property
    def individual(self) -> int:
        """Whom the request is about; 0 = there is no request."""
        asked = str(self.arguments.get("rights", {"number": 0})["number"])
        return RightsRequest.objects.filter(pk=asked).values_list("individual", flat=True).first() or 0


class Town(NamedTuple):
    """What is of HART alone, and what is of both schemes."""

    hart: Things
    shared: Things


def shared_things(schemes: Mapping[int, Scheme], make_person: MakePerson) -> Things:
    person = make_person("shared", *(("cctv", number) for number in schemes), name="Shared Person")
    member = Member.objects.create(name="Shared Ltd")
    premises = Premises.objects.create(member=member, name="Shared Inn", search_text="shared inn")
    premises.schemes.set(schemes)
    for number, scheme in schemes.items():
        Membership.objects.create(member=member, scheme=scheme, joined_on=timezone.localdate())
        record(None, "premises.joined-scheme", premises, schemes=[number], said=MARKS[number])
    staff = StaffMember.objects.create(number=len(MARKS) + 1, premises=premises, name="Shared Staff")
    arguments: dict[str, dict[str, object]] = {
        "premises": {"number": premises.pk, "person": staff.number},
        "members": {"number": member.pk},
        "people": {"number": person.pk},
        "membership-end": {"number": member.pk, "scheme": schemes[HART].slug},
    }
    return Things(arguments, person, member.name)


def things_of(scheme: Scheme, make_person: MakePerson) -> Things:
    mark, now, today = MARKS[scheme.number], timezone.now(), timezone.localdate()
    roles = ("cctv", scheme.number), ("police", scheme.number)
    target = make_person(f"target{scheme.number}", *roles, name=f"{mark} Person")
    inviter = make_person(f"inviter{scheme.number}", ("co-ordinator", scheme.number), name=f"{mark} Inviter")
    member, former = Member.objects.create(name=f"{mark} Ltd"), Member.objects.create(name=f"{mark} former Ltd")
    Membership.objects.create(member=member, scheme=scheme, joined_on=today)
    Membership.objects.create(member=former, scheme=scheme, joined_on=today, ended_on=today)
    premises = Premises.objects.create(member=member, name=f"{mark} Inn", search_text=f"{mark} inn".lower())
    premises.schemes.set([scheme])
    staff = StaffMember.objects.create(number=scheme.number, premises=premises, name=f"{mark} Staff")
    invitation = Invitation.objects.create(
        digest=links.digest_of(f"{mark}-invitation"),
        name=f"{mark} Guest",
        role="pcso",
        invited_by=inviter,
        expires_at=now + timedelta(1),
    )
    invitation.schemes.set([scheme])
    RecoveryLink.objects.create(
        digest=links.digest_of(f"{mark}-recovery"),
        account=target,
        generation=target.generation,
        sets_password=True,
        expires_at=now + timedelta(1),
    )
    passkey = Authenticator.objects.create(user=target, type=Authenticator.Type.WEBAUTHN, data={"name": mark})
    notice = Notice.objects.create(account=target, text=f"{mark} notice")
    session = OfficeSession.objects.create(public_id=f"{scheme.number:032x}", account=target, generation=1)
    PendingImport.objects.create(account=inviter, token=f"{mark}token", data=UPLOADED)
    record(None, "premises.added", premises, schemes=[scheme.number])
    nominated, voted = _cases(scheme, inviter)
    printable = _printable(scheme, inviter)
    readable = _readable(printable.case, inviter)
    breach = breach_of(printable.case, place=f"{mark} Inn", premises=premises)
    policy = make_policy(inviter, scheme, proposal(scheme.slug, {}))
    copy = StatementCopy.objects.create(
        breach=breach, member=member, paper=encode(statement(FACTS, MAKER)), made_at=now, made_by=f"{mark} Inviter"
    )
    arguments: dict[str, dict[str, object]] = {
        "premises": {"number": premises.pk, "person": staff.number},
        "members": {"number": member.pk},
        "people": {"number": target.pk},
        "membership-end": {"number": member.pk, "scheme": scheme.slug},
        "membership-delete": {"number": former.pk, "scheme": scheme.slug},
        "terms": {"scheme": scheme.slug},
        "escalation": {"number": policy.policy_id, "scheme": scheme.slug},
        "rights": {"number": _request(scheme, inviter).pk},
        **_photograph(scheme, inviter),
        "cancel_invitation": {"number": invitation.pk},
        "read_notice": {"number": notice.pk},
        "join": {"token": f"{mark}-invitation"},
        "recover": {"token": f"{mark}-recovery"},
        "end_session": {"public_id": session.public_id},
        "premises-import-preview": {"token": f"{mark}token"},
        "mfa_remove_webauthn": {"pk": passkey.pk},
        "cases": {"number": nominated.pk},
        "votes": {"number": voted["between-meetings"]},
        "hands": {"number": voted["meeting"]},
        "papers": {"number": printable.pk, "scheme": scheme.slug},
        "register": {"number": readable.pk, "size": "small"},
        "galleries": {"unit": node_text(NodeId(scheme.number))},
        "breaches": {"number": breach.pk, "size": "small"},
        "incidents": {"incident": "00000010-7"},
        "statements": {"number": copy.pk},
        **_rota(scheme, target, inviter),
    }
    return Things(arguments, target, member.name)


def _rota(scheme: Scheme, target: Account, other: Account) -> dict[str, dict[str, object]]:
    """One of everything. The calendar’s address is the target’s."""
    today, now = timezone.localdate(), timezone.now()
    hours = {"scheme": scheme, "role": "police", "weekdays": "0123456", "begins": time(8), "length_min": 720}
    pattern = RotaPattern.objects.create(**hours, first=today - timedelta(3), people=[target.pk])
    cover = RotaCover.objects.create(**hours, first=today)
    ends = {"begins_at": now + timedelta(1), "ends_at": now + timedelta(2)}
    override = RotaOverride.objects.create(scheme=scheme, role="police", account=other, **ends)
    swap = RotaSwap.objects.create(
        scheme=scheme,
        asked_by=target,
        asked=other,
        given_role="police",
        taken_role="police",
        **{f"{which}_{end}": at for which in ("given", "taken") for end, at in ends.items()},
    )
    token = f"{MARKS[scheme.number]}-calendar"
    RotaFeed.objects.create(account=target, what="own", digest=links.digest_of(token))
    return {
        "rota": {"scheme": scheme.slug, "role": "police"},
        "rota-swap": {"number": swap.pk},
        "rota-calendar-new": {"what": "own"},
        "rota-calendar-end": {"what": "own"},
        "rota-feed": {"token": token},
        "rota-pattern-edit": {"number": pattern.pk},
        "rota-pattern-remove": {"number": pattern.pk},
        "rota-cover-edit": {"number": cover.pk},
        "rota-cover-remove": {"number": cover.pk},
        "rota-override-remove": {"number": override.pk},
    }


def _photograph(scheme: Scheme, actor: Account) -> dict[str, dict[str, object]]:
    """Of somebody in the register, cropped."""
    mark, today = MARKS[scheme.number], timezone.localdate()
    individual = Individual.objects.create(scheme=scheme, number=2, name=f"{mark} Somebody")
    photograph = add_photograph(actor, individual, taken(), source=f"{mark} camera", taken_on=today)
    keep_crop(actor, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))
    return {"individuals": {"number": individual.pk}, "photographs": {"number": photograph.pk, "size": "portrait"}}


def _request(scheme: Scheme, actor: Account) -> RightsRequest:
    """Of somebody in the register."""
    mark, today = MARKS[scheme.number], timezone.localdate()
    individual = Individual.objects.create(scheme=scheme, number=1, name=f"{mark} Somebody")
    return RightsRequest.objects.create(
        scheme=scheme,
        kind="access",
        asked_by=f"{mark} Somebody",
        received_on=today,
        due_on=today,
        individual=individual,
        recorded_by=actor,
    )


def _printable(scheme: Scheme, actor: Account) -> CaseNotice:
    """Of an exclusion in force."""
    mark, now, today = MARKS[scheme.number], timezone.now(), timezone.localdate()
    SchemeTerms.objects.update_or_create(scheme=scheme, defaults={"responsible": mark, "contact": mark})
    case = Case.objects.create(
        scheme=scheme,
        number=21,
        individual=Individual.objects.create(scheme=scheme, number=21, name=f"{mark} Nobody"),
        state="served",
        category="theft",
        conduct=f"{mark} bottles",
        happened_on=today,
        happened_at=f"{mark} Street",
        evidence=f"{mark} film",
        nominated_by=actor,
        first_on=today,
        last_on=today,
    )
    shop = {"number": 1, "name": f"{mark} Inn", "place": ""}
    return CaseNotice.objects.create(
        case=case, version=1, made_at=now, made_by=actor, first_on=today, last_on=today, premises=[shop]
    )


def _readable(case: Case, actor: Account) -> Individual:
    """Whom a case in force is about, with a photograph; the register is on."""
    for kind in DOCUMENT_KINDS:
        record_document(actor, case.scheme, kind, "1")
    photograph = add_photograph(actor, case.individual, taken(), source="camera", taken_on=None)
    keep_crop(actor, photograph, Box(0, 0, 300, 400), (taken().whole, taken().whole))
    show_photograph(actor, photograph)
    return case.individual


def _cases(scheme: Scheme, nominator: Account) -> tuple[Case, dict[str, int]]:
    """One that was just nominated; and numbers of two open votes, by how they are taken."""
    mark, now, today = MARKS[scheme.number], timezone.now(), timezone.localdate()
    rows = []
    for number, state in enumerate(("nominated", "voting", "voting"), 11):
        individual = Individual.objects.create(scheme=scheme, number=number, name=f"{mark} Nobody")
        rows.append(
            Case.objects.create(
                scheme=scheme,
                number=number,
                individual=individual,
                state=state,
                category="theft",
                conduct=f"{mark} bottles",
                happened_on=today,
                happened_at=f"{mark} Street",
                evidence=f"{mark} film",
                nominated_by=nominator,
            )
        )
    times = {"meeting_on": today, "opened_at": now, "closes_at": now + timedelta(1)}
    ballots = {
        way: Ballot.objects.create(case=case, way=way, quorum=3, majority_percent=50, **times).pk
        for case, way in zip(rows[1:], ("between-meetings", "meeting"), strict=True)
    }
    return rows[0], ballots
