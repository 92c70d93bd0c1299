"""What is done by somebody who may no longer: rights are read again in the transaction of the act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from office.accounts.access import acting
from office.accounts.models import RoleGrant
from office.audit.models import AuditRow
from office.exclusions import acts, case_views, move_views, vote_views
from office.exclusions.models import BallotVote, Case
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.exclusions.test_nominate_pages import TYPED

Lose = Callable[[Any], None]


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> Lose:
    """``lose(views)``: from now on every role is lost between the page's guards and the act."""

    def late(request: Any) -> Any:  # noqa: ANN401 - as the real one
        RoleGrant.objects.all().delete()
        return acting(request)

    return lambda views: monkeypatch.setattr(views, "acting", late)


def test_nomination_by_who_may_no_longer_is_not_made(town: Town, signed_in: SignedIn, lose: Lose) -> None:
    browser = signed_in(town.contacts[0])
    lose(case_views)
    sent = {**TYPED, "behalf": f"{HART}-{town.members[0].pk}"}

    assert browser.post("/cases/nominate/", sent).status_code == 404
    assert not Case.objects.exists()


def test_move_by_who_may_no_longer_is_not_made(town: Town, signed_in: SignedIn, lose: Lose) -> None:
    case, browser = town.case("served"), signed_in(town.cora)
    lose(move_views)

    assert browser.post(f"/cases/{case.pk}/revoke/", {"version": case.version, "reason": "x"}).status_code == 404
    assert Case.objects.get().state == "served"


def test_vote_by_who_may_no_longer_is_not_cast(town: Town, signed_in: SignedIn, lose: Lose) -> None:
    case, browser, member = town.case("checked"), signed_in(town.contacts[1]), town.members[1].pk
    acts.open_vote(town.turn(case), "between-meetings")
    lose(vote_views)

    assert browser.post(f"/votes/{town.ballot(case).pk}/cast/", {f"member-{member}": "exclude"}).status_code == 404
    assert not BallotVote.objects.exists()
    assert not AuditRow.objects.filter(action="vote.cast").exists()
