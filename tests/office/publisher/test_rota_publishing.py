"""The snapshot of the rota: when it is published, and what it says (both databases)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from office.accounts.models import Account, RoleGrant
from office.audit.beginning_anew import begin_anew
from office.audit.journal import record
from office.escalation import rules
from office.escalation.models import PolicyVersion
from office.escalation.policies import make_policy
from office.publisher import rota_content
from office.publisher.models import PublishedNumber
from office.publisher.publishing import PREMISES_WITHIN_S
from office.publisher.shelf import PublishedHead, Shelf
from office.rota.after_restore import TOLD
from office.rota.models import RotaFeed, RotaPattern
from tests.office.conftest import HART, MakePerson
from tests.office.publisher.test_publishing import KEY, TOWN, World
from tests.office.publisher.test_publishing import world as world  # noqa: PLC0414 - a fixture
from wire.snapshots import PolicyEntry, Rota, StepEntry, file_name, open_snapshot

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 20, 12, 20, tzinfo=UTC)
STEPS = (StepEntry(role="pcso", wait_s=30),)


class Clock:
    """The wall's."""

    at = NOW


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.at)
    return clock


@pytest.fixture
def jo(make_person: MakePerson) -> Account:
    return make_person("jo", ("pcso", HART))


@pytest.fixture
def nights(jo: Account) -> RotaPattern:
    """Every night, from 22 to 6."""
    return RotaPattern.objects.create(
        scheme_id=HART,
        role="pcso",
        weekdays="0123456",
        begins=time(22),
        length_min=480,
        first=date(2026, 1, 1),
        people=[jo.pk],
    )


def newest(world: World) -> Rota:
    number = max(number for name, number in world.published if name == "rota")
    return open_snapshot((world.folder / file_name("rota", number)).read_bytes(), Rota, TOWN, (KEY.public,))


def test_nothing_is_published_before_anything_is_planned(world: World) -> None:
    assert ["people-1.json", "premises-1.json"] == world.look()


def test_shifts_of_a_day_back_and_two_weeks_ahead_are_published_as_moments(
    world: World, nights: RotaPattern, jo: Account
) -> None:
    assert "rota-1.json" in world.look()
    rota = newest(world)
    lengths = [one.ends_at - one.begins_at for one in rota.shifts]

    assert rota.through == datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert {("pcso", HART, jo.pk)} == {(one.role, one.scheme, one.account) for one in rota.shifts}
    assert rota.shifts[0].begins_at == datetime(2026, 10, 19, 21, tzinfo=UTC)
    assert rota.shifts[-1].begins_at == datetime(2026, 11, 2, 22, tzinfo=UTC)
    assert [timedelta(hours=9)] == [one for one in lengths if one != timedelta(hours=8)]
    assert rota.policies == ()


def test_it_moves_on_by_the_hour_and_not_otherwise(world: World, nights: RotaPattern, clock: Clock) -> None:
    world.look()
    clock.at = NOW + timedelta(minutes=39)
    assert [] == world.look(PREMISES_WITHIN_S)
    clock.at = NOW + timedelta(minutes=41)
    assert ["rota-2.json"] == world.look(PREMISES_WITHIN_S)

    assert newest(world).through == datetime(2026, 11, 3, 13, tzinfo=UTC)


def test_change_is_published_at_the_next_look(world: World, nights: RotaPattern) -> None:
    world.look()
    nights.length_min = 60
    nights.save()
    record(None, "rota-pattern.changed", nights)

    assert "rota-2.json" in world.look()
    assert {timedelta(hours=1)} == {one.ends_at - one.begins_at for one in newest(world).shifts}


def test_who_has_lost_the_role_is_published_no_more(world: World, nights: RotaPattern, jo: Account) -> None:
    world.look()
    RoleGrant.objects.filter(account=jo).delete()
    record(None, "role.removed", jo)
    world.look()

    assert newest(world).shifts == ()


def test_policies_are_published_and_one_that_is_broken_stops_nothing(
    world: World, jo: Account, schemes: object, caplog: pytest.LogCaptureFixture
) -> None:
    scheme = RoleGrant.objects.get().scheme
    make_policy(jo, scheme, rules.Policy(("attack",), STEPS))
    broken = make_policy(jo, scheme, rules.Policy(("assist",), STEPS))
    twice = make_policy(jo, scheme, rules.Policy(("theft",), STEPS))
    PolicyVersion.objects.filter(pk=broken.pk).update(steps=[])
    PolicyVersion.objects.filter(pk=twice.pk).update(kinds=["attack"])
    world.look()

    assert newest(world).policies == (PolicyEntry(scheme=HART, kinds=("attack",), version=1, steps=STEPS),)
    assert "another has one of its kinds" in caplog.text


def test_too_many_shifts_end_what_is_known_sooner(nights: RotaPattern, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rota_content, "SHIFTS_MAX", 3)
    through, shifts, _ = rota_content.rota(NOW)

    assert len(shifts) == 3
    assert through == datetime(2026, 10, 22, 21, tzinfo=UTC)


def test_what_is_planned_twice_is_published_once(nights: RotaPattern) -> None:
    before = rota_content.rota(NOW)
    nights.pk = None
    nights.save()

    assert before == rota_content.rota(NOW)
    assert RotaPattern.objects.count() == 2


def test_numbers_go_on_when_the_rota_is_empty_the_folder_is_lost_or_the_office_restored(
    world: World, nights: RotaPattern
) -> None:
    world.look()
    RotaPattern.objects.all().delete()
    record(None, "rota-pattern.removed", "rota")
    assert "rota-2.json" in world.look()
    for path in world.folder.glob("rota-*"):
        path.unlink()
    world.begin()
    assert "rota-3.json" in world.look()
    PublishedNumber.objects.filter(name="rota").update(number=1)  # an older copy of the database
    shelf = Shelf(world.folder, TOWN, KEY.public)
    RotaFeed.objects.create(account=Account.objects.get(), what="own", digest="ab" * 32)
    said = begin_anew(PublishedHead(world.own / "published.json", shelf), above_row=0, number=3, leap=100)
    world.begin()
    world.look()

    assert TOLD in said
    assert not RotaFeed.objects.exists()  # somebody may have ended it since the copy was made
    assert newest(world).number > 100
    assert newest(world).shifts == ()


def test_rota_that_cannot_be_read_keeps_nobody_in_whose_account_has_ended(
    world: World, nights: RotaPattern, jo: Account
) -> None:
    world.look()
    RotaPattern.objects.filter(pk=nights.pk).update(people=[])
    Account.objects.filter(pk=jo.pk).update(is_active=False)
    record(None, "account.ended", jo)

    assert ["people-2.json"] == world.look()
    assert world.person("jo") is None
    assert "ZeroDivisionError" in world.publishing.fault
    RotaPattern.objects.filter(pk=nights.pk).delete()

    assert ["rota-2.json"] == world.look()
    assert not world.publishing.fault
