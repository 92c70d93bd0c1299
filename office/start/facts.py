"""Reads what waits for a person: a fixed, small number of questions, however large the town."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.formats import date_format

from office.accounts import acts
from office.accounts.models import Account, Invitation, PrintedCode, RoleGrant
from office.accounts.rules import TITLES, Rights
from office.audit.models import AuditRow
from office.audit.views import seen_by
from office.backup import telling
from office.breaches.scope import breaches_visible
from office.escalation.policies import without_policy
from office.exclusions import reading, waiting
from office.exclusions.case_views import waiting_first, waits_for_co_ordinator
from office.exclusions.models import Case, LawDocument
from office.exclusions.rules.law import REMIND_DAYS
from office.exclusions.scope import with_last_outcome
from office.exclusions.stale import stale_cases
from office.exclusions.vote_views import vote_rows
from office.in_shops.port import NoReportError, report
from office.in_shops.standing import rows_of
from office.members.csv_views import PENDING_FOR
from office.members.listing import MISSING
from office.members.models import PendingImport
from office.members.scope import members_without_contact, premises_of
from office.members.units import units
from office.people.models import RightsRequest
from office.rota.week import gaps_of, swaps_to_answer
from office.start.rules import NAMES_SHOWN, Colleague, Facts, Named, Shop
from wire.gallery_lines import ENTRIES_MAX

IMPORT_ROWS_BACK = 10_000
"""How far the last import is looked for in the audit."""


def facts_of(account: Account, rights: Rights, names: dict[int, str]) -> Facts:
    """All that may wait for a person.

    Args:
        account: theirs.
        rights: theirs.
        names: of all schemes.
    """
    own = rights.co_ordinates
    colleagues = _colleagues(account, own)
    votes = _votes(rights)
    breaches, breaches_count = _breaches(rights)
    now = timezone.now()
    swaps = [Named(one.pk, one.asked_by.name) for one in swaps_to_answer(rights, now)]
    if not own:
        return Facts(
            me=account.pk,
            colleagues=colleagues,
            votes=votes,
            breaches=breaches,
            breaches_count=breaches_count,
            swaps=swaps,
        )
    fitted, stale = units(), stale_cases(own)
    grave, late = _galleries({number: names[number] for number in own})
    return Facts(
        me=account.pk,
        leads=True,
        colleagues=colleagues,
        alone_in=[names[number] for number in sorted(acts.standing_of(account).alone_in)],
        upload=_upload(account),
        invitations=[_named(one) for one in acts.open_invitations(own)],
        shops=_shops(own),
        fitted=None if fitted is None else frozenset(fitted),
        members_without_contact=[Named(*one) for one in members_without_contact(own).values_list("pk", "name")],
        cases=_cases(own),
        stale=_stale(stale[:NAMES_SHOWN]),
        stale_count=len(stale),
        beyond=_beyond(rights),
        galleries=grave,
        galleries_late=late,
        breaches=breaches,
        breaches_count=breaches_count,
        votes=votes,
        requests=_requests(own),
        reviews=_reviews(own),
        backup_faults=telling.faults(settings.OFFICE, now),
        rota_gaps=[Named(0, f"{one.title} in {names[one.scheme]}", one.when) for one in gaps_of(own, now)],
        swaps=swaps,
        unasked=[names[number] for number in sorted(without_policy(own))],
    )


def _cases(own: frozenset[int]) -> list[Named]:
    waiting = waiting_first(Case.objects.filter(scheme__in=own).filter(waits_for_co_ordinator()))
    found = with_last_outcome(waiting.select_related("scheme"))
    return [Named(one.pk, one.reference, _stands(one)) for one in found]


def _stale(shown: list[int]) -> list[Named]:
    found = Case.objects.select_related("scheme").in_bulk(shown)
    return [
        Named(number, found[number].reference, "other premises" if found[number].paper_digest else "not what holds now")
        for number in shown
    ]


def _beyond(rights: Rights) -> list[Named]:
    shown = reading.cases_shown(reading.open_to(rights, shows_hidden=False)).filter(scheme__in=rights.co_ordinates)
    counted = shown.order_by("scheme").values_list("scheme", "scheme__name").annotate(count=Count("pk"))
    return [
        Named(number, name, f"{count - ENTRIES_MAX:,} not shown")
        for number, name, count in counted
        if count > ENTRIES_MAX
    ]


def _galleries(names: dict[int, str]) -> tuple[list[Named], list[Named]]:
    """Units that need a person: what is grave, and the others. Nothing is said where no unit is answered at all."""
    try:
        with report() as found:
            rows = [row for row in rows_of(found, names, int(timezone.now().timestamp())) if row.told]
    except NoReportError:
        return [], []
    named = [(row.is_grave, Named(row.number, row.name, row.told[0].need.says)) for row in rows]
    return [one for is_grave, one in named if is_grave], [one for is_grave, one in named if not is_grave]


def _stands(case: Case) -> str:
    last = waiting.last_day_to_act(case)
    if last is not None and waiting.is_overdue(case, timezone.localdate()):
        return f"{case.get_state_display()}; overdue, lapses after {date_format(last, 'j M')}"
    is_unfinished = case.state == "checked" and case.last_outcome == "leave-unfinished"  # type: ignore[attr-defined]
    return "Vote not finished" if is_unfinished else case.get_state_display()


def _requests(own: frozenset[int]) -> list[Named]:
    today, found = timezone.localdate(), RightsRequest.objects.filter(scheme__in=own, done_on=None)
    return [Named(one.pk, one.get_kind_display(), _due(one, today)) for one in found]


def _due(request: RightsRequest, today: date) -> str:
    due = date_format(request.due_on, "j M")
    if request.kind == "complaint" and request.acknowledged_on is not None:
        return "acknowledged; answer without delay"
    return f"LATE: was due on {due}" if request.due_on < today else f"due on {due}"


def _reviews(own: frozenset[int]) -> list[Named]:
    documents = LawDocument.objects.filter(scheme__in=own).select_related("scheme").order_by("pk")
    newest = {(one.scheme_id, one.kind): one for one in documents}
    soon = timezone.localdate() + timedelta(days=REMIND_DAYS)
    return [
        Named(one.pk, one.get_kind_display(), f"{one.scheme}, by {date_format(one.review_due, 'j M Y')}")
        for one in newest.values()
        if one.review_due <= soon
    ]


def _breaches(rights: Rights) -> tuple[list[Named], int]:
    """The newest that nobody has dealt with, and how many there are."""
    waiting = breaches_visible(rights).filter(state="received")
    found = list(waiting[: NAMES_SHOWN + 1])
    shown = found[:NAMES_SHOWN]
    named = [Named(one.pk, one.reference, f"{one.place}, {_day_and_time(one.at)}") for one in shown]
    return named, len(found) if len(found) <= NAMES_SHOWN else waiting.count()


def _votes(rights: Rights) -> list[Named]:
    rows = vote_rows(rights) if rights.speaks_for_members else []
    open_ones = (row.ballot for row in rows if row.is_mine_to_cast)
    return [Named(one.pk, one.case.reference, f"ends {_day_and_time(one.closes_at)}") for one in open_ones]


def _day_and_time(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M, H:i")


def _colleagues(account: Account, own: frozenset[int]) -> list[Colleague]:
    # Of others nothing is said that follows from a role elsewhere.
    grants = RoleGrant.objects.filter(Q(scheme__in=own) | Q(account=account), account__is_active=True)
    entering = grants.filter(account=OuterRef("pk")).exclude(role="members-contact")
    found = Account.objects.filter(pk__in=grants.values("account")).annotate(
        passkeys=Count("authenticator", filter=Q(authenticator__type=Authenticator.Type.WEBAUTHN)),
        has_app=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)),
        has_printed_codes=Exists(PrintedCode.objects.filter(account=OuterRef("pk"))),
        enters_control_room=Exists(entering),
    )
    rows = found.order_by("name", "pk")
    return [Colleague(*row) for row in rows.values_list("pk", "name", *Colleague.__struct_fields__[2:])]


def _upload(account: Account) -> str:
    kept = PendingImport.objects.filter(account=account, uploaded_at__gte=timezone.now() - PENDING_FOR)
    return kept.values_list("token", flat=True).first() or ""


def _named(invitation: Invitation) -> Named:
    made, ends = (date_format(timezone.localtime(at), "j M") for at in (invitation.created_at, invitation.expires_at))
    return Named(invitation.pk, invitation.name, f"{TITLES[invitation.role]}, since {made}, works until {ends}")


def _shops(own: frozenset[int]) -> list[Shop]:
    found = premises_of(own).annotate(lacks_key_holder=MISSING["key-holder"], lacks_staff_contact=MISSING["staff"])
    rows = found.order_by("name", "pk").values_list("pk", "name", "lacks_key_holder", "lacks_staff_contact")
    return [Shop(number, name, not no_holder, not no_staff) for number, name, no_holder, no_staff in rows]


def last_import(rights: Rights) -> AuditRow | None:
    """The newest import into a scheme that the person co-ordinates, if it is not long ago."""
    newest = AuditRow.objects.order_by("-sequence").values("sequence")[:1]
    rows = seen_by(rights.co_ordinates).filter(action="premises.imported")
    return rows.filter(sequence__gt=Subquery(newest) - IMPORT_ROWS_BACK).first()
