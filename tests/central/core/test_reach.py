"""An act outside one's rights is refused exactly as one on something that does not exist (ADR 0023)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import ActionEntry
from central.core.rights import NO_RIGHTS, Rights, rights_of
from central.core.view import (
    Acknowledge,
    Action,
    AddNote,
    Assign,
    Close,
    CloseRevoked,
    Done,
    EndDuty,
    Person,
    Refused,
    SetOnTheWay,
    StartDuty,
    UndoAcknowledge,
)
from tests.support.central_town import ALL_RIGHTS, ARCADE, CORNER, CROWN, JONES, PATEL, Town, make_directory, opened
from wire.kinds import AlertKind
from wire.snapshots import RoleEntry, RoleSlug
from wire.topics import FrameTopic

HART_PCSO = rights_of((RoleEntry(role="pcso", schemes=(1,)),))
PUB_PCSO = rights_of((RoleEntry(role="pcso", schemes=(2,)),))
ACTS: dict[str, Callable[[str, int], Action]] = {
    "acknowledge": lambda incident, through: Acknowledge(incident, "attack", seen_through=through),
    "undo": lambda incident, through: UndoAcknowledge(incident, seen_through=through),
    "on-the-way": lambda incident, through: SetOnTheWay(incident, seen_through=through),
    "assign": lambda incident, through: Assign(incident, "Sgt Brown", seen_through=through),
    "note": lambda incident, _: AddNote(incident, "Camera 4"),
    "close": lambda incident, through: Close(incident, "Dealt with", seen_through=through),
}


@pytest.mark.parametrize("through", [0, 1_000])
@pytest.mark.parametrize("name", ACTS)
def test_act_on_another_schemes_incident_is_refused_as_if_there_were_none(town: Town, name: str, through: int) -> None:
    town.press(7, AlertKind.ATTACK)
    act = ACTS[name]

    outside = town.act(act("00000010-7", through), PATEL, PUB_PCSO)

    assert isinstance(outside, Refused)
    for nothing in ("00000013-9999", "00000011-9999", "99999999-1"):
        assert outside == town.act(act(nothing, through), PATEL, PUB_PCSO)
    assert "unanswered" == town.card().state
    assert "pressed" == town.card().history[-1].what


def test_revoked_unit_of_another_scheme_is_closed_by_its_own_people_only(town: Town) -> None:
    town.press(7)
    data = make_directory(2, revoked=(CORNER,))
    town.handle(ev.DirectoryChanged(opened(data), data))

    nothing = town.act(CloseRevoked("00000099", "Stolen"), PATEL, PUB_PCSO)
    assert nothing == town.act(CloseRevoked("00000010", "Stolen"), PATEL, PUB_PCSO)
    assert "unanswered" == town.card().state
    assert isinstance(town.act(CloseRevoked("00000010", "Stolen"), PATEL, HART_PCSO), Done)


def test_unit_of_another_scheme_that_is_not_revoked_is_as_one_that_does_not_exist(town: Town) -> None:
    assert town.act(CloseRevoked("00000099", "Stolen"), PATEL, PUB_PCSO) == town.act(
        CloseRevoked("00000010", "Stolen"), PATEL, PUB_PCSO
    )


@pytest.mark.parametrize("rights", [HART_PCSO, PUB_PCSO])
def test_alert_of_a_premises_in_both_schemes_may_be_answered_by_either(town: Town, rights: Rights) -> None:
    town.press(7, node=ARCADE)

    assert isinstance(town.act(Acknowledge("00000013-7"), PATEL, rights), Done)


@pytest.mark.parametrize("role", ["fleet-engineer", "members-contact"])
def test_role_that_answers_nothing_may_do_nothing(town: Town, role: RoleSlug) -> None:
    town.press(7)
    rights = rights_of((RoleEntry(role=role, schemes=(1, 2)),))

    for action in (Acknowledge("00000010-7"), AddNote("00000010-7", "hm"), StartDuty()):
        assert isinstance(town.act(action, Person(role, "E Engineer", 4), rights), Refused)
    assert () == town.board().on_duty


def test_person_acts_only_in_a_role_that_they_have(town: Town) -> None:
    town.press(7)

    assert isinstance(town.act(Acknowledge("00000010-7"), JONES, HART_PCSO), Refused)
    assert isinstance(town.act(Acknowledge("00000010-7"), PATEL, HART_PCSO), Done)


@pytest.mark.parametrize("action", [Acknowledge("00000010-7"), StartDuty()])
def test_account_that_has_ended_may_do_nothing_whatever_rights_the_page_had(town: Town, action: Action) -> None:
    town.press(7)
    town.handle(ev.PeopleChanged(((8, ALL_RIGHTS),)))

    assert isinstance(town.act(action, Person("pcso", "J Patel", 9), ALL_RIGHTS), Refused)
    assert isinstance(town.act(action, Person("pcso", "J Patel", 8), ALL_RIGHTS), Done)


def test_act_for_many_ends_where_its_persons_account_does(town: Town) -> None:
    for counter in range(1, 601):
        town.press(counter)
    jones = Person("cctv", "Ann Jones", 8)
    town.is_disk_slow = True
    town.act(Close("00000010-1", "Button stuck", seen_through=10_000), jones)
    town.commit()
    town.handle(ev.PeopleChanged(()))
    town.is_disk_slow = False
    town.handle(ev.Resumed())
    town.later(2)

    closed = [entry for entry in town.disk if isinstance(entry, ActionEntry) and entry.kind == "closed"]
    assert 250 == len(closed)
    assert () == only_acts(town)


def test_act_for_many_does_not_wait_for_the_disk_when_its_persons_account_has_ended(town: Town) -> None:
    for counter in range(1, 6):
        town.press(counter)
    jones = Person("cctv", "Ann Jones", 8)
    town.core._incidents.left_open[CORNER] = 3
    town.is_disk_slow = True
    town.act(Acknowledge("00000010-1", seen_through=10_000), jones)
    town.handle(ev.PeopleChanged(()))
    town.commit()  # And what is asked of the disk is not answered.
    town.handle(ev.Resumed())
    town.later(2)

    assert () == only_acts(town)
    assert () == town.core._rest == town.core._pending


def only_acts(town: Town) -> tuple[object, ...]:
    return [order.acts for order in town.said if isinstance(order, do.KeepActs)][-1]


def test_duty_ends_with_the_role_by_watchlink_itself(town: Town) -> None:
    patel, jones = Person("pcso", "J Patel", 7), Person("cctv", "Ann Jones", 8)
    town.handle(ev.PeopleChanged(((7, HART_PCSO), (8, ALL_RIGHTS))))
    town.act(StartDuty(), patel, HART_PCSO)
    town.act(StartDuty(), jones)

    town.handle(ev.PeopleChanged(((7, NO_RIGHTS), (8, ALL_RIGHTS))))

    assert [jones] == [one.person for one in town.board().on_duty]
    last = town.disk[-1]
    assert isinstance(last, ActionEntry)
    assert ("duty-ended", patel, "watchlink", "no longer has this role") == (last.kind, last.by, last.actor, last.text)
    assert {"hart": ("cctv",), "pubwatch": ("cctv",)} == told_on_duty(town)


def test_duty_that_the_disk_does_not_let_end_with_the_role_ends_later(town: Town) -> None:
    patel = Person("pcso", "J Patel", 7)
    town.act(StartDuty(), patel)
    town.is_disk_slow = True
    town.handle(ev.PeopleChanged(()))
    town.refuse()
    assert [patel] == [one.person for one in town.board().on_duty]
    town.is_disk_slow = False
    town.handle(ev.StoreRecovered())
    town.later(1)

    assert () == town.board().on_duty


def test_duty_from_before_there_were_accounts_ends_when_the_first_people_are_known(town: Town) -> None:
    town.act(StartDuty())

    town.handle(ev.PeopleChanged(((7, HART_PCSO),)))

    assert () == town.board().on_duty


def test_schemes_are_told_of_their_own_people_on_duty_only(town: Town) -> None:
    town.act(StartDuty(), PATEL, HART_PCSO)

    assert {"hart": ("pcso",), "pubwatch": ()} == told_on_duty(town)


def test_duty_follows_the_schemes_of_the_role(town: Town) -> None:
    patel = Person("pcso", "J Patel", 7)
    town.act(StartDuty(), patel, HART_PCSO)

    town.handle(ev.PeopleChanged(((7, PUB_PCSO),)))

    assert [(2,)] == [one.schemes for one in town.board().on_duty]
    assert {"hart": (), "pubwatch": ("pcso",)} == told_on_duty(town)


def test_other_schemes_people_on_duty_do_not_fill_ones_own(town: Town) -> None:
    """Not even a refusal tells how many they are."""
    for number in range(64):
        assert isinstance(town.act(StartDuty(), Person("pcso", f"Person {number}"), PUB_PCSO), Done)

    assert isinstance(town.act(StartDuty(), JONES, rights_of((RoleEntry(role="cctv", schemes=(1,)),))), Done)


def told_on_duty(town: Town) -> dict[str, tuple[str, ...]]:
    return {order.scheme: order.status.on_duty for order in town.said if isinstance(order, do.PublishStatus)}


def test_rename_in_mid_duty_is_the_same_person(town: Town) -> None:
    town.act(StartDuty(), Person("pcso", "J Patel", 7))
    since = town.now_at
    town.later(60)
    town.act(StartDuty(), Person("pcso", "Jas Patel-Shah", 7))

    (one,) = town.board().on_duty
    assert ("Jas Patel-Shah", 7, since) == (one.name, one.account, one.since)
    town.act(EndDuty(), Person("pcso", "J Patel", 7))
    assert () == town.board().on_duty


def test_two_of_one_name_are_two_people(town: Town) -> None:
    town.act(StartDuty(), Person("pcso", "J Patel", 7))
    town.act(StartDuty(), Person("pcso", "J Patel", 8))
    town.act(EndDuty(), Person("pcso", "J Patel", 7))

    assert [8] == [one.account for one in town.board().on_duty]


def test_person_may_undo_under_a_new_name_and_nobody_else_under_theirs(town: Town) -> None:
    town.press(7)
    town.act(Acknowledge("00000010-7"), Person("pcso", "J Patel", 7))

    assert isinstance(town.act(UndoAcknowledge("00000010-7"), Person("pcso", "J Patel", 8)), Refused)
    assert isinstance(town.act(UndoAcknowledge("00000010-7"), Person("pcso", "Jas Shah", 7)), Done)


def test_automatic_answers_and_findings_are_watchlinks_own(town: Town) -> None:
    town.press(7, AlertKind.TEST)
    town.later(181)

    kinds = {(entry.kind, entry.actor) for entry in town.disk if isinstance(entry, ActionEntry)}
    assert {("acknowledged", "watchlink"), ("closed", "watchlink")} == kinds


def test_person_who_answers_again_under_a_new_name_has_answered_already(town: Town) -> None:
    town.press(7)
    town.act(Acknowledge("00000010-7"), Person("pcso", "J Patel", 7))

    assert isinstance(town.act(Acknowledge("00000010-7"), Person("pcso", "Jas Shah", 7)), Done)
    assert ["pressed", "acknowledged"] == [line.what for line in town.card().history]


def test_what_was_left_untouched_counts_ones_own_alerts_only(town: Town) -> None:
    """The premises has moved from HART to Pub Watch since, and pressed there."""
    for counter in (1, 2):
        town.press(counter)
    data = make_directory(2, members={CORNER: (2,)})
    town.handle(ev.DirectoryChanged(opened(data), data))
    through = town.disk[-1].entry
    town.send(town.alert(3, schemes=(2,)), FrameTopic("pubwatch", CORNER))

    done = town.act(Close("00000010-1", "Button stuck", seen_through=through), PATEL, HART_PCSO)
    assert isinstance(done, Done)
    assert 0 == done.untouched
    assert ["unanswered"] == [card.state for card in town.board().cards if card.incident == "00000010-3"]


def test_account_in_who_is_coming_is_not_taken_from_the_browser(town: Town) -> None:
    town.press(7, node=CROWN)
    town.act(SetOnTheWay("00000012-7", who=Person("pcso", "Somebody Else", 99)), Person("cctv", "Ann Jones", 8))
    assert Person("pcso", "Somebody Else") == town.card("00000012-7").coming

    town.act(SetOnTheWay("00000012-7"), Person("police", "PC Brown", 6))
    assert Person("police", "PC Brown", 6) == town.card("00000012-7").coming


BOTH = rights_of((RoleEntry(role="pcso", schemes=(1,)), RoleEntry(role="duty-officer", schemes=(2,))))


def test_sign_of_life_from_a_page_of_another_role_moves_no_duty(town: Town) -> None:
    """A second computer remembers the other role: nobody pressed anything there."""
    town.act(StartDuty(), Person("pcso", "J Patel", 7), BOTH)
    for _ in range(4):
        town.later(600)
        outcome = town.act(StartDuty(is_sign=True), Person("duty-officer", "J Patel", 7), BOTH)
        assert isinstance(outcome, Done)

    assert [("pcso", (1,))] == [(one.role, one.schemes) for one in town.board().on_duty]
    assert {"hart": ("pcso",), "pubwatch": ()} == told_on_duty(town)


def test_sign_of_life_puts_nobody_on_duty(town: Town) -> None:
    town.act(StartDuty(is_sign=True), Person("pcso", "J Patel", 7), BOTH)

    assert () == town.board().on_duty


def test_person_moves_their_duty_by_a_press(town: Town) -> None:
    town.act(StartDuty(), Person("pcso", "J Patel", 7), BOTH)
    town.act(StartDuty(), Person("duty-officer", "J Patel", 7), BOTH)

    assert [("duty-officer", (2,))] == [(one.role, one.schemes) for one in town.board().on_duty]


def test_duty_ends_in_the_role_in_which_it_began(town: Town) -> None:
    town.act(StartDuty(), Person("pcso", "J Patel", 7), BOTH)
    town.act(EndDuty(), Person("duty-officer", "J Patel", 7), BOTH)

    ended = town.disk[-1]
    assert isinstance(ended, ActionEntry)
    assert ("duty-ended", "pcso") == (ended.kind, ended.by.role if ended.by else "")
    assert () == town.board().on_duty
