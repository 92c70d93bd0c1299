"""Somebody on two rotas at once, on duty in one of their roles: asked in both (C2, C3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.core.view import EndDuty, Person
from tests.support.central_town import START, Town
from tests.support.escalating_town import (
    JO,
    JO_LEADING,
    PCSO,
    PEOPLE,
    POLICY,
    SAM,
    SERGEANT,
    asked,
    line,
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
from wire.snapshots import ShiftEntry

LEADER_ONLY = replace(POLICY, steps=(replace(SERGEANT, ways=(), wait_s=3_600),))


def test_step_of_their_other_role_asks_them_by_their_page(town: Town) -> None:
    ready(town, JO)
    town.handle(people(*PEOPLE, JO_LEADING))
    town.handle(rota(LEADER_ONLY, shifts=(shift(JO, 0, 60), shift(JO_LEADING, 0, 60))))

    town.press(7, AlertKind.ATTACK)
    town.later(1)

    assert ([("duty-sergeant",)], (JO.name,)) == (asked(town), line(town).names)


@pytest.mark.parametrize(
    ("persons", "planned", "duty_in"),
    [
        (PEOPLE, shift(JO_LEADING, 0, 60), (1, 2)),
        ((*PEOPLE, JO_LEADING), shift(JO_LEADING, 30, 60), (1, 2)),
        ((*PEOPLE, JO_LEADING), shift(JO_LEADING, -60, 0), (1, 2)),
        ((*PEOPLE, JO_LEADING), shift(JO_LEADING, 0, 60, 2), (1, 2)),
        ((*PEOPLE, JO_LEADING), shift(JO_LEADING, 0, 60), (2,)),
    ],
    ids=["role lost", "not yet", "over", "rota of another scheme", "duty of another scheme"],
)
def test_they_are_on_duty_for_no_more_than_their_role_and_what_the_rota_names_them_for(
    town: Town, persons: tuple[Person, ...], planned: ShiftEntry, duty_in: tuple[int, ...]
) -> None:
    ready(town)
    town.handle(people(*persons))
    on_duty(town, JO, schemes=duty_in)
    town.handle(rota(LEADER_ONLY, shifts=(planned,)))

    town.press(7, AlertKind.ATTACK)
    town.later(1)

    assert [("duty-sergeant", "-")] == asked(town)


def test_step_is_over_as_soon_as_they_are_on_duty_for_it_no_more(town: Town) -> None:
    """The rota names them no longer, or their duty has ended: nobody is there to be waited for."""
    ready(town, JO)
    town.handle(people(*PEOPLE, JO_LEADING))
    leads_first = replace(POLICY, steps=(*LEADER_ONLY.steps, PCSO))
    town.handle(rota(leads_first, shifts=(shift(JO_LEADING, 0, 2),)))
    town.press(7, AlertKind.ATTACK)
    stay(town, 110, JO)
    assert [("duty-sergeant",)] == asked(town)

    stay(town, 20, JO)
    assert START + timedelta(minutes=2) < town.now_at
    assert [("duty-sergeant",), ("pcso",)] == asked(town)

    town.act(EndDuty(), JO, rights(JO))
    town.later(1)
    assert "-" == asked(town)[-1][-1]


def test_others_whom_the_rota_names_are_asked_with_them(town: Town) -> None:
    """Jo has been asked at that page already, and may have left it open."""
    ready(town, JO)
    town.handle(people(*PEOPLE, JO_LEADING))
    leads = replace(SERGEANT, ways=("push",))
    town.handle(rota(replace(POLICY, steps=(PCSO, leads)), shifts=(shift(JO_LEADING, 0, 60), shift(SAM, 0, 60))))
    town.handle(reaching((SAM, ("push",))))

    town.press(7, AlertKind.ATTACK)
    stay(town, 100, JO)

    assert (JO.name, SAM.name) == line(town).names
