"""The dry run: who would be asked when, who is skipped, and when nobody is left (C3)."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given

from office.accounts.models import Account
from office.escalation.dry_run import ROUNDS, play, reach_text
from office.escalation.rules import ROLES
from office.escalation.ways import set_ways
from tests.office.conftest import MakePerson
from tests.office.escalation.conftest import typed
from wire.snapshots import STEPS_MAX, AnsweringRole, StepEntry, WayEntry

AT = datetime(2026, 11, 28, 14, 30, tzinfo=UTC)
PCSO = StepEntry(role="pcso", wait_s=30, ways=("push", "sms"))
SERGEANT = StepEntry(role="duty-sergeant", wait_s=40)
CO_ORDINATOR = StepEntry(role="co-ordinator", wait_s=60)
STEPS = (PCSO, SERGEANT, CO_ORDINATOR)


def there_are(**people: Sequence[int]) -> object:
    def there(role: AnsweringRole, _: datetime) -> Sequence[int]:
        return people.get(role.replace("-", "_"), ())

    return there


def told(
    steps: Sequence[StepEntry], **people: Sequence[int]
) -> tuple[list[tuple[int, int, int, tuple[int, ...]]], object]:
    """Seconds, round, step, and who is asked, of each line; and since when nobody can be."""
    played = play(steps, AT, there_are(**people))  # type: ignore[arg-type]
    lines = [
        (int((one.at - AT).total_seconds()), one.turn.round, one.turn.step + 1, one.people) for one in played.lines
    ]
    return lines, played.nobody_at


def test_each_step_has_its_time_and_then_it_begins_again() -> None:
    assert told(STEPS, pcso=[1], duty_sergeant=[2, 3], co_ordinator=[4]) == (
        [
            (0, 1, 1, (1,)),
            (30, 1, 2, (2, 3)),
            (70, 1, 3, (4,)),
            (130, 2, 1, (1,)),
            (160, 2, 2, (2, 3)),
            (200, 2, 3, (4,)),
        ],
        None,
    )


def test_a_step_with_nobody_is_skipped_at_once_and_takes_no_time() -> None:
    assert told(STEPS, duty_sergeant=[2]) == (
        [(0, 1, 1, ()), (0, 1, 2, (2,)), (40, 1, 3, ()), (40, 2, 1, ()), (40, 2, 2, (2,)), (80, 2, 3, ())],
        None,
    )


def test_nobody_at_all_is_said_at_once() -> None:
    assert told(STEPS) == ([(0, 1, 1, ()), (0, 1, 2, ()), (0, 1, 3, ())], AT)


def test_who_goes_home_in_the_middle_is_asked_no_more() -> None:
    """Who is there is asked at the time of each step, not of the press."""
    ends_at = AT + timedelta(seconds=130)

    played = play(STEPS, AT, lambda role, at: [1] if role == "pcso" and at < ends_at - timedelta(seconds=100) else [])

    assert [one.people for one in played.lines] == [(1,), (), (), ()]
    assert played.nobody_at == AT + timedelta(seconds=30)


@given(
    st.lists(
        st.builds(StepEntry, role=st.sampled_from(ROLES), wait_s=st.integers(15, 3_600)), min_size=1, max_size=STEPS_MAX
    ),
    st.frozensets(st.sampled_from(ROLES)),
)
def test_a_dry_run_ends_and_each_step_of_each_round_stands_in_it_once(
    steps: list[StepEntry], present: frozenset[AnsweringRole]
) -> None:
    played = play(steps, AT, lambda role, _: [1] if role in present else [])
    turns = [one.turn for one in played.lines]

    assert turns == sorted(set(turns))
    assert all(one.step == steps[one.turn.step] for one in played.lines)
    assert all(bool(one.people) == (one.step.role in present) for one in played.lines)
    is_nobody = not present & {step.role for step in steps}
    assert is_nobody == (played.nobody_at is not None)
    assert len(turns) == len(steps) * (1 if is_nobody else ROUNDS)


def test_ways_that_somebody_lacks_are_named() -> None:
    assert reach_text(("push", "sms", "email"), {"sms"}) == (
        "open pages, push to their phone, if it is set up, text message; not by e-mail: none given"
    )
    assert reach_text((), {"sms"}) == "open pages"


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def test_dry_run_of_a_policy_names_who_would_be_asked_and_by_what(browser: Client, people: dict[str, Account]) -> None:
    browser.post("/escalation/hart/add/", typed(steps=(("pcso", 30, "sms"), ("cctv", 45), ("co-ordinator", 60))))
    set_ways(people["pcso"], (WayEntry(way="sms", to="+447700900123"),))
    day = timezone.localdate() + timedelta(days=1)

    page = text_of(browser, f"/escalation/hart/try/?kind=assist&at={day}T14:30")

    assert "By version 1" in page
    assert 'Jo Patel <span class="meta">open pages, text message</span>' in page
    assert "CCTV control room: <strong>skipped</strong>, nobody has the role" in page
    assert page.index("14:30:00") < page.index("14:30:30") < page.index("14:31:30")
    assert "900123" not in page


def test_dry_run_plays_now_what_is_proposed_and_says_so(browser: Client) -> None:
    page = text_of(browser, "/escalation/hart/try/")

    assert "By what is proposed: NOBODY IS ASKED in HART until you confirm it" in page
    assert "Ann Doyle" in page
    assert "Jo Patel" in page
    assert "NOBODY IS ASKED: no policy of HART is for Theft" in text_of(browser, "/escalation/hart/try/?kind=theft")


def test_dry_run_says_when_nobody_could_be_asked(browser: Client) -> None:
    browser.post("/escalation/hart/add/", typed(steps=(("cctv", 45), ("police", 60))))

    assert "NOBODY CAN BE ASKED from" in text_of(browser, "/escalation/hart/try/")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("kind=test", "Select a valid choice"),
        ("at=tomorrow", "Enter day and time"),
        ("at=9999-12-31T23:59", "within a year from now"),
        ("at=0001-01-01T00:00", "within a year from now"),
    ],
)
def test_what_cannot_be_played_is_refused_with_a_sentence(browser: Client, query: str, says: str) -> None:
    assert says in text_of(browser, f"/escalation/hart/try/?{query}", 400)


def test_a_colleague_of_another_scheme_is_not_named(browser: Client, make_person: MakePerson) -> None:
    make_person("zoe", ("pcso", 2), name="Zoe Zebra")

    assert "Zoe" not in text_of(browser, "/escalation/hart/try/")
