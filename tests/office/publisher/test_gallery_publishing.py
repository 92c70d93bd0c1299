"""How galleries are published: what stays, what is sealed anew, and what a reader finds after a fault."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from django.db import OperationalError
from django.utils import timezone

from office.config import load_configuration
from office.exclusions import acts
from office.exclusions.models import Case
from office.exclusions.rules.period import day_of
from office.gallery.line_keys import WrappedKeyError, photograph_key
from office.people.models import Individual
from office.people.sealing import Sealing
from office.publisher import gallery_content
from office.publisher.app import gallery_key
from runtime.atomic import write_atomic
from tests.office.exclusions.conftest import Town
from tests.office.publisher.gallery_world import World
from tests.support.office_program import write_config

Change = Callable[[Town, Case], object]


def test_ciphertext_opens_as_the_protocol_says(tmp_path: Path) -> None:
    """docs/gallery-protocol.md: nonce, ciphertext and tag; bound to photograph and size."""
    name = "0f" * 16
    sealing = Sealing(tmp_path, b"p" * 32)
    wrapped = sealing.new_key(name)
    sealing.write(name, wrapped, "portrait", b"a JPEG")
    key = photograph_key(b"p" * 32, name, wrapped)
    for other in ((b"q" * 32, name, wrapped), (b"p" * 32, "1f" * 16, wrapped), (b"p" * 32, name, wrapped[:20])):
        with pytest.raises(WrappedKeyError):
            photograph_key(*other)
    data = (tmp_path / f"{name}.portrait").read_bytes()

    bound_to = f"watchlink/1/photograph\n{name}\nportrait".encode()
    assert ChaCha20Poly1305(key).decrypt(data[:12], data[12:], bound_to) == b"a JPEG"


def test_newest_are_shown_where_more_are_than_a_gallery_holds(
    town: Town, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gallery_content, "ENTRIES_MAX", 2)
    for _ in range(3):
        town.case("served")

    assert [one.case for one in world.look().entries] == [2, 3]
    assert "the oldest are left out" in caplog.text


def test_name_is_in_no_file(town: Town, world: World) -> None:
    """Whoever reads the folder, or a copy of it, reads no name and no reference."""
    world.photograph(town, town.case("served"))
    gallery = world.look()
    opened = b"".join(line.text for line in gallery.lines.values())
    files = b"".join((world.folder / name).read_bytes() for name in world.files()) + opened

    for word in (b"Nobody", b"Atall", b"HART-", b"theft"):
        assert word not in files
    assert b64encode(b"Nobody Atall")[2:-4] not in files


def test_line_stays_to_the_byte_while_nothing_of_it_changes(town: Town, world: World) -> None:
    first, second = town.case("served"), town.case("served")
    before = world.look()
    Individual.objects.filter(pk=second.individual_id).update(name="Somebody Else")
    world.begin()
    after = world.look()

    assert [one.since for one in after.entries] == [1, 2]
    assert after.lines.after(1).count(b"\n") == 1
    assert before.lines.data.splitlines()[0] == after.lines.data.splitlines()[0]
    assert after.holders.gone_after(1) == ()
    assert (before.entries[0], after.entries[0].case) == (after.entries[0], first.number)


def listed_for_one(town: Town, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(scope="listed")
    case.listed.set([town.premises[1]])


def happened_elsewhere(town: Town, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(nominating_member=town.members[2])


def longer(_: Town, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(last_on=day_of(timezone.now()) + timedelta(days=400))


@pytest.mark.parametrize("change", [listed_for_one, happened_elsewhere, longer])
def test_line_is_sealed_anew_whenever_who_may_hold_its_keys_changes(town: Town, world: World, change: Change) -> None:
    """A premises that may not be shown it any more holds keys that open nothing new."""
    case = town.case("served")
    before = world.look().lines[case.number]
    change(town, case)
    after = world.look().lines[case.number]

    assert (before.since, after.since) == (1, 2)
    assert before.text != after.text


def test_premises_that_it_concerns_are_told_so_and_no_other(town: Town, world: World) -> None:
    case = town.case("served")
    (entry,) = world.look().entries
    assert (entry.premises, entry.here) == (None, (town.premises[0].pk,))
    listed_for_one(town, case)
    (entry,) = world.look().entries

    assert entry.premises == entry.here == (town.premises[1].pk,)
    (holders,) = world.newest().holders.lines
    assert [holders.may_show(one.pk) for one in town.premises] == [False, True, False, False]


def test_who_is_gone_is_named_by_number_to_whoever_missed_it(town: Town, world: World) -> None:
    first, second = town.case("served"), town.case("served")
    world.look()
    acts.revoke(town.turn(first), "enough")
    world.look()
    acts.restrict(town.turn(second), "contested")
    holders = world.look().holders
    assert [holders.gone_after(number) for number in (0, 1, 2, 3)] == [(), (1, 2), (2,), ()]
    acts.lift_restriction(town.turn(second), "settled")
    world.begin()
    holders = world.look().holders

    assert [holders.gone_after(number) for number in (1, 3, 4, 5)] == [(1,), (), (), None]


def test_lost_or_damaged_files_are_published_anew_and_from_nothing(town: Town, world: World) -> None:
    town.case("served")
    world.look()
    for number, name in enumerate(("lines", "holders", "json"), start=1):
        (world.folder / f"gallery-1-{number}.{name}").write_bytes(b"{}")
        world.begin()
        gallery = world.look()
        assert (gallery.number, gallery.entries[0].since) == (number + 1, number + 1)
        assert gallery.holders.gone_after(number) is None
    assert [one for one in world.files() if one.startswith("gallery-1")] == [
        "gallery-1-4.holders",
        "gallery-1-4.json",
        "gallery-1-4.lines",
    ]


def test_another_gallery_key_seals_every_line_anew(town: Town, world: World) -> None:
    town.case("served")
    before = world.look()
    world.gallery_key = b"h" * 32
    world.begin()
    after = world.look()

    assert (after.number, after.entries[0].since, after.entries[0].name) == (2, 2, "Nobody Atall")
    assert before.lines[1].text != after.lines[1].text


def test_gallery_key_is_made_once_and_for_the_publisher_alone(tmp_path: Path) -> None:
    configuration = load_configuration(write_config(tmp_path))
    file = configuration.gallery_key_file
    key = gallery_key(configuration)

    assert (len(key), file.stat().st_mode & 0o777) == (32, 0o600)
    assert gallery_key(configuration) == key
    file.unlink()
    assert gallery_key(configuration) != key


def test_service_stays_alive_while_many_photographs_are_copied(town: Town, world: World) -> None:
    """A program that says nothing for two minutes is ended by systemd."""
    for _ in range(3):
        world.photograph(town, town.case("served"))
    for _ in range(2):
        world.look()

    assert world.steps == [0] * 6


def test_lease_is_in_the_head_and_a_new_one_is_published(town: Town, world: World) -> None:
    town.case("served")
    assert world.look().head.lease_s == 7 * 86_400
    world.lease_s = 86_400
    world.begin()
    gallery = world.look()

    assert (gallery.number, gallery.head.lease_s, gallery.entries[0].since) == (2, 86_400, 1)


def test_full_disk_leaves_the_last_gallery_whole(town: Town, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each of the three files. What a reader finds belongs together, and the next look publishes it."""
    case = town.case("served")
    world.look()
    acts.revoke(town.turn(case), "enough")
    for ending in (".holders", ".lines", ".json"):

        def write(path: Path, data: bytes, mode: int, refused: str = ending) -> None:
            if path.name.startswith("gallery-1") and path.suffix == refused:
                raise OSError("No space left on device")
            write_atomic(path, data, mode)

        monkeypatch.setattr("office.publisher.galleries.write_atomic", write)
        with pytest.raises(OSError, match="No space"):
            world.look()
        assert [entry.case for entry in world.newest().entries] == [case.number]
        assert world.galleries.is_due()
    monkeypatch.undo()

    assert world.look().entries == ()


def test_day_whose_begin_could_not_be_read_is_still_due(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown_cases(_today: object) -> None:
        raise OperationalError("the database is locked")

    monkeypatch.setattr(gallery_content, "shown_cases", shown_cases)
    with pytest.raises(OperationalError):
        world.galleries.read()

    assert world.galleries.is_due()
