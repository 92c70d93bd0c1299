"""The page of phones: what has come, and what a tap opens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException

from demo.chronicle import Chronicle
from demo.guardian_pipe import Guardian
from demo.panel.phones import PushSet, phones_of, set_push
from demo.phones import TownPhones
from demo.premises import TownPlan
from demo.stand_in_phones import Shown
from demo.town import Town

NOON = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)


@pytest.fixture
def town_with_phones(tmp_path: Path, chronicle: Chronicle) -> Iterator[Town]:
    """Nothing runs in it but what stands in."""
    guardian = Guardian([], is_kept=False)
    town = Town(tmp_path / "phones", guardian, chronicle, TownPlan((), has_office=True, has_phones=True))
    assert town.phones is not None
    yield town
    town.phones.close()
    guardian.dismiss()


@pytest.fixture
def phones(town_with_phones: Town) -> TownPhones:
    assert town_with_phones.phones is not None
    return town_with_phones.phones


def test_phone_shows_what_came_newest_first_and_opens_centrals_page(town_with_phones: Town, phones: TownPhones) -> None:
    handset, other = phones.give("J Patel", "07700 900101"), phones.give("Alex Grant", "07700 900102")
    for occasion, reference in (("test", "tapped"), ("drill", "first"), ("alert", "second")):
        handset.browser.shown.append(Shown({"occasion": occasion, "reference": reference}, {}, NOON))
    handset.tapped.add("tapped")
    central = town_with_phones.watch_room.url
    phones.gateway.texts.append(("+447700900101", f"Watchlink: an alert waits. {central}wake/third"))

    patel, grant = phones_of(town_with_phones)

    assert [
        ("Watchlink: an alert waits.", f"{central}wake/second", "12:00:00"),
        ("Watchlink: a drill waits.", f"{central}wake/first", "12:00:00"),
    ] == [(one.words, one.opens, one.at) for one in patel.notices]
    assert [("Watchlink: an alert waits.", f"{central}wake/third")] == [(one.words, one.opens) for one in patel.texts]
    assert (other.owner, (), ()) == (grant.owner, grant.notices, grant.texts)


def test_push_service_refuses_for_one_phone_until_it_works_again(town_with_phones: Town, phones: TownPhones) -> None:
    handset, other = phones.give("J Patel", "07700 900101"), phones.give("Alex Grant", "07700 900102")

    set_push(town_with_phones, 0, PushSet("refuses"))

    assert (403, 201) == (handset.browser.answer, other.browser.answer)
    assert [True, False] == [one.is_refused for one in phones_of(town_with_phones)]
    set_push(town_with_phones, 0, PushSet("works"))
    assert 201 == handset.browser.answer


def test_phone_that_nobody_has_is_not_found(town: Town, town_with_phones: Town) -> None:
    with pytest.raises(HTTPException, match="No such phone"):
        set_push(town_with_phones, 0, PushSet("works"))
    with pytest.raises(HTTPException, match="This town has no phones"):
        phones_of(town)
