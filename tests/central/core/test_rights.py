"""Who may see and do what at central: the table, cell by cell (ADR 0023)."""

from __future__ import annotations

from typing import get_args

import pytest

from central.core.rights import TABLE, WHOLE_TOWN, Rights, Scope, rights_of
from wire.kinds import Role
from wire.snapshots import RoleEntry, RoleSlug

CELLS: dict[RoleSlug, tuple[bool, bool]] = {
    "co-ordinator": (True, True),
    "cctv": (True, True),
    "pcso": (True, True),
    "duty-sergeant": (True, True),
    "duty-officer": (True, True),
    "police": (True, True),
    "fleet-engineer": (False, True),
    "members-contact": (False, False),
}
"""Sees and answers alerts; sees units."""


def test_table_has_every_role() -> None:
    assert set(get_args(RoleSlug)) == set(TABLE) == set(CELLS)


def test_those_who_answer_are_those_whom_a_frame_can_name() -> None:
    assert {role.slug for role in Role} == {role for role, may in TABLE.items() if may.answers}


@pytest.mark.parametrize("role", CELLS)
def test_role_sees_and_answers_what_the_table_says(role: RoleSlug) -> None:
    answers, sees_units = CELLS[role]
    rights = rights_of((RoleEntry(role=role, schemes=(1,)),))

    assert Scope(frozenset({1} if answers else ()), frozenset({1} if sees_units else ())) == rights.scope
    assert (frozenset({1}) if answers else frozenset()) == rights.answers_as(role)
    assert ((role,) if answers else ()) == rights.acting_roles


def test_person_acts_in_a_role_only_where_they_have_it() -> None:
    rights = rights_of((RoleEntry(role="pcso", schemes=(1,)), RoleEntry(role="police", schemes=(2,))))

    assert frozenset({1, 2}) == rights.scope.alerts
    assert (frozenset({1}), frozenset({2})) == (rights.answers_as("pcso"), rights.answers_as("police"))
    assert frozenset() == rights.answers_as("cctv") == rights.answers_as("no-such-role")
    assert ("pcso", "police") == rights.acting_roles


def test_person_without_roles_sees_nothing() -> None:
    assert Rights().scope.is_empty
    assert not WHOLE_TOWN.is_empty
