"""Every column of every table that concerns a person is in what they are given, or here with the reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from office.accounts.access import rights_of
from office.audit.models import AuditRow
from office.breaches.acts import add_action
from office.breaches.models import StatementCopy
from office.exclusions import acts
from office.exclusions.models import Case
from office.people.models import Individual, Photograph
from office.people.rights_export import Part, held
from tests.office.breaches.conftest import breach_of
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import photograph, request_of

_ROW = "numbers the row, and says nothing of anybody"
_WHOSE = "says whose it is: it is under their heading"
_STAFF = "is somebody else, who is told by their role"
_VERSION = "counts changes, so that two editors notice one another"
_KEY = "opens or names the files of the photograph, of which a copy is handed over"
_VOTES = "is how another member voted; the totals are told"

REASONS: Mapping[str, str] = {
    "Individual.id": _ROW,
    "Individual.scheme": _WHOSE,
    "Individual.version": _VERSION,
    "Individual.search_text": "is the names once more, folded",
    "Individual.same_as": "leads to the person whose data these became; they are given both",
    "Photograph.id": _ROW,
    "Photograph.individual": _WHOSE,
    "Photograph.file": _KEY,
    "Photograph.wrapped_key": _KEY,
    "Photograph.added_by": _STAFF,
    "RightsRequest.id": _ROW,
    "RightsRequest.individual": _WHOSE,
    "RightsRequest.scheme": _WHOSE,
    "RightsRequest.recorded_by": _STAFF,
    "Case.id": _ROW,
    "Case.scheme": _WHOSE,
    "Case.individual": _WHOSE,
    "Case.version": _VERSION,
    "Case.paper_digest": "is the premises on the newest notice once more, as a digest",
    "Case.nominated_by": _STAFF,
    "Case.checked_by": _STAFF,
    "Case.nominating_member": "is another business, told as a member of the scheme",
    "Step.id": _ROW,
    "Step.case": _WHOSE,
    "Step.account": _STAFF,
    "Ballot.id": _ROW,
    "Ballot.case": _WHOSE,
    "BallotVote.id": _ROW,
    "BallotVote.ballot": _WHOSE,
    "BallotVote.member": _VOTES,
    "BallotVote.choice": _VOTES,
    "BallotVote.account": _VOTES,
    "BallotVote.at": _VOTES,
    "Notice.id": _ROW,
    "Notice.case": _WHOSE,
    "Notice.made_by": _STAFF,
    "Notice.served_by": "is somebody else, such as a police officer; when, where and how are told",
    "Breach.id": _ROW,
    "Breach.report": "is drawn at random, and says nothing of anybody",
    "Breach.scheme": _WHOSE,
    "Breach.case": _WHOSE,
    "Breach.node": "is a machine, told by where it stands",
    "Breach.premises": "leads to the premises, whose name and place are told as they were",
    "Breach.member": "is the business whose shop reported it; the place is told",
    "Breach.staff": _STAFF,
    "Breach.version": _VERSION,
    "Breach.happened": "is of an incident, which is about nobody of the register",
    "StatementCopy.id": _ROW,
    "StatementCopy.breach": _WHOSE,
    "StatementCopy.member": "is the business whose shop reported it; the place is told",
    "StatementCopy.paper": "is the report once more, with a witness, who is somebody else",
    "BreachAction.id": _ROW,
    "BreachAction.breach": _WHOSE,
    "BreachAction.extended": "leads to another of their cases, which is told",
    "BreachAction.account": _STAFF,
    "Case_listed.id": _ROW,
    "Case_listed.case": _WHOSE,
}
"""A column that is not told, and why the person is not given it."""
AUDIT_TOLD = {"at", "actor_role", "action", "details"}
AUDIT_REASONS: Mapping[str, str] = {
    "sequence": _ROW,
    "actor_account": _STAFF,
    "actor_name": _STAFF,
    "subject_kind": _WHOSE,
    "subject_id": _WHOSE,
    "subject_name": _WHOSE,
    "schemes": "says whose co-ordinators read the row",
    "previous": "shows that the record is whole",
    "digest": "shows that the record is whole",
}


def tables() -> list[type[models.Model]]:
    """Individuals, and every table from which a column leads to them, straight or by another table."""
    found: list[type[models.Model]] = [Individual]
    everything = apps.get_models(include_auto_created=True)
    while True:
        more = [
            one
            for one in everything
            if one not in found and any(field.related_model in found for field in one._meta.concrete_fields)
        ]
        if not more:
            return found
        found += more


@pytest.fixture
def person(town: Town) -> Individual:
    """Somebody with a row in every table."""
    case = town.case("served")
    acts.appeal(town.turn(case), "His brother did it.")
    Case.objects.filter(pk=case.pk).update(scope="listed")
    case.listed.set(town.premises[:1])
    photograph(town, case.individual)
    Photograph.objects.update(crop_width=90, crop_height=120)
    request_of(town, case)
    breach = breach_of(case)
    add_action(town.cora, rights_of(town.cora), breach, "warned", version=1)
    StatementCopy.objects.create(
        breach=breach, member=town.members[0], paper=b"{}", made_at=timezone.now(), made_by="Cora Hart, Co-ordinator"
    )
    return case.individual


def row_of(person: Individual, table: type[models.Model]) -> models.Model:
    """One that concerns the person, so that the change of a column is a change of what is held."""
    if table is Individual:
        return person
    names = {
        "Photograph": "individual",
        "RightsRequest": "individual",
        "Case": "individual",
        "BallotVote": "ballot__case__individual",
        "BreachAction": "breach__case__individual",
        "StatementCopy": "breach__case__individual",
    }
    return table._default_manager.filter(**{names.get(table.__name__, "case__individual"): person}).order_by("pk")[0]


def another(town: Town, field: models.Field[Any, Any], value: Any) -> Any:  # noqa: ANN401 - of any column
    """Another value that the column can hold; the same = none can be made without another person."""
    made: Any = value
    match field:
        case models.ForeignKey():
            rows: dict[str, list[Any]] = {"account": [town.deputy], "member": town.members, "premises": town.premises}
            found = rows.get(str(field.remote_field.model._meta.model_name), [])
            made = next((one.pk for one in found if one.pk != value), value)
        case models.Field() if field.choices:
            made = next(key for key, _ in field.flatchoices if key != value)
        case models.AutoField():
            pass
        case models.BooleanField():
            made = not value
        case models.DateTimeField():
            made = (value or timezone.now()) - timedelta(days=40)
        case models.DateField():
            # Far ahead, because no exclusion outlasts its source.
            made = (value or date(2099, 1, 1)) - timedelta(days=40)
        case models.JSONField():
            made = [{"number": 1, "name": "Another place", "place": ""}]
        case models.BinaryField():
            made = b"another"
        case models.IntegerField():
            made = (value or 0) + 7
        case _:
            made = f"{value} and more"[-(field.max_length or 99) :]
    return made


def told(person: Individual) -> tuple[Part, ...]:
    return held(Individual.objects.get(pk=person.pk), datetime.fromisoformat("2026-11-27T12:00:00Z")).parts


@pytest.mark.parametrize("table", tables(), ids=lambda table: str(table.__name__))
def test_every_column_is_told_or_has_a_reason(town: Town, person: Individual, table: type[models.Model]) -> None:
    """What is told changes with the column; with one that has a reason it does not, or the reason is wrong."""
    row, before, wrong = row_of(person, table), told(person), []
    for field in table._meta.concrete_fields:
        name, value = f"{table.__name__}.{field.name}", getattr(row, field.attname)
        changed = table._default_manager.filter(pk=row.pk)
        changed.update(**{field.attname: another(town, field, value)})
        if (told(person) != before) == (name in REASONS):
            wrong.append(name)
        changed.update(**{field.attname: value})

    assert wrong == []


def test_every_reason_is_of_a_column_that_is_there() -> None:
    assert {f"{table.__name__}.{field.name}" for table in tables() for field in table._meta.concrete_fields} >= (
        REASONS.keys()
    )


def test_every_column_of_the_audit_is_told_or_has_a_reason() -> None:
    """Its rows cannot be changed: what is told of them is in test_rights.py and test_merging.py."""
    assert {field.name for field in AuditRow._meta.concrete_fields} == AUDIT_TOLD | AUDIT_REASONS.keys()
    assert Photograph in tables()
