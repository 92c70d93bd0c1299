"""A member's contact reads, votes and nominates from the day on which the member joins, and until it has left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from office.exclusions import acts
from office.exclusions.rules.period import day_of
from office.members.models import Membership
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import Town


@pytest.mark.parametrize(
    ("joined", "ended", "is_member"),
    [(0, None, True), (1, None, False), (-9, 0, False), (-9, 1, True)],
    ids=["joins today", "joins tomorrow", "left today", "leaves tomorrow"],
)
def test_contact_reads_votes_and_nominates_while_the_member_is_one(
    town: Town, signed_in: SignedIn, joined: int, ended: int | None, *, is_member: bool
) -> None:
    town.case("served")
    case = town.case("checked")
    acts.open_vote(town.turn(case), "between-meetings")
    today = day_of(timezone.now())
    Membership.objects.filter(member=town.members[1]).update(
        joined_on=today + timedelta(days=joined), ended_on=None if ended is None else today + timedelta(days=ended)
    )
    browser = signed_in(town.contacts[1])
    register, votes, nominate = (
        browser.get(address).content.decode() for address in ("/register/", "/votes/", "/cases/nominate/")
    )

    assert ("Nobody Atall" in register) == is_member
    assert ("HART case 2" in votes) == is_member
    assert ("Shop 2, in HART" in nominate) == is_member
