"""Whom the galleries show (G3, G4, G6), and what lies beside them."""

from __future__ import annotations

import itertools
import os
from base64 import b64encode
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest
from django.utils import timezone

from office.accounts.access import rights_of
from office.exclusions import acts
from office.exclusions.models import Case, LawDocument, SchemeTerms
from office.exclusions.rules import period
from office.exclusions.rules.period import day_of
from office.people import erasure
from office.people import rights as rights_acts
from office.people.models import Individual, RightsRequest
from office.publisher import changes, gallery_content
from office.publisher.publishing import Publishing
from office.publisher.shelf import PublishedHead
from tests.office.conftest import HART, PUB_WATCH
from tests.office.exclusions.conftest import Town, serving
from tests.office.publisher.gallery_world import KEY, TOWN, World
from wire.errors import EncodeError
from wire.gallery_head import GalleryHead, seal_head
from wire.gallery_lines import Category
from wire.signing import SigningKey
from wire.snapshots import Town as WireTown


def test_gallery_says_who_is_shown_to_whom_and_until_when(town: Town, world: World) -> None:
    case = town.case("served")
    photograph = world.photograph(town, case)
    (entry,) = world.look().entries

    assert case.first_on is not None
    assert case.last_on is not None
    assert (entry.case, entry.reference, entry.name, entry.category) == (1, "HART-0001", "Nobody Atall", "theft")
    assert entry.not_before_s == period.start_s(case.first_on)
    assert entry.not_after_s == period.end_s(case.last_on)
    assert entry.premises is None
    assert entry.photograph == photograph.file
    for one in entry.photographs:
        data = (world.folder / f"{one.sha256}.bin").read_bytes()
        assert data == (world.photographs / f"{photograph.file}.{one.size}").read_bytes()
        assert (one.sha256, one.file_bytes) == (sha256(data).hexdigest(), len(data))


def test_gallery_knows_the_tariffs_categories() -> None:
    assert get_args(Category) == period.CATEGORIES


def test_schemes_are_apart(town: Town, world: World) -> None:
    """G4: what is HART's is in no other scheme's gallery."""
    town.case("served")
    assert len(world.look().entries) == 1

    assert world.newest(PUB_WATCH).entries == ()
    assert world.published == [("gallery-1", 1), ("gallery-2", 1)]


def test_nothing_is_published_twice_and_numbers_never_go_back(town: Town, world: World) -> None:
    case = town.case("served")
    world.look()
    world.look()
    world.begin()
    world.look()
    assert world.published == [("gallery-1", 1), ("gallery-2", 1)]
    acts.revoke(town.turn(case), "enough")
    assert world.look().entries == ()
    for path in world.folder.iterdir():
        path.unlink()
    world.begin()
    world.look()

    assert world.published[2:] == [("gallery-1", 2), ("gallery-1", 3), ("gallery-2", 2)]


def test_scheme_that_is_gone_gets_an_empty_gallery_that_replaces_its_last_one(town: Town, world: World) -> None:
    """Whoever holds the last one lets go of it only for a higher number."""
    world.photograph(town, town.case("served"))
    world.look()
    world.galleries.publish({PUB_WATCH: ()})

    assert world.newest().entries == ()
    assert world.published == [("gallery-1", 1), ("gallery-2", 1), ("gallery-1", 2)]
    assert world.galleries_left() == ["gallery-1-2.json", "gallery-2-1.json"]
    world.galleries.publish({PUB_WATCH: ()})
    world.begin()
    world.galleries.publish({PUB_WATCH: ()})
    assert len(world.published) == 3


def test_scheme_that_is_gone_is_told_so_though_its_file_is_lost(town: Town, world: World) -> None:
    town.case("served")
    world.look()
    for path in world.folder.iterdir():
        path.unlink()
    world.begin()
    world.galleries.publish({})

    assert [world.newest(scheme).number for scheme in (HART, PUB_WATCH)] == [2, 2]
    assert world.newest().entries == ()


def test_scheme_that_comes_back_is_shown_under_a_higher_number(town: Town, world: World) -> None:
    town.case("served")
    world.look()
    world.galleries.publish({})

    assert (world.look().number, len(world.newest().entries)) == (3, 1)


