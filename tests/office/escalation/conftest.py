"""HART with people to ask, and what is typed into the form of a policy."""

from __future__ import annotations

import pytest
from django.test import Client

from office.accounts.models import Account
from tests.office.conftest import HART, MakePerson, SignedIn

STEPS = (("pcso", 30, "push", "sms"), ("duty-sergeant", 30, "push"), ("co-ordinator", 60))
"""Of :func:`typed`: role, seconds, ways."""


def typed(
    *kinds: str, steps: tuple[tuple[str | int, ...], ...] = STEPS, version: int = 0, **more: object
) -> dict[str, object]:
    """What a browser sends; ``more`` by names with ``_`` for ``-``."""
    sent: dict[str, object] = {"kinds": kinds or ("attack", "assist"), "version": version}
    for number, (role, wait_s, *ways) in enumerate(steps, 1):
        sent |= {f"role-{number}": role, f"wait-{number}": wait_s, f"ways-{number}": ways}
    return sent | {name.replace("_", "-"): value for name, value in more.items()}


@pytest.fixture
def people(make_person: MakePerson, co_ordinator: Account) -> dict[str, Account]:
    """One for each role that the proposal asks in HART."""
    jo = make_person("jo", ("pcso", HART), name="Jo Patel")
    ann = make_person("ann", ("duty-sergeant", HART), name="Ann Doyle")
    return {"pcso": jo, "duty-sergeant": ann, "co-ordinator": co_ordinator}


@pytest.fixture
def browser(people: dict[str, Account], signed_in: SignedIn) -> Client:
    """Of HART's co-ordinator."""
    return signed_in(people["co-ordinator"])
