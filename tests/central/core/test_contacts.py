"""C8: members' contacts who chose it are told of their own premises, of no silent alert, and of nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.core import effects as do
from central.core import events as ev
from central.core.rights import rights_of
from central.core.view import Acknowledge, Close, Done
from tests.support.central_town import (
    ALL_RIGHTS,
    ARCADE,
    BAKERY,
    CORNER,
    PATEL,
    START,
    Town,
    keep_alive,
    make_directory,
    only,
)
from wire.frames import Alert
from wire.ids import NodeId
from wire.kinds import AlertKind
from wire.messages import FaultReport, Health
from wire.snapshots import PremisesEntry, RoleEntry, Way

ASHA, BEN, CAT = 31, 32, 33
SHOP = PremisesEntry(premises=70, name="Corner Shop", schemes=(1,), alerts_to=(ASHA, BEN), faults_to=(BEN,))
OTHER = PremisesEntry(premises=71, name="Bakery", schemes=(1,), alerts_to=(CAT,), faults_to=(CAT,))
WAYS: tuple[tuple[int, tuple[Way, ...]], ...] = ((ASHA, ("push", "sms", "email")), (BEN, ("email",)), (CAT, ("sms",)))


def contacts(*accounts: int, scheme: int = 1) -> ev.PeopleChanged:
    rights = rights_of((RoleEntry(role="members-contact", schemes=(scheme,)),))
    everybody = ((PATEL.account, ALL_RIGHTS), *((one, rights) for one in accounts))
    return ev.PeopleChanged(everybody, tuple((one, f"Person {one}") for one, _ in everybody))


@pytest.fixture
def town() -> Town:
    """The office's 70 is the Corner Shop's, 71 the bakery's; all can be reached."""
    return opened_town()


def opened_town() -> Town:
    town = Town(directory=make_directory(office_premises={CORNER: 70, BAKERY: 71}))
    town.handle(contacts(ASHA, BEN, CAT))
    town.handle(ev.PremisesChanged((SHOP, OTHER)))
    town.handle(ev.WaysChanged(WAYS))
    town.handle(ev.LinkUp())
    return town


def told(town: Town) -> list[tuple[str, tuple[tuple[int, tuple[Way, ...]], ...]]]:
    return [(one.occasion, one.people) for one in only(town.said, do.Tell)]


def silent(town: Town, counter: int, node: NodeId = CORNER) -> Alert:
    return replace(town.alert(counter, node), silent=True)


ALERT = ("premises-alert", ((ASHA, ("sms",)), (BEN, ("email",))))
FAULT = ("premises-fault", ((BEN, ("email",)),))


def test_alert_is_told_once_to_those_who_chose_it_and_to_no_other_shop(town: Town) -> None:
    town.press(7, AlertKind.ASSIST)
    town.later(3)
    town.press(8, AlertKind.ATTACK, incident=7)
    assert isinstance(town.act(Acknowledge("00000010-7")), Done)
    town.later(660, tick_s=5)
    town.press(9, AlertKind.ATTACK, incident=7)
    town.later(2)

    assert [ALERT] == told(town)
    assert {"00000010-7"} == {one.about for one in only(town.said, do.Tell)}


def test_silent_alert_is_told_to_nobody_and_nothing_else_of_those_premises_meanwhile(town: Town) -> None:
    """A phone that buzzes in the shop would betray whoever pressed."""
    town.send(silent(town, 7))
    town.later(60)
    town.press(8, AlertKind.ASSIST)
    town.later(60)
    town.beat(CORNER)
    town.later(1_200, tick_s=5)
    assert [] == told(town)

    town.press(9, AlertKind.ASSIST, node=BAKERY)
    town.later(2)

    assert [("premises-alert", ((CAT, ("sms",)),))] == told(town), "other premises are told as ever"


def test_press_that_joins_a_silent_one_is_silent_too(town: Town) -> None:
    town.send(silent(town, 7))
    town.press(8, AlertKind.ATTACK, incident=7)
    town.later(60)

    assert [] == told(town)


def test_fault_is_told_once_the_silent_alert_is_over(town: Town) -> None:
    town.send(silent(town, 7))
    town.beat(CORNER)
    town.later(1_200, tick_s=5)
    assert [] == told(town)

    assert isinstance(town.act(Close("00000010-7", "Arrested")), Done)
    town.later(5)

    assert [FAULT] == told(town)