def changed_unseen(path: Path) -> None:
    """Other bytes of the same size and time: found when they are copied."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"X")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_photograph_that_cannot_be_published_keeps_nobody_shown(town: Town, world: World) -> None:
    """Neither who is revoked in the same scheme, nor anybody in another."""
    revoked_case, broken = town.case("served"), town.case("served")
    world.look()
    photograph = world.photograph(town, broken)
    gallery_content._measured(world.photographs / f"{photograph.file}.small", "small")
    changed_unseen(world.photographs / f"{photograph.file}.small")
    acts.revoke(town.turn(revoked_case), "enough")
    for _ in range(2):
        with pytest.raises(OSError, match="has changed"):
            world.look()

    assert [(one.case, one.photographs) for one in world.newest().entries] == [(broken.number, ())]
    assert world.newest().number == 2
    assert world.galleries.is_due()


def test_scheme_that_cannot_be_published_stops_no_other(
    town: Town, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.case("served")
    galleries = world.galleries.read()

    def sealed(head: GalleryHead, town: WireTown, key: SigningKey) -> bytes:
        if head.scheme == HART:
            raise EncodeError("head", "too large")
        return seal_head(head, town, key)

    monkeypatch.setattr("office.publisher.galleries.seal_head", sealed)
    with pytest.raises(EncodeError):
        world.galleries.publish(galleries)

    assert world.published == [("gallery-2", 1)]
    assert [name for name in world.files() if name.startswith("gallery-1")] == []
    monkeypatch.undo()
    assert len(world.look().entries) == 1


def test_file_with_an_impossible_scheme_stops_nothing(town: Town, world: World) -> None:
    town.case("served")
    (world.folder / "gallery-99999-1.json").write_text("{}")

    assert len(world.look().entries) == 1


Change = Callable[[Town, Case], object]


def restricted(town: Town, case: Case) -> None:
    acts.restrict(town.turn(case), "contested")


def revoked(town: Town, case: Case) -> None:
    acts.revoke(town.turn(case), "enough")


def erased(town: Town, case: Case) -> None:
    request = RightsRequest.objects.create(
        scheme=town.hart,
        kind="erasure",
        asked_by="x",
        received_on=date(2026, 1, 1),
        due_on=date(2026, 2, 1),
        individual=case.individual,
        recorded_by=town.cora,
    )
    rights_acts.erase(town.cora, rights_of(town.cora), request, case.individual.version, "It was not them.")


def over(_: Town, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(last_on=day_of(timezone.now()) - timedelta(days=1))


def not_begun(_: Town, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(first_on=day_of(timezone.now()) + timedelta(days=1))


def minor(_: Town, case: Case) -> None:
    Individual.objects.filter(pk=case.individual_id).update(born_on=None, is_believed_minor=True)


def minor_without_the_approver(town: Town, case: Case) -> None:
    minor(town, case)
    SchemeTerms.objects.update(dpia_allows_minors=True)
    Case.objects.filter(pk=case.pk).update(minor_approved_by=town.deputy, may_show_minor=False)


def minor_without_the_assessment(town: Town, case: Case) -> None:
    minor(town, case)
    Case.objects.filter(pk=case.pk).update(minor_approved_by=town.deputy, may_show_minor=True)


def register_off(*_: object) -> None:
    LawDocument.objects.filter(kind="impact-assessment").delete()


def only_of_premises_that_left(town: Town, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(scope="listed")
    case.listed.set([town.premises[0]])
    town.premises[0].schemes.clear()


@pytest.mark.parametrize(
    "change",
    [
        *(restricted, revoked, erased, over, not_begun, minor, minor_without_the_approver, register_off),
        *(minor_without_the_assessment, only_of_premises_that_left),
    ],
)
def test_nobody_is_shown_who_may_not_be_and_no_file_of_theirs_is_left(town: Town, world: World, change: Change) -> None:
    case = town.case("served")
    world.photograph(town, case)
    assert len(world.look().entries) == 1
    before = world.newest().lines
    change(town, case)
    gallery = world.look()

    assert (gallery.entries, gallery.holders.lines) == ((), ())
    assert world.galleries_left() == ["gallery-1-2.json", "gallery-2-1.json"]
    left = b"".join((world.folder / name).read_bytes() for name in world.files())
    assert before[case.number].text not in left
    assert b64encode(before[case.number].text) not in left


@pytest.mark.parametrize("state", ["nominated", "checked", "voting", "decided"])
def test_nobody_is_shown_before_it_is_issued(town: Town, world: World, state: str) -> None:
    town.case(state)  # type: ignore[arg-type]  # as parametrised

    assert world.look().entries == ()


def test_minor_is_shown_if_assessment_and_second_approver_allow_it(town: Town, world: World) -> None:
    case = town.case("served")
    minor_without_the_assessment(town, case)
    SchemeTerms.objects.update(dpia_allows_minors=True)

    assert len(world.look().entries) == 1


def test_only_listed_premises_of_the_scheme_are_named(town: Town, world: World) -> None:
    case = town.case("served")
    Case.objects.filter(pk=case.pk).update(scope="listed")
    case.listed.set(town.premises[:3])
    town.premises[2].schemes.clear()

    assert world.look().entries[0].premises == (town.premises[0].pk, town.premises[1].pk)


def test_face_without_a_name_is_shown(town: Town, world: World) -> None:
    case = town.case("served")
    Individual.objects.update(name="")
    world.photograph(town, case)
    (entry,) = world.look().entries

    assert entry.name == ""
    assert len(entry.photographs) == 2


def test_only_the_shown_and_cropped_photograph_is_published(town: Town, world: World) -> None:
    case = town.case("served")
    world.photograph(town, case, crop=0)
    world.photograph(town, case, crop=50, shown=False)
    (entry,) = world.look().entries

    assert entry.photograph is None
    assert [name for name in world.files() if name.endswith(".bin")] == []


def test_lost_file_of_a_photograph_hides_the_picture_alone(town: Town, world: World) -> None:
    case = town.case("served")
    photograph = world.photograph(town, case)
    (world.photographs / f"{photograph.file}.small").unlink()
    assert [one.size for one in world.look().entries[0].photographs] == ["portrait"]
    (world.photographs / f"{photograph.file}.portrait").unlink()
    (entry,) = world.look().entries

    assert (entry.name, entry.photographs) == ("Nobody Atall", ())


def test_another_crop_is_published_under_another_name(town: Town, world: World) -> None:
    case = town.case("served")
    photograph = world.photograph(town, case)
    before = world.look().lines.ciphertexts()
    (world.photographs / f"{photograph.file}.portrait").write_bytes(b"another ciphertext of the portrait")
    after = world.look().lines.ciphertexts()

    assert len(before & after) == 1
    assert {name for name in world.files() if name.endswith(".bin")} == {f"{one}.bin" for one in after}


def test_erased_words_are_in_no_gallery_even_if_the_case_were_in_force(town: Town, world: World) -> None:
    case = town.case("served")
    individual = case.individual
    individual.erased_at = timezone.now()
    erasure.erase_words(individual)

    assert world.look().entries == ()


def test_publisher_publishes_galleries_when_something_changes_and_at_each_day(
    town: Town, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = itertools.count()
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    publishing = Publishing(
        world.shelf,
        PublishedHead(tmp_path / "published.json", world.shelf),
        TOWN,
        key=KEY,
        ticket_key=b"t" * 32,
        on_published=lambda _, number: None,
        galleries=world.galleries,
        clock_s=lambda: 1_000.0,
    )
    case = town.case("issued")
    publishing.look()
    assert len(world.newest().entries) == 1
    acts.serve(town.turn(case), serving())
    acts.restrict(town.turn(case), "contested")
    publishing.look()
    assert world.newest().entries == ()
    acts.lift_restriction(town.turn(case), "settled")
    publishing.look()
    assert len(world.newest().entries) == 1
    tomorrow = timezone.now() + timedelta(days=1)
    Case.objects.update(last_on=day_of(timezone.now()))
    monkeypatch.setattr(changes, "mark", lambda: ("nothing has changed",))
    publishing.look()
    assert len(world.newest().entries) == 1
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    publishing.look()

    assert publishing.fault == ""
    assert world.newest().entries == ()
