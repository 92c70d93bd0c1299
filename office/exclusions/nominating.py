"""Writes nominations, and what the check finds out about the person. Runs inside :func:`office.accounts.access.acting`.

Whoever a member's contact names becomes a new person; the co-ordinator finds out at the check whether it is somebody of
the register. They are told by words alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import Max
from msgspec import Struct

from office.accounts.models import Account, Scheme
from office.accounts.rules import Rights
from office.audit.journal import record
from office.exclusions import acts
from office.exclusions.acts import Nomination, Proposal, Turn, was_excluded
from office.exclusions.models import Case
from office.exclusions.rules.alike import Described, Suggestion, suggestions
from office.members.facts import folded
from office.members.models import Member
from office.people.merging import put_together
from office.people.models import Individual
from office.people.rules import other_names


class PersonFacts(Struct, frozen=True):
    """A person who is not in the register yet, as typed."""

    name: str
    also_known_as: str
    born_on: date | None
    is_believed_minor: bool
    description: str
    address: str


class Likely(Struct, frozen=True):
    """Somebody of the register who may be meant."""

    individual: Individual
    suggestion: Suggestion
    was_excluded: bool

    @property
    def label(self) -> str:
        """``HART-0042, Jo Reed, born 1 May 1990: a similar name. Excluded before.`` for a list of choices."""
        one = self.individual
        words = [
            one.reference,
            one.name or "no name",
            f"also known as {one.also_known_as}" if one.also_known_as else "",
        ]
        if one.born_on:
            words.append(f"born {one.born_on.day} {one.born_on:%b %Y}")
        text = f"{', '.join(word for word in words if word)}: {self.suggestion.why}."
        return f"{text} Excluded before." if self.was_excluded else text


def nominate(
    actor: Account,
    rights: Rights,
    behalf: tuple[Scheme, Member | None],
    whom: PersonFacts | Individual,
    nomination: Nomination,
) -> Case:
    """Open a case about somebody of the register, or somebody new; ``behalf``: in which scheme, for which member."""
    scheme, member = behalf
    individual = whom if isinstance(whom, Individual) else _add(scheme, whom)
    return acts.nominate(actor, rights, individual, member, nomination)


def record_check(turn: Turn, proposal: Proposal, checked: Nomination, *, same_as: Individual | None) -> None:
    """Record the check, with what members will read.

    Args:
        turn: the co-ordinator's.
        proposal: what members are asked.
        checked: what happened, as they will read it.
        same_as: who of the register the person turned out to be; ``None`` = somebody new.
    """
    case = turn.case
    case.conduct, case.evidence = checked.conduct, checked.evidence
    case.happened_on, case.happened_at = checked.happened_on, checked.happened_at
    case.source = "regional" if checked.regional_source else "local"
    case.regional_source, case.source_expires_on = checked.regional_source, checked.source_expires_on
    left_over = "" if same_as is None else _put_together(turn, same_as)
    acts.check(turn, proposal, left_over)


def likely(scheme: Scheme, names: tuple[str, str], born_on: date | None, but: int = 0) -> list[Likely]:
    """Who of a scheme's register may be meant, the likeliest first.

    Args:
        scheme: whose register.
        names: name and other names, as typed.
        born_on: ``None`` = not known.
        but: number of an individual who is not suggested.
    """
    name, also_known_as = names
    found = suggestions(Described(but, (name, *other_names(also_known_as)), born_on), _register(scheme))
    known = Individual.objects.select_related("scheme").in_bulk([one.number for one in found])
    return [Likely(known[one.number], one, was_excluded(known[one.number])) for one in found]


def _register(scheme: Scheme) -> Iterator[Described]:
    rows = Individual.objects.filter(scheme=scheme, erased_at=None)
    for number, name, other, born_on in rows.values_list("pk", "name", "also_known_as", "born_on"):
        yield Described(number, (name, *other_names(other)), born_on)


def _add(scheme: Scheme, facts: PersonFacts) -> Individual:
    newest: int | None = Individual.objects.filter(scheme=scheme).aggregate(newest=Max("number"))["newest"]
    return Individual.objects.create(
        scheme=scheme,
        number=(newest or 0) + 1,
        name=facts.name,
        also_known_as=facts.also_known_as,
        born_on=facts.born_on,
        is_believed_minor=facts.is_believed_minor,
        description=facts.description,
        address=facts.address,
        search_text=folded(f"{facts.name} {facts.also_known_as}"),
    )


def _put_together(turn: Turn, known: Individual) -> str:
    """Point the case at who it is; returns what of the new row had no room with the person.

    Of the new row nothing is left but its number, which is never given again. A row with other cases stays as it is.
    """
    case, was = turn.case, turn.case.individual
    case.individual = known
    case.save(update_fields=["individual"])
    record(turn.actor, "case.person-matched", case, individual=known.reference, was=was.reference)
    return "" if was.cases.exists() else put_together(known, was)
