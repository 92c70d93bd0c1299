"""C2: whoever's shift begins is told once, and whoever is not there when it has begun is missed."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from central.core import effects as do
from central.core.view import EndDuty
from tests.support.central_town import START, Town, only
from tests.support.escalating_town import (
    JO,
    JO_LEADING,
    KIM,
    PEOPLE,
    POLICY,
    SAM,
    on_duty,
    people,
    reaching,
    ready,
    rights,
    rota,
    shift,
    stay,
)
from wire.kinds import AlertKind


def told(town: Town) -> list[tuple[int, tuple[str, ...], str, int]]:
    found: list[tuple[int, tuple[str, ...], str, int]] = []
    for order in only(town.said, do.Tell):
        assert "shift" == order.occasion
        ((account, ways),) = order.people
        found.append((account, ways, order.about, order.valid_s))
    return found


def missing(town: Town) -> list[tuple[str, int, str, float]]:
    """Role, scheme, name, minutes from the start."""
    return [
        (one.role, one.scheme, one.name, (one.begins_at - START).total_seconds() / 60) for one in town.board().missing
    ]


def test_person_is_told_once_a_quarter_of_an_hour_before_their_shift(town: Town) -> None:
    ready(town)
    town.handle(reaching((JO, ("push", "sms")), (SAM, ("sms", "email"))))
    town.handle(rota(shifts=(shift(JO, 20, 60), shift(SAM, 20, 60))))

    town.later(299)
    assert [] == told(town)
    town.later(1_500, tick_s=5)

    about = f"shift {(START + timedelta(minutes=20)).isoformat()}"
    assert [(JO.account, ("push",), about), (SAM.account, ("sms",), about)] == [one[:3] for one in told(town)]
    assert all(1_190 <= one[3] <= 1_200 for one in told(town)), "until it has begun for five minutes"


def test_whoever_is_on_duty_for_it_already_is_not_told(town: Town) -> None:
    ready(town, JO, SAM)
    town.handle(reaching((JO, ("push",)), (SAM, ("push",))))
    town.handle(rota(shifts=(shift(JO, 10, 60), shift(SAM, 10, 60))))
    town.act(EndDuty(), SAM, rights(SAM))

    town.later(5)

    assert [SAM.account] == [one[0] for one in told(town)]


def test_shift_in_two_posts_at_once_is_one_message(town: Town) -> None:
    ready(town)
    town.handle(reaching((JO, ("push",))))
    town.handle(rota(shifts=(shift(JO, 10, 60), shift(JO, 10, 60, 2), shift(JO, 12, 60))))

    town.later(5)

    assert 2 == len(told(town)), "one for each beginning"


def test_nobody_is_told_of_a_shift_without_the_role_or_a_way(town: Town) -> None:
    ready(town)
    town.handle(people(JO))
    town.handle(reaching((SAM, ("push",))))
    town.handle(rota(shifts=(shift(JO, 10, 60), shift(SAM, 10, 60))))
    town.later(5)
    assert [] == told(town)

    town.handle(reaching((JO, ("email",))))
    town.later(2)

    assert [(JO.account, ("email",))] == [one[:2] for one in told(town)], "as soon as a message reaches them"


def test_nobody_is_told_of_a_shift_by_a_way_that_is_only_taken_for_there(town: Town) -> None:
    """One way is chosen, and it might be the one that the notifier does not have. An alert is asked by all, at once."""
    ready(town)
    guessed = replace(reaching((JO, ("email", "sms"))), is_sure=False)
    town.handle(guessed)
    town.handle(rota(POLICY, shifts=(shift(JO, 10, 60), shift(JO, -10, 5))))
    town.press(7, AlertKind.ATTACK)
    town.later(2)
    assert ([], (("sms",),)) == (told(town), tuple(ways for _, ways in only(town.said, do.Ask)[0].people))

    town.handle(reaching((JO, ("sms",))))
    town.later(2)

    assert [(JO.account, ("sms",))] == [one[:2] for one in told(town)]


def test_after_a_restart_the_order_is_the_same_so_that_the_notifier_knows_it(town: Town) -> None:
    orders = []
    for one in (town, Town(now_at=START + timedelta(seconds=90))):
        ready(one)
        one.handle(reaching((JO, ("push",))))
        one.handle(rota(shifts=(shift(JO, 10, 60),)))
        one.later(2)
        orders += [(order.about, order.people) for order in only(one.said, do.Tell)]

    assert (2, 1) == (len(orders), len({*orders}))


def test_whoever_is_not_there_after_five_minutes_is_missing_until_they_are(town: Town) -> None:
    ready(town)
    town.handle(rota(shifts=(shift(JO, 1, 60), shift(SAM, 1, 60), shift(KIM, 70, 80))))
    on_duty(town, SAM)
    town.later(359)
    assert [] == missing(town)

    town.later(2)
    assert [("pcso", 1, JO.name, 1)] == missing(town)
    on_duty(town, JO)
    town.later(1)
    assert [] == missing(town)
    town.act(EndDuty(), JO, rights(JO))
    town.later(1)
    assert [("pcso", 1, JO.name, 1)] == missing(town)


def test_duty_for_another_scheme_is_no_duty_for_this_one(town: Town) -> None:
    ready(town)
    on_duty(town, JO, schemes=(2,))
    town.handle(rota(shifts=(shift(JO, -6, 60), shift(JO, -6, 60, 2))))

    town.later(1)

    assert [("pcso", 1, JO.name, -6)] == missing(town)


def test_whoever_is_on_two_rotas_and_on_duty_in_one_role_is_neither_missing_nor_told_for_the_other(town: Town) -> None:
    """A person is there or is not; and an alert is asked of them in both roles."""
    ready(town)
    town.handle(people(*PEOPLE, JO_LEADING))
    town.handle(reaching((JO, ("push",))))
    town.handle(rota(shifts=(shift(JO, -6, 60), shift(JO_LEADING, -6, 60), shift(JO_LEADING, 20, 90))))
    town.later(1)
    assert ["duty-sergeant", "pcso"] == [one[0] for one in missing(town)]

    on_duty(town, JO)
    stay(town, 1_600, JO)
    assert ([], []) == (missing(town), told(town))
    town.act(EndDuty(), JO, rights(JO))
    town.later(1)

    assert ["duty-sergeant", "pcso"] == [one[0] for one in missing(town)]


def test_nobody_is_missing_when_the_shift_is_over_or_its_person_has_left(town: Town) -> None:
    ready(town)
    town.handle(rota(shifts=(shift(JO, -10, 1), shift(SAM, -10, 60))))
    town.later(1)
    assert [SAM.name, JO.name] == [one[2] for one in missing(town)]

    town.handle(people(JO, KIM))
    town.later(61)

    assert [] == missing(town)


def test_clock_that_goes_back_tells_nobody_again(town: Town) -> None:
    ready(town)
    town.handle(reaching((JO, ("push",))))
    town.handle(rota(shifts=(shift(JO, 10, 60),)))
    town.later(5)
    town.now_at -= timedelta(minutes=20)
    town.later(1_300, tick_s=5)

    assert 1 == len(told(town))
