"""What comes from a regional source is used no longer than the source allows (G1)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from office.exclusions import acts, voting
from office.exclusions.acts import MoveRefusedError
from office.exclusions.models import Case
from office.exclusions.rules import period
from office.exclusions.rules.period import day_of, end_s, last_day
from office.publisher import gallery_content
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import PROPOSAL, Town


def today() -> date:
    return day_of(timezone.now())


def regional(town: Town, ends_on: date, state: str = "decided") -> Case:
    """A case of a source that may be used until a day."""
    case = town.case(state)  # type: ignore[arg-type]  # a state
    Case.objects.filter(pk=case.pk).update(
        source="regional", regional_source="The next town", source_expires_on=ends_on
    )
    return Case.objects.get(pk=case.pk)


def test_exclusion_ends_with_its_source_and_the_paper_says_so(town: Town) -> None:
    case = regional(town, today() + timedelta(days=10))
    notice = acts.issue(town.turn(case), today())

    assert Case.objects.get().last_on == notice.last_on == today() + timedelta(days=10)


def test_source_that_allows_more_changes_nothing(town: Town) -> None:
    case = regional(town, today() + timedelta(days=900))
    acts.issue(town.turn(case), today())

    assert Case.objects.get().last_on == last_day(today(), 6)


def test_case_of_a_source_ends_by_itself_after_the_sources_last_day(town: Town) -> None:
    ends_on = today() + timedelta(days=10)
    acts.issue(town.turn(regional(town, ends_on)), today())
    end = datetime.fromtimestamp(end_s(ends_on), UTC)

    assert voting.end_what_is_over(end - timedelta(seconds=1)) == 0
    assert voting.end_what_is_over(end) == 1
    assert Case.objects.get().state == "expired"


def test_gallery_shows_nobody_after_the_sources_last_day(town: Town) -> None:
    ends_on = today() + timedelta(days=10)
    acts.issue(town.turn(regional(town, ends_on)), today())
    (shown,) = gallery_content.shown_cases(ends_on)[HART]

    assert shown.not_after_s == period.end_s(ends_on)
    assert gallery_content.shown_cases(ends_on + timedelta(days=1))[HART] == ()


def test_nothing_begins_after_the_sources_last_day(town: Town) -> None:
    case = regional(town, today() + timedelta(days=10))

    with pytest.raises(MoveRefusedError, match="The source allows use only until"):
        acts.issue(town.turn(case), today() + timedelta(days=11))
    acts.issue(town.turn(case), today() + timedelta(days=10))


def test_nothing_is_voted_on_or_issued_once_the_source_is_over(town: Town) -> None:
    yesterday = today() - timedelta(days=1)
    with pytest.raises(MoveRefusedError, match="nominate anew"):
        acts.issue(town.turn(regional(town, yesterday)), today())
    with pytest.raises(MoveRefusedError, match="nominate anew"):
        acts.open_vote(town.turn(regional(town, yesterday, "checked")), "meeting")


def test_regional_case_without_a_last_day_is_not_checked(town: Town) -> None:
    """Nothing would end it."""
    case = town.case("nominated")
    Case.objects.update(source="regional", regional_source="The next town")

    with pytest.raises(MoveRefusedError, match="until when the regional source allows use"):
        acts.check(town.turn(case), PROPOSAL)


def test_exclusion_whose_last_day_is_over_is_not_issued_anew(town: Town) -> None:
    """A clock that is not trusted ends nothing, so there may be one."""
    case = town.case("served")
    Case.objects.update(first_on=today() - timedelta(days=9), last_on=today() - timedelta(days=1))

    with pytest.raises(MoveRefusedError, match="The last day is over"):
        acts.reissue(town.turn(case), "a shop has joined")


def test_database_keeps_no_case_that_outlasts_its_source(town: Town) -> None:
    case = regional(town, today() + timedelta(days=10))

    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(first_on=today(), last_on=today() + timedelta(days=11))


def test_pages_tell_the_sources_last_day_beforehand(town: Town, signed_in: SignedIn) -> None:
    ends_on = today() + timedelta(days=1 if (today() + timedelta(days=1)).month == today().month else 0)
    case, browser = regional(town, ends_on), signed_in(town.cora)
    day = f"{ends_on.day} {ends_on:%b %Y}"
    asked = browser.get(f"/cases/{case.pk}/issue/").content.decode()
    voted_on = signed_in(town.contacts[1]).get(f"/votes/{town.ballot(case).pk}/").content.decode()
    acts.issue(town.turn(case), today())
    ending = browser.get("/register/?show=ending").content.decode()

    assert f"Until {day}: the source allows no use after that" in asked
    assert f"but until {day} at most" in voted_on
    assert f"Banned until {day}" in ending
