"""From the database to what is printed of a notice, and who may print one."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from office.accounts.rules import Rights
from office.exclusions.acts import covered
from office.exclusions.models import Notice
from office.exclusions.rules.life import IN_FORCE, TITLES
from office.exclusions.rules.period import day_of
from office.exclusions.terms import terms_of
from office.papers.asking import NoPdfError
from office.papers.orders import NamedPremises, NoticePaper, day_text
from office.people.intake_process import NotMarkedError, marker
from office.people.models import SHOWN_TO_READERS, Individual
from office.people.sealing import SealedError, sealing
from wire.text import display_text


def notices_visible(mine: Rights) -> QuerySet[Notice]:
    """The notices that exist for a person.

    Co-ordinators: those of their schemes. PCSOs: what is in force there, for they serve it. Of whom everything was
    erased there is none.
    """
    seen = Q(case__scheme__in=mine.co_ordinates)
    seen |= Q(case__scheme__in=mine.schemes("pcso"), case__state__in=IN_FORCE)
    found = Notice.objects.filter(seen, case__individual__erased_at=None)
    return found.select_related("case__scheme", "case__individual")


def paper_of(notice: Notice, *, is_pocket_size: bool) -> NoticePaper:
    """What is printed: the premises as they were when this version was made, the rest as it is now.

    Raises:
        NoPdfError: the photograph that it needs cannot be had now.
    """
    case = notice.case
    terms = terms_of(case.scheme)
    return NoticePaper(
        scheme=case.scheme.name,
        title=terms.paper_title,
        reference=case.individual.reference,
        case_number=case.number,
        version=notice.version,
        name=case.individual.name,
        category=case.get_category_display(),
        conduct=case.conduct,
        happened_on=case.happened_on,
        happened_at=case.happened_at,
        decided_on=day_of(case.decided_at) if case.decided_at else None,
        first_on=notice.first_on,
        last_on=notice.last_on,
        premises=tuple(NamedPremises(str(row["name"]), str(row["place"])) for row in notice.premises),
        responsible=terms.responsible,
        contact=terms.contact,
        issued_on=day_of(notice.made_at),
        standing=_standing(notice),
        is_regional=case.source == "regional",
        photograph=b"" if is_pocket_size else _face_of(case.individual),
        is_pocket_size=is_pocket_size,
    )


def _face_of(individual: Individual) -> bytes:
    """The photograph that readers are shown, if the person has no name; marked with their reference (G7).

    Who printed it is in the audit. On the paper their name would be in the hands of whom it is for.
    """
    photograph = individual.photographs.filter(SHOWN_TO_READERS).first()
    if photograph is None or display_text(individual.name, 1):
        return b""
    try:
        face = sealing().read(photograph.file, bytes(photograph.wrapped_key), "portrait")
        return marker.mark(face, f"{individual.reference}  ")
    except (SealedError, NotMarkedError) as e:
        raise NoPdfError("The photograph of this person cannot be opened just now.") from e


def _standing(notice: Notice) -> str:
    """What a copy is that must not be handed out for the notice; empty = it is the notice."""
    case, newest = notice.case, notice.case.notices.first()
    if case.state not in IN_FORCE:
        return f"Copy for the file. This exclusion is over: {TITLES[case.state].lower()}."  # type: ignore[index]
    if newest is not None and newest.version != notice.version:
        return f"Copy for the file. Version {newest.version} has replaced it."
    if not {row["number"] for row in notice.premises} <= covered(case):
        # Of one that has joined meanwhile the person is told by the next version; what stands here is still true.
        return "Copy for the file. This exclusion no longer covers every premises named here. Issue a new version."
    if case.last_on is not None and case.last_on != notice.last_on:
        return f"Copy for the file. This exclusion now ends with {day_text(case.last_on)}."
    if not case.paper_digest:
        # What stands here is right, and not what the person was handed as this version.
        return "Copy for the file. What it says was corrected. Issue a new version."
    return ""
