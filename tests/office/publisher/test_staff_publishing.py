"""What the machine port is told of staff and of open schemes, and when."""

from __future__ import annotations

import itertools
import logging
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from office.accounts.models import Account
from office.exclusions.models import SchemeTerms
from office.gallery.staff_file import STAFF_FILE, StaffFile, StaffSeal
from office.in_shops.broken_cards import CopiedCard, say_broken
from office.members.models import Premises
from office.publisher import changes
from office.publisher.publishing import Publishing
from office.publisher.shelf import PublishedHead
from office.publisher.staff import StaffPublishing
from office.staff import acts
from office.staff.models import StaffMember
from office.staff.rules import CODE_DAYS
from tests.office.conftest import HART, PUB_WATCH
from tests.office.exclusions.conftest import Town
from tests.office.publisher.gallery_world import GALLERY_KEY, KEY, TOWN, World
from wire.gallery_staff import start_code_check


@pytest.fixture
def actor(town: Town) -> Account:
    return town.contacts[0]


@pytest.fixture
def publishing(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publishing:
    marks = itertools.count()
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    return Publishing(
        world.shelf,
        PublishedHead(tmp_path / "published.json", world.shelf),
        TOWN,
        key=KEY,
        ticket_key=b"t" * 32,
        on_published=lambda _name, _number: None,
        galleries=world.galleries,
        staff=StaffPublishing(world.folder, GALLERY_KEY),
        clock_s=lambda: 1_000.0,
    )


def published(world: World) -> StaffFile:
    return StaffSeal(GALLERY_KEY).open((world.folder / STAFF_FILE).read_bytes())


def shops(town: Town) -> tuple[Premises, Premises]:
    return town.premises[0], town.premises[1]


def test_staff_are_published_by_premises_as_soon_as_they_change(
    town: Town, world: World, actor: Account, publishing: Publishing
) -> None:
    first, second = shops(town)
    ann, bo = acts.add(actor, first, "Ann"), acts.add(actor, second, "Bo")
    publishing.look()
    file = published(world)
    (entry,) = file.premises[first.pk]

    assert {first.pk, second.pk} == set(file.premises)
    assert (ann.member.number, "Ann", start_code_check(ann.text)) == (entry.person, entry.name, entry.code_check)
    acts.take_off(actor, bo.member)
    publishing.look()

    assert {first.pk} == set(published(world).premises)
    assert "" == publishing.fault


def test_name_and_start_code_are_in_no_file(town: Town, world: World, actor: Account, publishing: Publishing) -> None:
    given = acts.add(actor, shops(town)[0], "Annabel")
    publishing.look()
    everything = b"".join(path.read_bytes() for path in world.folder.iterdir())

    assert b"Annabel" not in everything
    assert given.text.encode() not in everything
    assert given.text.replace("-", "").encode() not in everything
    assert 0o640 == stat.S_IMODE((world.folder / STAFF_FILE).stat().st_mode)


def test_start_code_ends_as_its_last_day_does_and_still_ends_the_pin(
    town: Town, world: World, actor: Account, publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, now = acts.add(actor, shops(town)[0], "Ann"), timezone.now()
    publishing.look()
    monkeypatch.setattr(changes, "mark", lambda: ("nothing has changed",))
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=CODE_DAYS))
    publishing.look()
    (entry,) = published(world).premises[shops(town)[0].pk]

    assert (given.member.code, "") == (entry.code, entry.code_check)


def test_schemes_that_chose_it_are_published_as_open(town: Town, world: World, publishing: Publishing) -> None:
    publishing.look()
    before = published(world).open_schemes
    SchemeTerms.objects.update_or_create(scheme_id=PUB_WATCH, defaults={"shows_without_proof": True})
    file = StaffPublishing(world.folder, GALLERY_KEY).read()

    assert () == before
    assert (PUB_WATCH,) == file.open_schemes


def test_card_that_was_called_broken_is_published_with_the_alarm_that_it_settles(
    town: Town, world: World, publishing: Publishing
) -> None:
    publishing.look()
    before = published(world).broken_cards
    for since_s in (1_700_000_000, 1_800_000_000):
        say_broken(town.cora, CopiedCard(0x10, "Shop", (HART,), since_s), "failed")
    publishing.look()

    assert {} == before
    assert {0x10: 1_800_000_000} == published(world).broken_cards


def test_file_is_left_alone_while_it_says_the_same(town: Town, world: World, actor: Account) -> None:
    acts.add(actor, shops(town)[0], "Ann")
    staff = StaffPublishing(world.folder, GALLERY_KEY)
    staff.publish(staff.read())
    before = (world.folder / STAFF_FILE).stat().st_ino
    staff.publish(StaffPublishing(world.folder, GALLERY_KEY).read())

    assert before == (world.folder / STAFF_FILE).stat().st_ino


def test_one_row_that_cannot_be_read_stops_nobody_else(
    town: Town, world: World, actor: Account, caplog: pytest.LogCaptureFixture
) -> None:
    shop, _ = shops(town)
    acts.add(actor, shop, "Ann")
    StaffMember.objects.create(number=0, premises=shop, name="Bo")
    with caplog.at_level(logging.ERROR):
        file = StaffPublishing(world.folder, GALLERY_KEY).read()

    assert ["Ann"] == [one.name for one in file.premises[shop.pk]]
    assert "member of staff 0 is not published" in caplog.text


def test_file_under_a_lost_gallery_key_is_written_anew(town: Town, world: World, actor: Account) -> None:
    acts.add(actor, shops(town)[0], "Ann")
    before, after = StaffPublishing(world.folder, b"f" * 32), StaffPublishing(world.folder, GALLERY_KEY)
    before.publish(before.read())
    after.publish(after.read())

    assert after.read() == published(world)