@pytest.mark.parametrize("kind", [AlertKind.TEST, AlertKind.ATTACK])
def test_tests_and_drills_are_not_told(town: Town, kind: AlertKind) -> None:
    town.press(7, kind, drill=True)
    town.press(8, AlertKind.TEST)
    town.later(60)

    assert [] == told(town)


def test_late_alert_is_not_told(town: Town) -> None:
    town.press(7, at_s=int((START - timedelta(minutes=5)).timestamp()))
    town.later(5)

    assert [] == told(town)


def test_many_alerts_of_one_shop_are_one_message_in_ten_minutes(town: Town) -> None:
    for counter in range(7, 20):
        town.press(counter)
        town.later(10)
    town.later(480)
    town.press(30)
    town.later(2)

    assert [ALERT, ALERT] == told(town)


def test_units_own_alert_is_for_those_who_chose_faults_and_hides_no_press(town: Town) -> None:
    town.press(7, AlertKind.TAMPER)
    town.later(2)
    town.press(8, AlertKind.ASSIST)
    town.later(2)

    assert [FAULT, ALERT] == told(town)


def test_short_gap_tells_nobody_and_a_long_one_once(town: Town) -> None:
    keep_alive(town, 60, CORNER, BAKERY)
    keep_alive(town, 840, BAKERY)
    keep_alive(town, 60, CORNER, BAKERY)
    assert [] == told(town)

    keep_alive(town, 2_000, BAKERY)

    assert [FAULT] == told(town)


def test_fault_that_lasts_is_told_and_its_request_is_of_the_day(town: Town) -> None:
    sick = Health(state="armed", boot_id="n1", faults=(FaultReport(part="oled", detail="no answer", age_ms=0),))
    for _ in range(40):
        town.handle(ev.HealthArrived(CORNER, sick))
        town.later(25)

    assert [FAULT] == told(town)
    assert {f"00000010 {START.date().isoformat()}"} == {one.about for one in only(town.said, do.Tell)}


def test_while_central_hears_nobody_nobody_is_told(town: Town) -> None:
    keep_alive(town, 60, CORNER, BAKERY)
    town.later(600)
    town.handle(ev.LinkDown("gone"))
    town.later(3_600, tick_s=5)
    town.handle(ev.LinkUp())
    town.later(880)
    assert [] == told(town)

    town.later(40)

    assert 2 == len(told(town)), "a quarter of an hour after the link is back they are missing indeed"


def test_clock_that_is_set_makes_no_quarter_of_an_hour(town: Town) -> None:
    keep_alive(town, 60, CORNER, BAKERY)
    keep_alive(town, 120, BAKERY)
    town.now_at += timedelta(hours=2)
    keep_alive(town, 600, BAKERY)

    assert [] == told(town)


def test_whoever_is_no_contact_any_more_is_told_nothing(town: Town) -> None:
    """The list of people may be newer than that of premises."""
    town.handle(contacts(BEN))
    town.handle(contacts(ASHA, scheme=2))
    town.press(7)
    town.later(2)

    assert [] == told(town)


def test_contact_whom_a_message_reaches_only_later_is_told_then(town: Town) -> None:
    """Central has just been started, and the notifier is still to come."""
    town.handle(ev.WaysChanged(((BEN, ("push",)),)))
    town.press(7)
    town.later(30)
    assert [] == told(town)

    town.handle(ev.WaysChanged(WAYS))
    town.later(2)

    assert [ALERT] == told(town)


def test_contact_of_a_unit_that_moved_away_is_told_of_it_no_more(town: Town) -> None:
    town.handle(ev.PremisesChanged((replace(SHOP, premises=99), OTHER)))
    town.press(7)
    town.press(7, node=ARCADE)
    town.later(2)

    assert [] == told(town)


def test_after_a_restart_the_same_is_ordered_so_that_the_notifier_knows_it() -> None:
    orders = []
    for _ in range(2):
        town = opened_town()
        town.press(7)
        town.later(2)
        orders += [(one.occasion, one.about, one.people) for one in only(town.said, do.Tell)]

    assert (2, 1) == (len(orders), len({*orders}))
