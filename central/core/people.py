"""What people on duty are called, and who goes out."""

from __future__ import annotations

from typing import Final

from central.core.view import Person
from wire.kinds import AUTOMATIC_NAME, WATCHLINK_ROLE, Role

GOING: Final = (Role.PCSO, Role.DUTY_SERGEANT, Role.DUTY_OFFICER, Role.POLICE)
"""Roles that may be on the way. CCTV and the co-ordinator stay at their desks: a shop that read COMING with one of
their names would wait for nobody."""

AUTOMATIC: Final = Person(WATCHLINK_ROLE, AUTOMATIC_NAME)
"""Who answers a weekly test: Watchlink itself, no person."""
FORMER_AUTOMATIC: Final = Person(Role.CO_ORDINATOR.slug, AUTOMATIC_NAME)
"""The same in the journals of older versions, where a person may have used this name at a real alert."""


def is_automatic(person: Person | None) -> bool:
    """Whether ``person`` is Watchlink itself."""
    return person == AUTOMATIC


def goes_out(person: Person) -> bool:
    """Whether their role is one that goes out."""
    return Role.by_slug(person.role) in GOING


def words(person: Person) -> str:
    """For people: ``"PCSO on duty J Patel"``."""
    role = Role.by_slug(person.role)
    return f"{role.title if role else person.role} {person.name}"
