"""The publisher proves that galleries are in force only while they are."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from django.db import DatabaseError

from office.audit import journal
from office.publisher import changes
from office.publisher.galleries import PROOF_EVERY_S
from office.publisher.publishing import Publishing
from office.publisher.shelf import PublishedHead
from tests.office.conftest import HART, PUB_WATCH
from tests.office.exclusions.conftest import Town
from tests.office.publisher.gallery_world import KEY, TOWN, World
from wire.gallery_head import lines_file
from wire.gallery_proof import PROOF_FILE, GalleryProof, open_proof


def proof(world: World) -> GalleryProof | None:
    """The one in the folder, which is taken away."""
    path = world.folder / PROOF_FILE
    if not path.exists():
        return None
    found = open_proof(path.read_bytes(), TOWN, (KEY.public,))
    path.unlink()
    return found


def numbers(world: World) -> dict[int, int]:
    found = proof(world)
    return {} if found is None else {one.scheme: one.number for one in found.galleries}


@pytest.fixture
def publishing(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publishing:
    (tmp_path / "own").mkdir()
    # The test's changes are made by the publisher's own connection, which it does not see.
    marks = itertools.count()
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    return Publishing(
        world.shelf,
        PublishedHead(tmp_path / "own/published.json", world.shelf),
        TOWN,
        key=KEY,
        ticket_key=b"t" * 32,
        on_published=lambda _name, _number: None,
        galleries=world.galleries,
        clock_s=lambda: world.now_s,
    )


def test_publisher_that_lives_proves_it_twice_a_minute(town: Town, world: World, publishing: Publishing) -> None:
    town.case("served")
    publishing.look()
    assert {HART: 1, PUB_WATCH: 1} == numbers(world)
    publishing.look()
    assert {} == numbers(world)

    world.now_s += PROOF_EVERY_S
    publishing.look()
    assert {HART: 1, PUB_WATCH: 1} == numbers(world)

    town.case("served")
    world.now_s += 30
    publishing.look()
    assert {HART: 2, PUB_WATCH: 1} == numbers(world)


def test_alarm_of_the_audit_proves_nothing(
    town: Town, world: World, publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is revoked is published no more: shops must stop showing them once their lease is over."""
    town.case("served")
    publishing.look()
    numbers(world)
    monkeypatch.setattr(Publishing, "_trouble", lambda _self, _head: "The audit was cut.")
    for _ in range(3):
        world.now_s += 2 * PROOF_EVERY_S
        publishing.look()

    assert publishing.alarm
    assert {} == numbers(world)


def test_database_that_does_not_answer_proves_nothing(
    world: World, publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.look()
    numbers(world)

    def away() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(journal, "head", away)
    world.now_s += 7_200
    publishing.look()

    assert publishing.fault
    assert {} == numbers(world)


def test_scheme_that_cannot_be_published_is_not_proven_and_the_others_are(town: Town, world: World) -> None:
    town.case("served")
    world.look()
    numbers(world)
    (world.folder / lines_file(HART, 2)).mkdir()
    town.case("served")
    with pytest.raises(OSError, match="directory"):
        world.look()

    assert {PUB_WATCH: 1} == numbers(world)


def test_photograph_that_is_lost_takes_no_lease_from_anybody(
    town: Town, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be lost for ever, and whoever is revoked is published all the same."""
    world.photograph(town, town.case("served"))
    monkeypatch.setattr(type(world.galleries), "_put", lambda *_: (_ for _ in ()).throw(OSError("lost")))
    with pytest.raises(OSError, match="lost"):
        world.look()

    assert {HART: 1, PUB_WATCH: 1} == numbers(world)
