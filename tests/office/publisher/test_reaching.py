"""Whether the pages say truthfully that the control room hears of what they change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from office.accounts import acts
from office.accounts.models import Account
from office.audit import alarm
from office.config import BackupTable
from office.publisher import changes, reaching
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.publisher.test_publishing import World

pytestmark = pytest.mark.django_db
NOT_YET = "NOT cut off at the control room yet"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings, co_ordinator: Account) -> World:
    """A publisher that has published the co-ordinator, and looks again only when it is told to."""
    marks = itertools.count()
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    monkeypatch.setattr(reaching, "WITHIN_S", 0.0)
    world = World(tmp_path)
    world.look()
    settings.OFFICE = SimpleNamespace(snapshots_folder=world.folder, inter_font_dir=tmp_path, backup=BackupTable())
    return world


def test_ended_account_is_cut_off_once_the_newest_list_does_not_name_it(world: World, make_person: MakePerson) -> None:
    jo = make_person("jo", ("cctv", HART))
    world.look()
    acts.close_account(None, jo)
    assert not reaching.is_cut_off(jo.pk)

    for number in range(10):  # the tenth file sorts before the second by name
        make_person(f"person{number}")
        world.look()

    assert reaching.is_cut_off(jo.pk)


def test_ending_says_so_when_it_is_published(
    world: World, make_person: MakePerson, signed_in: SignedIn, co_ordinator: Account
) -> None:
    jo = make_person("jo", ("cctv", HART))  # in no list
    page = signed_in(co_ordinator).post(f"/people/{jo.pk}/end/", follow=True).content.decode()

    assert "Their sessions end within seconds" in page
    assert NOT_YET not in page


def test_ending_says_that_it_is_not_published(
    world: World, make_person: MakePerson, signed_in: SignedIn, co_ordinator: Account
) -> None:
    """Nobody signs a person out whom the office has said to be gone."""
    jo = make_person("jo", ("cctv", HART))
    world.look()
    page = signed_in(co_ordinator).post(f"/people/{jo.pk}/end/", follow=True).content.decode()

    assert NOT_YET in page
    assert "within seconds" not in page
    assert not Account.objects.get(pk=jo.pk).is_active


@pytest.mark.parametrize("is_lost", [True, False])
def test_folder_without_a_usable_list_cuts_nobody_off(world: World, is_lost: bool) -> None:  # noqa: FBT001
    for path in world.folder.glob("people-*.json"):
        path.unlink()
        if not is_lost:
            path.write_text("{")

    assert not reaching.is_cut_off(99)


@pytest.mark.parametrize("write", [alarm.write, alarm.write_fault])
def test_page_before_the_end_promises_nothing_while_nothing_is_published(
    world: World,
    make_person: MakePerson,
    signed_in: SignedIn,
    co_ordinator: Account,
    write: Callable[[Path, str], None],
) -> None:
    jo, browser = make_person("jo", ("cctv", HART)), signed_in(co_ordinator)
    assert "the control room included" in browser.get(f"/people/{jo.pk}/end/").content.decode()

    write(world.folder, "Rows 4 to 5 are missing.")
    page = browser.get(f"/people/{jo.pk}/end/").content.decode()

    assert "the control room included" not in page
    assert "sign them out in the control room" in page
