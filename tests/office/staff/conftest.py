"""A shop with a member's contact who keeps its list of staff."""

from __future__ import annotations

import pytest

from office.accounts.models import Account
from office.members.models import Premises, Spokesperson
from tests.office.conftest import HART, MakePerson
from tests.office.members.conftest import MakePremises
from tests.office.members.conftest import make_premises as make_premises  # noqa: PLC0414 - a fixture


@pytest.fixture
def shop(make_premises: MakePremises) -> Premises:
    """In HART."""
    return make_premises("Corner Shop", HART)


@pytest.fixture
def contact(make_person: MakePerson, shop: Premises) -> Account:
    """Who speaks for the shop's member."""
    person = make_person("mona", ("members-contact", HART), name="Mona Member")
    Spokesperson.objects.create(member=shop.member, scheme_id=HART, account=person)
    return person
