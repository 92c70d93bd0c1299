"""Patterns, overrides and what they come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from office.rota.rules.plan import DAY_MIN, Cover, Hours, Override, Pattern, Plan, Post, Shift, shifts
from office.rota.rules.reading import Gap, able, gaps, on_two_rotas, overlaps, posts, standing
from office.rota.rules.spans import Span, joined, without

PCSO, SERGEANT, OFFICER = Post("pcso", 1), Post("duty-sergeant", 1), Post("duty-officer", 2)
JO, SAM, ALEX = 1, 2, 3
MONDAY = date(2026, 11, 30)
DAYS = Hours(frozenset(range(7)), time(8), 720, MONDAY)
NIGHTS = Hours(frozenset(range(7)), time(20), 720, MONDAY)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """On a day after that Monday, in winter."""
    return datetime(2026, 11, 30, hour, minute, tzinfo=UTC) + timedelta(days=day)


def span(day: int, hour: int, length_h: float) -> Span:
    return Span(at(day, hour), at(day, hour) + timedelta(hours=length_h))


def brief(found: list[Shift]) -> list[tuple[int, Span]]:
    return [(shift.account, shift.span) for shift in found]


PLAN = Plan([Pattern(1, PCSO, DAYS, (JO,)), Pattern(2, PCSO, NIGHTS, (SAM,))])
DAY = Span(at(1, 0), at(2, 0))


def with_(*overrides: Override) -> Plan:
    return Plan(PLAN.patterns, overrides)


def test_somebody_stands_in_for_a_persons_shifts_and_no_others() -> None:
    plan = with_(Override(1, PCSO, Span(at(0, 0), at(7, 0)), ALEX, instead_of=JO))

    assert brief(shifts(plan, DAY)) == [(SAM, span(0, 20, 12)), (ALEX, span(1, 8, 12)), (SAM, span(1, 20, 12))]


def test_somebody_stands_in_for_a_part_of_a_shift() -> None:
    plan = with_(Override(1, PCSO, span(1, 10, 2), ALEX, instead_of=JO))

    assert brief(shifts(plan, Span(at(1, 8), at(1, 20)))) == [
        (JO, span(1, 8, 2)),
        (ALEX, span(1, 10, 2)),
        (JO, span(1, 12, 8)),
    ]


def test_somebody_is_on_beside_whoever_is() -> None:
    plan = with_(Override(1, PCSO, span(1, 10, 2), ALEX))

    assert brief(shifts(plan, Span(at(1, 8), at(1, 20)))) == [(JO, span(1, 8, 12)), (ALEX, span(1, 10, 2))]


def test_nobody_is_on_or_one_person_is_not() -> None:
    nobody = with_(Override(1, PCSO, Span(at(1, 0), at(2, 0)), None))
    not_sam = with_(Override(1, PCSO, Span(at(1, 0), at(2, 0)), None, instead_of=SAM))

    assert brief(shifts(nobody, DAY)) == []
    assert brief(shifts(not_sam, DAY)) == [(JO, span(1, 8, 12))]
    assert gaps(nobody, shifts(nobody, DAY), DAY) == [Gap(DAY, PCSO)]


def test_an_override_is_of_one_post() -> None:
    plan = Plan([*PLAN.patterns, Pattern(3, SERGEANT, DAYS, (JO,))], [Override(1, SERGEANT, DAY, None)])

    assert [shift.post for shift in shifts(plan, DAY)] == [PCSO] * 3


def test_a_later_override_changes_what_an_earlier_one_has_made() -> None:
    first = Override(1, PCSO, span(1, 8, 12), ALEX, instead_of=JO)
    second = Override(2, PCSO, span(1, 8, 12), SAM, instead_of=ALEX)

    assert (SAM, span(1, 8, 12)) in brief(shifts(with_(second, first), DAY))
    assert JO not in {shift.account for shift in shifts(with_(second, first), DAY)}


def test_an_override_past_the_window_cuts_the_shift_all_the_same() -> None:
    plan = with_(Override(1, PCSO, Span(at(2, 4), at(2, 8)), None))
    found = shifts(plan, Span(at(1, 21), at(1, 22)))

    assert brief(found) == [(SAM, span(1, 20, 8))]


def test_swap_is_two_people_standing_in_for_one_another() -> None:
    plan = with_(
        Override(1, PCSO, span(1, 8, 12), SAM, instead_of=JO), Override(2, PCSO, span(2, 20, 12), JO, instead_of=SAM)
    )
    whose = {shift.span: shift.account for shift in shifts(plan, Span(at(1, 8), at(3, 8)))}

    assert [SAM, SAM, JO, JO] == [whose[span(day, hour, 12)] for day in (1, 2) for hour in (8, 20)]


def test_gap_is_where_a_cover_has_nobody_whatever_patterns_say() -> None:
    plan = Plan([Pattern(1, PCSO, DAYS, (JO,))], (), [Cover(PCSO, Hours(frozenset(range(7)), time(6), 960, MONDAY))])

    assert gaps(plan, shifts(plan, DAY), DAY) == [Gap(span(1, 6, 2), PCSO), Gap(span(1, 20, 2), PCSO)]


def test_somebody_whose_role_was_taken_away_is_a_gap() -> None:
    good, bad = able(shifts(PLAN, DAY), {(JO, PCSO), (SAM, SERGEANT)})

    assert [shift.account for shift in bad] == [SAM, SAM]
    assert gaps(PLAN, good, DAY) == [Gap(Span(at(1, 0), at(1, 8)), PCSO), Gap(Span(at(1, 20), at(2, 0)), PCSO)]


def test_a_post_that_is_not_planned_has_no_gaps() -> None:
    assert gaps(Plan(), [], DAY) == []
    assert posts(PLAN) == [PCSO]


def test_who_is_on_until_when_and_who_is_next() -> None:
    found = shifts(PLAN, Span(at(0, 12), at(8, 0)))
    now = standing(PCSO, found, at(1, 9))

    assert [JO] == [shift.account for shift in now.on]
    assert {JO: at(1, 20)} == now.until
    assert [(SAM, span(1, 20, 12))] == brief(list(now.next))


def test_who_hands_over_to_themselves_is_on_until_they_really_go() -> None:
    plan = Plan([Pattern(1, PCSO, DAYS, (JO,)), Pattern(2, PCSO, NIGHTS, (JO, SAM))])
    now = standing(PCSO, shifts(plan, Span(at(0, 8), at(8, 0))), at(0, 9))

    assert {JO: at(1, 20)} == now.until  # day, night and the next day
    # Not their own shift of this evening.
    assert [(SAM, span(1, 20, 12))] == brief(list(now.next))
    assert standing(PCSO, [], at(0, 9)).on == ()
    assert standing(PCSO, [], at(0, 9)).next == ()


def test_who_begins_at_this_moment_is_on_and_who_ends_is_not() -> None:
    now = standing(PCSO, shifts(PLAN, Span(at(0, 8), at(8, 0))), at(1, 20))

    assert [SAM] == [shift.account for shift in now.on]


def test_overlaps_and_two_rotas_are_told_and_allowed() -> None:
    patterns = [
        Pattern(1, PCSO, DAYS, (JO,)),
        Pattern(2, PCSO, Hours(DAYS.weekdays, time(10), 60, MONDAY), (SAM,)),
        Pattern(3, OFFICER, Hours(DAYS.weekdays, time(18), 720, MONDAY), (JO,)),
    ]
    found = shifts(Plan(patterns), Span(at(1, 7), at(1, 23)))

    assert [(JO, SAM)] == [(one.account, other.account) for one, other in overlaps(found)]
    assert [(PCSO, OFFICER)] == [(one.post, other.post) for one, other in on_two_rotas(found)]
    assert len(found) == 3


SPANS = st.builds(
    lambda begin, length: Span(at(0, 0) + timedelta(minutes=begin), at(0, 0) + timedelta(minutes=begin + length)),
    st.integers(0, 5_000),
    st.integers(1, 2_000),
)
HOURS = st.builds(
    Hours,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    begins=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    length_min=st.integers(1, DAY_MIN),
    first=st.dates(date(2026, 9, 1), date(2027, 4, 30)),
    last=st.none() | st.dates(date(2027, 4, 1), date(2027, 6, 1)),
    every_weeks=st.integers(1, 4),
)
PATTERNS = st.builds(
    Pattern,
    number=st.integers(1, 9),
    post=st.sampled_from([PCSO, SERGEANT]),
    hours=HOURS,
    people=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    turn=st.sampled_from(["shift", "week"]),
)
MOMENTS = st.integers(0, 8 * 30 * 24 * 60).map(
    lambda minute: datetime(2026, 9, 1, tzinfo=UTC) + timedelta(minutes=minute)
)
OVERRIDES = st.builds(
    lambda number, post, begins, length, account, other: Override(
        number, post, Span(begins, begins + timedelta(minutes=length)), account, other
    ),
    st.integers(1, 99),
    st.sampled_from([PCSO, SERGEANT]),
    MOMENTS,
    st.integers(1, 20_000),
    st.none() | st.integers(1, 4),
    st.none() | st.integers(1, 4),
)
WINDOWS = st.builds(lambda begins, hours: Span(begins, begins + timedelta(hours=hours)), MOMENTS, st.integers(1, 400))
PLANS = st.builds(
    Plan, st.lists(PATTERNS, max_size=4), st.lists(OVERRIDES, max_size=4, unique_by=lambda one: one.number)
)


@given(PLANS, WINDOWS)
def test_shifts_gaps_and_what_is_meant_fit_together(plan: Plan, window: Span) -> None:
    found = shifts(plan, window)
    missing = gaps(plan, found, window)

    assert found == sorted(found)
    assert all(shift.span.begins_at < shift.span.ends_at and shift.span.meets(window) for shift in found)
    for post in posts(plan):
        there = joined(shift.span.within(window) for shift in found if shift.post == post)
        absent = joined(gap.span for gap in missing if gap.post == post)
        meant = [s.within(window) for p in plan.patterns if p.post == post for _, s in p.hours.spans(window)]
        assert not [one for one in there for other in absent if one.meets(other)]
        assert without(meant, [*there, *absent]) == []
        assert without(absent, meant) == []


@given(PLANS, WINDOWS, OVERRIDES)
def test_whoever_is_taken_off_is_not_on(plan: Plan, window: Span, override: Override) -> None:
    last = Override(100, override.post, override.span, None, override.instead_of)
    found = shifts(Plan(plan.patterns, [*plan.overrides, last]), window)
    taken_off = [shift for shift in found if shift.post == last.post and last.instead_of in {None, shift.account}]

    assert not [shift for shift in taken_off if shift.span.meets(last.span)]


@given(PLANS, WINDOWS, st.integers(1, 399))
def test_two_windows_show_what_one_does(plan: Plan, window: Span, hours: int) -> None:
    middle = min(window.begins_at + timedelta(hours=hours), window.ends_at)
    parts = [Span(*ends) for ends in ((window.begins_at, middle), (middle, window.ends_at)) if ends[0] < ends[1]]
    found = {shift for part in parts for shift in shifts(plan, part)}

    assert sorted(found) == sorted(set(shifts(plan, window)))


@given(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6))
def test_spans_without_others_are_what_is_left_minute_by_minute(spans: list[Span], taken: list[Span]) -> None:
    def minutes(ones: list[Span]) -> set[datetime]:
        return {
            one.begins_at + timedelta(minutes=minute)
            for one in ones
            for minute in range(int((one.ends_at - one.begins_at) / timedelta(minutes=1)))
        }

    assert minutes(spans) - minutes(taken) == minutes(without(spans, taken))
    assert minutes(spans) == minutes(joined(spans))


@given(HOURS, st.integers(1, DAY_MIN - 1))
def test_two_shifts_that_share_a_day_leave_no_gap_and_no_overlap(hours: Hours, first_min: int) -> None:
    always = frozenset(range(7))
    second = (datetime.combine(MONDAY, hours.begins) + timedelta(minutes=first_min)).time()
    plan = Plan(
        [
            Pattern(1, PCSO, Hours(always, hours.begins, first_min, hours.first), (JO,)),
            Pattern(2, PCSO, Hours(always, second, DAY_MIN - first_min, hours.first - timedelta(days=2)), (SAM,)),
        ]
    )
    begin = datetime.combine(hours.first + timedelta(days=3), time(), UTC)
    window = Span(begin, begin + timedelta(days=220))
    found = [shift.span for shift in shifts(plan, window)]

    assert joined(found) == [Span(found[0].begins_at, found[-1].ends_at)]
    assert all(one.ends_at == other.begins_at for one, other in pairwise(found))
