"""The dry run: who would be asked when, who is skipped, and when nobody is left (C3)."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import hypothesis.strategies as st
import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given

from office.accounts.models import Account
from office.escalation.dry_run import ROUNDS, play, reach_text
from office.escalation.rules import ROLES
from office.escalation.ways import set_ways
from office.rota.models import RotaPattern
from tests.office.conftest import HART, PUB_WATCH, MakePerson
from tests.office.escalation.conftest import typed
from wire.snapshots import STEPS_MAX, AnsweringRole, StepEntry, WayEntry

AT = datetime(2026, 11, 28, 14, 30, tzinfo=UTC)
PCSO = StepEntry(role="pcso", wait_s=30, ways=("push", "sms"))
SERGEANT = StepEntry(role="duty-sergeant", wait_s=40)
CO_ORDINATOR = StepEntry(role="co-ordinator", wait_s=60)
STEPS = (PCSO, SERGEANT, CO_ORDINATOR)


def there_are(**people: Sequence[int]) -> object:
    def there(step: StepEntry, _: datetime) -> Sequence[int]:
        return people.get(step.role.replace("-", "_"), ())

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

    played = play(
        STEPS, AT, lambda step, at: [1] if step.role == "pcso" and at < ends_at - timedelta(seconds=100) else []
    )

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
    played = play(steps, AT, lambda step, _: [1] if step.role in present else [])
    turns = [one.turn for one in played.lines]

    assert turns == sorted(set(turns))
    assert all(one.step == steps[one.turn.step] for one in played.lines)
    assert all(bool(one.people) == (one.step.role in present) for one in played.lines)
    is_nobody = not present & {step.role for step in steps}
    assert is_nobody == (played.nobody_at is not None)
    assert len(turns) == len(steps) * (1 if is_nobody else ROUNDS)


def test_ways_that_somebody_lacks_are_named() -> None:
    assert reach_text(("push", "sms", "email"), {"sms"}) == (
        "push to their phone, if it is set up, text message; not by e-mail: none given"
    )
    assert reach_text(("sms",), {"sms", "email"}) == "text message"


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def on_the_rota(account: Account, role: str, begins: time, length_min: int = 720) -> None:
    """Every day."""
    RotaPattern.objects.create(
        scheme_id=HART,
        role=role,
        weekdays="0123456",
        begins=begins,
        length_min=length_min,
        first=timezone.localdate() - timedelta(days=7),
        people=[account.pk],
    )


def at_tomorrow(clock: str) -> str:
    return f"at={timezone.localdate() + timedelta(days=1)}T{clock}"


@pytest.fixture
def reached(people: dict[str, Account]) -> dict[str, Account]:
    """Those to ask, each with a number."""
    for digit, account in enumerate(people.values()):
        set_ways(account, (WayEntry(way="sms", to=f"+44770090012{digit}"),))
    return people


def test_dry_run_of_a_policy_names_whom_the_rota_names_and_by_what(
    browser: Client, reached: dict[str, Account]
) -> None:
    browser.post(
        "/escalation/hart/add/", typed(steps=(("pcso", 30, "sms", "email"), ("cctv", 45), ("co-ordinator", 60, "sms")))
    )
    on_the_rota(reached["pcso"], "pcso", time(8))
    on_the_rota(reached["co-ordinator"], "co-ordinator", time(8))

    page = text_of(browser, f"/escalation/hart/try/?kind=assist&{at_tomorrow('14:30')}")

    assert "By version 1" in page
    assert 'Jo Patel <span class="meta">text message; not by e-mail: none given</span>' in page
    assert "CCTV control room: <strong>skipped</strong>, nobody has the role" in page
    assert page.index("14:30:00") < page.index("14:30:30") < page.index("14:31:30")
    assert "90012" not in page


def test_dry_run_skips_who_is_not_on_the_rota_then(browser: Client, reached: dict[str, Account]) -> None:
    """From the next step on: a shift that begins meanwhile counts."""
    browser.post("/escalation/hart/add/", typed(steps=(("pcso", 30, "sms"), ("duty-sergeant", 60, "sms"))))
    on_the_rota(reached["pcso"], "pcso", time(8))
    on_the_rota(reached["duty-sergeant"], "duty-sergeant", time(19), 240)

    page = text_of(browser, f"/escalation/hart/try/?{at_tomorrow('19:59')}")

    assert page.count("Jo Patel") == 1
    assert page.count("Ann Doyle") == 2
    assert "PCSO: <strong>skipped</strong>, nobody is on the rota" in page
    assert "NOBODY CAN BE ASKED" not in page
    assert "NOBODY CAN BE ASKED from 03:00:00" in text_of(browser, f"/escalation/hart/try/?{at_tomorrow('03:00')}")


def test_dry_run_skips_whom_no_message_reaches(browser: Client, people: dict[str, Account]) -> None:
    """Nobody with no page open is asked without one: as central does it."""
    browser.post("/escalation/hart/add/", typed(steps=(("pcso", 30, "email"), ("duty-sergeant", 60))))
    set_ways(people["pcso"], (WayEntry(way="sms", to="+447700900123"),))
    on_the_rota(people["pcso"], "pcso", time(8))
    on_the_rota(people["duty-sergeant"], "duty-sergeant", time(8))

    page = text_of(browser, f"/escalation/hart/try/?{at_tomorrow('14:30')}")

    assert "skipped</strong>, Jo Patel on the rota: none of this step’s ways reaches them" in page
    assert "skipped</strong>, Ann Doyle on the rota: none of this step’s ways reaches them" in page


def test_dry_run_plays_now_what_is_proposed_and_says_so(browser: Client, people: dict[str, Account]) -> None:
    on_the_rota(people["pcso"], "pcso", time(0), 1_440)

    page = text_of(browser, "/escalation/hart/try/")

    assert "By what is proposed: NOBODY IS ASKED in HART until you confirm it" in page
    assert "push to their phone, if it is set up; not by text message: none given" in page
    assert "NOBODY IS ASKED: no policy of HART is for Theft" in text_of(browser, "/escalation/hart/try/?kind=theft")


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


@pytest.mark.parametrize(
    ("at", "begins"),
    # Twice, of which it is the first; and never.
    [("2026-10-25T01:30", "01:30:00"), ("2027-03-28T01:30", "02:00:00")],
)
def test_hour_in_which_the_clock_changes_is_played_too(
    browser: Client, monkeypatch: pytest.MonkeyPatch, at: str, begins: str
) -> None:
    monkeypatch.setattr("office.escalation.forms.DAYS_AWAY_MAX", 100_000)

    assert f'<td class="num one-line">{begins}' in text_of(browser, f"/escalation/hart/try/?at={at}")


def test_a_colleague_of_another_scheme_is_not_named(browser: Client, make_person: MakePerson) -> None:
    zoe = make_person("zoe", ("pcso", PUB_WATCH), name="Zoebella Zebra")
    on_the_rota(zoe, "pcso", time(0), 1_440)
    RotaPattern.objects.update(scheme_id=PUB_WATCH)

    assert "Zoebella" not in text_of(browser, "/escalation/hart/try/")
