"""What waits for the co-ordinator is overdue, and then lapses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from office.accounts.access import rights_of
from office.audit.models import AuditRow
from office.exclusions import acts, due, voting, waiting
from office.exclusions.acts import MoveRefusedError
from office.exclusions.models import Ballot, Case
from office.exclusions.rules.life import MOVES, State
from office.exclusions.rules.period import TOWN_ZONE, day_of, end_s
from office.exclusions.rules.waiting import LIMITS, is_overdue, last_day_to_act
from office.people import retention
from office.people.models import Individual
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import NOMINATION, Town

DAY = timedelta(days=1)
TODAY = date(2026, 11, 27)
Ago = Callable[[Case, int], Case]


def noon_before(days: int) -> datetime:
    """Of the day so many before, in the town: its clocks may have changed since."""
    return datetime.combine(day_of(timezone.now()) - days * DAY, time(12), TOWN_ZONE)


def ago(case: Case, days: int) -> Case:
    """As if it had come so far so many days before."""
    then = noon_before(days)
    Case.objects.filter(pk=case.pk).update(nominated_at=then, decided_at=then)
    return Case.objects.get(pk=case.pk)


def test_rule_says_when_what_was_decided_is_overdue_and_lapses() -> None:
    """Art. 14 of the UK GDPR: the person is told within a month."""
    assert last_day_to_act("decided", TODAY, None) == TODAY + 28 * DAY
    assert [is_overdue("decided", TODAY, TODAY + n * DAY) for n in (14, 15)] == [False, True]
    assert last_day_to_act("issued", TODAY, None) is None
    assert not is_overdue("issued", TODAY, TODAY + 900 * DAY)
    assert all(limit.in_time < limit.at_most for limit in LIMITS.values())


def test_rule_gives_a_nomination_three_monthly_meetings() -> None:
    states: tuple[State, ...] = ("nominated", "checked")
    for state in states:
        assert last_day_to_act(state, TODAY, None) == TODAY + 84 * DAY
        assert [is_overdue(state, TODAY, TODAY + n * DAY) for n in (35, 36)] == [False, True]
    assert last_day_to_act("voting", TODAY, None) is None


def test_rule_and_table_agree_on_what_waits() -> None:
    assert MOVES["lapse"].before == LIMITS.keys()


def test_rule_lets_nothing_wait_for_longer_than_its_source() -> None:
    assert last_day_to_act("decided", TODAY, TODAY + 3 * DAY) == TODAY + 3 * DAY
    assert last_day_to_act("decided", TODAY, TODAY + 300 * DAY) == TODAY + 28 * DAY


def test_decided_case_that_is_not_issued_lapses_after_four_weeks_and_leaves_its_trace(town: Town) -> None:
    case = ago(town.case("decided"), 28)
    assert waiting.lapse_what_is_due(timezone.now()) == 0
    case = ago(case, 29)
    assert waiting.lapse_what_is_due(timezone.now()) == 1
    assert waiting.lapse_what_is_due(timezone.now()) == 0

    case.refresh_from_db()
    assert case.state == "lapsed"
    assert [(step.move, step.by) for step in case.steps.all()][-1] == ("lapse", "Watchlink itself")
    assert AuditRow.objects.filter(action="case.lapse", actor_account=0).count() == 1
    assert case.over_at is not None
    assert int(case.over_at.timestamp()) == end_s(day_of(timezone.now()) - DAY)
    with pytest.raises(MoveRefusedError, match="“Lapsed”"):
        acts.issue(town.turn(case), day_of(timezone.now()))


@pytest.mark.parametrize("state", ["nominated", "checked"])
def test_nomination_on_which_nobody_acts_lapses_after_twelve_weeks(town: Town, state: State) -> None:
    """Else what is said of a person, and their photograph, are kept for ever without a decision."""
    case = town.case(state)
    Case.objects.filter(pk=case.pk).update(nominated_at=noon_before(84))
    assert waiting.lapse_what_is_due(timezone.now()) == 0
    Case.objects.filter(pk=case.pk).update(nominated_at=noon_before(85))
    assert waiting.lapse_what_is_due(timezone.now()) == 1

    assert Case.objects.get().state == "lapsed"


def test_what_was_issued_in_time_does_not_lapse(town: Town) -> None:
    ago(town.case("issued"), 300)
    ago(town.case("voting"), 300)

    assert waiting.lapse_what_is_due(timezone.now()) == 0


def test_decided_case_lapses_with_its_source(town: Town) -> None:
    case = town.case("decided")
    today = day_of(timezone.now())
    Case.objects.filter(pk=case.pk).update(source="regional", source_expires_on=today)
    assert waiting.lapse_what_is_due(timezone.now()) == 0
    Case.objects.filter(pk=case.pk).update(source="regional", source_expires_on=today - DAY)

    assert waiting.lapse_what_is_due(timezone.now()) == 1


def test_lapsed_case_goes_after_28_days_and_does_not_count_as_excluded_before(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "is_held", lambda _: False)
    case = ago(town.case("decided"), 29)
    waiting.lapse_what_is_due(timezone.now())
    again = acts.nominate(town.cora, rights_of(town.cora), case.individual, None, NOMINATION)
    assert not again.is_repeat
    acts.withdraw(town.turn(again), "enough")
    assert retention.erase_what_is_due(timezone.now() + 26 * DAY) == 0
    assert retention.erase_what_is_due(timezone.now() + 29 * DAY) > 0

    assert Individual.objects.get().name == ""


def test_pages_show_what_is_overdue(town: Town, signed_in: SignedIn) -> None:
    case, browser = ago(town.case("decided"), 14), signed_in(town.cora)
    addresses = ("/", "/cases/", f"/cases/{case.pk}/")
    for address in addresses:
        assert "verdue" not in browser.get(address).content.decode(), address
    ago(case, 15)
    last = day_of(timezone.now()) + 13 * DAY
    pages = [browser.get(address).content.decode() for address in addresses]

    assert f"overdue, lapses after {last.day} {last:%b}" in pages[0]
    assert f"being issued (overdue, lapses after {last.day} {last:%b %Y})" in pages[1]
    assert f"the next step was not taken in time. The case lapses after {last.day} {last:%b %Y};" in pages[2]


def test_clock_that_is_not_trusted_lets_nothing_lapse(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case = town.case("decided")
    ahead = timezone.now() + 400 * DAY
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    due.settle()

    assert Case.objects.get(pk=case.pk).state == "decided"


def test_one_that_cannot_be_moved_keeps_no_other_back(town: Town) -> None:
    """Else the first of a hundred due keeps the others for ever."""
    stuck, due_too = town.case("voting"), town.case("voting")
    Case.objects.filter(pk=stuck.pk).update(state="checked")
    Ballot.objects.update(closes_at=timezone.now() - DAY)
    due.settle()

    assert town.ballot(stuck).ended_at is None
    assert Case.objects.get(pk=due_too.pk).state == "checked"
    assert voting.votes_due(timezone.now()) == [town.ballot(stuck).pk]


def test_what_is_not_due_any_more_when_its_turn_comes_does_not_lapse(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has set right until when the source allows use, since the cases that are due were listed."""
    case = town.case("decided")
    monkeypatch.setattr(waiting, "lapses_due", lambda _: [case.pk])
    waiting.lapse_what_is_due(timezone.now())

    assert Case.objects.get().state == "decided"


def test_settled_town_is_asked_three_short_questions(town: Town) -> None:
    town.case("decided")
    with CaptureQueriesContext(connection) as queries:
        due.settle()

    assert len(queries) == 3
